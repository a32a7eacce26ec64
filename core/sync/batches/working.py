"""Sending several new documents in one call. What the answer says of a row is that document's own result."""

import logging
from collections.abc import Sequence

from core.sync.contract import Bill, Filing, Link
from core.sync.documents import differences
from core.sync.mapping.applied import overlay
from core.sync.outcome import Failed, Found, LeaseLost, SyncError, Uncertain, Unknown
from core.sync.task import ANYTHING, TOO_SLOW, Result, Task, refused

log = logging.getLogger("tongshang.sync")


def work_together(link: Link, tasks: Sequence[Task]) -> list[Result]:
    """One result for each task, in their order. A bill that cannot be made keeps no other from going."""
    try:
        filing = link.filing(tasks[0].document.kind)
    except KeyError:
        missing = Failed("sync.kind_unknown", f"{tasks[0].connector}: {tasks[0].document.kind}", retry=False)
        return [Result(missing) for _ in tasks]
    made = [_bill(filing, task) for task in tasks]
    bills = [each for each in made if isinstance(each, Bill)]
    sent = iter(_sent(filing, bills))
    return [_result(each, next(sent)) if isinstance(each, Bill) else each for each in made]


def _bill(filing: Filing, task: Task) -> Bill | Result:
    try:
        return overlay(filing.bill(task.document, task.lookup), task.document, task.mapping)
    except SyncError as error:
        return refused(error)
    except ANYTHING as error:
        log.exception("connector %s failed on %s", task.connector, task.document.reference)
        return Result(Unknown("sync.connector_error", f"{type(error).__name__}: {error}"))


def _sent(filing: Filing, bills: Sequence[Bill]) -> Sequence[Found | SyncError]:
    """What became of each bill; what goes wrong with the call as a whole is said of each."""
    if not bills:
        return []
    try:
        answers = filing.send_many(bills)
    except SyncError as error:
        return [error] * len(bills)
    except LeaseLost:
        return [Uncertain(TOO_SLOW.code, TOO_SLOW.message)] * len(bills)
    except ANYTHING as error:
        log.exception("%s failed on %d documents", type(filing).__name__, len(bills))
        return [Uncertain("sync.connector_error", f"{type(error).__name__}: {error}")] * len(bills)
    if len(answers) != len(bills):
        return [Uncertain("sync.connector_error", f"{len(bills)} documents and {len(answers)} answers")] * len(bills)
    return answers


def _result(bill: Bill, answer: Found | SyncError) -> Result:
    learned = dict(bill.learned)
    if isinstance(answer, SyncError):
        return refused(answer, learned=learned)
    return Result(found=answer, differences=differences(bill, answer), learned=learned)

"""What a piece of work means for its document: the next state, why, and when it may be taken up again."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.sync.outcome import Failed, Outcome, Unknown
from core.sync.plainly import plain
from core.sync.task import Result, Task

FIRST_WAIT, LONGEST_WAIT = 2.0, 600.0  # seconds between tries
MOST_TRIES = 12
MOST_EARLY = 150  # of a document that waits for another one, or for a system that answers nobody: more than a day
MOST_REFUSALS = 5  # tries of one document whose settings alone are refused, such as a missing permission
UNREACHED = ("unreachable", "outbound")  # how the codes begin of what never left this house; no number of them is too many

Verdict = dict[str, Any]
"""The columns to write; `wait` is seconds until the document may be taken again."""


def verdict_of(task: Task, result: Result, settle: timedelta, first_wait: float, hurry: timedelta | None = None) -> Verdict:
    """`settle` passes before a look at what is unclear; `hurry`, where given, stands for the time an answer is awaited."""
    remote: Verdict = {}
    if result.found:
        remote = {"remote_id": plain(result.found.remote_id), "remote_number": plain(result.found.number)}
    outcome = result.outcome
    if outcome is None and result.differences:
        said = "; ".join(result.differences)
        return remote | cause("held", "sync.differs", said) | {"tries": task.tries + 1}
    if outcome is None:
        return remote | cause("done", None, "")
    if isinstance(outcome, Unknown):
        return remote | _unclear(task, outcome, settle, hurry)
    assert isinstance(outcome, Failed)
    return remote | _failed(task, result, outcome, first_wait)


def _unclear(task: Task, outcome: Unknown, settle: timedelta, hurry: timedelta | None) -> Verdict:
    if outcome.after is not None:
        # Waiting for an answer that is on its way is no failed try.
        after = outcome.after if hurry is None else hurry
        return cause("unknown", outcome.code, outcome.message) | {"wait": after.total_seconds()}
    tries = {"tries": task.tries + 1}
    if outcome.hopeless or task.tries + 1 >= MOST_TRIES:
        return tries | cause("held", outcome.code, outcome.message)
    return tries | cause("unknown", outcome.code, outcome.message) | {"wait": settle.total_seconds()}


def _failed(task: Task, result: Result, outcome: Failed, first_wait: float) -> Verdict:
    tries = task.tries + 1
    reached = not outcome.code.startswith(UNREACHED)
    # Where the connection as a whole is in trouble, the document is not to blame; a connector's mistakes heal by no waiting.
    patient = outcome.early or (task.troubled and not outcome.code.startswith("sync."))
    enough = reached and tries >= (MOST_EARLY if patient else MOST_TRIES)
    again = {"tries": tries, "wait": _wait(tries, outcome, first_wait)}
    if result.looking:
        # A failed look says nothing about the document: it stays as it was and is looked for again.
        if enough:
            return {"tries": tries} | cause("held", outcome.code, outcome.message)
        return again | cause("unknown" if task.state == "unknown" else "new", outcome.code, outcome.message)
    if result.settings_refused and tries < MOST_REFUSALS:
        outcome = replace(outcome, retry=True)
    perhaps_there = task.state == "unknown" or result.found is not None
    if outcome.retry and not enough:
        return again | cause("unknown" if perhaps_there else "new", outcome.code, outcome.message)
    # Refused for good is failed; out of tries, or perhaps there after all, is for a person to look at.
    state = "held" if outcome.retry or perhaps_there else "failed"
    return {"tries": tries} | cause(state, outcome.code, outcome.message, outcome.field)


def _wait(tries: int, outcome: Outcome, first_wait: float) -> float:
    after = getattr(outcome, "after", None)
    base = max(first_wait, after.total_seconds() if after else 0.0) * 2.0 ** min(tries - 1, 12)
    return min(base, LONGEST_WAIT) * random.uniform(0.75, 1.5)


def cause(state: str, code: str | None, said: str, about: str = "") -> Verdict:
    """A state and why, in characters that a database takes."""
    return {"state": state, "cause": plain(code), "cause_text": str(plain(said))[:2000], "cause_field": str(plain(about))}

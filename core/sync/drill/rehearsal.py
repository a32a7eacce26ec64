"""One case of the drill: an order of its own, one trouble at one write, and what is there in the end.

It decides as the engine decides (the same `_work` and `_verdict`), only that what it knows is kept in memory: nothing of the
enterprise's own documents is touched. What it made there it takes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import requests

from core.kernel import uuid7
from core.sync.contract import Access, Connector, Link
from core.sync.drill.placing import PLACES, PlaceTrouble
from core.sync.drill.trouble import Killed, Trouble, install
from core.sync.engine import Engine, Task
from core.sync.mapping.applied import NOTHING, Applied
from core.sync.outbound import OutboundRule
from core.sync.outcome import MISTAKES, LeaseLost, SyncError, Trace
from core.sync.outgoing import Outgoing
from core.sync.transport import PLAIN, Way

INTENTS = ("create", "change", "cancel")
LONGEST = 25  # tries of one case; the engine itself gives up earlier
CALLS: dict[str, str] = {
    "none": "Nothing goes wrong",
    "refused": "Nobody listens",
    "cut_before": "The line breaks before the call arrives",
    "cut_after": "The line breaks after the call was carried out",
    "silent_before": "No answer, and nothing was carried out",
    "silent_after": "No answer, although it was carried out",
    "gateway": "A 502 page, although it was carried out",
    "page": "A sign-in page with status 200 instead of the answer",
    "half": "The answer breaks off in the middle",
    "garbled": "The answer is in another character set than it says",
    "empty": "An empty answer with status 200",
    "late": "The answer comes late",
    "killed": "Our worker dies before it can write down the answer",
}
"""Trouble of one call over HTTP."""
CATALOGUE: dict[str, str] = {**CALLS, **PLACES}
"""Every trouble by its name."""


def cases_of(connector: Connector) -> list[tuple[str, str]]:
    """What is rehearsed for a connector, (trouble, intent) by turns: trouble of calls, or of places where it leaves files."""
    return [(trouble, intent) for trouble in (PLACES if by_place(connector) else CALLS) for intent in INTENTS]


def by_place(connector: Connector) -> bool:
    """Whether a connector says that it leaves files (`by_place`); then its link has `around`, see `placing`."""
    return bool(getattr(connector, "by_place", False))


@dataclass(frozen=True)
class CaseResult:
    """What became of one case. `there` counts the documents found by its reference; `passed` is the verdict."""

    trouble: str
    intent: str
    reference: str
    state: str
    cause: str
    said: str
    tries: int
    calls: int
    there: int
    number: str
    passed: bool
    left: bool  # it could not be taken back and lies there still
    milliseconds: int


class _Hands(Engine):
    """An engine whose calls meet trouble and whose knowledge stays in memory."""

    def __init__(self, engine: Engine, trouble: Trouble, *, places: bool) -> None:
        super().__init__(
            engine.unit, engine.registry, engine.rules, settle=engine.settle, first_wait=engine.first_wait
        )
        self.trouble, self.places = trouble, places

    def _link(self, task: Task, connector: Connector) -> Link:
        if not self.places:
            task = replace(task, way=cast(Way, _Troubled(task.way, self.trouble)))
        link = super()._link(task, connector)
        if isinstance(self.trouble, PlaceTrouble):
            link.around = self.trouble.around  # type: ignore[attr-defined]  # only links that leave files have it
        return _Armed(link, self.trouble)  # type: ignore[return-value]


class _Troubled:
    """A way on which trouble lies in wait."""

    def __init__(self, way: Way, trouble: Trouble) -> None:
        self.way, self.trouble = way, trouble

    def session(self, rules: Sequence[OutboundRule]) -> requests.Session:
        return install(self.way.session(rules), self.trouble)


class _Armed:
    """A link that arms the trouble before each write, after the engine's own look at its lease."""

    def __init__(self, link: Link, trouble: Trouble) -> None:
        self.__dict__.update(link=link, trouble=trouble)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.link, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "before_write":
            armed, look = self.trouble, value

            def both() -> None:
                look()
                armed.about_to_write()

            value = both
        setattr(self.link, name, value)


class Rehearsal:
    """Rehearses cases for one connection. `wait` is slept between tries; tests hand in a shorter one."""

    def __init__(
        self,
        engine: Engine,
        connector: Connector,
        access: Access,
        sample: Outgoing,
        lookup: Callable[[str, UUID], str | None],
        prefix: str,
        *,
        way: Way = PLAIN,
        mapping: Applied = NOTHING,
        settle: timedelta | None = None,
        seconds: float = 3.0,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.engine, self.connector, self.access = engine, connector, access
        self.sample, self.lookup, self.prefix = sample, lookup, prefix
        self.seconds, self.wait = seconds, wait
        self.way, self.mapping, self.settle = way, mapping, settle

    def case(self, number: int, trouble: str, intent: str, at: int = 1) -> CaseResult:
        """One trouble at the `at`-th write of one intent. Where the order must be there before, it is made without trouble.

        Trouble of a place falls where it belongs, whatever `at` says.
        """
        began = time.monotonic()
        order = replace(self.sample, object_id=uuid7(), reference=f"{self.prefix}-{number:02}", version=1)
        if intent != "create":
            before = self._bring(order, "create", Trouble("late", 0.0), quiet=True)
            if before["state"] != "done":
                return self._result(
                    trouble, intent, order, before, _trouble(trouble, 0.0), began, prepared=False
                )
        if intent == "change":
            order = doubled(order, 2)
        at_work = _trouble(trouble, self.seconds, at)
        ended = self._bring(order, intent, at_work, quiet=trouble == "none", older=intent != "create")
        return self._result(trouble, intent, order, ended, at_work, began)

    def _bring(
        self, order: Outgoing, intent: str, trouble: Trouble, *, quiet: bool, older: bool = False
    ) -> dict[str, Any]:
        """What the engine would do with this document until it moves no more."""
        trouble.hit = quiet
        hands = _Hands(self.engine, trouble, places=by_place(self.connector))
        known: dict[str, Any] = {"state": "new", "tries": 0, "cause": None, "cause_text": "", "calls": 0}
        token = 0
        try:
            while known["state"] in ("new", "sending", "unknown") and token < LONGEST:
                token += 1
                task = self._task(order, intent, known, token, older)
                trace = Trace(keep=20)
                try:
                    result = hands._work(task, self.connector, trace)
                except Killed:
                    known |= {"state": "unknown", "calls": known["calls"] + len(trace.exchanges)}
                    self.wait((hands.settle or self.settle or self.connector.settle).total_seconds())
                    continue
                except LeaseLost:
                    known["state"] = "unknown"
                    continue
                verdict = hands._verdict(task, self.connector, result)
                known |= {"calls": known["calls"] + len(trace.exchanges), **verdict}
                pause = known.pop("wait", None)
                if getattr(result.outcome, "early", False):  # what it waits for belongs to no drill and would never come
                    known["state"] = "failed"
                    break
                if pause is not None:
                    self.wait(pause)
        finally:
            hands.close()
        return known

    def _task(self, order: Outgoing, intent: str, known: dict[str, Any], token: int, older: bool) -> Task:
        return Task(
            id=order.object_id,
            tenant_id=order.object_id,
            connection_id=order.object_id,
            connection_version=1,
            connection_name=self.connector.title,
            token=token,
            tries=known["tries"],
            state="unknown" if known["state"] == "unknown" else "sending",
            intent=intent,
            document=order,
            access=self.access,
            connector=self.connector.key,
            lookup=self.lookup,
            older=older,
            until=time.monotonic() + timedelta(minutes=5).total_seconds(),
            way=self.way,
            mapping=self.mapping,
            settle=self.settle,
        )

    def _result(
        self,
        trouble: str,
        intent: str,
        order: Outgoing,
        ended: dict[str, Any],
        met: Trouble,
        began: float,
        *,
        prepared: bool = True,
    ) -> CaseResult:
        there, number, cancelled, said = self._look(order)
        as_wished = there == 1 and not cancelled if intent != "cancel" else there == 0 or cancelled
        held = ended["state"] == "held" and 0 <= there <= 1
        left = False
        if there and not cancelled:
            left = (
                self._bring(order, "cancel", Trouble("late", 0.0), quiet=True, older=True)["state"] != "done"
            )
        return CaseResult(
            trouble=trouble,
            intent=intent,
            reference=order.reference,
            state=str(ended["state"]),
            cause=str(ended.get("cause") or ""),
            said=str(ended.get("cause_text") or said)[:500],
            tries=int(ended["tries"]),
            calls=int(ended["calls"]),
            there=there,
            number=number,
            passed=prepared
            and ((ended["state"] == "done" and as_wished) or held)
            and (met.hit or trouble == "none"),
            left=left,
            milliseconds=round((time.monotonic() - began) * 1000),
        )

    def _look(self, order: Outgoing) -> tuple[int, str, bool, str]:
        """How many documents carry its reference there: counted where the connector can count, else found or not."""
        link = self.connector.open(self.access, self.way.session(self.engine.rules()))
        link.trace, link.before_write = Trace(), lambda: None
        try:
            filing = link.filing(order.kind)
            found = filing.find(order.reference)
            count = getattr(filing, "count", None)
            there = int(count(order.reference)) if count is not None else int(found is not None)
            return there, found.number if found else "", bool(found and found.cancelled), ""
        except (SyncError, *MISTAKES) as error:
            return -1, "", False, f"{type(error).__name__}: {error}"
        finally:
            link.close()


def _trouble(kind: str, seconds: float, at: int = 1) -> Trouble:
    if kind == "none":
        return Trouble("late", 0.0)
    return PlaceTrouble(kind, seconds) if kind in PLACES else Trouble(kind, seconds, at)


def doubled(document: Outgoing, version: int) -> Outgoing:
    """Another version of a document: its first line doubled, or its amount where it has none, and all that follows from it."""
    if not document.lines:
        return replace(document, version=version, total=document.total * 2)
    first = document.lines[0]
    grown = replace(first, quantity=first.quantity * 2, gross=first.gross * 2)
    total = document.total + first.gross
    return replace(document, version=version, lines=(grown, *document.lines[1:]), total=total)

"""The way out: claim a document, look before sending again, send, compare, and write down what is known.

    new -> sending -> done                      the answer says yes and the document there is ours
                   -> new (later)               certainly not executed, time may heal it
                   -> failed                    certainly not executed, a person must act
                   -> unknown -> (look up) ...  perhaps executed: after the settle time it is looked for by our reference
                   -> held                      it is there, but not as we sent it; or nobody can tell

No database transaction is open while the other system is called. The result is written only by the holder
of the newest token, and nothing is written there once the lease is over.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import requests
from sqlalchemy import select, text, update

from core.db import Unit
from core.kernel import Actor, Context
from core.sync.batches import work_together
from core.sync.breaker import note
from core.sync.contract import Bill, Connector, Link
from core.sync.documents import differences, from_json
from core.sync.events import DocumentStuck, DocumentSynced
from core.sync.mapping.applied import mapping_of, overlay
from core.sync.model import ErpConnection, SyncDocument
from core.sync.outbound import OutboundRule
from core.sync.outcome import (
    MISTAKES,
    Failed,
    LeaseLost,
    Outcome,
    SyncError,
    Trace,
    Unknown,
)
from core.sync.refs import forget_ref, lookup_of, remember
from core.sync.registry import Registry
from core.sync.secrets import access_of
from core.sync.task import Result, Task, once_noted, refused
from core.sync.transport import way_of

log = logging.getLogger("tongshang.sync")

LEASE = timedelta(seconds=120)  # longer than the calls of one document may take together
MARGIN = timedelta(seconds=35)  # no write begins when less than one call's time is left
AT_ONCE = 2  # documents of one connection under way at a time
FIRST_WAIT, LONGEST_WAIT = 2.0, 600.0  # seconds between tries
MOST_TRIES = 12
MOST_EARLY = 100  # tries of a document that waits for another one: about sixteen hours
MOST_REFUSALS = 5  # tries of one document whose settings alone are refused, such as a missing permission


class Engine:
    """Pushes documents. Several may run at once, in threads or processes; the database decides who has what."""

    def __init__(
        self,
        unit: Unit,
        registry: Registry,
        rules: Callable[[], Sequence[OutboundRule]],
        *,
        lease: timedelta = LEASE,
        margin: timedelta = MARGIN,
        settle: timedelta | None = None,
        first_wait: float = FIRST_WAIT,
        at_once: int = AT_ONCE,
    ) -> None:
        self.unit = unit
        self.registry = registry
        self.rules = rules
        self.lease, self.margin, self.settle = lease, margin, settle
        self.first_wait, self.at_once = first_wait, at_once
        self._links = threading.local()

    # -- claim

    def claim(self, batch: int = 20) -> list[Task]:
        """Take documents that are due. Each comes with a new token; the lease starts now."""
        began = time.monotonic()
        with self.unit.database.session() as claiming:
            asked = text("SELECT id, tenant_id, attempt FROM ts.sync_claim(:batch, :lease, :at_once)")
            rows = claiming.execute(
                asked, {"batch": batch, "lease": self.lease, "at_once": self.at_once}
            ).all()
            claiming.commit()
        return self._tasks(rows, began)

    def _tasks(self, rows: Sequence[Any], began: float) -> list[Task]:
        until = began + (self.lease - self.margin).total_seconds()
        return [task for row in rows if (task := self._task(row.id, row.tenant_id, row.attempt, until))]

    def _more(self, task: Task) -> list[Task]:
        """Other new documents of its kind and connection, as many as its connector carries in one call."""
        carries = self.registry[task.connector].together if task.connector in self.registry else 1
        if carries < 2 or task.looks:
            return []
        began = time.monotonic()
        with self.unit.database.session() as claiming:
            asked = text("SELECT id, tenant_id, attempt FROM ts.sync_claim_more(:connection, :kind, :most, :lease)")
            told = {"connection": task.connection_id, "kind": task.document.kind, "most": carries - 1, "lease": self.lease}
            rows = claiming.execute(asked, told).all()
            claiming.commit()
        return self._tasks(rows, began)

    def _task(self, id: UUID, tenant_id: UUID, token: int, until: float) -> Task | None:
        with self.unit.acting(tenant_id, Actor.system("sync"), {}) as ctx:
            row, connection = ctx.session.execute(
                select(SyncDocument, ErpConnection)
                .join(ErpConnection, ErpConnection.id == SyncDocument.connection_id)
                .where(SyncDocument.id == id)
            ).one()
            if row.attempt != token:
                return None
            document = from_json(row.body)
            mapping = mapping_of(ctx.session, tenant_id, connection.id)
            older = ctx.session.scalar(
                select(SyncDocument.id)
                .where(
                    SyncDocument.tenant_id == tenant_id,
                    SyncDocument.connection_id == row.connection_id,
                    SyncDocument.object_id == row.object_id,
                    SyncDocument.kind == row.kind,
                    SyncDocument.version < row.version,
                    SyncDocument.attempt > 0,
                )
                .limit(1)
            )
            return Task(
                id=row.id,
                tenant_id=tenant_id,
                connection_id=connection.id,
                connection_version=connection.version
                + mapping.no,  # both only grow: a link is as new as either
                connection_name=connection.name,
                token=token,
                tries=row.tries,
                state=row.state,
                intent=row.intent,
                document=document,
                access=access_of(connection),
                connector=connection.connector,
                lookup=mapping.lookup(lookup_of(ctx, connection.id, document), document),
                older=older is not None,
                until=until,
                mapping=mapping,
                way=way_of(connection),
                settle=connection.settle,
            )

    # -- work

    def run(self, task: Task) -> str:
        """Work on one task and write the result; answers the state it ended in, `lost` when it was not ours."""
        trace = Trace()
        try:
            if task.connector not in self.registry:
                missing = Failed("unreachable.connector", f"{task.connector} is not installed", retry=True)
                return self._finish(task, None, Result(missing, looking=True), trace)
            connector = self.registry[task.connector]
            return self._finish(task, connector, self._work(task, connector, trace), trace)
        except LeaseLost:
            log.warning("document %s: the lease is over, another worker goes on", task.id)
            return "lost"

    def run_together(self, task: Task) -> list[str]:
        """Like `run`, with others like it where one call carries several; each has a result of its own."""
        tasks = [task, *self._more(task)]
        if len(tasks) == 1:
            return [self.run(task)]
        connector, trace = self.registry[task.connector], Trace()
        try:
            opened = self._open(task, connector, trace)
            results = [opened] * len(tasks) if isinstance(opened, Result) else work_together(opened, tasks)
            results = once_noted(results)
        except LeaseLost:
            log.warning("%d documents: the lease is over, another worker goes on", len(tasks))
            return ["lost"] * len(tasks)
        return [self._written(each, connector, result, trace) for each, result in zip(tasks, results, strict=True)]

    def _written(self, task: Task, connector: Connector, result: Result, trace: Trace) -> str:
        try:
            return self._finish(task, connector, result, trace)
        except LeaseLost:
            log.warning("document %s: the lease is over, another worker goes on", task.id)
            return "lost"

    def _work(self, task: Task, connector: Connector, trace: Trace) -> Result:
        opened = self._open(task, connector, trace)
        return opened if isinstance(opened, Result) else self._deliver(task, connector, opened)

    def _open(self, task: Task, connector: Connector, trace: Trace) -> Link | Result:
        """The link of a task, ready for its calls; or why there is none."""
        try:
            link = self._link(task, connector)
        except SyncError as error:
            return refused(error, looking=True)
        except MISTAKES as error:  # nothing has left yet
            log.exception("connection %s cannot be opened", task.connection_name)
            failed = Failed("outbound.unusable", f"{type(error).__name__}: {error}", retry=True)
            return Result(failed, looking=True)
        link.trace, link.before_write = trace, task.still_ours
        return link

    def _deliver(self, task: Task, connector: Connector, link: Link) -> Result:
        if task.looks and not connector.can_look_up:
            said = "the system cannot be searched by our reference"
            return Result(Unknown("sync.cannot_look_up", said, hopeless=True))
        document, found = task.document, None
        try:
            filing = link.filing(document.kind)
        except KeyError:
            return Result(Failed("sync.kind_unknown", f"{task.connector}: {document.kind}", retry=False))
        try:
            if task.looks:
                found = filing.find(document.reference)
        except SyncError as error:
            return refused(error, looking=True)
        except MISTAKES as error:
            log.exception("connector %s failed while looking for %s", task.connector, document.reference)
            said = f"{type(error).__name__}: {error}"
            return Result(Failed("sync.connector_error", said, retry=True), looking=True)
        bill: Bill | None = None
        try:
            if task.intent == "cancel":
                return Result(found=filing.cancel(found) if found and not found.cancelled else found)
            bill = overlay(filing.bill(document, task.lookup), document, task.mapping)
            if found and (found.cancelled or (task.intent == "create" and differences(bill, found))):
                told = ["cancelled there"] if found.cancelled else differences(bill, found)
                return Result(found=found, differences=told, learned=dict(bill.learned))
            if not (found and found.finished and not differences(bill, found)):
                found = filing.send(bill, found)
            return Result(found=found, differences=differences(bill, found), learned=dict(bill.learned))
        except SyncError as error:
            return refused(error, found=found, learned=dict(bill.learned) if bill else {})
        except MISTAKES as error:
            # The connector itself is wrong; what it had sent by then is anybody's guess.
            log.exception("connector %s failed on %s", task.connector, document.reference)
            return Result(Unknown("sync.connector_error", f"{type(error).__name__}: {error}"), found)

    def _link(self, task: Task, connector: Connector) -> Link:
        """Links are kept per thread, so that a session with the other system serves many documents."""
        kept: dict[UUID, tuple[int, Link]] = self._links.__dict__.setdefault("by_connection", {})
        version, link = kept.get(task.connection_id, (0, None))
        if link is None or version != task.connection_version:
            if link is not None:
                link.close()
            link = connector.open(task.access, self.wired(task))
            kept[task.connection_id] = (task.connection_version, link)
        return link

    def wired(self, task: Task) -> requests.Session:
        """The guarded session over which a task's calls go."""
        return task.way.session(self.rules())

    def close(self) -> None:
        """Close the links of this thread."""
        for _, link in self._links.__dict__.pop("by_connection", {}).values():
            link.close()

    # -- write down

    def _finish(self, task: Task, connector: Connector | None, result: Result, trace: Trace) -> str:
        verdict = self._verdict(task, connector, result)
        with self.unit.acting(task.tenant_id, task.actor, {}) as ctx:
            verdict["exchanges"] = [asdict(exchange) for exchange in trace.exchanges]
            wait = verdict.pop("wait", None)
            if wait is not None:
                verdict["not_before"] = ctx.now + timedelta(seconds=wait)
            written = ctx.session.execute(
                update(SyncDocument)
                .where(
                    SyncDocument.tenant_id == task.tenant_id,
                    SyncDocument.id == task.id,
                    SyncDocument.attempt == task.token,
                    SyncDocument.state.in_(("sending", "unknown")),
                )
                .values(lease_until=None, changed_at=ctx.now, **verdict)
            )
            if written.rowcount != 1:
                raise LeaseLost
            if not result.noted:
                pace = self.first_wait / FIRST_WAIT
                note(ctx, task.tenant_id, task.connection_id, result.outcome, refused=result.settings_refused, pace=pace)
            self._aftermath(ctx, task, verdict, result)
        return str(verdict["state"])

    def _verdict(self, task: Task, connector: Connector | None, result: Result) -> dict[str, Any]:
        """The columns to write; `wait` is seconds until the document may be taken again."""
        remote: dict[str, Any] = {}
        if result.found:
            remote = {"remote_id": result.found.remote_id, "remote_number": result.found.number}
        outcome = result.outcome
        if outcome is None:
            if result.differences:
                said = "; ".join(result.differences)
                return remote | _cause("held", "sync.differs", said) | {"tries": task.tries + 1}
            return remote | _cause("done", None, "")
        tries = task.tries + 1
        more = {"tries": tries, **remote}
        if isinstance(outcome, Unknown):
            if outcome.after is not None:
                # Waiting for an answer that is on its way is no failed try.
                awaited = remote | _cause("unknown", outcome.code, outcome.message)
                return awaited | {
                    "wait": outcome.after.total_seconds()
                    if self.settle is None
                    else self.settle.total_seconds()
                }
            if outcome.hopeless or tries >= MOST_TRIES:
                return more | _cause("held", outcome.code, outcome.message)
            assert connector is not None
            settle = (self.settle or task.settle or connector.settle).total_seconds()
            return more | _cause("unknown", outcome.code, outcome.message) | {"wait": settle}
        assert isinstance(outcome, Failed)
        perhaps_there = task.state == "unknown" or result.found is not None
        reached = not outcome.code.startswith(("unreachable", "outbound"))
        if result.looking:
            # A failed look says nothing about the document: it stays as it was and is looked for again.
            state = "unknown" if task.state == "unknown" else "new"
            if tries >= MOST_TRIES and reached:
                return more | _cause("held", outcome.code, outcome.message)
            return more | _cause(state, outcome.code, outcome.message) | {"wait": self._wait(tries, outcome)}
        if result.settings_refused and tries < MOST_REFUSALS:
            outcome = replace(outcome, retry=True)
        if outcome.retry and (tries < (MOST_EARLY if outcome.early else MOST_TRIES) or not reached):
            state = "unknown" if perhaps_there else "new"
            return more | _cause(state, outcome.code, outcome.message) | {"wait": self._wait(tries, outcome)}
        # Refused for good is failed; out of tries, or perhaps there after all, is for a person to look at.
        state = "held" if outcome.retry or perhaps_there else "failed"
        return more | _cause(state, outcome.code, outcome.message, outcome.field)

    def _wait(self, tries: int, outcome: Outcome) -> float:
        after = getattr(outcome, "after", None)
        base = max(self.first_wait, after.total_seconds() if after else 0.0) * 2.0 ** min(tries - 1, 12)
        return min(base, LONGEST_WAIT) * random.uniform(0.75, 1.5)

    def _aftermath(self, ctx: Context, task: Task, verdict: dict[str, Any], result: Result) -> None:
        for (kind, local_id), number in result.learned.items():
            remember(ctx, task.connection_id, kind, UUID(local_id), number, number)
        state = verdict["state"]
        about = f"sync_document:{task.id}"
        common: dict[str, Any] = {
            "subject_id": task.document.object_id,
            "connection_id": task.connection_id,
            "kind": task.document.kind,
            "intent": task.intent,
            "reference": task.document.reference,
            "at": ctx.now,
        }
        if state == "done":
            if result.found and not result.found.cancelled:
                remember(
                    ctx,
                    task.connection_id,
                    task.document.kind,
                    task.document.object_id,
                    result.found.remote_id,
                    result.found.number,
                )
            elif task.intent == "cancel":
                forget_ref(ctx, task.connection_id, task.document.kind, task.document.object_id)
            number = result.found.number if result.found else ""
            ctx.record(
                "sync.done", about, reference=task.document.reference, remote=number, intent=task.intent
            )
            ctx.publish(DocumentSynced(remote_number=number, **common))
        elif state in ("failed", "held"):
            cause = str(verdict["cause"])
            ctx.record(f"sync.{state}", about, reference=task.document.reference, cause=cause)
            ctx.publish(DocumentStuck(state=state, cause=cause, **common))


def _cause(state: str, code: str | None, said: str, about: str = "") -> dict[str, Any]:
    return {"state": state, "cause": code, "cause_text": said[:2000], "cause_field": about}

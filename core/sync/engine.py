"""The way out: claim a document, look before sending again, send, compare, and write down what is known.

    new -> sending -> done                      the answer says yes and the document there is ours
                   -> new (later)               certainly not executed, time may heal it
                   -> failed                    certainly not executed, a person must act
                   -> unknown -> (look up) ...  perhaps executed: after the settle time it is looked for by our reference
                   -> held                      it is there, but not as we sent it; or nobody can tell
                   -> superseded                not under way any more, and a newer version was written down meanwhile

No database transaction is open while the other system is called. The result is written only by the holder
of the newest token, and nothing is written there once the lease is over.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import requests
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import defer

from core.db import Unit
from core.kernel import Actor, Context
from core.sync import breaker, outbound, pacing
from core.sync.batches import work_together
from core.sync.contract import Bill, Connector, Link
from core.sync.documents import REPLACED, SETTLE, differences, from_json
from core.sync.events import DocumentStuck, DocumentSynced
from core.sync.mapping.applied import mapping_of, overlay
from core.sync.model import FLYING, ErpConnection, SyncDocument
from core.sync.outbound import OutboundRule
from core.sync.outcome import Failed, Found, LeaseLost, SyncError, Trace, Unknown
from core.sync.plainly import plain
from core.sync.refs import forget_ref, lookup_of, remember
from core.sync.registry import Registry
from core.sync.secrets import access_of, hidden
from core.sync.task import ANYTHING, TOO_SLOW, Result, Task, once_noted, refused
from core.sync.transport import way_of
from core.sync.unreadable import set_aside
from core.sync.verdict import FIRST_WAIT, Verdict, cause, verdict_of

log = logging.getLogger("tongshang.sync")

CALL = timedelta(seconds=pacing.LONGEST + outbound.LONGEST_ANSWER)  # the longest one call takes, its turn awaited
LEASE = timedelta(seconds=120)  # longer than the calls of one document may take together
MARGIN = CALL + timedelta(seconds=5)  # no write begins when less than this is left
LEAVING = timedelta(seconds=pacing.LONGEST + outbound.CONNECT_SECONDS)  # in which a write that began has left this house
AT_ONCE = 2  # documents of one connection under way at a time
MOST_LINKS = 50  # that one thread keeps open


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
        settles = {each.key: self._settle(each.key).total_seconds() for each in self.registry}
        return self._claimed(
            "ts.sync_claim(:batch, :lease, :at_once, CAST(:settles AS jsonb), :gone)",
            batch=batch,
            at_once=self.at_once,
            settles=json.dumps(settles),
            gone=max(self.margin - LEAVING, timedelta()),
        )

    def _more(self, task: Task) -> list[Task]:
        """Other new documents of its kind and connection, as many as its connector carries in one call."""
        carries = self.registry[task.connector].together if task.connector in self.registry else 1
        if carries < 2 or task.looks:
            return []
        asked = {"connection": task.connection_id, "kind": task.document.kind, "most": carries - 1}
        return self._claimed("ts.sync_claim_more(:connection, :kind, :most, :lease)", **asked)

    def _claimed(self, function: str, **told: Any) -> list[Task]:
        began = time.monotonic()
        with self.unit.database.session() as claiming:
            asked = text(f"SELECT id, tenant_id, attempt FROM {function}")
            rows = claiming.execute(asked, told | {"lease": self.lease}).all()
            claiming.commit()
        until = began + (self.lease - self.margin).total_seconds()
        return [task for row in rows if (task := self._read(row, until))]

    def _read(self, row: Any, until: float) -> Task | None:
        """A claimed row as a task. One that cannot be read, such as for a lost key, keeps no other from going."""
        try:
            return self._task(row.id, row.tenant_id, row.attempt, until)
        except SQLAlchemyError:
            raise
        except ANYTHING as error:
            log.exception("document %s cannot be read", row.id)
            set_aside(self.unit, row, f"{type(error).__name__}: {error}", self.first_wait)
            return None

    def _task(self, id: UUID, tenant_id: UUID, token: int, until: float) -> Task | None:
        with self.unit.acting(tenant_id, Actor.system("sync"), {}) as ctx:
            row, connection = ctx.session.execute(
                select(SyncDocument, ErpConnection)
                .join(ErpConnection, ErpConnection.id == SyncDocument.connection_id)
                .where(SyncDocument.id == id)
                .options(defer(SyncDocument.exchanges))
            ).one()
            if row.attempt != token:
                return None
            document = from_json(row.body)
            mapping = mapping_of(ctx.session, tenant_id, connection.id)
            filed = (SyncDocument.state == "done") & SyncDocument.remote_id.is_not(None) & (SyncDocument.intent != "cancel")
            older, filed_at = ctx.session.execute(
                select(func.count(), func.max(SyncDocument.changed_at).filter(filed)).where(
                    SyncDocument.tenant_id == tenant_id,
                    SyncDocument.connection_id == row.connection_id,
                    SyncDocument.object_id == row.object_id,
                    SyncDocument.kind == row.kind,
                    SyncDocument.version < row.version,
                    SyncDocument.attempt > 0,
                )
            ).one()
            settle = self._settle(connection.connector, connection.settle)
            return Task(
                id=row.id,
                tenant_id=tenant_id,
                connection_id=connection.id,
                connection_version=connection.version + mapping.no,  # both only grow: a link is as new as either
                connection_name=connection.name,
                token=token,
                tries=row.tries,
                state=row.state,
                intent=row.intent,
                document=document,
                access=access_of(connection, mapping),
                connector=connection.connector,
                lookup=mapping.lookup(lookup_of(ctx, connection.id, document), document),
                older=older > 0,
                disputed=older > 0 and filed_at is None,
                settling=max(filed_at + settle - ctx.now, timedelta()) if filed_at else timedelta(),
                troubled=connection.failures >= breaker.AFTER,
                until=until,
                mapping=mapping,
                way=way_of(connection),
                settle=connection.settle,
            )

    def _settle(self, connector: str, own: timedelta | None = None) -> timedelta:
        """How long after an unclear answer a look tells the truth; `own` is what the connection itself says."""
        known = self.registry[connector].settle if connector in self.registry else SETTLE
        return self.settle or own or known

    # -- work

    def run(self, task: Task) -> str:
        """Work on one task and write the result; answers the state it ended in, `lost` when it was not ours."""
        trace, connector = Trace(), None
        if task.connector in self.registry:
            connector = self.registry[task.connector]
            result = self._work(task, connector, trace)
        else:
            missing = Failed("unreachable.connector", f"{task.connector} is not installed", retry=True)
            result = Result(missing, looking=True)
        return self._written(task, connector, result, trace)

    def run_together(self, task: Task) -> list[str]:
        """Like `run`, with others like it where one call carries several; each has a result of its own."""
        tasks = [task, *self._more(task)]
        if len(tasks) == 1:
            return [self.run(task)]
        connector, trace = self.registry[task.connector], Trace()
        opened = self._open(task, connector, trace)
        results = [opened] * len(tasks) if isinstance(opened, Result) else work_together(opened, tasks)
        results = once_noted(results)
        return [self._written(each, connector, result, trace) for each, result in zip(tasks, results, strict=True)]

    def _written(self, task: Task, connector: Connector | None, result: Result, trace: Trace) -> str:
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
        except ANYTHING as error:  # nothing has left yet
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
        except LeaseLost:
            return Result(TOO_SLOW)
        except ANYTHING as error:
            log.exception("connector %s failed while looking for %s", task.connector, document.reference)
            said = f"{type(error).__name__}: {error}"
            return Result(Failed("sync.connector_error", said, retry=True), looking=True)
        if found is None and task.settling:
            said = "filed a moment ago, and not found yet"
            return Result(Failed("sync.settling", said, retry=True, after=task.settling, early=True), looking=True)
        bill: Bill | None = None
        try:
            if task.intent == "cancel":
                return _cancelled(filing.cancel(found) if found and not found.cancelled else found)
            bill = overlay(filing.bill(document, task.lookup), document, task.mapping)
            if found and (found.cancelled or (task.must_agree and differences(bill, found))):
                told = ["cancelled there"] if found.cancelled else differences(bill, found)
                return Result(found=found, differences=told, learned=dict(bill.learned))
            if not (found and found.finished and not differences(bill, found)):
                found = filing.send(bill, found)
            return Result(found=found, differences=differences(bill, found), learned=dict(bill.learned))
        except SyncError as error:
            return refused(error, found=found, learned=dict(bill.learned) if bill else {})
        except LeaseLost:
            return Result(TOO_SLOW, found, learned=dict(bill.learned) if bill else {})
        except ANYTHING as error:
            # The connector itself is wrong; what it had sent by then is anybody's guess.
            log.exception("connector %s failed on %s", task.connector, document.reference)
            return Result(Unknown("sync.connector_error", f"{type(error).__name__}: {error}"), found)

    def _link(self, task: Task, connector: Connector) -> Link:
        """Links are kept per thread, so that a session with the other system serves many documents; the last used the longest."""
        kept: dict[UUID, tuple[Any, Link]] = self._links.__dict__.setdefault("by_connection", {})
        rules = tuple(self.rules())
        version, link = kept.pop(task.connection_id, (None, None))
        if link is None or version != (task.connection_version, rules):
            if link is not None:
                link.close()
            link = connector.open(task.access, self.wired(task))
        kept[task.connection_id] = ((task.connection_version, rules), link)
        while len(kept) > MOST_LINKS:
            kept.pop(next(iter(kept)))[1].close()
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
            wait = verdict.pop("wait", None)
            if wait is not None:
                verdict["not_before"] = ctx.now + timedelta(seconds=wait)
            if "cause_text" in verdict:  # a peer may repeat what it was sent
                verdict["cause_text"] = hidden(task.access.secrets, verdict["cause_text"])
            verdict["exchanges"] = [plain(exchange) for exchange in trace.exchanges]
            self._write(ctx, task.tenant_id, task.id, task.token, verdict)
            if verdict["state"] == "done" and not self._remembered(ctx, task, result):
                said = f"{verdict['remote_number']} stands for another document of ours already"
                verdict |= self._changed(ctx, task, cause("held", "sync.differs", said))
            if not result.noted:
                breaker.note(
                    ctx,
                    task.tenant_id,
                    task.connection_id,
                    result.outcome,
                    refused=result.settings_refused,
                    pace=self.first_wait / FIRST_WAIT,
                    called=bool(trace.exchanges),
                )
            if verdict["state"] in REPLACED and self._newer(ctx, task):
                self._changed(ctx, task, {"state": "superseded"})
                return "superseded"
            self._aftermath(ctx, task, verdict, result)
        return str(verdict["state"])

    def _verdict(self, task: Task, connector: Connector | None, result: Result) -> Verdict:
        settle = self.settle or task.settle or (connector.settle if connector else SETTLE)
        return verdict_of(task, result, settle, self.first_wait, self.settle)

    def _write(self, ctx: Context, tenant_id: UUID, id: UUID, token: int, told: Verdict) -> None:
        """Write a result down. Raises LeaseLost when a newer token was given out since."""
        written = ctx.session.execute(
            update(SyncDocument)
            .where(
                SyncDocument.tenant_id == tenant_id,
                SyncDocument.id == id,
                SyncDocument.attempt == token,
                SyncDocument.state.in_(FLYING),
            )
            .values(lease_until=None, changed_at=ctx.now, **told)
        )
        if written.rowcount != 1:
            raise LeaseLost

    def _changed(self, ctx: Context, task: Task, told: Verdict) -> Verdict:
        """What was just written, in other words."""
        here = (SyncDocument.tenant_id == task.tenant_id, SyncDocument.id == task.id)
        ctx.session.execute(update(SyncDocument).where(*here).values(told))
        return told

    def _newer(self, ctx: Context, task: Task) -> bool:
        """Whether a newer version was written down meanwhile; then this one, which is not under way any more, gives way to it.

        Whoever writes a newer version locks this one first: either sees the other.
        """
        newer = select(SyncDocument.id).where(
            SyncDocument.tenant_id == task.tenant_id,
            SyncDocument.connection_id == task.connection_id,
            SyncDocument.object_id == task.document.object_id,
            SyncDocument.kind == task.document.kind,
            SyncDocument.version > task.document.version,
        )
        return ctx.session.scalar(newer.limit(1)) is not None

    def _remembered(self, ctx: Context, task: Task, result: Result) -> bool:
        """The counterpart noted, or forgotten with its cancellation; False when it stands for another object of ours."""
        kind, id, found = task.document.kind, task.document.object_id, result.found
        if found and not found.cancelled:
            return remember(ctx, task.connection_id, kind, id, str(plain(found.remote_id)), str(plain(found.number)))
        if task.intent == "cancel":
            forget_ref(ctx, task.connection_id, kind, id)
        return True

    def _aftermath(self, ctx: Context, task: Task, verdict: dict[str, Any], result: Result) -> None:
        for (kind, local_id), number in sorted(result.learned.items()):  # in one order, so that nobody waits for each other
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
            number = str(plain(result.found.number)) if result.found else ""
            ctx.record("sync.done", about, reference=task.document.reference, remote=number, intent=task.intent)
            ctx.publish(DocumentSynced(remote_number=number, **common))
        elif state in ("failed", "held"):
            why = str(verdict["cause"])
            ctx.record(f"sync.{state}", about, reference=task.document.reference, cause=why)
            ctx.publish(DocumentStuck(state=state, cause=why, **common))


def _cancelled(found: Found | None) -> Result:
    """What a cancellation came to: void there, or not there at all."""
    return Result(found=found, differences=["not cancelled there"] if found and not found.cancelled else [])

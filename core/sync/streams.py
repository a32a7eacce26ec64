"""The way in: pull pages, map each row, store each page in one transaction together with how far we are.

At least once: after a stop the run goes on behind the last stored page, and the next run starts a little
before the newest change seen. Rows that cannot be used are left out one by one, each with its reason.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update

from core.db import Unit
from core.kernel import Actor, Context, uuid7
from core.sync.ahead import ahead
from core.sync.contract import Access, Connector, Page, Record, Step, Stream
from core.sync.incoming import Incoming
from core.sync.issues import note
from core.sync.landing import Left, grants_of
from core.sync.mapping.applied import Applied, mapping_of, record
from core.sync.model import ErpConnection, SyncRun, SyncStream
from core.sync.outbound import OutboundRule
from core.sync.outcome import MISTAKES, LeaseLost, SkipRecord, SyncError
from core.sync.registry import Registry
from core.sync.secrets import access_of
from core.sync.service import CHECK
from core.sync.store import store
from core.sync.transport import Way, way_of

log = logging.getLogger("tongshang.sync")

LEASE = timedelta(minutes=5)
MOST_PAUSE = 60  # minutes between tries of a stream that fails


@dataclass(frozen=True)
class Pull:
    """A claimed stream."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    connection_name: str
    connector: str
    key: str
    token: int
    cursor: str | None
    position: str | None
    run_id: UUID | None
    trigger: str
    access: Access
    mapping: Applied
    way: Way

    @property
    def actor(self) -> Actor:
        return Actor("connector", self.connection_id, self.connection_name)


class Puller:
    """Runs streams and checks, one at a time per call."""

    def __init__(
        self,
        unit: Unit,
        registry: Registry,
        rules: Callable[[], Sequence[OutboundRule]],
        lease: timedelta = LEASE,
    ) -> None:
        self.unit, self.registry, self.rules, self.lease = unit, registry, rules, lease

    def claim(self) -> Pull | None:
        """The stream that has been due for longest, if any."""
        with self.unit.database.session() as claiming:
            asked = text("SELECT id, tenant_id, attempt FROM ts.sync_claim_stream(:lease)")
            row = claiming.execute(asked, {"lease": self.lease}).one_or_none()
            claiming.commit()
        if row is None:
            return None
        with self.unit.acting(row.tenant_id, Actor.system("sync"), {}) as ctx:
            stream, connection = ctx.session.execute(
                select(SyncStream, ErpConnection)
                .join(ErpConnection, ErpConnection.id == SyncStream.connection_id)
                .where(SyncStream.id == row.id)
            ).one()
            return Pull(
                id=stream.id,
                tenant_id=row.tenant_id,
                connection_id=connection.id,
                connection_name=connection.name,
                connector=connection.connector,
                key=stream.key,
                token=row.attempt,
                cursor=stream.cursor,
                position=stream.position,
                run_id=stream.run_id,
                trigger=stream.wanted_by or "schedule",
                access=access_of(connection),
                way=way_of(connection),
                mapping=mapping_of(ctx.session, row.tenant_id, connection.id),
            )

    def run(self, pull: Pull) -> str:
        """Do what was claimed; answers done, failed, cancelled or lost."""
        try:
            if pull.connector not in self.registry:
                return self._end(pull, None, "failed", f"{pull.connector} is not installed", None)
            connector = self.registry[pull.connector]
            if pull.key == CHECK:
                return self._check(pull, connector)
            return self._pull(pull, connector)
        except LeaseLost:
            log.warning("stream %s of %s: another worker goes on", pull.key, pull.connection_name)
            return "lost"

    def _check(self, pull: Pull, connector: Connector) -> str:
        steps: list[Step] = []
        try:
            with pull.way.session(self.rules()) as http:
                for step in connector.check(pull.access, http):
                    steps.append(step)
        except MISTAKES as error:
            steps.append(Step("connector", False, f"{type(error).__name__}: {error}"))
        good = bool(steps) and all(step.ok for step in steps)
        with self.unit.acting(pull.tenant_id, pull.actor, {}) as ctx:
            self._fence(ctx, pull, lease_until=None, next_at=None, wanted_by="", failures=0)
            found = {"at": ctx.now.isoformat(), "ok": good, "steps": [asdict(step) for step in steps]}
            ctx.session.execute(
                update(ErpConnection)
                .where(ErpConnection.tenant_id == pull.tenant_id, ErpConnection.id == pull.connection_id)
                .values(checked=found)
            )
        return "done" if good else "failed"

    def _pull(self, pull: Pull, connector: Connector) -> str:
        run_id = self._begin(pull)
        cursor = pull.cursor
        try:
            with pull.way.session(self.rules()) as http:
                stream = connector.open(pull.access, http).stream(pull.key)
                with ahead(stream.pull(pull.cursor, pull.position)) as pages:
                    for page in pages:
                        cursor = page.cursor or cursor
                        landing = partial(self._store, pull, run_id, stream, page, connector.stock_counts)
                        if not Unit.retrying(landing):
                            return self._end(pull, run_id, "cancelled", "", None)
        except SyncError as error:
            return self._end(pull, run_id, "failed", f"{error.code}: {error.message}", None)
        except MISTAKES as error:
            log.exception("stream %s of %s failed", pull.key, pull.connection_name)
            return self._end(pull, run_id, "failed", f"{type(error).__name__}: {error}", None)
        return self._end(pull, run_id, "done", "", cursor)

    def _begin(self, pull: Pull) -> UUID:
        """A new run, or the one that a dead worker left running."""
        with self.unit.acting(pull.tenant_id, pull.actor, {}) as ctx:
            state = ctx.session.scalar(
                select(SyncRun.state).where(SyncRun.tenant_id == pull.tenant_id, SyncRun.id == pull.run_id)
            )
            run_id = pull.run_id if state == "running" and pull.run_id else uuid7()
            self._fence(ctx, pull, run_id=run_id, lease_until=ctx.now + self.lease)
            if run_id != pull.run_id:
                row = SyncRun(
                    id=run_id,
                    tenant_id=pull.tenant_id,
                    connection_id=pull.connection_id,
                    stream=pull.key,
                    trigger=pull.trigger,
                    started_at=ctx.now,
                )
                ctx.session.add(row)
        return run_id

    def _store(self, pull: Pull, run_id: UUID, stream: Stream, page: Page, stock_counts: bool) -> bool:
        """One page in one transaction; False when a person cancelled the run."""
        good, left = _mapped(stream, page.rows, pull.mapping)
        with self.unit.acting(pull.tenant_id, pull.actor, grants_of(item for _, item in good)) as ctx:
            self._fence(ctx, pull, position=page.position, lease_until=ctx.now + self.lease)
            stored, refused = store(ctx, pull.connection_id, good, stock_counts=stock_counts)
            left += refused
            note(ctx, pull.connection_id, left, run_id=run_id)
            going = ctx.session.execute(
                update(SyncRun)
                .where(SyncRun.tenant_id == pull.tenant_id, SyncRun.id == run_id)
                .values(
                    total=func.coalesce(page.total, SyncRun.total),
                    read=SyncRun.read + len(page.rows),
                    stored=SyncRun.stored + stored,
                    skipped=SyncRun.skipped + len(left),
                )
                .returning(SyncRun.state)
            ).scalar_one()
        return going == "running"

    def _end(self, pull: Pull, run_id: UUID | None, state: str, said: str, cursor: str | None) -> str:
        with self.unit.acting(pull.tenant_id, pull.actor, {}) as ctx:
            row = ctx.session.scalar(select(SyncStream).where(SyncStream.id == pull.id).with_for_update())
            assert row is not None
            failures = row.failures + 1 if state == "failed" else 0
            minutes = min(2**failures, MOST_PAUSE) if failures else row.every_minutes
            scheduled = row.key != CHECK and row.enabled and row.every_minutes > 0
            values: dict[str, Any] = {"lease_until": None, "wanted_by": "", "failures": failures}
            values["next_at"] = (
                ctx.now + timedelta(minutes=minutes) if scheduled or failures in (1, 2) else None
            )
            if state == "done":
                values |= {"cursor": cursor, "position": None, "run_id": None}
            self._fence(ctx, pull, **values)
            if run_id is not None:
                ended = update(SyncRun).where(SyncRun.tenant_id == pull.tenant_id, SyncRun.id == run_id)
                ctx.session.execute(ended.values(state=state, said=said[:500], ended_at=ctx.now))
                about = f"sync_run:{run_id}"
                ctx.record(f"sync.run_{state}", about, stream=pull.key, said=said)
        return state

    def _fence(self, ctx: Context, pull: Pull, **values: Any) -> None:
        mine = (SyncStream.tenant_id == pull.tenant_id, SyncStream.id == pull.id)
        written = ctx.session.execute(
            update(SyncStream).where(*mine, SyncStream.attempt == pull.token).values(**values)
        )
        if written.rowcount != 1:
            raise LeaseLost


def _mapped(stream: Stream, rows: Iterable[Record], mapping: Applied) -> tuple[list[tuple[Record, Incoming]], list[Left]]:
    good: list[tuple[Record, Incoming]] = []
    left: list[Left] = []
    for row in rows:
        try:
            good.append((row, record(row, stream.to_core(row), mapping)))
        except SkipRecord as reason:
            left.append(Left(row, reason.field, reason.code, reason.message))
    return good, left

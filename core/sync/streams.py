"""The way in: pull pages, map each row, store each page in one transaction together with how far we are.

At least once: after a stop the run goes on behind the last stored page, and the next run starts a little
before the newest change seen. Rows that cannot be used are left out one by one, each with its reason.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
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
from core.sync.outcome import MISTAKES, LeaseLost, RetryLater, SkipRecord, SyncError
from core.sync.registry import Registry
from core.sync.secrets import access_of, hidden
from core.sync.service import CHECK
from core.sync.store import store
from core.sync.transport import Way, way_of

log = logging.getLogger("tongshang.sync")

LEASE = timedelta(minutes=5)
ANEW_AFTER = 3  # refusals in a row
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
    due_at: datetime | None
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
                cursor=None if _reads_all(ctx, stream) else stream.cursor,
                position=stream.position,
                run_id=stream.run_id,
                trigger=stream.wanted_by or "schedule",
                due_at=stream.next_at,
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
        except Exception as error:  # whatever a connector raises: who asked sees it among the steps
            log.exception("the check of %s failed", pull.connection_name)
            steps.append(Step("connector", False, spoken(error)))
        good = bool(steps) and all(step.ok for step in steps)
        with self.unit.acting(pull.tenant_id, pull.actor, {}) as ctx:
            asked = self._locked(ctx, pull).next_at != pull.due_at
            later = {} if asked else {"next_at": None, "wanted_by": ""}
            self._fence(ctx, pull, lease_until=None, failures=0, **later)
            found = {"at": ctx.now.isoformat(), "ok": good, "steps": [asdict(_covered(step, pull.access)) for step in steps]}
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
                link = connector.open(pull.access, http)
                try:
                    stream = link.stream(pull.key)
                    with ahead(stream.pull(pull.cursor, pull.position)) as pages:
                        for page in pages:
                            cursor = page.cursor or cursor
                            landing = partial(self._store, pull, run_id, stream, page, connector.stock_counts)
                            if not Unit.retrying(landing):
                                return self._end(pull, run_id, "cancelled", "", None)
                finally:
                    link.close()
        except LeaseLost:
            raise
        except SyncError as error:
            said = f"{error.code}: {error.message}"
            return self._end(pull, run_id, "failed", said, None, anew=not isinstance(error, RetryLater))
        except Exception as error:  # whoever is wrong: a run nobody ends would look as if it were running for ever
            log.exception("stream %s of %s failed", pull.key, pull.connection_name)
            return self._end(pull, run_id, "failed", spoken(error), None)
        return self._end(pull, run_id, "done", "", cursor)

    def _begin(self, pull: Pull) -> UUID:
        """A new run, or the one that a dead worker left running."""
        with self.unit.acting(pull.tenant_id, pull.actor, {}) as ctx:
            state = ctx.session.scalar(
                select(SyncRun.state).where(SyncRun.tenant_id == pull.tenant_id, SyncRun.id == pull.run_id)
            )
            run_id = pull.run_id if state == "running" and pull.run_id else uuid7()
            self._fence(ctx, pull, run_id=run_id, cursor=pull.cursor, lease_until=ctx.now + self.lease)
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

    def _end(
        self,
        pull: Pull,
        run_id: UUID | None,
        state: str,
        said: str,
        cursor: str | None,
        *,
        anew: bool = False,
    ) -> str:
        """Write down how a run ended and when the next one comes.

        With `anew` the place within the run may be what is refused, such as a mark that has expired: the third time the
        stream begins again at its cursor.
        """
        said = hidden(pull.access.secrets, said)
        with self.unit.acting(pull.tenant_id, pull.actor, {}) as ctx:
            row = self._locked(ctx, pull)
            failures = row.failures + 1 if state == "failed" else 0
            minutes = min(2**failures, MOST_PAUSE) if failures else row.every_minutes
            scheduled = row.key != CHECK and row.enabled and row.every_minutes > 0
            values: dict[str, Any] = {"lease_until": None, "failures": failures}
            if row.next_at in (pull.due_at, None):  # else somebody asked for another run during this one, and gets it
                again = scheduled or failures in (1, 2)
                values["next_at"] = ctx.now + timedelta(minutes=minutes) if again else None
                values["wanted_by"] = row.wanted_by if failures and again else ""  # what was asked for is tried again
            if anew and failures == ANEW_AFTER:
                values["position"] = None
            if state == "done":
                values |= {"cursor": cursor, "position": None, "run_id": None}
            self._fence(ctx, pull, **values)
            if run_id is not None:
                ended = update(SyncRun).where(SyncRun.tenant_id == pull.tenant_id, SyncRun.id == run_id)
                ctx.session.execute(ended.values(state=state, said=said[:500], ended_at=ctx.now))
                about = f"sync_run:{run_id}"
                ctx.record(f"sync.run_{state}", about, stream=pull.key, said=said)
        return state

    def _locked(self, ctx: Context, pull: Pull) -> SyncStream:
        """The stream as people have it now."""
        mine = (SyncStream.tenant_id == pull.tenant_id, SyncStream.id == pull.id)
        return ctx.session.scalars(select(SyncStream).where(*mine).with_for_update()).one()

    def _fence(self, ctx: Context, pull: Pull, **values: Any) -> None:
        mine = (SyncStream.tenant_id == pull.tenant_id, SyncStream.id == pull.id)
        written = ctx.session.execute(
            update(SyncStream).where(*mine, SyncStream.attempt == pull.token).values(**values)
        )
        if written.rowcount != 1:
            raise LeaseLost


def _reads_all(ctx: Context, stream: SyncStream) -> bool:
    """Whether a run begins with everything: a person asks for it, and records were left out since one last did.

    They come again only when they change there, though what they lacked may be here by now.
    """
    if not stream.wanted_by or stream.position is not None:
        return False
    mine = (
        SyncRun.tenant_id == stream.tenant_id,
        SyncRun.connection_id == stream.connection_id,
        SyncRun.stream == stream.key,
    )
    asked = select(func.max(SyncRun.started_at)).where(*mine, SyncRun.trigger != "schedule", SyncRun.state == "done")
    since = func.coalesce(asked.scalar_subquery(), text("'-infinity'::timestamptz"))
    left = select(SyncRun.id).where(*mine, SyncRun.skipped > 0, SyncRun.started_at >= since).limit(1)
    return ctx.session.scalar(left) is not None


def spoken(error: Exception) -> str:
    """What a person may read of a failure that has no words: never the statement, which carries data."""
    told = getattr(error, "orig", None) or error
    return f"{type(told).__name__}: {told}".partition("\n")[0]


def _mapped(stream: Stream, rows: Sequence[Record], mapping: Applied) -> tuple[list[tuple[Record, Incoming]], list[Left]]:
    """The rows in our words, and those that have none.

    A row the connector trips over is left out like any other; when it trips over all of a page the mistake is its own, and
    the run stops here rather than pass over everything.
    """
    good: list[tuple[Record, Incoming]] = []
    left: list[Left] = []
    tripped = 0
    for row in rows:
        try:
            good.append((row, record(row, stream.to_core(row), mapping)))
        except SkipRecord as reason:
            left.append(Left(row, reason.field, reason.code, reason.message))
        except MISTAKES as error:
            tripped += 1
            if tripped == len(rows):
                raise
            log.warning("a row of stream %s cannot be read", stream.key, exc_info=tripped == 1)
            left.append(Left(row, "", "sync.connector_error", f"{type(error).__name__}: {error}"))
    return good, left


def _covered(step: Step, access: Access) -> Step:
    """A step without the secrets that a peer may have repeated."""
    return replace(step, said=hidden(access.secrets, step.said))

"""The worker's part: claim a day, ask the other system, write down what differs.

A connector may list a day by itself, see `Filing`: then documents that only the other system has are seen too. What it does not
list, such as one whose date somebody changed there, is looked for by its reference. Nothing is written there.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on

from core.db import Unit
from core.kernel import Actor, Context, uuid7
from core.sync.contract import Access, Connector, Filing
from core.sync.model import ErpConnection, SyncDocument
from core.sync.outbound import OutboundRule
from core.sync.outcome import Ambiguous, LeaseLost, SyncError, Trace
from core.sync.reconciling.comparing import Difference, Ours, Theirs, compare, gathered, held_of, sums
from core.sync.reconciling.model import SyncDifference, SyncTally
from core.sync.registry import Registry
from core.sync.secrets import access_of
from core.sync.streams import spoken
from core.sync.transport import Way, way_of

log = logging.getLogger("tongshang.sync")

LEASE = timedelta(minutes=5)
BATCH = 25  # references looked for between two notes of how far it is
UNDER_WAY = ("new", "sending", "unknown")


@dataclass(frozen=True)
class Day:
    """A claimed day with what is needed outside a transaction."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    connection: str
    connector: str
    kind: str
    day: date
    token: int
    access: Access
    way: Way
    ours: tuple[Ours, ...]

    @property
    def actor(self) -> Actor:
        return Actor("connector", self.connection_id, self.connection)


class Reconciler:
    """Counts days, one per call."""

    def __init__(
        self,
        unit: Unit,
        registry: Registry,
        rules: Callable[[], Sequence[OutboundRule]],
        lease: timedelta = LEASE,
    ) -> None:
        self.unit, self.registry, self.rules, self.lease = unit, registry, rules, lease

    def plan(self) -> int:
        """Ask for yesterday wherever it had documents and nobody has; answers how many days that are."""
        with self.unit.database.session() as asking:
            planned = int(asking.scalar(text("SELECT ts.sync_plan_tallies()")) or 0)
            asking.commit()
        return planned

    def claim(self) -> Day | None:
        """The day that was asked for first, if any."""
        with self.unit.database.session() as claiming:
            asked = text("SELECT id, tenant_id, attempt FROM ts.sync_claim_tally(:lease)")
            row = claiming.execute(asked, {"lease": self.lease}).one_or_none()
            claiming.commit()
        if row is None:
            return None
        with self.unit.acting(row.tenant_id, Actor.system("sync"), {}) as ctx:
            tally, connection = ctx.session.execute(
                select(SyncTally, ErpConnection)
                .join(ErpConnection, ErpConnection.id == SyncTally.connection_id)
                .where(SyncTally.id == row.id)
            ).one()
            return Day(
                id=tally.id,
                tenant_id=row.tenant_id,
                connection_id=connection.id,
                connection=connection.name,
                connector=connection.connector,
                kind=tally.kind,
                day=tally.day,
                token=row.attempt,
                access=access_of(connection),
                way=way_of(connection),
                ours=tuple(_ours(ctx, connection.id, tally.kind, tally.day)),
            )

    def run(self, day: Day) -> str:
        """Count what was claimed; answers done, failed or lost."""
        try:
            self._note(day, total=len(day.ours), checked=0)
            if day.connector not in self.registry:
                return self._end(day, said=f"{day.connector} is not installed")
            theirs, whole = self._theirs(day, self.registry[day.connector])
            return self._settle(day, theirs, whole)
        except LeaseLost:
            log.warning("the day %s of %s: another worker goes on", day.day, day.connection)
            return "lost"
        except SyncError as error:
            return self._end(day, said=f"{error.code}: {error.message}")
        except Exception as error:  # whoever is wrong: a day nobody ends would be begun again for ever
            log.exception("the day %s of %s cannot be counted", day.day, day.connection)
            return self._end(day, said=spoken(error))

    def _theirs(self, day: Day, connector: Connector) -> tuple[dict[str, Theirs], bool]:
        """What they hold, by reference, and whether that is their whole day."""
        with day.way.session(self.rules()) as http:
            link = connector.open(day.access, http)
            link.trace, link.before_write = Trace(), _never
            try:
                filing = link.filing(day.kind)
                listed = self._listed(day, filing)
                if listed is None and not connector.can_look_up:
                    raise SyncError("sync.cannot_look_up", "the system cannot be searched by our reference")
                looked = self._looked_up(day, filing, listed or {}) if connector.can_look_up else {}
                return (listed or {}) | looked, listed is not None
            finally:
                link.close()

    def _listed(self, day: Day, filing: Filing) -> dict[str, Theirs] | None:
        """The day as the other system lists it, None where it cannot."""
        tally = getattr(filing, "tally", None)
        told = tally(day.day) if tally else None
        if told is None:
            return None
        return gathered((str(ref), Decimal(total), bool(gone)) for ref, total, gone in told if ref)

    def _looked_up(self, day: Day, filing: Filing, listed: Mapping[str, Theirs]) -> dict[str, Theirs]:
        found: dict[str, Theirs] = {}
        noted = time.monotonic()
        for place, one in enumerate(day.ours, 1):
            if one.reference not in listed and (held := _held(filing, one.reference)) is not None:
                found[one.reference] = held
            if place % BATCH == 0 or time.monotonic() - noted > self.lease.total_seconds() / 3:  # a slow system answers too
                self._note(day, checked=place)
                noted = time.monotonic()
        return found

    def _settle(self, day: Day, theirs: dict[str, Theirs], whole: bool) -> str:
        standing = [each for each in day.ours if each.expected]
        currencies = {each.reference: each.currency for each in day.ours}
        with self.unit.acting(day.tenant_id, day.actor, {}) as ctx:
            known = _known(ctx, day, sorted(theirs)) if whole else set()
            found = compare(day.ours, theirs, known)
            held = held_of(day.ours, theirs, known)
            self._fence(
                ctx,
                day,
                state="done",
                said="",
                ended_at=ctx.now,
                lease_until=None,
                ours=len(standing),
                our_sums=sums((each.currency, each.total) for each in standing),
                theirs=sum(each.times for each in held),
                their_sums=sums((currencies.get(each.reference, ""), each.total) for each in held),
                under_way=sum(each.expected is None for each in day.ours),
                checked=len(day.ours),
                differing=len(found),
            )
            _replace(ctx, day.id, found)
            ctx.record("sync.tally", f"sync_tally:{day.id}", day=str(day.day), differing=len(found))
        return "done"

    def _end(self, day: Day, said: str) -> str:
        with self.unit.acting(day.tenant_id, day.actor, {}) as ctx:
            self._fence(ctx, day, state="failed", said=said[:500], ended_at=ctx.now, lease_until=None)
        return "failed"

    def _note(self, day: Day, **values: Any) -> None:
        with self.unit.acting(day.tenant_id, day.actor, {}) as ctx:
            self._fence(ctx, day, lease_until=ctx.now + self.lease, **values)

    def _fence(self, ctx: Context, day: Day, **values: Any) -> None:
        mine = (SyncTally.tenant_id == day.tenant_id, SyncTally.id == day.id, SyncTally.attempt == day.token)
        if ctx.session.execute(update(SyncTally).where(*mine).values(**values)).rowcount != 1:
            raise LeaseLost


def _held(filing: Filing, reference: str) -> Theirs | None:
    """What is there under a reference. Of several nobody says the amount; a document without a currency has none."""
    try:
        held = filing.find(reference)
    except Ambiguous:
        return Theirs(reference, None, False, times=2)
    return Theirs(reference, held.total if held.currency else None, held.cancelled) if held else None


def _never() -> None:
    raise LeaseLost  # counting reads: a connector that wants to write here is stopped


def _ours(ctx: Context, connection_id: UUID, kind: str, day: date) -> list[Ours]:
    """The newest document of each object of that kind that carries that date."""
    rows = ctx.session.execute(
        select(
            SyncDocument.id,
            SyncDocument.object_id,
            SyncDocument.reference,
            SyncDocument.currency,
            SyncDocument.total,
            SyncDocument.state,
            SyncDocument.intent,
        )
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == connection_id,
            SyncDocument.kind == kind,
            SyncDocument.dated_on == day,
        )
        .ext(distinct_on(SyncDocument.object_id))
        .order_by(SyncDocument.object_id, SyncDocument.version.desc(), SyncDocument.id.desc())
    )
    return [
        Ours(row.id, row.object_id, row.reference, row.currency, row.total, _expected(row.state, row.intent))
        for row in rows
    ]


def _expected(state: str, intent: str) -> bool | None:
    if state in UNDER_WAY or state == "superseded":  # on its way, or settled by hand
        return None
    return intent != "cancel"


def _known(ctx: Context, day: Day, references: Sequence[str]) -> set[str]:
    """Which references are documents of ours at all, of whatever day."""
    found = ctx.session.scalars(
        select(SyncDocument.reference).where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == day.connection_id,
            SyncDocument.kind == day.kind,
            SyncDocument.reference.in_(references),
        )
    )
    return set(found)


def _replace(ctx: Context, tally_id: UUID, found: Sequence[Difference]) -> None:
    """The differences of the newest count take the place of the ones before."""
    mine = (SyncDifference.tenant_id == ctx.tenant_id, SyncDifference.tally_id == tally_id)
    ctx.session.execute(delete(SyncDifference).where(*mine))
    rows = [
        {"id": uuid7(), "tenant_id": ctx.tenant_id, "tally_id": tally_id} | asdict(each) for each in found
    ]
    if rows:
        ctx.session.execute(insert(SyncDifference), rows)

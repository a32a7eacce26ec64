"""What the worker does for drills: one case at a time, so that several go side by side and each can be stopped."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from core.db import Unit
from core.kernel import Actor, Context
from core.sync.contract import Access
from core.sync.documents import from_json
from core.sync.drill.model import SyncDrill
from core.sync.drill.rehearsal import Rehearsal, cases_of
from core.sync.drill.report import sealed
from core.sync.engine import Engine
from core.sync.mapping.applied import Applied, mapping_of
from core.sync.model import ErpConnection
from core.sync.outbound import OutboundRule
from core.sync.outgoing import OrderOut
from core.sync.refs import lookup_of
from core.sync.registry import Registry
from core.sync.secrets import access_of
from core.sync.transport import Way, way_of

log = logging.getLogger("tongshang.sync")
LEASE = timedelta(minutes=15)  # longer than one step of a case may take; while it only waits the lease is renewed
NAP = 60.0  # seconds of waiting between two renewals


@dataclass(frozen=True)
class Case:
    """The next case of a claimed drill, with everything needed outside a transaction."""

    drill_id: UUID
    tenant_id: UUID
    connection_id: UUID
    connection: str
    connector: str
    token: int
    number: int
    access: Access
    sample: OrderOut
    lookup: Callable[[str, UUID], str | None]
    way: Way
    mapping: Applied
    settle: timedelta | None

    @property
    def actor(self) -> Actor:
        return Actor("connector", self.connection_id, self.connection)


class Driller:
    """Plays drills. `options` go to `Rehearsal`: tests wait less."""

    def __init__(
        self,
        unit: Unit,
        registry: Registry,
        rules: Callable[[], Sequence[OutboundRule]],
        master_key: bytes,
        engine: Engine | None = None,
        **options: Any,
    ) -> None:
        self.unit, self.registry, self.master_key = unit, registry, master_key
        self.engine = engine or Engine(unit, registry, rules)
        self.options = options

    def turn(self) -> int:
        """One case of one drill; answers how many were played."""
        with self.unit.database.session() as claiming:
            asked = text("SELECT id, tenant_id, attempt FROM ts.sync_claim_drill(:lease)")
            row = claiming.execute(asked, {"lease": LEASE}).one_or_none()
            claiming.commit()
        if row is None:
            return 0
        case = self._case(row.id, row.tenant_id, row.attempt)
        if case is not None:
            self._play(case)
        return 1

    def _case(self, drill_id: UUID, tenant_id: UUID, token: int) -> Case | None:
        with self.unit.acting(tenant_id, Actor.system("drill"), {}) as ctx:
            drill, connection = ctx.session.execute(
                select(SyncDrill, ErpConnection)
                .join(ErpConnection, ErpConnection.id == SyncDrill.connection_id)
                .where(SyncDrill.tenant_id == tenant_id, SyncDrill.id == drill_id)
            ).one()
            if drill.attempt != token:
                return None
            if connection.connector not in self.registry:
                self._write(
                    ctx, drill.id, token, state="failed", said=f"{connection.connector} is not installed"
                )
                return None
            sample = from_json(drill.sample)
            assert isinstance(sample, OrderOut)
            return Case(
                drill_id=drill.id,
                tenant_id=tenant_id,
                connection_id=connection.id,
                connection=connection.name,
                connector=connection.connector,
                token=token,
                number=len(drill.results),
                access=access_of(connection),
                sample=sample,
                lookup=lookup_of(ctx, connection.id, sample),
                way=way_of(connection),
                mapping=mapping_of(ctx.session, tenant_id, connection.id),
                settle=connection.settle,
            )

    def _play(self, case: Case) -> None:
        prefix = f"DRILL-{case.drill_id.hex[-8:].upper()}"
        rehearsal = Rehearsal(
            self.engine,
            self.registry[case.connector],
            case.access,
            case.sample,
            case.lookup,
            prefix,
            way=case.way,
            mapping=case.mapping,
            settle=case.settle,
            **({"wait": partial(self._wait, case)} | self.options),
        )
        cases = cases_of(self.registry[case.connector])
        result = rehearsal.case(case.number + 1, *cases[case.number])
        with self.unit.acting(case.tenant_id, case.actor, {}) as ctx:
            drill = ctx.session.scalar(
                select(SyncDrill)
                .where(SyncDrill.tenant_id == case.tenant_id, SyncDrill.id == case.drill_id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
            if drill is None or drill.attempt != case.token or drill.state != "running":
                log.warning(
                    "drill %s: stopped or taken over, case %s is not written down",
                    case.drill_id,
                    case.number + 1,
                )
                return
            drill.results = [*drill.results, asdict(result)]
            drill.lease_until = None
            if len(drill.results) == len(cases):
                self._end(ctx, drill, case)

    def _wait(self, case: Case, seconds: float) -> None:
        """Sleep as the engine would wait; the drill stays ours however long that is."""
        while seconds > 0:
            time.sleep(min(seconds, NAP))
            seconds -= NAP
            with self.unit.acting(case.tenant_id, case.actor, {}) as ctx:
                mine = (SyncDrill.tenant_id == ctx.tenant_id, SyncDrill.id == case.drill_id, SyncDrill.attempt == case.token)
                ctx.session.execute(
                    update(SyncDrill).where(*mine, SyncDrill.state == "running").values(lease_until=ctx.now + LEASE)
                )

    def _end(self, ctx: Context, drill: SyncDrill, case: Case) -> None:
        drill.state, drill.ended_at = "done", ctx.now
        passed = sum(each["passed"] for each in drill.results)
        facts = {
            "drill": str(drill.id),
            "connection": {
                "name": case.connection,
                "connector": case.connector,
                "base_url": case.access.base_url,
                "organisation": case.access.organisation,
            },
            "asked_by": drill.asked_by,
            "asked_at": drill.asked_at.isoformat(),
            "ended_at": ctx.now.isoformat(),
            "cases": len(drill.results),
            "passed": passed,
            "results": drill.results,
        }
        drill.report = sealed(facts, self.master_key)
        ctx.record("drill.done", drill, cases=len(drill.results), passed=passed)

    @staticmethod
    def _write(ctx: Context, drill_id: UUID, token: int, **values: Any) -> None:
        ctx.session.execute(
            update(SyncDrill)
            .where(SyncDrill.tenant_id == ctx.tenant_id, SyncDrill.id == drill_id, SyncDrill.attempt == token)
            .values(ended_at=ctx.now, lease_until=None, **values)
        )

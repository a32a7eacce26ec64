"""A drill as a person handles it: begin, look, stop."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from core.kernel import Conflict, Context, Invalid, NotFound
from core.sync import service
from core.sync.drill.model import OVER, SyncDrill
from core.sync.drill.rehearsal import CALLS, INTENTS, cases_of
from core.sync.model import SyncDocument
from core.sync.registry import connectors

CASES = [(trouble, intent) for trouble in CALLS for intent in INTENTS]
KEPT = 20


def start_drill(ctx: Context, connection_id: UUID, name: str) -> SyncDrill:
    """Begin a drill: copies of the newest order that went through, made, broken, and taken back again in the other system.

    `name` is the connection's own, typed by the person: the other system gets documents, and must be one for tests. Conflict
    while a drill of the connection goes on, or when no order went through yet.
    """
    ctx.require("connection.edit")
    connection = service.lock_connection(ctx, connection_id)
    if name.strip() != connection.name:
        raise Invalid.one("name", "drill.name_differs", name=connection.name)
    if ctx.session.scalar(_of(ctx, connection_id).where(SyncDrill.state == "running").limit(1)):
        raise Conflict("drill.goes_on")
    sample = ctx.session.scalar(
        select(SyncDocument.body)
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == connection_id,
            SyncDocument.kind == "sales_order",
            SyncDocument.state == "done",
            SyncDocument.intent == "create",
        )
        .order_by(SyncDocument.id.desc())
        .limit(1)
    )
    if sample is None:
        raise Conflict("drill.no_sample")
    known = connectors()
    cases = cases_of(known[connection.connector]) if connection.connector in known else CASES
    drill = SyncDrill(
        tenant_id=ctx.tenant_id,
        connection_id=connection_id,
        asked_by=ctx.actor.name,
        asked_at=ctx.now,
        sample=sample,
        total=len(cases),
    )
    ctx.session.add(drill)
    ctx.session.flush()
    ctx.record("drill.start", drill, connection=connection.name, cases=len(cases))
    return drill


def stop_drill(ctx: Context, drill_id: UUID) -> SyncDrill:
    """No further case is begun; what the current one made is still taken back."""
    ctx.require("connection.edit")
    drill = _found(
        ctx.session.scalar(_one(ctx, drill_id).with_for_update().execution_options(populate_existing=True))
    )
    if drill.state in OVER:
        raise Conflict("drill.over")
    drill.state, drill.ended_at = "cancelled", ctx.now
    ctx.record("drill.stop", drill, after=len(drill.results))
    return drill


def find_drill(ctx: Context, drill_id: UUID) -> SyncDrill:
    ctx.require("connection.view")
    return _found(ctx.session.scalar(_one(ctx, drill_id)))


def report_of(ctx: Context, drill_id: UUID) -> dict[str, Any]:
    """The sealed report; NotFound while the drill goes on, and of one that was stopped."""
    report = find_drill(ctx, drill_id).report
    if report is None:
        raise NotFound("drill.no_report")
    return report


def drills_of(ctx: Context, connection_id: UUID) -> Sequence[SyncDrill]:
    """The newest drills of a connection."""
    ctx.require("connection.view")
    service.find_connection(ctx, connection_id)
    return ctx.session.scalars(
        _of(ctx, connection_id).order_by(SyncDrill.asked_at.desc(), SyncDrill.id.desc()).limit(KEPT)
    ).all()


def _of(ctx: Context, connection_id: UUID) -> Select[tuple[SyncDrill]]:
    return select(SyncDrill).where(
        SyncDrill.tenant_id == ctx.tenant_id, SyncDrill.connection_id == connection_id
    )


def _one(ctx: Context, drill_id: UUID) -> Select[tuple[SyncDrill]]:
    return select(SyncDrill).where(SyncDrill.tenant_id == ctx.tenant_id, SyncDrill.id == drill_id)


def _found(drill: SyncDrill | None) -> SyncDrill:
    if drill is None:
        raise NotFound("drill.not_found")
    return drill

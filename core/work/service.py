"""Ask for long work, look how far it is, stop it. Doing it is the worker's."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from core.kernel import Conflict, Context, FieldError, NotFound, uuid7
from core.work.kinds import Kind, Why
from core.work.model import OVER, WorkReason, WorkRun


def start(
    ctx: Context,
    kind: Kind,
    title: str,
    given: dict[str, Any],
    total: int | None = None,
    run_id: UUID | None = None,
) -> WorkRun:
    """Ask for work of a kind. It begins after the commit, in the name of who asked and with no more than their permissions."""
    for permission in kind.needs:
        ctx.require(permission)
    run = WorkRun(
        tenant_id=ctx.tenant_id,
        id=run_id or uuid7(),
        kind=kind.name,
        title=title,
        given=given,
        mark={},
        total=total,
        actor_kind=ctx.actor.kind,
        actor_id=ctx.actor.id,
        actor_name=ctx.actor.name,
        person_id=ctx.actor.person_id,
        may=[name for name in (*kind.needs, *kind.uses) if ctx.allows(name)],
    )
    ctx.session.add(run)
    ctx.session.flush()
    ctx.record("work.start", run, kind=kind.name, title=title, total=total)
    return run


def find_run(ctx: Context, kind: Kind, run_id: UUID) -> WorkRun:
    """One's own run of this kind; NotFound for everybody else's."""
    ctx.require(kind.needs[0])
    wanted = select(WorkRun).where(
        WorkRun.tenant_id == ctx.tenant_id, WorkRun.id == run_id, WorkRun.kind == kind.name
    )
    run = ctx.session.scalar(wanted.execution_options(populate_existing=True))
    if run is None:
        raise NotFound("work.not_found")
    return run


def recent_runs(ctx: Context, kind: Kind, limit: int = 20) -> list[WorkRun]:
    """The latest runs of a kind, newest first."""
    ctx.require(kind.needs[0])
    wanted = select(WorkRun).where(WorkRun.tenant_id == ctx.tenant_id, WorkRun.kind == kind.name)
    return list(ctx.session.scalars(wanted.order_by(WorkRun.id.desc()).limit(limit)))


def cancel(ctx: Context, kind: Kind, run_id: UUID) -> WorkRun:
    """Stop a run: at once when it has not begun, else after the batch under way. What has landed stays.

    Conflict when it is over; asking twice is asking once.
    """
    ctx.require(kind.needs[0])
    wanted = select(WorkRun).where(
        WorkRun.tenant_id == ctx.tenant_id, WorkRun.id == run_id, WorkRun.kind == kind.name
    )
    run = ctx.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if run is None:
        raise NotFound("work.not_found")
    if run.state in OVER:
        raise Conflict("work.over")
    if run.stop_asked_at is None:
        run.stop_asked_at = ctx.now
        ctx.record("work.cancel", run, done=run.done)
        if run.state == "queued":
            end(ctx, kind, run, "cancelled")
    ctx.session.flush()
    return run


def end(ctx: Context, kind: Kind | None, run: WorkRun, state: str, why: FieldError | None = None) -> None:
    """Close a run, failed for a reason; the caller holds it."""
    run.state, run.ended_at, run.lease_until = state, ctx.now, None
    if why is not None:
        run.reason = why.code
        run.reason_values = {name: str(value) for name, value in why.values.items()}
    ctx.session.flush()
    if kind is not None:
        kind.ended(ctx, run)
    ctx.record("work.end", run, state=state, done=run.done, refused=run.refused, reason=run.reason)


def keep_reasons(ctx: Context, run_id: UUID, reasons: Sequence[Why]) -> None:
    """Write down why parts were refused."""
    values = [
        dict(
            tenant_id=ctx.tenant_id,
            id=uuid7(),
            run_id=run_id,
            place=why.place,
            field=why.error.path,
            code=why.error.code,
            detail={name: str(value) for name, value in why.error.values.items()},
            text=why.text,
        )
        for why in reasons
    ]
    for at in range(0, len(values), 500):
        ctx.session.execute(insert(WorkReason).values(values[at : at + 500]))


def reasons(ctx: Context, run: WorkRun, limit: int | None = 500) -> list[WorkReason]:
    """Why parts of a run were refused, in the order of the file; all of them without a limit."""
    wanted = select(WorkReason).where(WorkReason.tenant_id == ctx.tenant_id, WorkReason.run_id == run.id)
    return list(ctx.session.scalars(wanted.order_by(WorkReason.place, WorkReason.id).limit(limit)))


def cells(why: WorkReason) -> dict[str, str]:
    """A refused row of a file as it came, column by column."""
    found: dict[str, str] = json.loads(why.text) if why.text else {}
    return found

"""Calls that were taken while their connection was paused land when it goes on; a call can be landed again by hand."""

import logging
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.db import Unit
from core.kernel import Actor, Conflict, Context, NotFound
from core.sync.inbox.model import SyncPush
from core.sync.inbox.taking import land
from core.sync.inbox.wire import from_json
from core.sync.model import ErpConnection
from core.sync.outcome import MISTAKES
from core.sync.registry import Registry
from core.sync.streams import spoken

log = logging.getLogger("tongshang.sync")

BATCH = 20


def land_waiting(unit: Unit, registry: Registry, most: int = BATCH) -> int:
    """Land what waits on connections that are active, oldest first, each in a transaction of its own; how many did."""
    with unit.database.session() as asking:
        asked = text("SELECT id, tenant_id FROM ts.sync_waiting_pushes(:most)")
        rows = asking.execute(asked, {"most": most}).all()
        asking.commit()
    return sum(_one(unit, registry, row.tenant_id, row.id) for row in rows)


def _one(unit: Unit, registry: Registry, tenant_id: UUID, push_id: UUID) -> int:
    try:
        return Unit.retrying(lambda: _land(unit, registry, tenant_id, push_id))
    except (*MISTAKES, DBAPIError) as error:  # such as records of a version that nobody reads any more
        log.exception("the call %s cannot land", push_id)
        return _give_up(unit, tenant_id, push_id, f"sync.connector_error: {spoken(error)}")


def _land(unit: Unit, registry: Registry, tenant_id: UUID, push_id: UUID) -> int:
    with unit.acting(tenant_id, Actor.system("sync"), {}) as ctx:
        row = ctx.session.scalar(_waiting(ctx, push_id).with_for_update(skip_locked=True))
        if row is None:
            return 0
        connection = ctx.session.get_one(ErpConnection, row.connection_id)
        if connection.state != "active" or connection.connector not in registry:
            return 0
        ctx.actor = Actor("connector", connection.id, connection.name)
        land(ctx, row, tuple(from_json(row.records)), registry[connection.connector])
        return 1


def _give_up(unit: Unit, tenant_id: UUID, push_id: UUID, said: str) -> int:
    """Keep it as landed with nothing of it: it can be replayed, and the calls behind it need not wait."""
    with unit.acting(tenant_id, Actor.system("sync"), {}) as ctx:
        row = ctx.session.scalar(_waiting(ctx, push_id).with_for_update())
        if row is None:
            return 0
        row.state, row.said, row.landed_at = "landed", said[:500].replace("\x00", ""), ctx.now
        row.stored, row.skipped = 0, len(row.records)
        ctx.record("sync.push", row, kind=row.kind, stored=0, skipped=row.skipped)
        return 1


def _waiting(ctx: Context, push_id: UUID) -> Any:
    return select(SyncPush).where(
        SyncPush.tenant_id == ctx.tenant_id, SyncPush.id == push_id, SyncPush.state == "waiting"
    )


def replay_push(ctx: Context, push_id: UUID) -> SyncPush:
    """Let the worker land a call again: what landed is known and left alone, what could not has another chance."""
    ctx.require("connection.replay")
    row = ctx.session.scalar(
        select(SyncPush)
        .where(SyncPush.tenant_id == ctx.tenant_id, SyncPush.id == push_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("connection.no_push")
    if row.state == "refused":
        raise Conflict("connection.push_refused")
    row.state = "waiting"
    ctx.record("sync.replay_push", row, kind=row.kind)
    return row

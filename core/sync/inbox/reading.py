"""What came in by itself, for pages and the API."""

from uuid import UUID

from sqlalchemy import select

from core.kernel import Context
from core.sync.inbox.model import SyncPush


def pushes(ctx: Context, connection_id: UUID, before: UUID | None = None, limit: int = 50) -> list[SyncPush]:
    """Calls of the other system, newest first, one more than `limit` when there are more."""
    ctx.require("connection.view")
    wanted = select(SyncPush).where(
        SyncPush.tenant_id == ctx.tenant_id, SyncPush.connection_id == connection_id
    )
    if before is not None:
        wanted = wanted.where(SyncPush.id < before)
    return list(ctx.session.scalars(wanted.order_by(SyncPush.id.desc()).limit(limit + 1)))

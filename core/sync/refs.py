"""Counterparts: which object there stands for which of ours, per connection and kind."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from core.kernel import Context, uuid7
from core.sync.model import ExternalRef
from core.sync.outgoing import Outgoing


def lookup_of(ctx: Context, connection_id: UUID, document: Outgoing) -> Callable[[str, UUID], str | None]:
    """What is known about the partner and the goods of one document, read once."""
    ids = {document.partner_id, *(line.sku_id for line in document.lines)}
    rows = ctx.session.execute(
        select(ExternalRef.kind, ExternalRef.local_id, ExternalRef.external_number).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.local_id.in_(ids),
        )
    )
    known = {(row.kind, row.local_id): row.external_number for row in rows}
    return lambda kind, local_id: known.get((kind, local_id))


def remember(
    ctx: Context, connection_id: UUID, kind: str, local_id: UUID, external_id: str, number: str
) -> bool:
    """Note a counterpart; False when their object already stands for another of ours."""
    taken = ctx.session.scalar(
        select(ExternalRef.local_id).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == kind,
            ExternalRef.external_id == external_id,
        )
    )
    if taken is not None and taken != local_id:
        return False
    adding = insert(ExternalRef).values(
        id=uuid7(),
        tenant_id=ctx.tenant_id,
        connection_id=connection_id,
        kind=kind,
        local_id=local_id,
        external_id=external_id,
        external_number=number,
        at=ctx.now,
    )
    ctx.session.execute(
        adding.on_conflict_do_update(
            index_elements=["tenant_id", "connection_id", "kind", "local_id"],
            set_={"external_id": external_id, "external_number": number},
        )
    )
    return True


def forget_ref(ctx: Context, connection_id: UUID, kind: str, local_id: UUID) -> None:
    ctx.session.execute(
        delete(ExternalRef).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == kind,
            ExternalRef.local_id == local_id,
        )
    )

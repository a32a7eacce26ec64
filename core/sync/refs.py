"""Counterparts: which object there stands for which of ours, per connection and kind."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import delete, literal, select
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
    here = (ExternalRef.tenant_id == ctx.tenant_id, ExternalRef.connection_id == connection_id, ExternalRef.kind == kind)
    taken = select(ExternalRef.id).where(*here, ExternalRef.external_id == external_id, ExternalRef.local_id != local_id)
    told = {
        "id": uuid7(),
        "tenant_id": ctx.tenant_id,
        "connection_id": connection_id,
        "kind": kind,
        "local_id": local_id,
        "external_id": external_id,
        "external_number": number,
        "at": ctx.now,
    }
    row = select(*(literal(value, ExternalRef.__table__.c[name].type) for name, value in told.items()))
    written = ctx.session.scalar(
        insert(ExternalRef)
        .from_select(list(told), row.where(~taken.exists()))
        .on_conflict_do_update(
            index_elements=["tenant_id", "connection_id", "kind", "local_id"],
            set_={"external_id": external_id, "external_number": number},
        )
        .returning(ExternalRef.id)
    )
    return written is not None


def forget_ref(ctx: Context, connection_id: UUID, kind: str, local_id: UUID) -> None:
    ctx.session.execute(
        delete(ExternalRef).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == kind,
            ExternalRef.local_id == local_id,
        )
    )

"""Publish inside the transaction; deliver after it."""

from uuid import UUID

from sqlalchemy import insert

from core.kernel import Context, Event, to_payload, uuid7
from core.outbox.model import OutboxEvent

_INSERT = insert(OutboxEvent.__table__)


def publish(ctx: Context, event: Event) -> None:
    """Buffer an event. It is inserted just before the commit; one with a buyer and a seller is for both to hear."""
    payload = to_payload(event)
    subject = next((str(payload[name]) for name in ("order_id", "subject_id") if name in payload), "")
    ctx.session.info.setdefault("events", []).append(
        {
            "id": uuid7(),
            "tenant_id": ctx.tenant_id,
            "other_id": _counterparty(ctx, event),
            "name": event.name,
            "event_version": event.version,
            "subject": subject,
            "payload": payload,
            "at": ctx.now,
            "trace_id": ctx.trace_id,
        }
    )


def _counterparty(ctx: Context, event: Event) -> UUID | None:
    if not event.shared:
        return None
    parties = {getattr(event, "buyer_id", None), getattr(event, "seller_id", None)} - {None, ctx.tenant_id}
    return parties.pop() if len(parties) == 1 else None


def write(ctx: Context) -> None:
    """Insert the buffered events: one statement for each tenant that has some."""
    buffer = ctx.session.info.pop("events", [])
    home = ctx.tenant_id
    for tenant in dict.fromkeys(row["tenant_id"] for row in buffer):
        if tenant != home:
            ctx.ports.set_tenant(ctx.session, tenant)
        ctx.session.execute(_INSERT, [row for row in buffer if row["tenant_id"] == tenant])
        if tenant != home:
            ctx.ports.set_tenant(ctx.session, home)

"""Say something about an order, and say that it was read."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core import files
from core.kernel import Conflict, Context, Invalid, NotFound, uuid7
from core.orders.events import OrderMessageWritten
from core.orders.model import TradeOrder
from core.orders.reading import find
from core.orders.sides import other, party, side_of
from core.orders.talk.model import LONGEST, OrderMessage, OrderTalk

AUDIENCES = ("own", "both")


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a message, seen by whoever sees the message."""

    name: str
    content: bytes


def write_message(
    ctx: Context, order_id: UUID, text: str, audience: str, attachment: Attachment | None = None
) -> OrderMessage:
    """Leave a message on an order: `own` for the own side alone, `both` for the counterparty too.

    Whoever answers has read. An order that was never submitted is its buyer's own affair, so nothing can be shared on it.
    Invalid when the text is empty or longer than 2,000 characters.
    """
    order = find(ctx, order_id)
    ctx.require("order.message")
    said = _said(text)
    if audience not in AUDIENCES:
        raise Invalid.one("audience", "choice.unknown")
    if audience == "both" and order.number is None:
        raise Conflict("order.not_shared_yet")
    mine = side_of(ctx, order)
    reader = party(order, other(mine)) if audience == "both" else None
    kept = files.keep(ctx, attachment.name, attachment.content, "order", order.id, reader) if attachment else None
    message = OrderMessage(
        id=uuid7(), tenant_id=ctx.tenant_id, other_id=reader, order_id=order.id, side=mine, author=ctx.actor.name,
        text=said, file_id=kept.id if kept else None, file_name=kept.name if kept else None, at=ctx.now,
    )  # fmt: skip
    ctx.session.add(message)
    ctx.session.flush()
    if audience == "both":
        _wait(ctx, order, other(mine), message.id, message.at)
    ctx.record("order.message", message, order=str(order.id), audience=audience, length=len(said))
    ctx.publish(
        OrderMessageWritten(
            order_id=order.id, buyer_id=order.buyer_id, seller_id=order.seller_id, number=order.number,
            message_id=message.id, side=mine, author=message.author, text=said, both=audience == "both", at=message.at,
        )
    )  # fmt: skip
    return message


def mark_read(ctx: Context, order_id: UUID, message_id: UUID) -> bool:
    """Say that the own side has read the other's messages up to this one; False when a newer one still waits."""
    order = find(ctx, order_id)
    ctx.require("order.message")
    mine = side_of(ctx, order)
    of_this = select(OrderMessage.id).where(OrderMessage.order_id == order.id, OrderMessage.id == message_id)
    if ctx.session.scalar(of_this) is None:
        raise NotFound("order.no_such_message")
    talk = ctx.session.scalar(
        select(OrderTalk)
        .where(OrderTalk.order_id == order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if talk is None or talk.waits_for != mine:
        return True
    if talk.last_id != message_id:
        return False
    talk.waits_for = None
    ctx.record("order.messages_read", f"order_message:{message_id}", order=str(order.id))
    return True


def _said(text: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise Invalid.one("text", "field.required")
    if "\x00" in said:
        raise Invalid.one("text", "text.nul")
    if len(said) > LONGEST:
        raise Invalid.one("text", "order.message_too_long", most=LONGEST, length=len(said))
    return said


def _wait(ctx: Context, order: TradeOrder, reader: str, message_id: UUID, at: datetime) -> None:
    """The other side has something to read; the own side has read what was said before."""
    values = {"waits_for": reader, "last_id": message_id, "since": at}
    row = insert(OrderTalk).values(
        order_id=order.id, buyer_id=order.buyer_id, seller_id=order.seller_id, **values
    )
    ctx.session.execute(row.on_conflict_do_update(index_elements=["order_id"], set_=values))

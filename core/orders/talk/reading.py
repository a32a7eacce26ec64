"""Reading what was said about an order. One statement, however long the talk is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from core.kernel import Context
from core.orders.reading import find
from core.orders.sides import side_of
from core.orders.talk.model import OrderMessage, OrderTalk
from core.web import Rejected
from core.web.pager import decode, encode

SHOWN = 100


@dataclass(frozen=True)
class Message:
    """A message as its reader may see it. `audience` is both, or own for a note of the reader's side; `mine`: the own side's."""

    id: UUID
    side: str
    author: str
    text: str
    audience: str
    file_id: UUID | None
    file_name: str | None
    at: datetime
    mine: bool


@dataclass(frozen=True)
class Talk:
    """Messages, newest first. `unread` is the other side's last message where it waits for the reader's side."""

    messages: tuple[Message, ...]
    unread: UUID | None
    next: str | None


def talk_of(ctx: Context, order_id: UUID, cursor: str | None = None, limit: int = SHOWN) -> Talk:
    """What was said about an order that the reader may see: shared messages, and notes of the own side."""
    order = find(ctx, order_id)
    return read_talk(ctx, order.id, side_of(ctx, order), cursor, limit)


def read_talk(ctx: Context, order_id: UUID, side: str, cursor: str | None = None, limit: int = SHOWN) -> Talk:
    """The same for a reader who was already let in on `side`."""
    query = (
        select(OrderMessage, OrderTalk.waits_for, OrderTalk.last_id)
        .outerjoin(OrderTalk, OrderTalk.order_id == OrderMessage.order_id)
        .where(OrderMessage.order_id == order_id)
        .order_by(OrderMessage.at.desc(), OrderMessage.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        query = query.where(tuple_(OrderMessage.at, OrderMessage.id) < _start(cursor))
    rows = ctx.session.execute(query).all()
    kept = rows[:limit]
    waits = bool(kept) and kept[0].waits_for == side
    return Talk(
        tuple(_message(row.OrderMessage, side) for row in kept),
        kept[0].last_id if waits else None,
        encode(kept[-1].OrderMessage.at.isoformat(), kept[-1].OrderMessage.id) if len(rows) > limit else None,
    )


def _message(row: OrderMessage, side: str) -> Message:
    audience = "own" if row.other_id is None else "both"
    return Message(
        row.id, row.side, row.author, row.text, audience, row.file_id, row.file_name, row.at, row.side == side
    )


def _start(cursor: str) -> tuple[datetime, UUID]:
    keys = decode(cursor, 2) or []
    try:
        moment = datetime.fromisoformat(keys[0])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), UUID(keys[1])
    except (ValueError, OverflowError):
        raise Rejected(400, "page.bad_cursor") from None

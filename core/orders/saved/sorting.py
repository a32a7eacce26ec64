"""The list of orders as a look asks for it: by keyset in any of its orders, one statement however many rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, cast, func, literal, select, tuple_, union_all
from sqlalchemy.types import Date

from core.kernel import Context
from core.orders.model import TradeOrder
from core.orders.reading import OPEN, WAITING, OrderRow, list_orders
from core.orders.reading.listing import _COLUMNS, Listed, _matches, _own, _patterns
from core.orders.saved.look import Look
from core.tenancy import EnterpriseCard
from core.web import Rejected
from core.web.pager import decode, encode

FAR = date(9999, 12, 31)
"""Orders without a delivery date stand where the farthest one would."""


@dataclass(frozen=True)
class Key:
    """What a list is sorted by: a column of every arm, its value in a row, and how a cursor spells it."""

    column: ColumnElement[Any]
    of: Callable[[OrderRow], Any]
    read: Callable[[str], Any]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _figure(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number) >= Decimal(10) ** 16:
        raise ValueError(text)
    return number


KEYS = {
    "placed": Key(TradeOrder.created_at.expression, lambda row: row.created_at, _moment),
    "delivery": Key(
        func.coalesce(TradeOrder.delivery_date, cast(literal(FAR.isoformat()), Date)),
        lambda row: row.delivery_date or FAR,
        date.fromisoformat,
    ),
    "total": Key(TradeOrder.total.expression, lambda row: row.total, _figure),
}


def orders_of(
    ctx: Context, look: Look, cursor: str | None = None, limit: int = 50, *, backwards: bool = False
) -> Listed:
    """The orders a look shows. `cursor` continues after (or, `backwards`, before) a row; a mangled one is Rejected (400)."""
    states = (look.state,) if look.state else OPEN if look.open else ()
    if not look.sort:
        return list_orders(
            ctx, look.side, states, look.q, cursor, limit, waiting=look.waiting, backwards=backwards
        )
    ctx.require("order.view")
    name, down = look.sort.lstrip("-"), look.sort.startswith("-")
    key, start = KEYS[name], _start(cursor, KEYS[name])
    sides = ("buyer", "seller") if look.side == "all" else (look.side,)
    falling = down != backwards
    arms = [
        _arm(side, WAITING[side] if look.waiting else states, key, start, bool(look.q), falling).limit(limit + 1)
        for side in sides
    ]
    found = union_all(*arms).subquery("found") if len(arms) > 1 else arms[0].subquery("found")
    partner = EnterpriseCard.__table__
    kept_columns = [column for column in found.c if column.name != "sort_key"]
    query = (
        select(*kept_columns, partner.c.name.label("partner_zh"), partner.c.name_en.label("partner_en"))
        .join_from(found, partner, partner.c.tenant_id == found.c.partner_id)
        .order_by(*_in_order(found.c.sort_key, found.c.id, falling))
        .limit(limit + 1)
    )
    given: dict[str, Any] = _patterns(look.q) if look.q else {}
    rows = [OrderRow._make(row) for row in ctx.session.execute(query, {"tenant": ctx.tenant_id, **given})]
    return _cut(rows, key, limit, cursor is not None, backwards)


def _arm(
    side: str, states: tuple[str, ...], key: Key, start: tuple[Any, UUID] | None, searching: bool, falling: bool
) -> Select[Any]:
    """One side's first orders; until it is submitted an order is its buyer's alone."""
    partner = TradeOrder.seller_id if side == "buyer" else TradeOrder.buyer_id
    query = select(
        *_COLUMNS, literal(side).label("side"), partner.label("partner_id"), key.column.label("sort_key")
    ).where(_own(side) == bindparam("tenant"))
    if side == "seller":
        query = query.where(TradeOrder.number.is_not(None))
    if states:
        query = query.where(TradeOrder.state.in_(states))
    if start is not None:
        at, last = tuple_(key.column, TradeOrder.id), tuple_(*start)
        query = query.where(at < last if falling else at > last)
    if searching:
        query = query.where(_matches(partner.expression))
    return query.order_by(*_in_order(key.column, TradeOrder.id.expression, falling))


def _in_order(key: ColumnElement[Any], ident: ColumnElement[UUID], falling: bool) -> tuple[Any, Any]:
    return (key.desc(), ident.desc()) if falling else (key.asc(), ident.asc())


def _cut(rows: list[OrderRow], key: Key, limit: int, inside: bool, backwards: bool) -> Listed:
    more, kept = len(rows) > limit, rows[:limit]
    if backwards:
        kept.reverse()
    if not kept:
        return Listed((), None)
    further, back = (inside, more) if backwards else (more, inside)
    first, last = (encode(_spelt(key.of(row)), row.id) for row in (kept[0], kept[-1]))
    return Listed(tuple(kept), last if further else None, first if back else None)


def _spelt(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _start(cursor: str | None, key: Key) -> tuple[Any, UUID] | None:
    keys = decode(cursor, 2)
    if keys is None:
        return None
    try:
        return key.read(keys[0]), UUID(keys[1])
    except (ValueError, InvalidOperation, OverflowError):
        raise Rejected(400, "page.bad_cursor") from None

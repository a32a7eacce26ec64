"""Lists of orders: one statement, however many rows. Each side is asked by its own index and the two are joined (ruling 2)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from core.db.straight import Prepared
from core.kernel import Context
from core.orders.model import TradeOrder
from core.orders.states import ORDER
from core.tenancy import EnterpriseCard
from core.web import Rejected
from core.web.pager import decode, encode

SIDES = ("buyer", "seller")
WAITING = {"seller": ("submitted",), "buyer": ("countered", "pending_approval")}
"""The states in which a side is asked for an answer."""
OPEN = tuple(sorted(ORDER.states - ORDER.ends - {"completed"}))
AMOUNTS = ("total", "invoiced", "prepaid", "paid")
MANY = 100
ESCAPE = "/"


class OrderRow(NamedTuple):
    """An order as lists show it. `side` is the reader's side; `partner_*` name the other one. Amounts include VAT.

    The fields stand in the order in which the statement selects them.
    """

    id: UUID
    number: str | None
    buyer_po: str | None
    mode: str
    state: str
    version: int
    buyer_id: UUID
    seller_id: UUID
    currency: str
    total: Decimal
    invoiced: Decimal
    prepaid: Decimal
    paid: Decimal
    delivery_date: date | None
    offer_expires_at: datetime | None
    created_at: datetime
    submitted_at: datetime | None
    side: str
    partner_id: UUID
    partner_zh: str
    partner_en: str | None


_MADE = partial(tuple.__new__, OrderRow)
_ORDER = TradeOrder.__table__.c
"""The columns bare: rows that no session keeps cost half of what mapped ones do."""
_COLUMNS = tuple(_ORDER[name] for name in OrderRow._fields[:17])


@dataclass(frozen=True)
class Listed:
    """A page of a list. `next` is the cursor of what is older, `newer` of what is newer; None where there is nothing."""

    rows: tuple[OrderRow, ...]
    next: str | None
    newer: str | None = None


def list_orders(
    ctx: Context,
    side: str = "all",
    states: Collection[str] = (),
    q: str = "",
    cursor: str | None = None,
    limit: int = 50,
    *,
    waiting: bool = False,
    backwards: bool = False,
    written: bool = False,
) -> Listed:
    """Orders of the acting enterprise, newest first. `side` is buyer, seller or all; no `states` means every state.

    `q` finds order numbers (with or without dashes), the buyer's own numbers and the other side's name. `waiting` keeps
    what asks this enterprise for an answer. `backwards` reads from the cursor towards what is newer. A mangled cursor is
    Rejected (400). With `written` amounts come as PostgreSQL writes them, with two decimals, for answers that only pass them on.
    """
    ctx.require("order.view")
    start, words = _start(cursor), q.strip()
    sides = SIDES if side == "all" else (side,)
    asked = _statement(sides, tuple(states), start is not None, bool(words), waiting, backwards, written)
    given: dict[str, Any] = {"tenant": ctx.tenant_id, "most": limit + 1}
    if start is not None:
        given |= {"at": start[0], "last": start[1]}
    if words:
        given |= _patterns(words)
    return _cut(
        list(map(_MADE, asked.rows(ctx.session, given))),
        limit,
        cursor is not None,
        backwards,
    )


@lru_cache(maxsize=256)
def _statement(
    sides: tuple[str, ...],
    states: tuple[str, ...],
    started: bool,
    searching: bool,
    waiting: bool,
    backwards: bool,
    written: bool,
) -> Prepared:
    """The statement of one shape of list, built once; its values come with each request."""
    arms = [
        _arm(which, WAITING[which] if waiting else states, started, searching, backwards) for which in sides
    ]
    found = union_all(*arms).subquery("found") if len(arms) > 1 else arms[0].subquery("found")
    partner = EnterpriseCard.__table__
    shown = [
        cast(cast(each, Numeric(20, 2)), Text).label(each.key) if written and each.key in AMOUNTS else each
        for each in found.c
    ]
    return Prepared(
        select(*shown, partner.c.name.label("partner_zh"), partner.c.name_en.label("partner_en"))
        .join_from(found, partner, partner.c.tenant_id == found.c.partner_id)
        .order_by(*_newest_first(found.c.created_at, found.c.id, backwards))
        .limit(bindparam("most"))
    )


def _cut(rows: list[OrderRow], limit: int, inside: bool, backwards: bool) -> Listed:
    """Of `limit + 1` rows keep `limit`; the one too many tells that there is more in the direction of reading."""
    more, kept = len(rows) > limit, rows[:limit]
    if backwards:
        kept.reverse()
    if not kept:
        return Listed((), None)
    older = inside if backwards else more
    newer = more if backwards else inside
    return Listed(tuple(kept), _cursor(kept[-1]) if older else None, _cursor(kept[0]) if newer else None)


def _cursor(row: OrderRow) -> str:
    return encode(row.created_at.isoformat(), row.id)


def _newest_first(
    created: ColumnElement[datetime], ident: ColumnElement[UUID], backwards: bool
) -> tuple[Any, Any]:
    return (created.asc(), ident.asc()) if backwards else (created.desc(), ident.desc())


def count_waiting(ctx: Context) -> int:
    """How many orders ask this enterprise for an answer, counted up to a hundred. One statement."""
    arms = [
        select(literal(1).label("one"))
        .where(_own(which) == ctx.tenant_id, _ORDER.state.in_(WAITING[which]))
        .limit(MANY)
        .subquery()
        for which in SIDES
    ]
    counted = union_all(*(select(func.count().label("n")).select_from(arm) for arm in arms)).subquery()
    total: int = ctx.session.scalar(select(func.sum(counted.c.n))) or 0
    return int(total)


def _own(side: str) -> ColumnElement[UUID]:
    return _ORDER.buyer_id if side == "buyer" else _ORDER.seller_id


def _arm(
    side: str, states: Collection[str], started: bool, searching: bool, backwards: bool
) -> Select[tuple[object, ...]]:
    """One side's newest orders, by that side's index. Until it is submitted (and has a number) an order is its buyer's alone."""
    partner = _ORDER.seller_id if side == "buyer" else _ORDER.buyer_id
    query = select(*_COLUMNS, literal(side).label("side"), partner.label("partner_id")).where(
        _own(side) == bindparam("tenant")
    )
    if side == "seller":
        query = query.where(_ORDER.number.is_not(None))
    if states:
        query = query.where(_ORDER.state == any_(literal(list(states), ARRAY(Text()))))
    if started:
        at = tuple_(_ORDER.created_at, _ORDER.id)
        last = tuple_(bindparam("at", type_=_ORDER.created_at.type), bindparam("last", type_=_ORDER.id.type))
        query = query.where(at > last if backwards else at < last)
    if searching:
        query = query.where(_matches(partner))
    newest = _newest_first(_ORDER.created_at, _ORDER.id, backwards)
    return query.order_by(*newest).limit(bindparam("most"))


def _matches(partner: ColumnElement[UUID]) -> ColumnElement[bool]:
    card = EnterpriseCard.__table__
    words, bare = bindparam("words", type_=Text()), bindparam("bare", type_=Text())
    named = select(card.c.tenant_id).where(
        or_(card.c.name.ilike(words, escape=ESCAPE), card.c.name_en.ilike(words, escape=ESCAPE))
    )
    return or_(
        _ORDER.buyer_po.ilike(words, escape=ESCAPE),
        partner.in_(named),
        func.replace(_ORDER.number, "-", "").ilike(bare, escape=ESCAPE),
    )


def _patterns(words: str) -> dict[str, str]:
    """What is typed as patterns; a number is found with or without its dashes."""
    bare = words.replace("-", "").replace(" ", "") or words
    return {"words": _pattern(words), "bare": _pattern(bare)}


def _pattern(words: str) -> str:
    for sign in (ESCAPE, "%", "_"):
        words = words.replace(sign, ESCAPE + sign)
    return f"%{words}%"


def _start(cursor: str | None) -> tuple[datetime, UUID] | None:
    keys = decode(cursor, 2)
    if keys is None:
        return None
    try:
        moment = datetime.fromisoformat(keys[0])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), UUID(keys[1])
    except ValueError:
        raise Rejected(400, "page.bad_cursor") from None

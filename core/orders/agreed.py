"""Orders whose terms both sides agreed before the order: born binding, changed only as agreed.

The trade mode vouches for the seller: its `agreed` is asked on the seller's side for every line, at birth and at every
change, and refuses what was never agreed. So nobody binds a seller to more than it signed or published.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core import stock, tenancy
from core.hooks import OrderFacts
from core.kernel import Conflict, Context, NotFound, Refused, uuid7
from core.orders import deciding
from core.orders.changing import _not_below_delivered, _replan
from core.orders.drafting import NewOrder, WantedLine, price, total
from core.orders.facts import order_facts
from core.orders.locking import ask_plugins, lines, lock, step, tell
from core.orders.model import OrderLine, OrderVersion, TradeOrder
from core.orders.numbers import number
from core.orders.placing import PRICED, _begin, _born, _seller_terms
from core.orders.progress import advance, satisfy_gate
from core.orders.sides import need_side, side
from core.orders.states import ORDER


def conclude(ctx: Context, new: NewOrder) -> TradeOrder:
    """T1 to T6 in one transaction: a buyer takes what the seller stands by already (a reservation, an accepted quote).

    At or above the buyer's approval threshold the acting person must hold the right to approve, up to the amount.
    """
    ctx.require("order.submit")
    order = _begin(ctx, new)
    if ctx.ports.dispatch.modes[order.mode].mode.agreed is None:
        raise Refused("order.nothing_agreed", mode=order.mode)
    threshold = tenancy.trade_settings(ctx).approval_threshold
    with side(ctx, order, "seller"):
        _seller_terms(ctx, order)
        priced = price(ctx, order, new.lines)
        order.number, order.submitted_at = number(ctx, "SO"), ctx.now
    ctx.require("order.submit", amount=order.total)
    if threshold is not None and order.total >= threshold:
        ctx.require("order.approve", amount=order.total)
        order.approved_by = ctx.actor.person_id
    submitted = ORDER.find("submit", "draft")
    ask_plugins(ctx, order, submitted, "buyer", priced)
    order.state = submitted.target
    order.version += 1
    _born(ctx, order, priced)
    tell(ctx, order, submitted, "draft", "buyer", total=order.total)
    confirmed = ORDER.find("confirm", order.state)
    ask_plugins(ctx, order, confirmed, "seller", priced)
    order.state = confirmed.target
    order.version += 1
    tell(ctx, order, confirmed, submitted.target, "system", total=order.total, agreed=order.source_ref)
    deciding.bind(ctx, order)
    advance(ctx, order)
    return order


def amend(ctx: Context, order: TradeOrder, quantities: Mapping[int, Decimal], reason: str) -> TradeOrder:
    """T22 for a locked order: quantities by line number, every line priced anew by what its mode agreed."""
    if ctx.ports.dispatch.modes[order.mode].mode.agreed is None:
        raise Refused("order.nothing_agreed", mode=order.mode)
    current = lines(ctx, order.id)
    wanted = [WantedLine(line.sku_id, quantities.get(line.no, line.quantity), line.unit) for line in current]
    with side(ctx, order, "seller"):
        priced = price(ctx, order, wanted)
    changes = _changes(current, priced)
    _not_below_delivered(current, changes)
    for line, found in zip(current, priced, strict=True):
        line.quantity = found.quantity
        for name in PRICED:
            setattr(line, name, getattr(found, name))
    ctx.session.flush()
    total(order, current)
    order.terms_version += 1
    step(ctx, order, "amend", total=order.total, changes=changes, reason=reason)
    _replan(ctx, order)
    ctx.session.add(
        OrderVersion(
            id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id,
            no=order.terms_version, at=ctx.now, terms=deciding.terms_of(order, current),
        )
    )  # fmt: skip
    advance(ctx, order)
    return order


def pass_gate(ctx: Context, order_id: UUID, key: str, evidence: str) -> TradeOrder:
    """What a plugin's gate waited for has happened; the order takes the steps that are due now."""
    order = lock(ctx, order_id)
    if satisfy_gate(ctx, order, key, evidence):
        advance(ctx, order)
    return order


def hold_goods(ctx: Context, order_id: UUID) -> bool:
    """Hold, for good, all that is still to be shipped of a running order; False while there is not enough in stock."""
    order = lock(ctx, order_id)
    need_side(ctx, order, "seller")
    rest = [
        (line.id, line.sku_id, (line.quantity - line.shipped - line.short_closed) * line.factor)
        for line in lines(ctx, order.id)
        if line.quantity > line.shipped + line.short_closed
    ]
    try:
        with ctx.session.begin_nested():
            stock.release(ctx, order.id)
            if rest:
                stock.reserve_hard(ctx, order.id, rest)
    except Conflict:
        return False
    return True


def _changes(current: list[OrderLine], priced: list[OrderLine]) -> dict[str, Any]:
    return {
        "lines": [
            {"no": line.no, "quantity": str(found.quantity), "unit_price": str(found.unit_price)}
            for line, found in zip(current, priced, strict=True)
            if (line.quantity, line.unit_price) != (found.quantity, found.unit_price)
        ]
    }


def facts_of(ctx: Context, order_id: UUID) -> OrderFacts:
    """An order with its lines as plugins see it. NotFound for a foreign one."""
    order = ctx.session.scalar(
        select(TradeOrder).where(TradeOrder.id == order_id).execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound("order.not_found")
    return order_facts(order, lines(ctx, order.id))

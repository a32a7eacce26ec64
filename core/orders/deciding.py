"""Seller and buyer come to terms: confirm, counter, accept, counter-offer, reject, expire (T6-T11)."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core import stock, tenancy
from core.hooks import GateRequest, PlanItem
from core.kernel import Conflict, Context, Forbidden, Invalid, uuid7
from core.orders import model
from core.orders.changes import apply_changes, offered_total, read_changes
from core.orders.credit import check_credit
from core.orders.drafting import total
from core.orders.facts import order_facts
from core.orders.locking import lines, lock, step
from core.orders.model import OrderLine, OrderVersion, Proposal, TradeOrder
from core.orders.progress import advance
from core.orders.sides import need_side, other, side, side_of
from core.orders.standing import add_gates

MAX_ROUNDS = 10


def confirm(ctx: Context, order_id: UUID, version: int | None = None) -> TradeOrder:
    """T6: the seller binds both. At or after `offer_expires_at` it is too late (t = deadline is late)."""
    order = lock(ctx, order_id, version)
    _in_time(ctx, order)
    step(ctx, order, "confirm", amount=order.total, total=order.total)
    bind(ctx, order)
    advance(ctx, order)
    return order


def counter(ctx: Context, order_id: UUID, changes: Mapping[str, Any], reason: str, version: int | None = None) -> TradeOrder:
    """T7: the seller would do it otherwise: other quantities, prices or date. The difference is kept for the buyer."""
    order = lock(ctx, order_id, version)
    _in_time(ctx, order)
    if open_proposal(ctx, order) is not None:
        raise Conflict("order.proposal_open")
    current = lines(ctx, order.id)
    wish = read_changes(order, current, changes)
    offered = offered_total(order, current, wish)
    within_credit(ctx, order, offered)
    propose(ctx, order, "counter", wish, reason)
    order.rounds += 1
    order.offer_expires_at = ctx.now + timedelta(minutes=tenancy.trade_settings(ctx).offer_minutes)
    step(ctx, order, "counter", amount=offered, reason=reason, changes=wish)
    return order


def accept(ctx: Context, order_id: UUID, version: int | None = None) -> TradeOrder:
    """T8: the buyer takes the seller's counter. A higher total past the threshold needs somebody else than the author."""
    order = lock(ctx, order_id, version)
    need_side(ctx, order, "buyer")
    _in_time(ctx, order)
    proposal = answer(ctx, order, "agreed")
    before = order.total
    changed = lines(ctx, order.id)
    apply_changes(order, changed, proposal.body)
    total(order, changed)
    approval_again(ctx, order, before)
    step(ctx, order, "accept", amount=order.total, total=order.total)
    with side(ctx, order, "seller"):
        reserve_again(ctx, order, changed)
    bind(ctx, order)
    advance(ctx, order)
    return order


def counter_offer(
    ctx: Context, order_id: UUID, changes: Mapping[str, Any], reason: str, version: int | None = None
) -> TradeOrder:
    """T9: the buyer makes another offer; at most ten rounds."""
    order = lock(ctx, order_id, version)
    need_side(ctx, order, "buyer")
    _in_time(ctx, order)
    if order.rounds >= MAX_ROUNDS:
        raise Conflict("order.too_many_rounds", limit=MAX_ROUNDS)
    answer(ctx, order, "refused")
    changed = lines(ctx, order.id)
    wish = read_changes(order, changed, changes)
    with side(ctx, order, "seller"):
        within_credit(ctx, order, offered_total(order, changed, wish))
    before = order.total
    apply_changes(order, changed, wish)
    total(order, changed)
    approval_again(ctx, order, before)
    with side(ctx, order, "seller"):
        reserve_again(ctx, order, changed)
        order.offer_expires_at = ctx.now + timedelta(minutes=tenancy.trade_settings(ctx).offer_minutes)
    step(ctx, order, "counter_offer", amount=order.total, reason=reason, changes=wish, total=order.total)
    return order


def reject(ctx: Context, order_id: UUID, reason: str, version: int | None = None) -> TradeOrder:
    """T10: the seller declines and says why; the goods are free again."""
    order = lock(ctx, order_id, version)
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    order.reason = reason.strip()
    step(ctx, order, "reject", reason=reason.strip())
    stock.release(ctx, order.id)
    return order


def expire(ctx: Context, order_id: UUID) -> TradeOrder | None:
    """T11, by the platform: the offer ran out. None when it is no longer open or not yet due."""
    order = lock(ctx, order_id)
    if order.offer_expires_at is None or ctx.now < order.offer_expires_at:
        return None
    if order.state not in ("submitted", "countered", "pending_approval"):
        return None
    step(ctx, order, "expire")
    with side(ctx, order, "seller"):
        stock.release(ctx, order.id)
    return order


def bind(ctx: Context, order: TradeOrder) -> None:
    """What binding means (T6, T8): credit again, hard reservation, payment plan, gates, version 1 of the terms."""
    bound = lines(ctx, order.id)
    mode = ctx.ports.dispatch.modes[order.mode].mode
    with side(ctx, order, "seller"):
        if not mode.escrow:  # what is held before the order starts needs no trust
            check_credit(ctx, order, tenancy.partner(ctx, order.buyer_id), lock=True)
        if mode.reserve:
            stock.harden(ctx, order.id)
        order.confirmed_at, order.offer_expires_at, order.terms_version = ctx.now, None, 1
        facts = order_facts(order, bound)
        plan = mode.payment_plan(ctx, facts)  # by the seller's settings
    write_plan(ctx, order, plan)
    add_gates(ctx, order, [*_money_gates(plan), *_plugin_gates(ctx, order, facts)])
    ctx.session.add(_version(ctx, order, bound))
    ctx.session.flush()


def write_plan(ctx: Context, order: TradeOrder, plan: list[PlanItem]) -> None:
    """The mode's payment plan, which must sum to the order's total."""
    planned = sum((item.amount for item in plan), Decimal(0))
    if planned != order.total:
        raise Conflict("order.plan_does_not_sum", mode=order.mode, planned=planned, total=order.total)
    for index, item in enumerate(plan, start=1):
        write_plan_item(ctx, order, index, item)


def write_plan_item(ctx: Context, order: TradeOrder, no: int, item: PlanItem) -> None:
    ctx.session.add(
        model.PlanItem(
            id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id, no=no,
            kind=item.kind, amount=item.amount, due_base=item.due_base, due_days=item.due_days, gate=item.gate,
        )
    )  # fmt: skip


def _money_gates(plan: list[PlanItem]) -> list[tuple[str | None, GateRequest]]:
    return [
        (None, GateRequest(f"payment:{index}", item.gate, item.kind))
        for index, item in enumerate(plan, start=1)
        if item.gate and item.amount > 0
    ]


def _plugin_gates(ctx: Context, order: TradeOrder, facts: Any) -> list[tuple[str | None, GateRequest]]:
    dispatch = ctx.ports.dispatch
    if not dispatch.implementers("open_gates"):
        return []
    found: list[tuple[str | None, GateRequest]] = []
    home = side_of(ctx, order)
    for whose in (home, other(home)):
        with side(ctx, order, whose):
            found += [(plugin, gate) for plugin, gates in dispatch.decide("open_gates", ctx, order=facts) for gate in gates]
    return list(dict.fromkeys(found))


def _version(ctx: Context, order: TradeOrder, bound: list[OrderLine]) -> OrderVersion:
    return OrderVersion(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id, no=order.terms_version,
        at=ctx.now, terms=terms_of(order, bound),
    )  # fmt: skip


def terms_of(order: TradeOrder, bound: list[OrderLine]) -> dict[str, Any]:
    """The binding terms as text, for ever readable."""
    return {
        "total": str(order.total),
        "net": str(order.net),
        "tax": str(order.tax),
        "currency": order.currency,
        "terms_days": order.terms_days,
        "delivery_date": order.delivery_date.isoformat() if order.delivery_date else None,
        "under_tol": str(order.under_tol),
        "over_tol": str(order.over_tol),
        "lines": [
            {
                "no": line.no,
                "sku": line.sku_code,
                "quantity": str(line.quantity),
                "unit": line.unit,
                "unit_price": str(line.unit_price),
                "tax_incl": line.tax_incl,
                "vat_rate": str(line.vat_rate),
                "gross": str(line.gross),
            }
            for line in bound
        ],
    }


def reserve_again(ctx: Context, order: TradeOrder, changed: list[OrderLine]) -> None:
    """Reserve what the changed lines need now, softly; runs on the seller's side."""
    if not ctx.ports.dispatch.modes[order.mode].mode.reserve:
        return
    stock.release(ctx, order.id)
    until = ctx.now + timedelta(minutes=tenancy.trade_settings(ctx).soft_reserve_minutes)
    stock.reserve_soft(ctx, order.id, [(line.id, line.sku_id, line.quantity * line.factor) for line in changed], until)


def approval_again(ctx: Context, order: TradeOrder, before: Decimal) -> None:
    """A higher total past the threshold is approved by whoever accepts it, who must not be the author."""
    threshold = tenancy.trade_settings(ctx).approval_threshold
    if threshold is None or order.total <= before or order.total < threshold:
        return
    ctx.require("order.approve", amount=order.total)
    if not ctx.everything and order.created_by is not None and order.created_by == ctx.actor.person_id:
        raise Forbidden("order.own_approval")
    order.approved_by = ctx.actor.person_id


def within_credit(ctx: Context, order: TradeOrder, offered: Decimal, *, lock: bool = False) -> None:
    """More than the order so far stays within the buyer's credit; what is paid already needs none. Runs on the seller's side."""
    if offered > order.total:
        owed = offered - order.paid - order.prepaid
        check_credit(ctx, order, tenancy.partner(ctx, order.buyer_id), total=owed, lock=lock)


def _in_time(ctx: Context, order: TradeOrder) -> None:
    if order.state in ("submitted", "countered") and order.offer_expires_at is not None and ctx.now >= order.offer_expires_at:
        raise Conflict("order.expired", at=order.offer_expires_at)


def propose(ctx: Context, order: TradeOrder, kind: str, body: dict[str, Any], reason: str) -> Proposal:
    proposal = Proposal(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id, kind=kind,
        side=side_of(ctx, order), body=body, reason=reason.strip(), proposed_by=ctx.actor.name, proposed_at=ctx.now, state="open",
    )  # fmt: skip
    ctx.session.add(proposal)
    return proposal


def open_proposal(ctx: Context, order: TradeOrder) -> Proposal | None:
    found: Proposal | None = ctx.session.scalar(select(Proposal).where(Proposal.order_id == order.id, Proposal.state == "open"))
    return found


def answer(ctx: Context, order: TradeOrder, state: str) -> Proposal:
    """Close the open proposal; the side that made it cannot also sign it."""
    proposal = open_proposal(ctx, order)
    if proposal is None:
        raise Conflict("order.no_proposal")
    if proposal.side == side_of(ctx, order) and state in ("agreed", "refused"):
        raise Conflict("order.own_proposal")
    proposal.state, proposal.answered_by, proposal.answered_at = state, ctx.actor.name, ctx.now
    return proposal



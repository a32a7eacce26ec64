"""The buyer's half: draft, submit, approval, withdrawal (T1-T5, T12)."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from core import stock, tenancy
from core.db import insert_rows
from core.kernel import Conflict, Context, Forbidden, Invalid, Refused, uuid7
from core.orders.credit import check_credit
from core.orders.drafting import NewOrder, WantedLine, price
from core.orders.events import OrderDrafted
from core.orders.facts import event_of
from core.orders.locking import ask_plugins, lines, lock, note, step, tell
from core.orders.model import OrderLine, TradeOrder
from core.orders.numbers import number
from core.orders.sides import need_side, side
from core.orders.states import ORDER
from core.tenancy import PartnerRelation, TradeSettings

ZERO = Decimal(0)
PRICED = (
    "sku_code",
    "name_zh",
    "name_en",
    "spec",
    "factor",
    "unit_price",
    "tax_incl",
    "vat_rate",
    "net",
    "tax",
    "gross",
    "components",
)
"""What a line takes over when it is priced again."""


def draft(ctx: Context, new: NewOrder) -> TradeOrder:
    """T1: a priced draft that only its buyer works on; nothing is reserved and no number is given."""
    ctx.require("order.draft")
    order = _begin(ctx, new)
    with side(ctx, order, "seller"):
        _seller_terms(ctx, order)
        priced = price(ctx, order, new.lines)
    _born(ctx, order, priced)
    ctx.record("order.draft", order, total=order.total)
    ctx.publish(event_of(OrderDrafted, order, ctx.now))
    return order


def place(ctx: Context, new: NewOrder) -> TradeOrder:
    """T1 and T3 in one transaction: price, reserve, number and submit; or T2 when the amount needs an approver."""
    ctx.require("order.submit")
    order = _begin(ctx, new)
    threshold = tenancy.trade_settings(ctx).approval_threshold
    with side(ctx, order, "seller"):
        terms, partner = _seller_terms(ctx, order)
        priced = price(ctx, order, new.lines)
        order.approval_needed = threshold is not None and order.total >= threshold
        if not order.approval_needed:
            _with_the_seller(ctx, order, priced, terms, partner)
    ctx.require("order.submit", amount=order.total)
    transition = ORDER.find("request_approval" if order.approval_needed else "submit", "draft")
    ask_plugins(ctx, order, transition, "buyer", priced)
    if order.approval_needed:
        _ask_in_time(ctx, order)
    order.state = transition.target  # born in its state: one INSERT instead of an INSERT and an UPDATE
    order.version += 1
    _born(ctx, order, priced)
    tell(ctx, order, transition, "draft", "buyer", total=order.total)
    return order


def submit(ctx: Context, order_id: UUID, version: int | None = None) -> TradeOrder:
    """T3 (or T2) for a draft: priced again, so what is submitted is what the seller asks for now."""
    order = lock(ctx, order_id, version)
    need_side(ctx, order, "buyer")
    threshold = tenancy.trade_settings(ctx).approval_threshold
    _price_again(ctx, order)
    ctx.require("order.submit", amount=order.total)
    order.approval_needed = threshold is not None and order.total >= threshold
    if order.approval_needed:
        _ask_in_time(ctx, order)
        step(ctx, order, "request_approval", total=order.total)
        return order
    _hand_over(ctx, order)
    step(ctx, order, "submit", amount=order.total, total=order.total)
    return order


def approve(ctx: Context, order_id: UUID, version: int | None = None) -> TradeOrder:
    """T4: somebody other than the author says yes, up to their limit; the amount must be what was asked for."""
    order = lock(ctx, order_id, version)
    need_side(ctx, order, "buyer")
    _not_own(ctx, order)
    if order.state == "pending_approval" and order.offer_expires_at is not None and ctx.now >= order.offer_expires_at:
        raise Conflict("order.expired", at=order.offer_expires_at)
    asked = order.total
    _price_again(ctx, order)
    if order.total != asked:
        raise Conflict("order.price_changed", before=asked, now=order.total)
    order.approved_by = ctx.actor.person_id
    _hand_over(ctx, order)
    step(ctx, order, "approve", amount=order.total, total=order.total)
    return order


def send_back(ctx: Context, order_id: UUID, reason: str, version: int | None = None) -> TradeOrder:
    """T5: the approver says no, or the author withdraws; the order is a draft again."""
    order = lock(ctx, order_id, version)
    need_side(ctx, order, "buyer")
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    order.reason, order.approval_needed, order.offer_expires_at = reason.strip(), False, None
    step(ctx, order, "send_back", reason=reason.strip())
    return order


def edit(ctx: Context, order_id: UUID, new: NewOrder, version: int | None = None) -> TradeOrder:
    """Change a draft: its lines are replaced and priced again. Who sells it and how it is traded stay."""
    order = lock(ctx, order_id, version)
    need_side(ctx, order, "buyer")
    ctx.require("order.draft")
    if order.state != "draft":
        raise Conflict("order.wrong_state", verb="edit", state=order.state)
    for name in ("seller_id", "mode"):
        if getattr(new, name) != getattr(order, name):
            raise Invalid.one(name, f"order.{name.removesuffix('_id')}_is_fixed")
    order.buyer_po, order.ship_to = new.buyer_po, new.ship_to
    order.delivery_date, order.note = new.delivery_date, new.note
    _replace_lines(ctx, order, new.lines)
    note(ctx, order, "edited", total=order.total)
    return order


def cancel(ctx: Context, order_id: UUID, reason: str, version: int | None = None) -> TradeOrder:
    """T12: its creator takes an order back before it binds anybody."""
    order = lock(ctx, order_id, version)
    order.reason = reason.strip() or None
    step(ctx, order, "cancel", reason=reason)
    with side(ctx, order, "seller"):
        stock.release(ctx, order.id)
    return order


def _begin(ctx: Context, new: NewOrder) -> TradeOrder:
    if new.seller_id == ctx.tenant_id:
        raise Invalid.one("seller_id", "order.own_goods")
    mode = ctx.ports.dispatch.modes.get(new.mode)
    if mode is None or mode.plugin not in ctx.ports.enabled(ctx, ctx.tenant_id):
        raise Refused("order.mode_not_enabled", mode=new.mode, side="buyer")
    if mode.plugin not in ctx.ports.enabled(ctx, new.seller_id):
        raise Refused("order.mode_not_enabled", mode=new.mode, side="seller")
    for side_name, tenant in (("buyer", ctx.tenant_id), ("seller", new.seller_id)):
        state = tenancy.plugin_states(ctx, tenant).get(mode.plugin)
        if state is not None and state.state == "draining":
            raise Refused("order.mode_not_enabled", mode=new.mode, side=side_name)
    return TradeOrder(
        id=uuid7(), buyer_id=ctx.tenant_id, seller_id=new.seller_id, number=None, buyer_po=new.buyer_po, mode=new.mode,
        state="draft", version=1, terms_version=0, currency="CNY", net=ZERO, tax=ZERO, total=ZERO, invoiced=ZERO,
        prepaid=ZERO, paid=ZERO, under_tol=ZERO, over_tol=ZERO, terms_days=30, accept_days=7,
        delivery_date=new.delivery_date, ship_to=new.ship_to, note=new.note, source_ref=new.source_ref,
        creator_side="buyer", created_by=ctx.actor.person_id, approval_needed=False, rounds=0, created_at=ctx.now,
    )  # fmt: skip


def _seller_terms(ctx: Context, order: TradeOrder) -> tuple[TradeSettings, PartnerRelation | None]:
    """The seller's terms for this buyer, frozen into the order. Called on the seller's side."""
    terms = tenancy.trade_settings(ctx)
    partner = tenancy.partner(ctx, order.buyer_id)
    if partner is not None and partner.blocked:
        raise Refused("order.partner_blocked")
    order.currency, order.under_tol, order.over_tol = terms.currency, terms.under_tol, terms.over_tol
    order.accept_days = terms.accept_days
    order.terms_days = (
        partner.terms_days if partner and partner.terms_days is not None else terms.default_terms_days
    )
    return terms, partner


def _with_the_seller(
    ctx: Context,
    order: TradeOrder,
    priced: list[OrderLine],
    terms: TradeSettings,
    partner: PartnerRelation | None,
) -> None:
    """What T3 does on the seller's side: credit, offer time, soft reservation, number."""
    check_credit(ctx, order, partner)
    if ctx.ports.dispatch.modes[order.mode].mode.reserve:
        until = ctx.now + timedelta(minutes=terms.soft_reserve_minutes)
        stock.reserve_soft(
            ctx, order.id, [(line.id, line.sku_id, line.quantity * line.factor) for line in priced], until
        )
    order.offer_expires_at = ctx.now + timedelta(minutes=terms.offer_minutes)
    order.submitted_at = ctx.now
    if order.number is None:
        order.number = number(ctx, "SO")


def _hand_over(ctx: Context, order: TradeOrder) -> None:
    with side(ctx, order, "seller"):
        terms, partner = tenancy.trade_settings(ctx), tenancy.partner(ctx, order.buyer_id)
        _with_the_seller(ctx, order, lines(ctx, order.id), terms, partner)


def _born(ctx: Context, order: TradeOrder, priced: list[OrderLine]) -> None:
    insert_rows(ctx.session, [order])  # first: its lines and events refer to it
    insert_rows(ctx.session, priced)


def _price_again(ctx: Context, order: TradeOrder) -> None:
    """The same wishes at the prices of now; each line keeps its id."""
    current = lines(ctx, order.id)
    wanted = [WantedLine(line.sku_id, line.quantity, line.unit) for line in current]
    with side(ctx, order, "seller"):
        priced = price(ctx, order, wanted)
    for line, found in zip(current, priced, strict=True):
        for name in PRICED:
            setattr(line, name, getattr(found, name))
    ctx.session.flush()


def _replace_lines(ctx: Context, order: TradeOrder, wanted: Sequence[WantedLine]) -> None:
    with side(ctx, order, "seller"):
        priced = price(ctx, order, wanted)
    for line in lines(ctx, order.id):
        ctx.session.delete(line)
    ctx.session.flush()
    ctx.session.add_all(priced)
    ctx.session.flush()


def _ask_in_time(ctx: Context, order: TradeOrder) -> None:
    """An approval runs out like an offer (T11), by the buyer's own setting."""
    order.offer_expires_at = ctx.now + timedelta(minutes=tenancy.trade_settings(ctx).offer_minutes)


def _not_own(ctx: Context, order: TradeOrder) -> None:
    if not ctx.everything and order.created_by is not None and order.created_by == ctx.actor.person_id:
        raise Forbidden("order.own_approval")

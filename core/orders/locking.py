"""Taking an order in hand: the row lock, the clock read after it, the step that moves it, and the trace each step leaves."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from core.db import insert_rows
from core.hooks import TransitionFacts
from core.kernel import Conflict, Context, NotFound, Transition, uuid7
from core.orders import events
from core.orders.facts import event_of, order_facts
from core.orders.model import OrderEvent, OrderLine, TradeOrder
from core.orders.sides import other, side, side_of
from core.orders.standing import BLOCKABLE, check_gates, check_holds
from core.orders.states import ORDER

PUBLISHED = {
    "draft": events.OrderDrafted,
    "request_approval": events.OrderApprovalRequested,
    "send_back": events.OrderSentBack,
    "submit": events.OrderSubmitted,
    "approve": events.OrderSubmitted,
    "counter_offer": events.OrderSubmitted,
    "confirm": events.OrderConfirmed,
    "accept": events.OrderConfirmed,
    "counter": events.OrderCountered,
    "reject": events.OrderRejected,
    "expire": events.OrderExpired,
    "cancel": events.OrderCancelled,
    "cancel_confirmed": events.OrderCancelled,
    "agree_cancel": events.OrderCancelled,
    "start": events.OrderStarted,
    "deliver": events.OrderDelivered,
    "settle_receipts": events.OrderAccepted,
    "reopen_delivery": events.OrderReopened,
    "complete": events.OrderCompleted,
    "reopen": events.OrderReopened,
    "terminate": events.OrderTerminated,
    "close": events.OrderClosed,
    "amend": events.OrderAmended,
}
_CLOCK = text("SELECT ts.clock()")


def lock(ctx: Context, order_id: UUID, version: int | None = None) -> TradeOrder:
    """The order, locked for this transaction, and `ctx.now` read after the wait.

    One that was never submitted exists for its buyer only: its seller gets the answer of a missing one. `version` is
    what the caller believed: another one is a Conflict that names the current version.
    """
    order: TradeOrder | None = ctx.session.scalar(
        select(TradeOrder).where(TradeOrder.id == order_id).with_for_update().execution_options(populate_existing=True)
    )
    if order is None or (side_of(ctx, order) == "seller" and order.number is None):
        raise NotFound("order.not_found")
    ctx.now = ctx.session.scalar(_CLOCK)
    if version is not None and version != order.version:
        raise Conflict("order.version_conflict", current=order.version)
    return order


def lines(ctx: Context, order_id: UUID) -> list[OrderLine]:
    return list(ctx.session.scalars(select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.no)))


def step(ctx: Context, order: TradeOrder, verb: str, *, amount: Decimal | None = None, **detail: Any) -> Transition:
    """Take one transition: find it, allow it, check gates, holds, guards and both sides' plugins, then move and tell.

    The caller has locked the order. `amount` is what the actor's limit is held against.
    """
    transition = ORDER.find(verb, order.state)
    acting = "system" if transition.side == "system" else side_of(ctx, order)
    if transition.permission and transition.side != "system":
        ctx.require(transition.permission, amount=amount)
    _check_side(order, transition, acting)
    if transition.stage:
        check_gates(ctx, order, transition.stage)
        if transition.stage in BLOCKABLE:
            check_holds(ctx, order, transition.stage)
    for guard in transition.guards:
        guard(ctx, order)
    ask_plugins(ctx, order, transition, acting)
    move(ctx, order, transition, acting, **detail)
    return transition


def _check_side(order: TradeOrder, transition: Transition, acting: str) -> None:
    if transition.side in ("buyer", "seller") and acting != transition.side:
        raise Conflict(f"order.only_{transition.side}")
    if transition.side == "creator" and acting != order.creator_side:
        raise Conflict("order.only_creator", side=order.creator_side)


def ask_plugins(
    ctx: Context, order: TradeOrder, transition: Transition, acting: str, of_order: list[OrderLine] | None = None
) -> None:
    """Plugins of both sides may object; the first objection refuses the step and names its plugin."""
    dispatch = ctx.ports.dispatch
    if not dispatch.implementers("check_transition"):
        return
    facts = order_facts(order, of_order if of_order is not None else lines(ctx, order.id))
    step_facts = TransitionFacts(transition.verb, order.state, transition.target, acting)
    home = side_of(ctx, order)
    for whose in (home, other(home)):
        with side(ctx, order, whose):
            for plugin, objection in dispatch.decide("check_transition", ctx, order=facts, transition=step_facts):
                raise Conflict("order.objection", plugin=plugin, objection=objection.code, text=objection.text)


def move(ctx: Context, order: TradeOrder, transition: Transition, acting: str, **detail: Any) -> None:
    """Change the state of a locked order, and tell."""
    source = order.state
    order.state = transition.target
    order.version += 1
    if transition.target in ORDER.ends and order.ended_at is None:
        order.ended_at = ctx.now
    tell(ctx, order, transition, source, acting, **detail)


def tell(ctx: Context, order: TradeOrder, transition: Transition, source: str, acting: str, **detail: Any) -> None:
    """Leave what every step leaves: the order's event, the audit entry, the fact in the outbox."""
    _trace(ctx, order, transition.verb, source, acting, detail)
    ctx.publish(event_of(PUBLISHED.get(transition.verb, events.OrderChanged), order, ctx.now, order.reason))


def note(ctx: Context, order: TradeOrder, verb: str, **detail: Any) -> None:
    """A step that leaves the state as it is (shipped, invoiced, paid, held): it counts as a version all the same."""
    order.version += 1
    _trace(ctx, order, verb, order.state, side_of(ctx, order), detail)


def _trace(ctx: Context, order: TradeOrder, verb: str, source: str, acting: str, detail: dict[str, Any]) -> None:
    event = OrderEvent(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id, version=order.version,
        verb=verb, source=source, target=order.state, side=acting, actor=ctx.actor.name, at=ctx.now,
        detail={name: _plain(value) for name, value in detail.items()},
    )  # fmt: skip
    insert_rows(ctx.session, [event])
    ctx.record(f"order.{verb}", order, state=order.state, **detail)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return str(value)

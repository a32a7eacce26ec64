"""Waiving a gate, placing and lifting a hold: what people decide about an order's way, with a reason that stays."""

from uuid import UUID

from sqlalchemy import select

from core.kernel import Context, Invalid, NotFound, Refused, uuid7
from core.orders.locking import lock, note
from core.orders.model import Gate, Hold, TradeOrder
from core.orders.progress import advance, decide
from core.orders.sides import side_of
from core.orders.standing import BLOCKABLE


def waive_gate(ctx: Context, order_id: UUID, key: str, reason: str) -> TradeOrder:
    """The protected side does without a gate, with a reason that stays on the order."""
    order = lock(ctx, order_id)
    ctx.require("order.gate")
    gate = ctx.session.scalar(select(Gate).where(Gate.order_id == order.id, Gate.key == key, Gate.state.in_(("open", "failed"))))
    if gate is None:
        raise NotFound("order.no_such_gate", gate=key)
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    if side_of(ctx, order) != "seller":
        raise Refused("order.gate_other_side", title=gate.title)
    decide(ctx, gate, "waived", reason.strip())
    note(ctx, order, "gate_waived", gate=key, reason=reason.strip())
    advance(ctx, order)
    return order


def place_hold(ctx: Context, order_id: UUID, key: str, reason: str, blocks: list[str]) -> TradeOrder:
    """Stop some acts on an order. Only this side lifts it again."""
    order = lock(ctx, order_id)
    ctx.require("order.hold")
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    wrong = [act for act in blocks if act not in BLOCKABLE]
    if wrong or not blocks:
        raise Invalid.one("blocks", "order.unknown_act", act=", ".join(wrong) or "—", known=", ".join(BLOCKABLE))
    ctx.session.add(
        Hold(
            id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id, key=key,
            side=side_of(ctx, order), reason=reason.strip(), blocks=blocks, placed_by=ctx.actor.name, placed_at=ctx.now,
        )
    )  # fmt: skip
    note(ctx, order, "held", hold=key, reason=reason.strip(), blocks=blocks)
    return order


def lift_hold(ctx: Context, order_id: UUID, hold_id: UUID) -> TradeOrder:
    order = lock(ctx, order_id)
    ctx.require("order.hold")
    hold = ctx.session.scalar(select(Hold).where(Hold.order_id == order.id, Hold.id == hold_id, Hold.lifted_at.is_(None)))
    if hold is None:
        raise NotFound("order.no_such_hold")
    if hold.side != side_of(ctx, order):
        raise Refused("order.hold_other_side", hold=hold.key)
    hold.lifted_by, hold.lifted_at = ctx.actor.name, ctx.now
    ctx.session.flush()
    note(ctx, order, "hold_lifted", hold=hold.key)
    advance(ctx, order)
    return order

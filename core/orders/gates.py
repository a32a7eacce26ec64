"""Gates and holds: what must be true before a stage, and what somebody stopped on purpose. Neither ever just vanishes."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import any_, literal, select

from core.hooks import GateRequest
from core.kernel import Conflict, Context, Invalid, NotFound, Refused, uuid7
from core.orders.locking import lock, note
from core.orders.model import Gate, Hold, TradeOrder
from core.orders.sides import side_of

ACTS = {
    "ship": ("ship", ("in_progress",)),
    "receive": ("receive", ("in_progress", "delivered")),
    "invoice": ("invoice", ("in_progress", "delivered", "accepted", "completed")),
    "pay": ("pay", ("confirmed", "in_progress", "delivered", "accepted", "completed")),
}
"""What the parties do with a binding order: its stage and the states it may happen in."""
BLOCKABLE = ("confirm", "start", *ACTS)


def allow(ctx: Context, order: TradeOrder, act: str) -> None:
    """Refuse an act that the order's state, a hold or an open gate forbids; say which and who can lift it."""
    stage, states = ACTS[act]
    if order.state not in states:
        raise Conflict("order.wrong_state", verb=act, state=order.state)
    check_holds(ctx, order, act)
    check_gates(ctx, order, stage)


def check_holds(ctx: Context, order: TradeOrder, act: str) -> None:
    found = ctx.session.execute(
        select(Hold.key, Hold.side, Hold.reason).where(
            Hold.order_id == order.id, Hold.lifted_at.is_(None), literal(act) == any_(Hold.blocks)
        )
    ).first()
    if found:
        raise Conflict("order.held", hold=found.key, reason=found.reason, lifts=found.side)


def check_gates(ctx: Context, order: TradeOrder, stage: str) -> None:
    for gate in open_gates(ctx, order.id, stage):
        raise Conflict("order.gate_open", gate=gate.key, title=gate.title, stage=stage, plugin=gate.plugin or "")


def open_gates(ctx: Context, order_id: UUID, stage: str | None = None) -> Sequence[Gate]:
    query = select(Gate).where(Gate.order_id == order_id, Gate.state.in_(("open", "failed")))
    if stage:
        query = query.where(Gate.stage == stage)
    found: Sequence[Gate] = ctx.session.scalars(query.order_by(Gate.key)).all()
    return found


def add_gates(ctx: Context, order: TradeOrder, requests: Iterable[tuple[str | None, GateRequest]]) -> None:
    """Open gates asked for by the payment plan (plugin None) or by plugins."""
    for plugin, asked in requests:
        ctx.session.add(
            Gate(
                id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id,
                key=f"{plugin}:{asked.key}" if plugin else asked.key, stage=asked.stage, title=asked.title,
                plugin=plugin, state="open", evidence="",
            )
        )  # fmt: skip


def satisfy_gate(ctx: Context, order: TradeOrder, key: str, evidence: str) -> bool:
    """The thing waited for happened (a payment came, a drawing was approved). False when no such gate is open."""
    gate = ctx.session.scalar(select(Gate).where(Gate.order_id == order.id, Gate.key == key, Gate.state == "open"))
    if gate is None:
        return False
    _decide(ctx, gate, "satisfied", evidence)
    note(ctx, order, "gate_satisfied", gate=key, evidence=evidence)
    return True


def waive_gate(ctx: Context, order_id: UUID, key: str, reason: str) -> TradeOrder:
    """The protected side does without a gate, with a reason that stays on the order."""
    from core.orders.progress import advance

    order = lock(ctx, order_id)
    ctx.require("order.gate")
    gate = ctx.session.scalar(select(Gate).where(Gate.order_id == order.id, Gate.key == key, Gate.state.in_(("open", "failed"))))
    if gate is None:
        raise NotFound("order.no_such_gate", gate=key)
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    if side_of(ctx, order) != "seller":
        raise Refused("order.gate_other_side", title=gate.title)
    _decide(ctx, gate, "waived", reason.strip())
    note(ctx, order, "gate_waived", gate=key, reason=reason.strip())
    advance(ctx, order)
    return order


def _decide(ctx: Context, gate: Gate, state: str, evidence: str) -> None:
    gate.state, gate.evidence, gate.decided_by, gate.decided_at = state, evidence, ctx.actor.name, ctx.now
    ctx.session.flush()


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
    from core.orders.progress import advance

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



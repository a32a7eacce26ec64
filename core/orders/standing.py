"""How an order stands: the gates that are open, the holds that block, and whether an act is allowed right now.

Asked by every step and every act; who opens, satisfies, waives, holds and lifts is in `gates` and `progress`.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import any_, literal, select

from core.hooks import GateRequest
from core.kernel import Conflict, Context, uuid7
from core.orders.model import Gate, Hold, TradeOrder
from core.orders.orphans import WAIVES, orphans

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
        told = {"gate": gate.key, "title": gate.title, "stage": stage, "plugin": gate.plugin or ""}
        if orphan := orphans(ctx, order, [gate]).get(gate.plugin or ""):
            raise Conflict(f"order.gate_plugin_{orphan.why}", reason=orphan.reason, permission=WAIVES, **told)
        raise Conflict("order.gate_open", **told)


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

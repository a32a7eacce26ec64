"""The platform's own steps: an order moves on when its lines and money say so (T13, T15-T19, T21)."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import any_, bindparam, literal, select, update

from core.kernel import Conflict, Context
from core.orders.locking import lines, lock, note, step
from core.orders.model import Gate, Hold, OrderLine, TradeOrder, select_plan
from core.orders.standing import open_gates
from core.orders.states import BINDING, ORDER

ZERO = Decimal(0)
COUNTED = ("shipped", "received", "accepted", "rejected", "short_closed", "invoiced")
KEEP_OPEN = timedelta(days=365)
_accepters: list[Callable[[Context, TradeOrder], object]] = []


def tally(ctx: Context, order: TradeOrder, deltas: Mapping[UUID, Mapping[str, Decimal]]) -> None:
    """Add to the counted quantities of lines. The table's constraints refuse what would break I1, I2, I3 or I7."""
    rows = [
        {"line": line_id, **{f"d_{name}": changes.get(name, ZERO) for name in COUNTED}} for line_id, changes in deltas.items()
    ]
    if not rows:
        return
    table = OrderLine.__table__
    ctx.session.flush()
    ctx.session.execute(
        update(table)
        .where(table.c.id == bindparam("line"), table.c.order_id == order.id)
        .values({name: table.c[name] + bindparam(f"d_{name}", type_=table.c[name].type) for name in COUNTED}),
        rows,
    )
    for row in list(ctx.session.identity_map.values()):
        if isinstance(row, OrderLine):
            ctx.session.expire(row)


def book(ctx: Context, order: TradeOrder, *, invoiced: Decimal = ZERO, paid: Decimal = ZERO, prepaid: Decimal = ZERO) -> None:
    """Add to the order's sums; billing calls it in the transaction that posts the money."""
    order.invoiced += invoiced
    order.paid += paid
    order.prepaid += prepaid
    ctx.session.flush()


def advance(ctx: Context, order: TradeOrder) -> None:
    """Take every system step that is due now. Called after each act that could have made one due."""
    _satisfy_paid(ctx, order)
    while verb := _due(ctx, order):
        step(ctx, order, verb)
        _stamp(ctx, order)
    ctx.session.flush()


def satisfy_gate(ctx: Context, order: TradeOrder, key: str, evidence: str) -> bool:
    """The thing waited for happened (a payment came, a drawing was approved). False when no such gate is open."""
    gate = ctx.session.scalar(select(Gate).where(Gate.order_id == order.id, Gate.key == key, Gate.state == "open"))
    if gate is None:
        return False
    decide(ctx, gate, "satisfied", evidence)
    note(ctx, order, "gate_satisfied", gate=key, evidence=evidence)
    return True


def decide(ctx: Context, gate: Gate, state: str, evidence: str) -> None:
    """Close an open gate one way or the other, and keep who said so."""
    gate.state, gate.evidence, gate.decided_by, gate.decided_at = state, evidence, ctx.actor.name, ctx.now
    ctx.session.flush()


def _satisfy_paid(ctx: Context, order: TradeOrder) -> None:
    """A gate that waits for money opens when the plan's items up to it are covered, oldest first."""
    covered = order.paid + order.prepaid
    if covered <= 0 or order.state not in BINDING:
        return
    waiting = {gate.key for gate in open_gates(ctx, order.id) if gate.plugin is None and gate.key.startswith("payment:")}
    if not waiting:
        return
    asked = ZERO
    for item in ctx.session.scalars(select_plan(order.id)):
        asked += item.amount
        if covered >= asked and f"payment:{item.no}" in waiting:
            satisfy_gate(ctx, order, f"payment:{item.no}", str(covered))


def _due(ctx: Context, order: TradeOrder) -> str | None:
    if order.state == "confirmed":
        return "start" if not open_gates(ctx, order.id, "start") and not _held(ctx, order, "start") else None
    if order.state not in ("in_progress", "delivered", "accepted", "completed"):
        return None
    current = lines(ctx, order.id)
    arrived = all(line_done(order, line) for line in current)
    if order.state == "in_progress":
        return "deliver" if arrived else None
    if order.state == "delivered":
        if not arrived:
            return "reopen_delivery"
        disposed = all(line.accepted + line.rejected == line.received for line in current)
        return "settle_receipts" if disposed and not open_gates(ctx, order.id, "accept") else None
    settled = (
        all(line.invoiced == line.accepted for line in current)
        and order.paid == order.invoiced
        and order.prepaid == 0
        and not open_gates(ctx, order.id, "complete")
        and not _held(ctx, order)
    )
    if order.state == "accepted":
        return "complete" if settled else None
    return None if settled else "reopen"


def line_done(order: TradeOrder, line: OrderLine) -> bool:
    """T15's rule for a line: enough received, or the rest closed short."""
    return line.received + line.short_closed >= line.quantity or line.received >= line.quantity * (1 - order.under_tol)


def _held(ctx: Context, order: TradeOrder, act: str | None = None) -> bool:
    query = select(Hold.id).where(Hold.order_id == order.id, Hold.lifted_at.is_(None))
    if act:
        query = query.where(literal(act) == any_(Hold.blocks))
    return ctx.session.scalar(query.limit(1)) is not None


def _stamp(ctx: Context, order: TradeOrder) -> None:
    moments = {"in_progress": "started_at", "delivered": "delivered_at", "accepted": "accepted_at", "completed": "completed_at"}
    if name := moments.get(order.state):
        setattr(order, name, ctx.now)


def accept_silently(ctx: Context, order_id: UUID) -> TradeOrder | None:
    """T16 by time: after `accept_days` without a word, what was received and undecided counts as accepted."""
    order = lock(ctx, order_id)
    if order.state != "delivered" or order.delivered_at is None:
        return None
    if ctx.now < order.delivered_at + timedelta(days=order.accept_days):
        return None
    for accept in _accepters:
        accept(ctx, order)
    advance(ctx, order)
    return order


def register_accepter(accepter: Callable[[Context, TradeOrder], object]) -> None:
    """Fulfilment says, once at start-up, how waiting receipts are accepted."""
    if accepter not in _accepters:
        _accepters.append(accepter)


def close(ctx: Context, order_id: UUID) -> TradeOrder:
    """T21: a year after completion the order is read-only for good."""
    order = lock(ctx, order_id)
    ORDER.find("close", order.state)
    if order.completed_at is None or ctx.now < order.completed_at + KEEP_OPEN:
        raise Conflict("order.too_early_to_close", days=KEEP_OPEN.days)
    step(ctx, order, "close")
    return order

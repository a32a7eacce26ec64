"""Escrow: money a buyer paid in advance and no seller has yet, for orders of a mode that asks for it.

It follows the order's advance to the last fen: what is kept for the order is funded, what an invoice uses or the buyer
forfeits is released to the seller, what goes back is refunded. The seller's books show it as money in escrow, not in
the bank, until it is released.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text

from core import ledger
from core.billing.holding import Escrow, EscrowMove
from core.billing.model import Payment
from core.kernel import Context, NotFound, uuid7
from core.orders import TradeOrder
from core.orders.sides import side

ZERO = Decimal(0)
_MOVE = text("SELECT ts.escrow_move(:order, :kind, :amount, :actor, CAST(:ids AS uuid[]))")


@dataclass(frozen=True)
class Announced:
    """Money the buyer says it sent and the seller has not looked for yet."""

    payment_id: UUID
    amount: Decimal
    at: datetime


@dataclass(frozen=True)
class OrderMoney:
    """How the money of an order stands, in its currency. `held` is what of it lies in escrow."""

    order_id: UUID
    currency: str
    total: Decimal
    invoiced: Decimal
    paid: Decimal
    prepaid: Decimal
    held: Decimal
    announced: tuple[Announced, ...]

    @property
    def covered(self) -> Decimal:
        return self.paid + self.prepaid


def money_of(ctx: Context, order_id: UUID) -> OrderMoney:
    """What was paid for an order, what is held, and what was announced. NotFound for a foreign order. Three statements."""
    order = ctx.session.scalar(
        select(TradeOrder).where(TradeOrder.id == order_id).execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound("order.not_found")
    found = ctx.session.scalar(
        select(Escrow).where(Escrow.order_id == order_id).execution_options(populate_existing=True)
    )
    waiting = ctx.session.execute(
        select(Payment.id, Payment.amount, Payment.announced_at)
        .where(Payment.order_id == order_id, Payment.state == "announced")
        .order_by(Payment.announced_at)
    )
    return OrderMoney(
        order.id, order.currency, order.total, order.invoiced, order.paid, order.prepaid,
        found.held if found else ZERO, tuple(Announced(*row) for row in waiting),
    )  # fmt: skip


def moves_of(ctx: Context, order_id: UUID) -> list[EscrowMove]:
    """The movements of an order's escrow, oldest first."""
    return list(
        ctx.session.scalars(select(EscrowMove).where(EscrowMove.order_id == order_id).order_by(EscrowMove.id))
    )


def fund(ctx: Context, order: TradeOrder, amount: Decimal) -> None:
    """Money kept for the order goes into escrow, where its mode holds money there."""
    if _holds(ctx, order):
        _move(ctx, order, "fund", amount)
        _in_the_sellers_books(ctx, order, amount)


def release(ctx: Context, order: TradeOrder, amount: Decimal) -> None:
    """Held money becomes the seller's: an invoice used it, or the buyer lost it."""
    if _holds(ctx, order):
        _move(ctx, order, "release", amount)
        _in_the_sellers_books(ctx, order, -amount)


def refund(ctx: Context, order: TradeOrder, amount: Decimal) -> None:
    """Held money is the buyer's again."""
    if _holds(ctx, order):
        _move(ctx, order, "refund", amount)
        _in_the_sellers_books(ctx, order, -amount)


def _holds(ctx: Context, order: TradeOrder) -> bool:
    known = ctx.ports.dispatch.modes.get(order.mode)
    return known is not None and bool(known.mode.escrow)


def _move(ctx: Context, order: TradeOrder, kind: str, amount: Decimal) -> None:
    ctx.session.flush()
    ids = [uuid7() for _ in range(12)]
    given = {"order": order.id, "kind": kind, "amount": amount, "actor": ctx.actor.name, "ids": ids}
    ctx.session.execute(_MOVE, given)
    ctx.record(f"escrow.{kind}", f"escrow_move:{ids[1]}", order=order.number, amount=amount)


def _in_the_sellers_books(ctx: Context, order: TradeOrder, amount: Decimal) -> None:
    with side(ctx, order, "seller"):
        ledger.post(
            ctx, "escrow", str(uuid7()), order.currency, (("in_trust", amount), ("bank", -amount)), order.number or ""
        )

"""Credit: what a seller still trusts a buyer with. limit - (open confirmed uninvoiced + unpaid invoices - unapplied payments)."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select, text

from core import tenancy
from core.kernel import Conflict, Context
from core.orders.model import TradeOrder
from core.orders.states import BINDING

ZERO = Decimal(0)


@dataclass(frozen=True)
class Exposure:
    """What is open between a seller and a buyer, in the seller's currency."""

    limit: Decimal
    open_orders: Decimal
    unpaid: Decimal
    unapplied: Decimal

    @property
    def available(self) -> Decimal:
        return self.limit - (self.open_orders + self.unpaid - self.unapplied)


def exposure(ctx: Context, order: TradeOrder, limit: Decimal) -> Exposure:
    """Open, unpaid and unapplied amounts of the pair, from the orders' own sums. One statement."""
    open_orders, unpaid, unapplied = ctx.session.execute(
        select(
            func.coalesce(func.sum(TradeOrder.total - TradeOrder.invoiced).filter(TradeOrder.state.in_(BINDING)), ZERO),
            func.coalesce(func.sum(func.greatest(TradeOrder.invoiced - TradeOrder.paid, ZERO)), ZERO),
            func.coalesce(func.sum(TradeOrder.prepaid), ZERO),
        ).where(
            TradeOrder.seller_id == order.seller_id,
            TradeOrder.buyer_id == order.buyer_id,
            TradeOrder.id != order.id,
            TradeOrder.state.in_((*BINDING, "completed", "terminated")),
        )
    ).one()
    return Exposure(limit, open_orders, unpaid, unapplied)


def check_credit(ctx: Context, order: TradeOrder, partner: tenancy.PartnerRelation | None, *, lock: bool = False) -> None:
    """Refuse when the order's total is above what is available (V-CR1). Runs on the seller's side.

    `lock` makes confirmations of one pair take turns, so that two cannot both use the last of the limit.
    """
    if partner is None or partner.credit_limit is None:
        return
    if lock:
        ctx.session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:pair, 7))"), {"pair": f"{order.seller_id}{order.buyer_id}"}
        )
    found = exposure(ctx, order, partner.credit_limit)
    if order.total > found.available:
        raise Conflict("order.credit", total=order.total, available=found.available, limit=found.limit)

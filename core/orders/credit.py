"""Credit: what a seller still trusts a buyer with. limit - (open confirmed uninvoiced + unpaid invoices - unapplied payments)."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text

from core import tenancy
from core.kernel import Conflict, Context
from core.orders.model import TradeOrder
from core.orders.states import BINDING


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


_EXPOSURE = text(
    "SELECT coalesce(sum(total - invoiced) FILTER (WHERE state = ANY(:binding)), 0) AS open_orders,"
    " coalesce(sum(greatest(invoiced - paid, 0)), 0) AS unpaid, coalesce(sum(prepaid), 0) AS unapplied"
    " FROM ts.trade_order WHERE seller_id = :seller AND buyer_id = :buyer AND id <> :this AND state = ANY(:counted)"
)


def exposure(ctx: Context, order: TradeOrder, limit: Decimal) -> Exposure:
    """Open, unpaid and unapplied amounts of the pair, from the orders' own sums. One statement."""
    pair = {"seller": order.seller_id, "buyer": order.buyer_id, "this": order.id}
    row = ctx.session.execute(
        _EXPOSURE, {**pair, "binding": list(BINDING), "counted": [*BINDING, "completed", "terminated"]}
    ).one()
    return Exposure(limit, row.open_orders, row.unpaid, row.unapplied)


def check_credit(
    ctx: Context,
    order: TradeOrder,
    partner: tenancy.PartnerRelation | None,
    *,
    total: Decimal | None = None,
    lock: bool = False,
) -> None:
    """Refuse when the order's total is above what is available (V-CR1). Runs on the seller's side.

    `total` is what an offer would make of it, where it is not yet the order's own. `lock` makes confirmations of one pair
    take turns, so that two cannot both use the last of the limit.
    """
    if partner is None or partner.credit_limit is None:
        return
    if lock:
        ctx.session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:pair, 7))"),
            {"pair": f"{order.seller_id}{order.buyer_id}"},
        )
    found = exposure(ctx, order, partner.credit_limit)
    asked = order.total if total is None else total
    if asked > found.available:
        raise Conflict("order.credit", total=asked, available=found.available, limit=found.limit)

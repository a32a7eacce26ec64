"""The trade mode: an order born of a reservation, paid in two steps, held in escrow, left only at its price.

All plans are asked on the seller's side. What a reservation's terms do not say, the mode does not know.
"""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

import tongshang as ts
from plugins.presale import reckoning
from plugins.presale.model import Offer, OfferItem, Reservation
from plugins.presale.reckoning import Outcome

SOURCE = "presale:"
READY = "presale:ready"
"""The gate that keeps an order from starting before its presale has closed and its price is final."""


def find(ctx: ts.Context, source_ref: str | None) -> Reservation:
    """The reservation an order was born of; refused for an order that names none."""
    try:
        wanted = UUID((source_ref or "").removeprefix(SOURCE))
    except ValueError:
        raise ts.Refused("presale.not_reserved") from None
    found = ctx.session.get(Reservation, wanted)
    if found is None:
        raise ts.Refused("presale.not_reserved")
    return found


def agreed(ctx: ts.Context, quotation: ts.Quotation) -> list[ts.AgreedPrice]:
    """The price of the offer, for exactly what was reserved."""
    reservation = find(ctx, quotation.source_ref)
    item = ctx.session.get_one(OfferItem, reservation.item_id)
    wanted = (quotation.buyer_id, quotation.seller_id, quotation.sku_ids, quotation.quantities)
    if wanted != (reservation.buyer_id, item.tenant_id, (item.sku_id,), (reservation.quantity,)):
        raise ts.Refused("presale.not_reserved")
    return [ts.AgreedPrice(item.price, item.tax_included, item.vat_rate, "Presale price")]


def payment_plan(ctx: ts.Context, order: ts.OrderFacts) -> list[ts.PlanItem]:
    """Earnest money and advance first, the balance in its window; the order starts when all of it is there."""
    reservation = find(ctx, order.source_ref)
    offer = ctx.session.get_one(Offer, reservation.offer_id)
    parts = reckoning.deposit(order.total, offer.earnest_percent, offer.earnest_kind)
    soon = max(1, -(-offer.pay_hours // 24))
    later = max(0, (reservation.balance_closes - ctx.now).days)
    plan = [
        ts.PlanItem("earnest", parts.earnest, "confirm", soon, "start"),
        ts.PlanItem("prepay", parts.prepay, "confirm", soon, "start"),
        ts.PlanItem("balance", parts.balance, "confirm", later, "start"),
    ]
    return [item for item in plan if item.amount]


def outcome(reservation: Reservation, ending: str, paid: Decimal) -> Outcome:
    """Who gets what when a reservation ends so, after `paid` came in."""
    if ending == "defaulted_buyer":
        return reckoning.buyer_defaults(paid, reservation.earnest)
    if ending == "defaulted_seller":
        return reckoning.seller_defaults(paid, reservation.earnest)
    return reckoning.buyer_leaves(paid, reservation.cost)


def moves(result: Outcome) -> list[ts.MoneyMove]:
    """What the books must move besides the refund, which the core adds for whatever a plan leaves."""
    found = [
        ts.MoneyMove("buyer", "seller", result.forfeit, "forfeit"),
        ts.MoneyMove("seller", "buyer", result.from_seller, "claim"),
    ]
    return [move for move in found if move.amount]


def cancel_plan(ctx: ts.Context, order: ts.OrderFacts, by: str) -> list[ts.MoneyMove] | None:
    """How it ends was said by the reservation's own verb; else who leaves alone is in default.

    Before anything is paid leaving is free. An advance that is no earnest money may cost something by the terms: then
    leaving needs both.
    """
    reservation = find(ctx, order.source_ref)
    if (ending := reservation.ending) is None:
        offer = ctx.session.get_one(Offer, reservation.offer_id)
        if by == "buyer" and offer.earnest_kind == "prepay" and offer.cost_cap and order.prepaid:
            return None
        ending = f"defaulted_{by}"
    return moves(outcome(reservation, ending, order.prepaid))


def settlement_plan(ctx: ts.Context, order: ts.OrderFacts) -> list[ts.MoneyMove]:
    """Damages for shipment that is late by the terms and not claimed yet."""
    reservation = find(ctx, order.source_ref)
    offer = ctx.session.get_one(Offer, reservation.offer_id)
    owed = reckoning.late_damages(
        reservation.late_days_amount, reservation.late_first, offer.late_rate, offer.late_cap
    )
    left = owed - reservation.late_claimed
    return [ts.MoneyMove("seller", "buyer", left, "claim")] if left > 0 else []


def billable(line: ts.LineFacts, accepted: Decimal) -> tuple[Decimal, Decimal]:
    """What was accepted, at the presale's price."""
    return accepted, line.unit_price


def by_order(ctx: ts.Context, order_id: UUID) -> Reservation | None:
    found: Reservation | None = ctx.session.scalar(select(Reservation).where(Reservation.order_id == order_id))
    return found


PRESALE = ts.TradeMode(
    key="presale",
    title="Presale",
    payment_plan=payment_plan,
    cancel_plan=cancel_plan,
    billable=billable,
    reserve=False,
    agreed=agreed,
    settlement_plan=settlement_plan,
    escrow=True,
)

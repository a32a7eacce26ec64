"""Late shipment: each day after the agreed one adds what is still unshipped to the sum that damages are reckoned from."""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import tongshang as ts
from plugins.presale.model import Offer, Reservation

ZERO = Decimal(0)


def accrue(ctx: ts.Context, reservation: Reservation, offer: Offer) -> None:
    """Count the late days up to yesterday that were not counted yet; today counts when it is over."""
    if reservation.order_id is None or reservation.state != "paid":
        return
    today = ctx.now.astimezone(ZoneInfo(ts.trade_settings(ctx).timezone)).date()
    last = reservation.late_on or offer.ship_by
    days = (today - timedelta(days=1) - last).days
    if days <= 0:
        return
    left = sum((unshipped(line) for line in ts.facts_of(ctx, reservation.order_id).lines), ZERO)
    if reservation.late_on is None:
        reservation.late_first = left
    reservation.late_days_amount += left * days
    reservation.late_on = last + timedelta(days=days)
    ctx.session.flush()


def unshipped(line: ts.LineFacts) -> Decimal:
    """The amount of a line, VAT included, that has not left the seller."""
    left = max(line.quantity - line.shipped - line.short_closed, ZERO)
    return ts.round2(line.gross * left / line.quantity)

"""What the presale does when money comes or an order ends. Handlers run after the commit and may run again."""

from sqlalchemy import select

import tongshang as ts
from plugins.presale.mode import by_order
from plugins.presale.model import LIVE, Offer, Reservation
from plugins.presale.service import ending, waiting
from plugins.presale.service.reserving import follow, lock, recount, restate
from plugins.presale.service.timing import hold


def money_came(ctx: ts.Context, event: ts.PaymentConfirmed) -> None:
    """Reservations between the two follow what was confirmed."""
    if ctx.tenant_id != event.seller_id:
        return
    for reservation_id in ctx.session.scalars(
        select(Reservation.id).where(
            Reservation.seller_id == event.seller_id,
            Reservation.buyer_id == event.buyer_id,
            Reservation.state.in_(LIVE[:3]),
        )
    ).all():
        follow(ctx, lock(ctx, reservation_id))


def order_started(ctx: ts.Context, event: ts.OrderStarted) -> None:
    """All is paid: hold the goods, where they are there already."""
    if event.mode != "presale" or ctx.tenant_id != event.seller_id:
        return
    if (found := by_order(ctx, event.order_id)) is not None:
        follow(ctx, lock(ctx, found.id))
        hold(ctx, found.id)


def order_amended(ctx: ts.Context, event: ts.OrderAmended) -> None:
    """Both sides changed the order on its own page: the reservation counts what they agreed."""
    if event.mode != "presale" or ctx.tenant_id != event.seller_id:
        return
    found = by_order(ctx, event.order_id)
    if found is None:
        return
    reservation = lock(ctx, found.id)
    order = ts.facts_of(ctx, event.order_id)
    (line,) = order.lines
    if reservation.state in LIVE and line.quantity != reservation.quantity:
        reservation.quantity = line.quantity
        restate(ctx.session.get_one(Offer, reservation.offer_id), reservation, order.total)
        recount(ctx, reservation.offer_id)
        follow(ctx, reservation)


def order_ended(ctx: ts.Context, event: ts.OrderCancelled | ts.OrderTerminated) -> None:
    """The order was called off on its own page: the reservation ends as the money says, and who waits comes next."""
    if event.mode != "presale" or ctx.tenant_id != event.seller_id:
        return
    found = by_order(ctx, event.order_id)
    if found is None:
        return
    reservation = lock(ctx, found.id)
    if reservation.state in LIVE:
        moves = ts.moves_of(ctx, event.order_id)
        if ts.claims_of(ctx, event.order_id):
            how = "defaulted_seller"
        elif any(move.kind == "release" for move in moves):
            how = "defaulted_buyer"
        else:
            how = "released"
        ending.close(ctx, reservation, how, event.reason or "")
    waiting.offer_places(ctx, reservation.offer_id)

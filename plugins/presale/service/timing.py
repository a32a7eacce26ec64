"""What time does: unpaid places fall back, windows close, balances fall due and run out. Oldest deadline first.

An act at its deadline is late, and nothing is graced. But money that a buyer announced before the deadline is waited for
until the seller has looked: it was in time.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

import tongshang as ts
from plugins.presale.mode import READY
from plugins.presale.model import LIVE, Offer, Reservation
from plugins.presale.service.ending import end
from plugins.presale.service.indexing import fix_price
from plugins.presale.service.late import accrue
from plugins.presale.service.offering import lock_own
from plugins.presale.service.reserving import follow, lock
from plugins.presale.service.waiting import lapse, offer_places

log = logging.getLogger("tongshang.plugins.presale")
BATCH = 100
LOOK_AGAIN = timedelta(minutes=1)
GOODS_AGAIN = timedelta(hours=1)
PRICE_AGAIN = timedelta(minutes=10)


class Timers:
    """The worker's duty: every due step of every presale, each in a transaction of its own, at the seller."""

    name = "timers"
    every = 1.0

    @staticmethod
    def run(installation: Any) -> int:
        with installation.unit.database.session() as session:
            due = session.execute(
                text("SELECT kind, id, tenant_id FROM plugin_presale.due(:batch)"), {"batch": BATCH}
            ).all()
            session.commit()
        done = 0
        for kind, ident, tenant in due:
            try:
                with installation.unit.system(tenant, "presale") as ctx:
                    done += bool(STEPS[kind](ctx, ident))
            except ts.Refused as refused:
                log.info("presale %s of %s waits: %s", kind, ident, refused)
                with installation.unit.system(tenant, "presale") as ctx:
                    _later(ctx, kind, ident)
        return done


def void_unpaid(ctx: ts.Context, reservation_id: UUID) -> bool:
    """C1: the first payment did not come in time. What came of it goes back; the place is free."""
    reservation = lock(ctx, reservation_id)
    if reservation.state != "reserved" or ctx.now < reservation.pay_by:
        return False
    if follow(ctx, reservation) != "reserved":
        return True
    if _money_on_its_way(ctx, reservation, reservation.earnest + reservation.prepay, reservation.pay_by):
        return False
    end(ctx, reservation, "void_unpaid", "Not paid in time")
    offer_places(ctx, reservation.offer_id)
    return True


def close_window(ctx: ts.Context, offer_id: UUID) -> bool:
    """The window has closed: enough is firmly reserved and all go on, or it fails and everybody gets everything back (C2)."""
    offer = lock_own(ctx, offer_id)
    if offer.state != "open" or ctx.now < offer.closes_at:
        return False
    live = [lock(ctx, each) for each in _live(ctx, offer.id)]
    firm = sum((each.quantity for each in live if follow(ctx, each) != "reserved"), Decimal(0))
    coming = sum(
        (
            each.quantity
            for each in live
            if each.state == "reserved"
            and _money_on_its_way(ctx, each, each.earnest + each.prepay, offer.closes_at)
        ),
        Decimal(0),
    )
    if offer.min_total is not None and firm < offer.min_total:
        if firm + coming >= offer.min_total:
            offer.retry_at = ctx.now + LOOK_AGAIN
            return False
        offer.state, offer.ended_at = "failed", ctx.now
        for each in live:
            end(ctx, each, "released", "The presale did not reach its minimum")
        ctx.record("presale.fail", f"offer:{offer.id}", number=offer.number, firm=firm, wanted=offer.min_total)
        return True
    offer.state, offer.ended_at = "reached", ctx.now
    ctx.session.flush()
    ctx.record("presale.reach", f"offer:{offer.id}", number=offer.number, firm=firm)
    if offer.priced:
        for each in live:
            assert each.order_id is not None
            ts.pass_gate(ctx, each.order_id, READY, offer.number)
            follow(ctx, each)
    return True


def open_balance(ctx: ts.Context, reservation_id: UUID) -> bool:
    """The balance falls due. A price by formula is fixed first; while its index is not final, the balance waits."""
    reservation = lock(ctx, reservation_id)
    offer = ctx.session.get_one(Offer, reservation.offer_id)
    if reservation.state != "earnest_paid" or ctx.now < reservation.balance_opens:
        return False
    if not offer.priced:
        fix_price(ctx, offer.id)
        return True
    return follow(ctx, reservation) != "earnest_paid"


def close_balance(ctx: ts.Context, reservation_id: UUID) -> bool:
    """C3: the balance is not there at its close. What is below it keeps nothing alive."""
    reservation = lock(ctx, reservation_id)
    if reservation.state not in ("earnest_paid", "balance_due") or ctx.now < reservation.balance_closes:
        return False
    offer = ctx.session.get_one(Offer, reservation.offer_id)
    if not offer.priced:  # the seller owes a price before a buyer can owe a balance
        reservation.retry_at = ctx.now + PRICE_AGAIN
        return False
    if follow(ctx, reservation) == "paid":
        return True
    if _money_on_its_way(ctx, reservation, reservation.total, reservation.balance_closes):
        return False
    end(ctx, reservation, "defaulted_buyer", "Balance not paid at close")
    offer_places(ctx, reservation.offer_id)
    return True


def hold(ctx: ts.Context, reservation_id: UUID) -> bool:
    """Paid goods are held as soon as they are there."""
    reservation = lock(ctx, reservation_id)
    if reservation.state != "paid" or reservation.goods_held or reservation.order_id is None:
        return False
    if ts.facts_of(ctx, reservation.order_id).state == "in_progress" and ts.hold_goods(ctx, reservation.order_id):
        reservation.goods_held, reservation.retry_at = True, None
        return True
    reservation.retry_at = ctx.now + GOODS_AGAIN
    return False


def grow_late(ctx: ts.Context, reservation_id: UUID) -> bool:
    """A day has passed after the agreed shipment."""
    reservation = lock(ctx, reservation_id)
    before = reservation.late_on
    accrue(ctx, reservation, ctx.session.get_one(Offer, reservation.offer_id))
    return reservation.late_on != before


STEPS: dict[str, Callable[[ts.Context, UUID], Any]] = {
    "unpaid": void_unpaid,
    "window": close_window,
    "open": open_balance,
    "close": close_balance,
    "goods": hold,
    "late": grow_late,
    "lapse": lapse,
    "places": offer_places,
}


def _live(ctx: ts.Context, offer_id: UUID) -> list[UUID]:
    return list(
        ctx.session.scalars(
            select(Reservation.id)
            .where(Reservation.offer_id == offer_id, Reservation.state.in_(LIVE))
            .order_by(Reservation.id)
        )
    )


def _money_on_its_way(ctx: ts.Context, reservation: Reservation, wanted: Any, deadline: datetime) -> bool:
    """Whether money announced before the deadline would reach what is wanted; then look again in a minute."""
    assert reservation.order_id is not None
    money = ts.money_of(ctx, reservation.order_id)
    coming = sum((each.amount for each in money.announced if each.at < deadline), start=money.covered)
    if not money.announced or coming < wanted:
        return False
    reservation.retry_at = ctx.now + LOOK_AGAIN
    return True


def _later(ctx: ts.Context, kind: str, ident: UUID) -> None:
    """What was refused now is asked again after a while, so that it does not stand before others each second."""
    if kind in ("window", "places"):
        lock_own(ctx, ident).retry_at = ctx.now + PRICE_AGAIN
    elif kind != "lapse":
        lock(ctx, ident).retry_at = ctx.now + PRICE_AGAIN

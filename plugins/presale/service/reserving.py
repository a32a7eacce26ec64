"""The buyer's half: reserve, pay; and how a reservation follows the money of its order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

import tongshang as ts
from plugins.presale import reckoning
from plugins.presale.mode import READY, SOURCE
from plugins.presale.model import LIVE, Offer, OfferItem, Reservation

ZERO = Decimal(0)
MOST = Decimal(1_000_000_000)
_TAKE = text("SELECT plugin_presale.take(:offer, :quantity)")
_RECOUNT = text("SELECT plugin_presale.recount(:offer)")
REFUSALS = {
    "missing": "presale.offer_not_found",
    "early": "presale.not_open_yet",
    "over": "presale.window_over",
    "full": "presale.full",
}
"""What the database says when it gives no place, and the code of the sentence."""


@dataclass(frozen=True)
class Wish:
    """What a buyer may add to the order of a reservation."""

    buyer_po: str | None = None
    ship_to: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Due:
    """So much is to be paid for a reservation until `by`."""

    reservation: Reservation
    amount: Decimal
    by: datetime


def reserve(
    ctx: ts.Context, offer_id: UUID, item_id: UUID, quantity: Decimal, wish: Wish | None = None
) -> Reservation:
    """Reserve within the window and the cap; it becomes a binding order at once, to be paid in two steps.

    Conflict outside of the window or above the cap: two who want the last of it take turns, and one of them gets it.
    """
    ctx.require("presale.reservation.make")
    offer, item = find_item(ctx, offer_id, item_id)
    check_quantity(offer, quantity)
    answer = ctx.session.scalar(_TAKE, {"offer": offer.id, "quantity": quantity})
    if answer != "ok":
        raise ts.Conflict(REFUSALS[answer], number=offer.number)
    return born(ctx, offer, item, quantity, wish or Wish(), offer.balance_opens, offer.balance_closes)


def born(
    ctx: ts.Context,
    offer: Offer,
    item: OfferItem,
    quantity: Decimal,
    wish: Wish,
    balance_opens: datetime,
    balance_closes: datetime,
) -> Reservation:
    """A reservation whose place is taken already, with its order."""
    reservation = Reservation(
        id=ts.uuid7(), buyer_id=ctx.tenant_id, seller_id=offer.tenant_id, offer_id=offer.id, item_id=item.id,
        order_id=None, order_number="", quantity=quantity, unit=offer.unit, currency=offer.currency, total=ZERO,
        earnest=ZERO, prepay=ZERO, state="reserved", ending=None, cost=ZERO,
        pay_by=ctx.now + timedelta(hours=offer.pay_hours), balance_opens=balance_opens, balance_closes=balance_closes,
        reserved_by=ctx.actor.name, reserved_at=ctx.now, ended_at=None, reason="", to_buyer=None, to_seller=None,
        goods_held=False, retry_at=None, late_on=None, late_first=ZERO, late_days_amount=ZERO, late_claimed=ZERO,
    )  # fmt: skip
    ctx.session.add(reservation)
    ctx.session.flush()
    order: Any = ts.conclude(
        ctx,
        ts.NewOrder(
            seller_id=offer.tenant_id,
            lines=[ts.WantedLine(item.sku_id, quantity, offer.unit)],
            mode="presale",
            source_ref=f"{SOURCE}{reservation.id}",
            delivery_date=offer.ship_by,
            buyer_po=wish.buyer_po,
            ship_to=wish.ship_to or "",
            note=wish.note or "",
        ),
    )
    reservation.order_id, reservation.order_number = order.id, order.number
    restate(offer, reservation, order.total)
    recount(ctx, offer.id)
    if offer.state == "reached" and offer.priced:
        ts.pass_gate(ctx, order.id, READY, offer.number)
    ctx.record(
        "presale.reserve", f"reservation:{reservation.id}", offer=offer.number, order=order.number, quantity=quantity
    )
    return reservation


def restate(offer: Offer, reservation: Reservation, total: Decimal) -> None:
    """The amounts of a reservation from its order's total and the offer's terms."""
    parts = reckoning.deposit(total, offer.earnest_percent, offer.earnest_kind)
    reservation.total, reservation.earnest, reservation.prepay = total, parts.earnest, parts.prepay


def follow(ctx: ts.Context, reservation: Reservation) -> str:
    """Move a live reservation on as its order's money says, and answer its state. Below the balance it stays due."""
    if reservation.state not in LIVE or reservation.order_id is None:
        return reservation.state
    money = ts.money_of(ctx, reservation.order_id)
    offer = ctx.session.get_one(Offer, reservation.offer_id)
    state = "reserved"
    if money.covered >= money.total and offer.priced:
        state = "paid"
    elif money.covered >= reservation.earnest + reservation.prepay:
        state = "balance_due" if ctx.now >= reservation.balance_opens and offer.priced else "earnest_paid"
    if LIVE.index(state) > LIVE.index(reservation.state):
        before, reservation.state, reservation.retry_at = reservation.state, state, None
        ctx.session.flush()
        ctx.record("presale.follow", f"reservation:{reservation.id}", before=before, state=state, paid=money.covered)
    return reservation.state


def pay(
    ctx: ts.Context, seller_id: UUID, amount: Decimal, bank_ref: str, reservation_id: UUID | None = None
) -> list[tuple[Reservation, Decimal]]:
    """Announce one transfer for what is due to a seller, oldest deadline first; or for one reservation only.

    Answers what goes to which. Invalid above what is due. The seller confirms the money like any other payment.
    """
    ctx.require("payment.announce", amount=amount)
    open_dues = [
        due
        for due in dues(ctx, seller_id)
        if reservation_id is None or due.reservation.id == reservation_id
    ]
    if not open_dues:
        raise ts.Conflict("presale.nothing_due")
    if not bank_ref.strip():
        raise ts.Invalid.one("bank_ref", "field.required")
    if amount <= 0:
        raise ts.Invalid.one("amount", "decimal.must_be_positive")
    most = sum((due.amount for due in open_dues), ZERO)
    if amount > most:
        raise ts.Invalid.one("amount", "presale.above_due", most=ts.Money(most, open_dues[0].reservation.currency))
    shares: dict[UUID, Decimal] = {}
    known: dict[UUID, Reservation] = {}
    for due in open_dues:
        part = min(amount, due.amount)
        if part > 0:
            known[due.reservation.id] = due.reservation
            shares[due.reservation.id] = shares.get(due.reservation.id, ZERO) + part
            amount -= part
    for number, (wanted, part) in enumerate(shares.items(), start=1):
        reference = bank_ref.strip() if len(shares) == 1 else f"{bank_ref.strip()}#{number}"
        ts.announce_payment(ctx, part, reference, order_id=known[wanted].order_id)
    return [(known[wanted], part) for wanted, part in shares.items()]


def dues(ctx: ts.Context, seller_id: UUID) -> list[Due]:
    """What the acting buyer still has to pay a seller for its reservations, oldest deadline first, less what it announced."""
    found: list[Due] = []
    for reservation in ctx.session.scalars(
        select(Reservation).where(
            Reservation.buyer_id == ctx.tenant_id, Reservation.seller_id == seller_id, Reservation.state.in_(LIVE[:3])
        )
    ):
        found += dues_of(ctx, reservation)
    return sorted(found, key=lambda due: (due.by, due.reservation.id))


def dues_of(ctx: ts.Context, reservation: Reservation) -> list[Due]:
    """The first payment and the balance of one reservation, as far as they are open."""
    if reservation.order_id is None or reservation.state not in LIVE[:3]:
        return []
    money = ts.money_of(ctx, reservation.order_id)
    there = money.covered + sum((each.amount for each in money.announced), ZERO)
    first = reservation.earnest + reservation.prepay
    parts = [
        (max(first - there, ZERO), reservation.pay_by),
        (min(money.total - there, money.total - first), reservation.balance_closes),
    ]
    return [Due(reservation, amount, by) for amount, by in parts if amount > 0]


def recount(ctx: ts.Context, offer_id: UUID) -> None:
    """Let the offer count its live reservations again; whoever acts may ask for it."""
    ctx.session.flush()
    ctx.session.execute(_RECOUNT, {"offer": offer_id})


def find_item(ctx: ts.Context, offer_id: UUID, item_id: UUID) -> tuple[Offer, OfferItem]:
    """Somebody else's offer and one of its products. NotFound for what is missing; one's own is refused."""
    offer = ctx.session.get(Offer, offer_id, populate_existing=True)
    item = ctx.session.get(OfferItem, item_id, populate_existing=True)
    if offer is None:
        raise ts.NotFound("presale.offer_not_found")
    if item is None or item.offer_id != offer.id:
        raise ts.Invalid.one("item_id", "presale.no_such_item")
    if offer.tenant_id == ctx.tenant_id:
        raise ts.Invalid.one("item_id", "presale.own_offer")
    return offer, item


def check_quantity(offer: Offer, quantity: Decimal) -> None:
    if not quantity.is_finite() or not ZERO < quantity <= (offer.max_total or MOST):
        raise ts.Invalid.one("quantity", "presale.quantity", most=ts.Quantity(offer.max_total or MOST, offer.unit))


def lock(ctx: ts.Context, reservation_id: UUID) -> Reservation:
    """A reservation of the acting enterprise, locked; its clock is read after the lock. NotFound for a foreign one."""
    found: Reservation | None = ctx.session.scalar(
        select(Reservation)
        .where(Reservation.id == reservation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise ts.NotFound("presale.reservation_not_found")
    ctx.now = ctx.session.scalar(text("SELECT ts.clock()"))
    return found

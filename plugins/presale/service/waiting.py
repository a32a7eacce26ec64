"""The waiting list: who comes next when somebody drops out. First come, first offered; each has its time to answer."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

import tongshang as ts
from plugins.presale.model import Offer, OfferItem, Reservation, Waiting
from plugins.presale.service.offering import lock_own
from plugins.presale.service.reserving import Wish, born, check_quantity, find_item, recount

BALANCE_AFTER = timedelta(days=3)
"""How long a buyer who came from the list after the balance closed has for its own balance."""


def wait(ctx: ts.Context, offer_id: UUID, item_id: UUID, quantity: Decimal) -> Waiting:
    """Stand in line for an offer that is full. Conflict when it ended, or when one stands there already."""
    ctx.require("presale.reservation.make")
    offer, item = find_item(ctx, offer_id, item_id)
    check_quantity(offer, quantity)
    if offer.state not in ("open", "reached") or ctx.now >= offer.balance_closes:
        raise ts.Conflict("presale.offer_over", number=offer.number)
    if ctx.session.scalar(
        select(Waiting.id).where(
            Waiting.offer_id == offer.id,
            Waiting.buyer_id == ctx.tenant_id,
            Waiting.item_id == item.id,
            Waiting.state.in_(("waiting", "offered")),
        )
    ):
        raise ts.Conflict("presale.waits_already")
    entry = Waiting(
        id=ts.uuid7(), buyer_id=ctx.tenant_id, seller_id=offer.tenant_id, offer_id=offer.id, item_id=item.id,
        quantity=quantity, state="waiting", until=None, asked_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(entry)
    ctx.session.flush()
    ctx.record("presale.wait", f"waiting:{entry.id}", offer=offer.number, quantity=quantity)
    return entry


def leave_list(ctx: ts.Context, entry_id: UUID) -> Waiting:
    """Stand in line no longer."""
    ctx.require("presale.reservation.make")
    entry = _lock(ctx, entry_id)
    if entry.buyer_id != ctx.tenant_id:
        raise ts.NotFound("presale.waiting_not_found")
    if entry.state not in ("waiting", "offered"):
        raise ts.Conflict("presale.waits_no_more")
    entry.state = "withdrawn"
    recount(ctx, entry.offer_id)
    return entry


def take_place(ctx: ts.Context, entry_id: UUID, wish: Wish | None = None) -> Reservation:
    """Take the place that was offered. At `until` it is too late."""
    ctx.require("presale.reservation.make")
    entry = _lock(ctx, entry_id)
    if entry.buyer_id != ctx.tenant_id:
        raise ts.NotFound("presale.waiting_not_found")
    if entry.state != "offered" or entry.until is None or ctx.now >= entry.until:
        raise ts.Conflict("presale.no_place_offered")
    offer = ctx.session.get_one(Offer, entry.offer_id)
    item = ctx.session.get_one(OfferItem, entry.item_id)
    entry.state = "taken"
    ctx.session.flush()
    closes = max(offer.balance_closes, ctx.now + BALANCE_AFTER)
    return born(ctx, offer, item, entry.quantity, wish or Wish(), offer.balance_opens, closes)


def offer_places(ctx: ts.Context, offer_id: UUID) -> int:
    """Offer what is free to those who wait, in the order they came; whoever wants more than is free keeps waiting.

    Runs at the seller. Answers how many were offered one.
    """
    offer = lock_own(ctx, offer_id)
    if offer.state not in ("open", "reached"):
        return 0
    recount(ctx, offer.id)
    ctx.session.refresh(offer)
    offered = 0
    free = None if offer.max_total is None else offer.max_total - offer.taken
    for entry in ctx.session.scalars(
        select(Waiting)
        .where(Waiting.offer_id == offer.id, Waiting.state == "waiting")
        .order_by(Waiting.id)
        .with_for_update()
    ):
        if free is not None and entry.quantity > free:
            break
        entry.state, entry.until = "offered", ctx.now + timedelta(hours=offer.wait_hours)
        free = None if free is None else free - entry.quantity
        offered += 1
        ctx.record("presale.offer_place", f"waiting:{entry.id}", offer=offer.number, until=entry.until)
    recount(ctx, offer.id)
    return offered


def lapse(ctx: ts.Context, entry_id: UUID) -> bool:
    """A place nobody took in time goes to the next."""
    entry = _lock(ctx, entry_id)
    if entry.state != "offered" or entry.until is None or ctx.now < entry.until:
        return False
    entry.state = "lapsed"
    offer_places(ctx, entry.offer_id)
    return True


def _lock(ctx: ts.Context, entry_id: UUID) -> Waiting:
    found: Waiting | None = ctx.session.scalar(
        select(Waiting).where(Waiting.id == entry_id).with_for_update().execution_options(populate_existing=True)
    )
    if found is None:
        raise ts.NotFound("presale.waiting_not_found")
    return found

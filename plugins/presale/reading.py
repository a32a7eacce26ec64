"""Offers and reservations as they are read. Lists are short by nature: what is open, newest first, a hundred at most."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, union_all

import tongshang as ts
from plugins.presale.model import Offer, OfferItem, Plea, Reservation, Waiting

MOST = 100


@dataclass(frozen=True)
class Standing:
    """A reservation with what it is of, read together."""

    reservation: Reservation
    offer: Offer
    item: OfferItem
    partner: str


def offers(ctx: ts.Context, side: str, state: str | None = None) -> list[Offer]:
    """One's own offers, or those of others that are not withdrawn; what closes first comes first."""
    wanted = select(Offer)
    wanted = (
        wanted.where(Offer.tenant_id == ctx.tenant_id)
        if side == "own"
        else wanted.where(Offer.tenant_id != ctx.tenant_id, Offer.state != "withdrawn")
    )
    if state:
        wanted = wanted.where(Offer.state == state)
    newest = wanted.order_by((Offer.state == "open").desc(), Offer.closes_at, Offer.id.desc()).limit(MOST)
    return list(ctx.session.scalars(newest.execution_options(populate_existing=True)))


def offer(ctx: ts.Context, offer_id: UUID) -> Offer:
    found = ctx.session.get(Offer, offer_id, populate_existing=True)
    if found is None or (found.state == "withdrawn" and found.tenant_id != ctx.tenant_id):
        raise ts.NotFound("presale.offer_not_found")
    return found


def items(ctx: ts.Context, offer_ids: Sequence[UUID]) -> dict[UUID, list[OfferItem]]:
    found: dict[UUID, list[OfferItem]] = {each: [] for each in offer_ids}
    for item in ctx.session.scalars(
        select(OfferItem).where(OfferItem.offer_id.in_(list(offer_ids))).order_by(OfferItem.code)
    ):
        found[item.offer_id].append(item)
    return found


def reservations(
    ctx: ts.Context, *, offer_id: UUID | None = None, side: str | None = None, live: bool = False
) -> list[Standing]:
    """The acting enterprise's reservations on both sides, newest first. Each side by its own index."""
    arms = []
    for name, column in (("buyer", Reservation.buyer_id), ("seller", Reservation.seller_id)):
        if side in (None, name):
            arm = select(Reservation.id).where(column == ctx.tenant_id)
            if offer_id is not None:
                arm = arm.where(Reservation.offer_id == offer_id)
            if live:
                arm = arm.where(Reservation.ended_at.is_(None))
            arms.append(arm.order_by(Reservation.id.desc()).limit(MOST))
    ids = list(ctx.session.scalars(union_all(*arms)))
    rows = ctx.session.execute(
        select(Reservation, Offer, OfferItem)
        .join(Offer, Offer.id == Reservation.offer_id)
        .join(OfferItem, OfferItem.id == Reservation.item_id)
        .where(Reservation.id.in_(ids))
        .order_by(Reservation.id.desc())
        .execution_options(populate_existing=True)
    ).all()
    return _with_partners(ctx, [(row[0], row[1], row[2]) for row in rows[:MOST]])


def reservation(ctx: ts.Context, reservation_id: UUID) -> Standing:
    found = ctx.session.get(Reservation, reservation_id, populate_existing=True)
    if found is None:
        raise ts.NotFound("presale.reservation_not_found")
    row = (found, ctx.session.get_one(Offer, found.offer_id), ctx.session.get_one(OfferItem, found.item_id))
    return _with_partners(ctx, [row])[0]


def pleas(ctx: ts.Context, reservation_id: UUID) -> list[Plea]:
    return list(
        ctx.session.scalars(select(Plea).where(Plea.reservation_id == reservation_id).order_by(Plea.id.desc()))
    )


def waiting(ctx: ts.Context, offer_id: UUID) -> list[Waiting]:
    """Who waits, as far as the reader may know: a buyer its own entries, the seller all of them."""
    return list(ctx.session.scalars(select(Waiting).where(Waiting.offer_id == offer_id).order_by(Waiting.id)))


def running(ctx: ts.Context, sku_ids: Sequence[UUID]) -> list[tuple[OfferItem, Offer]]:
    """Open offers of others that have one of these products. One statement."""
    rows = ctx.session.execute(
        select(OfferItem, Offer)
        .join(Offer, Offer.id == OfferItem.offer_id)
        .where(OfferItem.sku_id.in_(list(sku_ids)), Offer.state == "open", Offer.opens_at <= ctx.now)
        .where(Offer.closes_at > ctx.now)
        .order_by(Offer.closes_at)
    )
    return [(item, offer) for item, offer in rows]


def _with_partners(ctx: ts.Context, rows: list[tuple[Reservation, Offer, OfferItem]]) -> list[Standing]:
    others = {each.seller_id if each.buyer_id == ctx.tenant_id else each.buyer_id for each, _offer, _item in rows}
    cards = ts.cards(ctx, list(others)) if others else {}
    found = []
    for each, its_offer, item in rows:
        other = each.seller_id if each.buyer_id == ctx.tenant_id else each.buyer_id
        found.append(Standing(each, its_offer, item, name_of(cards.get(other))))
    return found


def name_of(card: object) -> str:
    """An enterprise's name in the reader's language."""
    zh, en = getattr(card, "name", None), getattr(card, "name_en", None)
    return str((zh if ts.language().startswith("zh") or not en else en) or "—")

"""Price indices and the price by formula: values are entered and superseded, final ones settle."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

import tongshang as ts
from plugins.presale import reckoning
from plugins.presale.mode import READY
from plugins.presale.model import LIVE, IndexValue, Offer, OfferItem, Reservation
from plugins.presale.service.offering import lock_own
from plugins.presale.service.reserving import follow, lock, restate

LOOK_BACK = timedelta(days=31)
"""How far before the first stated day a publication may lie that stands for a missing one."""


def enter_value(
    ctx: ts.Context, code: str, day: date, value: Decimal, status: str, source: str
) -> IndexValue:
    """Enter what an index said of a day. A later entry supersedes it; a final value is superseded by a final one only."""
    ctx.require("presale.offer.edit")
    errors = []
    if not code.strip():
        errors.append(ts.FieldError("code", "field.required", {}))
    if not source.strip():
        errors.append(ts.FieldError("source", "field.required", {}))
    if value <= 0:
        errors.append(ts.FieldError("value", "decimal.must_be_positive", {}))
    if status not in ("prelim", "final"):
        errors.append(ts.FieldError("status", "presale.kind", {}))
    if errors:
        raise ts.Invalid(errors)
    known = _latest(ctx, ctx.tenant_id, code.strip(), day, day).get(day)
    if known is not None and known.status == "final" and status == "prelim":
        raise ts.Conflict("presale.index_is_final", day=day)
    row = IndexValue(
        id=ts.uuid7(), tenant_id=ctx.tenant_id, code=code.strip(), day=day, value=value, status=status,
        source=source.strip(), entered_by=ctx.actor.name, entered_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record("presale.index", f"index_value:{row.id}", code=row.code, day=day, value=value, status=status)
    return row


def index_values(ctx: ts.Context, seller_id: UUID, code: str, first: date, last: date) -> list[IndexValue]:
    """The valid value of each day that has one, oldest first."""
    found = _latest(ctx, seller_id, code, first, last)
    return [found[day] for day in sorted(found)]


def settle_price(ctx: ts.Context, offer: Offer) -> Decimal:
    """The final price of an offer by formula. Conflict while a stated day is missing or has a preliminary value only."""
    if offer.price_kind != "formula" or offer.index_code is None or offer.index_from is None or offer.index_to is None:
        raise ts.Conflict("presale.price_is_fixed", number=offer.number)
    if ctx.now.date() <= offer.index_to:
        raise ts.Conflict("presale.index_days_open", last=offer.index_to)
    values = _latest(ctx, offer.tenant_id, offer.index_code, offer.index_from - LOOK_BACK, offer.index_to)
    open_days = [day for day, row in values.items() if row.status != "final" and day >= offer.index_from]
    if open_days:
        raise ts.Conflict("presale.index_not_final", day=min(open_days))
    final = {day: row.value for day, row in values.items() if row.status == "final"}
    price = reckoning.settled_price(final, offer.index_from, offer.index_to, offer.factor, offer.premium)
    if price is None or price <= 0:
        raise ts.Conflict("presale.index_missing", day=offer.index_from)
    return price


def fix_price(ctx: ts.Context, offer_id: UUID) -> Offer:
    """Give every product of an offer its final price and every reservation its final amount: paid earnest money stays."""
    ctx.require("presale.offer.edit")
    offer = lock_own(ctx, offer_id)
    if offer.priced:
        raise ts.Conflict("presale.price_is_fixed", number=offer.number)
    if offer.state not in ("open", "reached"):
        raise ts.Conflict("presale.offer_over", number=offer.number)
    price = settle_price(ctx, offer)
    for item in ctx.session.scalars(select(OfferItem).where(OfferItem.offer_id == offer.id)):
        item.final_price = price
    offer.price_fixed_at = ctx.now
    ctx.session.flush()
    ctx.record("presale.fix_price", f"offer:{offer.id}", number=offer.number, price=price)
    for reservation_id in ctx.session.scalars(
        select(Reservation.id)
        .where(Reservation.offer_id == offer.id, Reservation.state.in_(LIVE))
        .order_by(Reservation.id)
    ).all():
        reservation = lock(ctx, reservation_id)
        first = reservation.earnest, reservation.prepay
        assert reservation.order_id is not None
        order = ts.amend_as_agreed(ctx, reservation.order_id, {}, f"{offer.number}: {price}")
        restate(offer, reservation, order.total)
        reservation.earnest, reservation.prepay = first
        if offer.state == "reached":
            ts.pass_gate(ctx, reservation.order_id, READY, offer.number)
        follow(ctx, reservation)
    return offer


def _latest(ctx: ts.Context, owner: UUID, code: str, first: date, last: date) -> dict[date, IndexValue]:
    """The newest row of each day."""
    rows = ctx.session.scalars(
        select(IndexValue)
        .where(IndexValue.tenant_id == owner, IndexValue.code == code, IndexValue.day.between(first, last))
        .order_by(IndexValue.day, IndexValue.id)
    )
    return {row.day: row for row in rows}

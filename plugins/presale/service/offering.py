"""The seller's half before anybody reserves: publish an offer with its terms, withdraw one nobody took."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

import tongshang as ts
from plugins.presale.model import LIVE, Offer, OfferItem, Reservation
from plugins.presale.rules import rules

MOST_ITEMS = 50
MOST_DAYS = 366
AHEAD = timedelta(days=5 * 366)


@dataclass(frozen=True)
class NewItem:
    """A product by its code, and its price for one unit; of a formula the price is provisional."""

    code: str
    unit_price: Decimal
    tax_included: bool = True
    vat_rate: Decimal = Decimal("0.13")


@dataclass(frozen=True)
class NewOffer:
    """What a seller says when publishing. Terms left None are the enterprise's settings."""

    title: str
    opens_at: datetime
    closes_at: datetime
    balance_opens: datetime
    balance_closes: datetime
    ship_by: date
    items: Sequence[NewItem] = field(default_factory=tuple)
    min_total: Decimal | None = None
    max_total: Decimal | None = None
    earnest_percent: Decimal | None = None
    earnest_kind: str | None = None
    pay_hours: int | None = None
    price_kind: str = "fixed"
    index_code: str | None = None
    index_from: date | None = None
    index_to: date | None = None
    factor: Decimal = Decimal(1)
    premium: Decimal = Decimal(0)
    buyer_may_cut: bool = False
    cost_cap: Decimal = Decimal(0)
    note: str = ""


def publish(ctx: ts.Context, new: NewOffer) -> Offer:
    """Publish an offer to all enterprises. Invalid names every term that contradicts another."""
    ctx.require("presale.offer.edit")
    own = rules(ctx)
    goods = ts.own_goods(ctx, [item.code.strip() for item in new.items])
    errors = [*_wrong_terms(ctx, new), *_wrong_items(new, goods)]
    if errors:
        raise ts.Invalid(errors)
    units = {goods[item.code.strip()].base_uom for item in new.items}
    if len(units) > 1:
        raise ts.Invalid.one("items", "presale.one_unit", units=", ".join(sorted(units)))
    offer = Offer(
        id=ts.uuid7(), tenant_id=ctx.tenant_id, number=ts.number(ctx, "PS"), title=new.title.strip(), state="open",
        currency=ts.trade_settings(ctx).currency, unit=units.pop(), opens_at=new.opens_at, closes_at=new.closes_at,
        balance_opens=new.balance_opens, balance_closes=new.balance_closes, ship_by=new.ship_by, min_total=new.min_total,
        max_total=new.max_total, taken=Decimal(0),
        earnest_percent=own.earnest_percent if new.earnest_percent is None else new.earnest_percent,
        earnest_kind=new.earnest_kind or own.earnest_kind, pay_hours=new.pay_hours or own.pay_hours,
        price_kind=new.price_kind, index_code=(new.index_code or "").strip() or None, index_from=new.index_from,
        index_to=new.index_to, factor=new.factor, premium=new.premium, price_fixed_at=None,
        buyer_may_cut=new.buyer_may_cut, cost_cap=new.cost_cap, late_rate=own.late_rate, late_cap=own.late_cap,
        wait_hours=own.wait_hours, note=new.note.strip(), created_by=ctx.actor.name, created_at=ctx.now, ended_at=None,
        retry_at=None,
    )  # fmt: skip
    ctx.session.add(offer)
    ctx.session.flush()
    for item in new.items:
        sku = goods[item.code.strip()]
        ctx.session.add(
            OfferItem(
                id=ts.uuid7(), tenant_id=ctx.tenant_id, offer_id=offer.id, sku_id=sku.sku_id, code=sku.code,
                name_zh=sku.name_zh, name_en=sku.name_en, spec=sku.spec, unit_price=item.unit_price, final_price=None,
                tax_included=item.tax_included, vat_rate=item.vat_rate,
            )
        )  # fmt: skip
    ctx.session.flush()
    ctx.record("presale.publish", f"offer:{offer.id}", number=offer.number, title=offer.title)
    return offer


def withdraw(ctx: ts.Context, offer_id: UUID) -> Offer:
    """Take an offer back. Conflict while anybody's reservation of it lives."""
    ctx.require("presale.offer.edit")
    offer = lock_own(ctx, offer_id)
    if offer.state != "open":
        raise ts.Conflict("presale.offer_over", number=offer.number)
    if taken := ctx.session.scalar(
        select(func.count()).where(Reservation.offer_id == offer.id, Reservation.state.in_(LIVE))
    ):
        raise ts.Conflict("presale.has_reservations", n=taken)
    offer.state, offer.ended_at = "withdrawn", ctx.now
    ctx.record("presale.withdraw", f"offer:{offer.id}", number=offer.number)
    return offer


def lock_own(ctx: ts.Context, offer_id: UUID) -> Offer:
    """The acting enterprise's own offer, locked. NotFound for another's."""
    found: Offer | None = ctx.session.scalar(
        select(Offer)
        .where(Offer.id == offer_id, Offer.tenant_id == ctx.tenant_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise ts.NotFound("presale.offer_not_found")
    return found


def _wrong_terms(ctx: ts.Context, new: NewOffer) -> list[ts.FieldError]:
    errors = []

    def wrong(path: str, code: str) -> None:
        errors.append(ts.FieldError(path, code, {}))

    if not new.title.strip():
        wrong("title", "field.required")
    if new.closes_at <= max(new.opens_at, ctx.now):
        wrong("closes_at", "presale.window_empty")
    if new.balance_opens < new.closes_at:
        wrong("balance_opens", "presale.balance_before_close")
    if new.balance_closes <= new.balance_opens:
        wrong("balance_closes", "presale.window_empty")
    if new.ship_by < new.balance_opens.date():
        wrong("ship_by", "presale.ships_before_balance")
    if new.min_total is not None and new.max_total is not None and new.min_total > new.max_total:
        wrong("min_total", "presale.min_above_max")
    far = ctx.now + AHEAD
    for path in ("opens_at", "closes_at", "balance_opens", "balance_closes"):
        if not ctx.now - AHEAD < getattr(new, path) < far:
            wrong(path, "presale.too_far")
    if new.ship_by > far.date():
        wrong("ship_by", "presale.too_far")
    if new.earnest_percent is not None and not 0 < new.earnest_percent < 100:
        wrong("earnest_percent", "presale.percent")
    if new.earnest_kind not in (None, "earnest", "prepay"):
        wrong("earnest_kind", "presale.kind")
    if not 0 <= new.cost_cap <= 100:
        wrong("cost_cap", "presale.percent")
    if new.price_kind == "formula":
        if not (new.index_code or "").strip():
            wrong("index_code", "field.required")
        first, last = new.index_from, new.index_to
        known = first is not None and last is not None and 0 <= (last - first).days <= MOST_DAYS
        if not known or last > new.balance_closes.date() or first < (ctx.now - AHEAD).date():  # type: ignore[operator]
            wrong("index_to", "presale.index_days")
        if new.factor <= 0:
            wrong("factor", "decimal.must_be_positive")
    elif new.price_kind != "fixed":
        wrong("price_kind", "presale.kind")
    return errors


def _wrong_items(new: NewOffer, goods: dict[str, ts.SkuFacts]) -> list[ts.FieldError]:
    if not new.items:
        return [ts.FieldError("items", "presale.no_items", {})]
    if len(new.items) > MOST_ITEMS:
        return [ts.FieldError("items", "presale.too_many_items", {"limit": MOST_ITEMS})]
    errors, seen = [], set()
    for index, item in enumerate(new.items):
        code = item.code.strip()
        if code not in goods:
            errors.append(ts.FieldError(f"items.{index}.code", "presale.no_such_product", {"code": code}))
        elif code in seen:
            errors.append(ts.FieldError(f"items.{index}.code", "presale.product_twice", {"code": code}))
        if item.unit_price <= 0:
            errors.append(ts.FieldError(f"items.{index}.unit_price", "decimal.must_be_positive", {}))
        if not 0 <= item.vat_rate < 1:
            errors.append(ts.FieldError(f"items.{index}.vat_rate", "presale.percent", {}))
        seen.add(code)
    return errors

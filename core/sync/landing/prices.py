"""Prices: into the public list, or into the list of one customer; tiers the other system does not name stay as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from uuid import UUID

from sqlalchemy import or_, select

from core.catalog import (
    NewPrice,
    PriceList,
    PriceRow,
    Product,
    UomConversion,
    fixed_factors,
    open_price_list,
    public_list,
    set_prices,
)
from core.kernel import Context
from core.sync.contract import Record
from core.sync.incoming import PriceIn
from core.sync.landing.frame import DIGITS, Left, NotLanded, attempt, by_halves
from core.sync.landing.products import known_products
from core.sync.mapping.applied import BUSINESS_ZONE
from core.sync.model import ErpConnection, ExternalRef

OPEN_END = 2099  # a year from which on "valid until" means for good

Tiers = dict[Decimal, Decimal]


@dataclass(frozen=True)
class Wanted:
    """A price as the catalog keeps it: of one base unit, from so many base units on."""

    record: Record
    item: PriceIn
    sku_id: UUID
    min_qty: Decimal
    price: Decimal


def land(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, PriceIn]]) -> list[Left]:
    """Set tiers, list by list. A period, a unit or a currency that the list cannot hold is listed."""
    left: list[Left] = []
    known = known_products(ctx, sorted({item.material for _, item in rows}))
    factors = _factors(ctx, list(known.values()))
    groups: dict[tuple[str, str], list[Wanted]] = {}
    for record, item in rows:
        try:
            wanted = _wanted(ctx.now.astimezone(BUSINESS_ZONE).date(), record, item, known.get(item.material), factors)
        except NotLanded as why:
            left.append(Left(record, item.external_id, why.code, why.said))
        except ArithmeticError:  # a number that is none, or one nobody can reckon with
            said = f"{item.price} / {item.from_quantity}"
            left.append(Left(record, item.external_id, "sync.unusable", said))
        else:
            groups.setdefault((item.partner, item.currency), []).append(wanted)
    for (partner, currency), group in groups.items():
        refused: list[Left] = []
        with attempt(ctx, group[0].record, group[0].item.external_id, refused):
            prices = _list_for(ctx, connection_id, partner, currency)
            left += by_halves(ctx, group, partial(_set, ctx, prices), lambda each: (each.record, each.item.external_id))
        left += [
            Left(each.record, each.item.external_id, why.code, why.said) for why in refused for each in group
        ]
    return left


def _wanted(
    today: date,
    record: Record,
    item: PriceIn,
    product: Product | None,
    factors: dict[UUID, dict[str, Decimal]],
) -> Wanted:
    if product is None:
        raise NotLanded("sync.product_unknown", item.material)
    if not (item.price.is_finite() and item.from_quantity.is_finite()):
        raise NotLanded("sync.unusable", f"{item.price} / {item.from_quantity}")
    begins_later = item.from_day is not None and item.from_day > today
    ends = item.to_day is not None and item.to_day.year < OPEN_END
    if begins_later or ends:  # a list has a period, a price has none
        raise NotLanded("sync.price_period", f"{item.from_day or ''} – {item.to_day or ''}")
    factor = Decimal(1) if item.unit == product.base_uom else factors[product.id].get(item.unit)
    if factor is None:
        raise NotLanded("sync.unit_conflict", f"{product.base_uom} / {item.unit}")
    price, min_qty = item.price / factor, item.from_quantity * factor
    if round(price, DIGITS) != price or round(min_qty, DIGITS) != min_qty:
        raise NotLanded("sync.price_inexact", f"{item.price} / {item.unit} = {factor} {product.base_uom}")
    return Wanted(record, item, product.id, min_qty, price)


def _factors(ctx: Context, products: Sequence[Product]) -> dict[UUID, dict[str, Decimal]]:
    """How many base units one of each other unit is."""
    found: dict[UUID, dict[str, Decimal]] = {
        product.id: {
            unit: factor
            for unit in fixed_factors(product.base_uom)
            if (factor := fixed_factors(unit).get(product.base_uom)) is not None
        }
        for product in products
    }
    own = ctx.session.execute(
        select(UomConversion.product_id, UomConversion.uom, UomConversion.factor).where(
            UomConversion.tenant_id == ctx.tenant_id, UomConversion.product_id.in_(list(found))
        )
    )
    for product_id, unit, factor in own:
        found[product_id][unit] = factor
    return found


def _list_for(ctx: Context, connection_id: UUID, partner: str, currency: str) -> PriceList:
    """The list these prices belong to; a customer's is opened when there is none."""
    if not partner:
        found = public_list(ctx)
        if found.currency != currency or not found.tax_incl:
            raise NotLanded("sync.price_list", f"{found.name}: {found.currency} / {currency}")
        return found
    customer = ctx.session.scalar(
        select(ExternalRef.local_id).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == "partner",
            or_(ExternalRef.external_number == partner, ExternalRef.external_id == partner),
        )
    )
    if customer is None:
        raise NotLanded("sync.partner_unknown", partner)
    fitting = select(PriceList).where(
        PriceList.tenant_id == ctx.tenant_id,
        PriceList.audience == "tenant",
        PriceList.customer_id == customer,
        PriceList.currency == currency,
        PriceList.tax_incl,
        PriceList.phase == "open",
        PriceList.valid_to.is_(None),
    )
    theirs = ctx.session.scalar(fitting.order_by(PriceList.valid_from, PriceList.id).limit(1))
    if theirs is not None:
        return theirs
    connection = ctx.session.get_one(ErpConnection, connection_id)
    name = f"{connection.name} {partner} {currency}"[:100]
    return open_price_list(ctx, name, "tenant", customer_id=customer, currency=currency)


def _set(ctx: Context, prices: PriceList, group: Sequence[Wanted]) -> list[Left]:
    told: dict[UUID, Tiers] = {}
    for each in group:
        told.setdefault(each.sku_id, {})[each.min_qty] = each.price
    before: dict[UUID, Tiers] = {}
    rows = ctx.session.scalars(
        select(PriceRow).where(
            PriceRow.tenant_id == ctx.tenant_id,
            PriceRow.price_list_id == prices.id,
            PriceRow.product_id.in_(list(told)),
        )
    )
    for row in rows:
        before.setdefault(row.product_id, {})[row.min_qty] = row.price
    after = {sku_id: _merged(before.get(sku_id, {}), tiers) for sku_id, tiers in told.items()}
    changed = [
        NewPrice(sku_id, min_qty, price)
        for sku_id, tiers in after.items()
        if tiers != before.get(sku_id, {})
        for min_qty, price in tiers.items()
    ]
    if changed:
        set_prices(ctx, prices.id, changed)
    return []


def _merged(before: Tiers, told: Tiers) -> Tiers:
    """The told tiers over the ones that are there. "From nothing on" takes the place of "from one on"."""
    first = min(told) if told else Decimal(0)
    stays = {
        min_qty: price
        for min_qty, price in before.items()
        if not (first == 0 and min_qty <= 1 and min_qty not in told)
    }
    return stays | told

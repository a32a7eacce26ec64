"""Price lists and their rows: opened for an audience, filled and replaced product by product."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text

from core.catalog.events import PricesSet
from core.catalog.model import AUDIENCES, PriceList, PriceRow
from core.catalog.service import renew_listings
from core.kernel import Conflict, Context, FieldError, Invalid, NotFound, uuid7


@dataclass(frozen=True)
class NewPrice:
    """The price of one base unit of a product from `min_qty` base units on."""

    sku_id: UUID
    min_qty: Decimal
    price: Decimal


def open_price_list(
    ctx: Context,
    name: str,
    audience: str = "public",
    *,
    group: str | None = None,
    customer_id: UUID | None = None,
    currency: str = "CNY",
    tax_incl: bool = True,
    ladder: str = "volume",
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> PriceList:
    """Open a price list; the words for its audience are in `model.AUDIENCES`."""
    ctx.require("price.edit")
    group = (group or "").strip() or None
    wrong = []
    if audience not in AUDIENCES:
        wrong.append(FieldError("audience", "choice.unknown", {}))
    if (audience == "group") != bool(group):
        wrong.append(FieldError("group", "price.group_needed", {}))
    if (audience in ("contract", "tenant")) != (customer_id is not None):
        wrong.append(FieldError("customer_id", "price.customer_needed", {}))
    if ladder not in ("volume", "graduated"):
        wrong.append(FieldError("ladder", "choice.unknown", {}))
    begins = valid_from or ctx.now
    if valid_to is not None and valid_to <= begins:
        wrong.append(FieldError("valid_to", "price.ends_before_it_begins", {}))
    if wrong:
        raise Invalid(wrong)
    if ctx.session.scalar(
        select(PriceList.id).where(PriceList.tenant_id == ctx.tenant_id, PriceList.name == name)
    ):
        raise Conflict("price.list_name_taken", field="name", name=name)
    prices = PriceList(
        tenant_id=ctx.tenant_id,
        name=name,
        audience=audience,
        group_code=group,
        customer_id=customer_id,
        currency=currency,
        tax_incl=tax_incl,
        ladder=ladder,
        valid_from=begins,
        valid_to=valid_to,
        phase="coming" if begins > ctx.now else "open",
    )
    ctx.session.add(prices)
    ctx.session.flush()
    ctx.record("price.open_list", prices, name=name, audience=audience)
    return prices


def public_list(ctx: Context) -> PriceList:
    """The seller's list of public prices, opened when there is none yet."""
    wanted = select(PriceList).where(PriceList.tenant_id == ctx.tenant_id, PriceList.audience == "public")
    found = ctx.session.scalar(wanted.order_by(PriceList.valid_to.is_not(None), PriceList.id).limit(1))
    return found or open_price_list(ctx, "Public prices", "public")


def price_lists(ctx: Context) -> list[PriceList]:
    wanted = select(PriceList).where(PriceList.tenant_id == ctx.tenant_id)
    return list(ctx.session.scalars(wanted.order_by(PriceList.name)))


def lock_price_list(ctx: Context, price_list_id: UUID) -> PriceList:
    """An own price list to change, held until the commit."""
    ctx.require("price.edit")
    wanted = select(PriceList).where(PriceList.tenant_id == ctx.tenant_id, PriceList.id == price_list_id)
    found = ctx.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound("price.list_not_found")
    return found


def set_prices(ctx: Context, price_list_id: UUID, prices: Sequence[NewPrice]) -> int:
    """Give products their tiers in a list: what is named replaces all earlier tiers of these products.
    Answers the rows.

    Listings show a public price at once. A few statements, however many products.
    """
    prices_list = lock_price_list(ctx, price_list_id)
    _refuse_bad_tiers(prices)
    skus = sorted({each.sku_id for each in prices})
    rows = [
        {"id": str(uuid7()), "sku": str(each.sku_id), "qty": str(each.min_qty), "price": str(each.price)}
        for each in prices
    ]
    known = ctx.session.scalar(_SET_PRICES, {"list": price_list_id, "skus": skus, "rows": json.dumps(rows)})
    if known != len(skus):
        raise NotFound("product.not_found")
    prices_list.version += 1
    if prices_list.audience == "public":
        renew_listings(ctx, skus)
    ctx.record("price.set", prices_list, products=len(skus), rows=len(rows))
    for at in range(0, len(skus), 1000):
        ctx.publish(PricesSet(ctx.tenant_id, price_list_id, tuple(skus[at : at + 1000])))
    return len(rows)


def set_first_prices(ctx: Context, price_list_id: UUID, prices: Mapping[UUID, Decimal]) -> int:
    """Set the price of each product's lowest tier (a tier from 1 when it has none) and leave the other tiers
    alone.

    Answers how many products changed; equal prices change nothing.
    """
    wanted = select(PriceRow).where(
        PriceRow.tenant_id == ctx.tenant_id,
        PriceRow.price_list_id == price_list_id,
        PriceRow.product_id.in_(list(prices)),
    )
    tiers: dict[UUID, list[PriceRow]] = {}
    for row in ctx.session.scalars(wanted.order_by(PriceRow.product_id, PriceRow.min_qty)):
        tiers.setdefault(row.product_id, []).append(row)
    changed: list[NewPrice] = []
    count = 0
    for sku_id, price in prices.items():
        known = tiers.get(sku_id, [])
        if known and known[0].price == price:
            continue
        count += 1
        changed.append(NewPrice(sku_id, known[0].min_qty if known else Decimal(1), price))
        changed += [NewPrice(sku_id, row.min_qty, row.price) for row in known[1:]]
    if changed:
        set_prices(ctx, price_list_id, changed)
    return count


_SET_PRICES = text("""
    WITH wanted AS (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
                    AS w(id uuid, sku uuid, qty numeric, price numeric)),
    mine AS (SELECT p.id FROM ts.product p
             WHERE p.tenant_id = ts.tenant() AND p.id = ANY(CAST(:skus AS uuid[]))),
    gone AS (DELETE FROM ts.price_row r WHERE r.tenant_id = ts.tenant() AND r.price_list_id = :list
             AND r.product_id = ANY(CAST(:skus AS uuid[]))
             AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.sku = r.product_id AND w.qty = r.min_qty)),
    landed AS (INSERT INTO ts.price_row AS r (tenant_id, id, price_list_id, product_id, min_qty, price)
               SELECT ts.tenant(), w.id, :list, w.sku, w.qty, w.price
               FROM wanted w JOIN mine ON mine.id = w.sku ORDER BY w.sku, w.qty
               ON CONFLICT (tenant_id, product_id, price_list_id, min_qty)
               DO UPDATE SET price = excluded.price
               WHERE r.price <> excluded.price)
    SELECT count(*) FROM mine
""")


def _refuse_bad_tiers(prices: Iterable[NewPrice]) -> None:
    seen: set[tuple[UUID, Decimal]] = set()
    wrong = []
    for index, each in enumerate(prices):
        for name, value in (("min_qty", each.min_qty), ("price", each.price)):
            if not value.is_finite() or value < 0 or value >= Decimal(10) ** 14 or value != round(value, 6):
                wrong.append(FieldError(f"prices.{index}.{name}", "price.number", {}))
        if (each.sku_id, each.min_qty) in seen:
            wrong.append(FieldError(f"prices.{index}.min_qty", "price.tier_twice", {"min_qty": each.min_qty}))
        seen.add((each.sku_id, each.min_qty))
    if wrong:
        raise Invalid(wrong)

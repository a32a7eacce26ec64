"""What a buyer pays: the search through the price lists that explains every unit price it finds.

All prices are per base unit. One statement prices all lines of an order (`ts.quote` in ddl.sql).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from core.catalog.tax import Amounts, vat, vat_rate
from core.catalog.units import fixed_factors
from core.kernel import Context, FieldError, Invalid, minor_units, round_to

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
"""Tax rates change on days of the Chinese calendar, wherever the server or the buyer is."""

_QUOTE = text("SELECT * FROM ts.quote(:buyer, :currency, CAST(:lines AS jsonb))")
_TIERS = text("SELECT * FROM ts.price_tiers(:buyer, :sku)")


@dataclass(frozen=True)
class SkuFacts:
    """A product as orders copy it. `weight_kg` is of one base unit."""

    sku_id: UUID
    seller_id: UUID
    code: str
    name_zh: str
    name_en: str
    base_uom: str
    tax_class: str
    weight_kg: Decimal | None
    spec: str = ""


@dataclass(frozen=True)
class Wanted:
    """So much of a product; `uom` None means its base unit."""

    sku_id: UUID
    qty: Decimal
    uom: str | None = None


@dataclass(frozen=True)
class Component:
    """A part of a unit price: `base` or `adj` per base unit. The sum over all components is the unit price.

    `level` is contract, tenant, group, public or base for a listed price, else who proposed it. `reason` is
    list (a price row), graduated (the mean over the tiers passed), or the proposer's own.
    `flag` cheaper_elsewhere says that a later level would have been cheaper; the earlier one still stands.
    """

    level: str
    row_id: UUID | None
    base: Decimal
    adj: Decimal
    reason: str
    flag: str | None = None


@dataclass(frozen=True)
class PricedLine:
    """One line with its price explained. `unit_price` is of one base unit and includes the tax where
    `tax_incl`.

    `factor` is base units per `uom`; `amount` is the exact product, rounded only in `amounts`.
    """

    sku: SkuFacts
    qty: Decimal
    uom: str
    factor: Decimal
    base_qty: Decimal
    unit_price: Decimal
    tax_incl: bool
    vat_rate: Decimal
    components: tuple[Component, ...]
    amount: Decimal
    currency: str = "CNY"

    @property
    def amounts(self) -> Amounts:
        """Net, tax and gross of the line: rounded once."""
        places = minor_units(self.currency)
        return vat(round_to(self.amount, places), self.vat_rate, self.tax_incl, places)

    def adjusted(self, *more: Component) -> "PricedLine":
        """The line with components added (a plugin's surcharge, a counter-offer); Invalid below zero."""
        step = sum((each.base + each.adj for each in more), Decimal(0))
        if self.unit_price + step < 0:
            raise Invalid.one("unit_price", "price.negative", product=self.sku.code)
        return replace(
            self,
            unit_price=self.unit_price + step,
            amount=self.amount + step * self.base_qty,
            components=(*self.components, *more),
        )


def quote_lines(
    ctx: Context, buyer_id: UUID, wanted: Sequence[Wanted], currency: str = "CNY"
) -> list[PricedLine]:
    """Price all lines for a buyer in one statement, in the order given.

    Called for the seller, or for the buyer itself (who then sees listed products only). Invalid names the
    field of each line that has no product, unit, quantity or price: `lines.<index>.sku_id`, `.uom`,
    `.quantity`.
    """
    wrong = [
        FieldError(f"lines.{index}.quantity", "decimal.must_be_positive", {})
        for index, each in enumerate(wanted)
        if each.qty <= 0
    ]
    if wrong:
        raise Invalid(wrong)
    found: dict[int, Any] = {row.line_no: row for row in fetch_quotes(ctx, buyer_id, wanted, currency)}
    lines, today = [], ctx.now.astimezone(BUSINESS_ZONE).date()
    for index, each in enumerate(wanted):
        row: Any = found.get(index)
        if error := _refusal(index, each, row):
            wrong.append(error)
        else:
            lines.append(_priced(row, each, currency, vat_rate(row.tax_class, today)))
    if wrong:
        raise Invalid(wrong)
    return lines


def own_prices(ctx: Context, wanted: Sequence[Wanted], currency: str = "CNY") -> dict[UUID, PricedLine]:
    """What the acting enterprise itself would pay, by product, whoever sells it; products without a price
    are left out.
    """
    today = ctx.now.astimezone(BUSINESS_ZONE).date()
    return {
        row.sku_id: _priced(row, wanted[row.line_no], currency, vat_rate(row.tax_class, today))
        for row in fetch_quotes(ctx, ctx.tenant_id, wanted, currency)
        if row.unit_price is not None
    }


def quote_payload(wanted: Sequence[Wanted]) -> str:
    """The lines as `ts.quote` takes them: with the exact factors between units of one dimension."""
    return json.dumps(
        [
            {
                "no": index,
                "sku": str(each.sku_id),
                "qty": str(each.qty),
                "uom": each.uom,
                "fixed": {unit: str(factor) for unit, factor in fixed_factors(each.uom or "").items()},
            }
            for index, each in enumerate(wanted)
        ]
    )


def fetch_quotes(ctx: Context, buyer_id: UUID, wanted: Sequence[Wanted], currency: str) -> Sequence[Any]:
    """The database's own answer, one row for each line it knows a product for; for this room only."""
    if not wanted:
        return []
    return ctx.session.execute(
        _QUOTE, {"buyer": buyer_id, "currency": currency, "lines": quote_payload(wanted)}
    ).all()


def _refusal(index: int, wanted: Wanted, row: Any) -> FieldError | None:
    path = f"lines.{index}"
    if row is None or row.status == "draft":  # what was never offered is nobody's but its seller's
        return FieldError(f"{path}.sku_id", "product.not_found", {})
    if row.status != "active":
        return FieldError(f"{path}.sku_id", "product.not_listed", {"product": row.code})
    if row.factor is None:
        return FieldError(f"{path}.uom", "uom.no_factor", {"uom": wanted.uom or "", "base": row.base_uom})
    if row.base_qty <= 0:
        return FieldError(f"{path}.quantity", "quantity.too_small", {"base": row.base_uom})
    if row.unit_price is None:
        return FieldError(f"{path}.sku_id", "price.none", {"product": row.code})
    return None


def _priced(row: Any, wanted: Wanted, currency: str, rate: Decimal) -> PricedLine:
    return PricedLine(
        sku=sku_facts(row),
        qty=wanted.qty,
        uom=wanted.uom or row.base_uom,
        factor=row.factor,
        base_qty=row.base_qty,
        unit_price=row.unit_price,
        tax_incl=row.tax_incl,
        vat_rate=rate,
        components=_explained(row),
        amount=row.amount,
        currency=currency,
    )


def sku_facts(row: Any) -> SkuFacts:
    return SkuFacts(
        sku_id=row.sku_id,
        seller_id=row.seller_id,
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        base_uom=row.base_uom,
        tax_class=row.tax_class,
        weight_kg=row.weight_kg,
        spec=row.spec,
    )


def _explained(row: Any) -> tuple[Component, ...]:
    flag = "cheaper_elsewhere" if row.cheaper else None
    if row.ladder == "volume":
        return (Component(row.level, row.row_id, row.unit_price, Decimal(0), "list", flag),)
    first = Component(row.level, row.row_id, row.tier_price, Decimal(0), "list", flag)
    passed = Component(row.level, row.row_id, Decimal(0), row.unit_price - row.tier_price, "graduated")
    return (first, passed) if passed.adj else (first,)


@dataclass(frozen=True)
class Tier:
    """A row of a price list as its reader sees it: from `min_qty` base units on, `price` for each."""

    level: str
    list_id: UUID
    list_name: str
    ladder: str
    currency: str
    tax_incl: bool
    min_qty: Decimal
    price: Decimal
    valid_to: datetime | None


def price_tiers(ctx: Context, sku_id: UUID, buyer_id: UUID | None = None) -> list[Tier]:
    """Every tier that could apply to a buyer (default: the acting enterprise), best level first."""
    rows = ctx.session.execute(_TIERS, {"buyer": buyer_id or ctx.tenant_id, "sku": sku_id})
    return [Tier(*row) for row in rows]


def units_of(ctx: Context, sku_id: UUID, base_uom: str) -> list[str]:
    """Every unit a product may be ordered in, its base unit first; for buyers too."""
    own = ctx.session.scalars(text("SELECT uom FROM ts.units_of(:sku)"), {"sku": sku_id})
    related = [unit for unit in fixed_factors(base_uom) if base_uom in fixed_factors(unit)]
    return list(dict.fromkeys([base_uom, *own, *related]))


def shown_components(components: Iterable[Component]) -> list[Mapping[str, Any]]:
    """Components as JSON keeps them with an order line: decimals as text."""
    return [
        {
            "level": each.level,
            "row_id": str(each.row_id) if each.row_id else None,
            "base": f"{each.base:f}",
            "adj": f"{each.adj:f}",
            "reason": each.reason,
            "flag": each.flag,
        }
        for each in components
    ]

"""Prices agreed outside the price lists (a quote, a contract): the seller's own goods by code, and lines at such prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.catalog.model import Product
from core.catalog.pricing import Component, PricedLine, SkuFacts, Wanted, fetch_quotes, sku_facts
from core.kernel import Context, FieldError, Invalid, round_to


@dataclass(frozen=True)
class Agreed:
    """A price of one unit of the line, with its own VAT. `level` says who agreed it, `reason` what it comes from."""

    unit_price: Decimal
    tax_incl: bool
    vat_rate: Decimal
    level: str
    reason: str


def own_goods(ctx: Context, codes: Sequence[str]) -> dict[str, SkuFacts]:
    """The acting seller's own products by code, listed or not; an unknown code is left out. One statement."""
    if not codes:
        return {}
    rows = ctx.session.scalars(
        select(Product).where(Product.tenant_id == ctx.tenant_id, Product.code.in_(set(codes)))
    )
    return {
        row.code: SkuFacts(
            sku_id=row.id, seller_id=row.tenant_id, code=row.code, name_zh=row.name_zh, name_en=row.name_en,
            base_uom=row.base_uom, tax_class=row.tax_class, weight_kg=row.weight_kg, spec=row.spec,
        )
        for row in rows
    }  # fmt: skip


def agreed_lines(
    ctx: Context, buyer_id: UUID, wanted: Sequence[Wanted], prices: Sequence[Agreed], currency: str = "CNY"
) -> list[PricedLine]:
    """The lines at agreed prices, in the order given; one statement. Called on the seller's side.

    The products need no list price and need not be listed, because their seller named them itself. Invalid names each line
    without product, unit or quantity, as `quote_lines` does.
    """
    found = {row.line_no: row for row in fetch_quotes(ctx, buyer_id, wanted, currency)}
    wrong: list[FieldError] = []
    lines: list[PricedLine] = []
    for index, (each, price) in enumerate(zip(wanted, prices, strict=True)):
        row = found.get(index)
        if error := _refusal(index, each, row):
            wrong.append(error)
        else:
            lines.append(_priced(row, each, price, currency))
    if wrong:
        raise Invalid(wrong)
    return lines


def _refusal(index: int, wanted: Wanted, row: Any) -> FieldError | None:
    path = f"lines.{index}"
    if wanted.qty <= 0:
        return FieldError(f"{path}.quantity", "decimal.must_be_positive", {})
    if row is None:
        return FieldError(f"{path}.sku_id", "product.not_found", {})
    if row.factor is None:
        return FieldError(f"{path}.uom", "uom.no_factor", {"uom": wanted.uom or "", "base": row.base_uom})
    if row.base_qty <= 0:
        return FieldError(f"{path}.quantity", "quantity.too_small", {"base": row.base_uom})
    return None


def _priced(row: Any, wanted: Wanted, price: Agreed, currency: str) -> PricedLine:
    of_base = price.unit_price / row.factor
    return PricedLine(
        sku=sku_facts(row),
        qty=wanted.qty,
        uom=wanted.uom or row.base_uom,
        factor=row.factor,
        base_qty=row.base_qty,
        unit_price=of_base,
        tax_incl=price.tax_incl,
        vat_rate=price.vat_rate,
        components=(Component(price.level, None, round_to(of_base, 6), Decimal(0), price.reason),),
        amount=price.unit_price * wanted.qty,
        currency=currency,
    )

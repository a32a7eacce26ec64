"""Rows of Kingdee's queries in the platform's words. What has no word of ours is left out with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.kingdee.mapping import SiteMapping, number_of
from tongshang.connect import (
    DeliveryIn,
    InvoiceIn,
    MovedLine,
    PartnerIn,
    PaymentIn,
    PriceIn,
    ProductIn,
    ReceiptIn,
    SkipRecord,
    StockIn,
    UnitIn,
)

FORBIDDEN = "B"
DIGITS = Decimal("0.000001")  # the places we keep of a quantity and of a price

Row = Mapping[str, Any]


def product(site: SiteMapping, row: Row) -> ProductIn:
    number = _text(row["FNumber"])
    unit = site.our_unit(row.get("FBaseUnitId.FNumber"), number)
    if not row.get("FName"):
        raise SkipRecord("kingdee.name_missing", "the material has no name", field=number)
    return ProductIn(
        external_id=_id(row, "FMATERIALID"),
        code=number,
        name=str(row["FName"]),
        unit=unit,
        specification=_text(row.get("FSpecification")),
        group=_text(row.get("FMaterialGroup")),
        active=row.get("FForbidStatus") != FORBIDDEN,
    )


def stock(site: SiteMapping, row: Row) -> StockIn:
    material = _text(row["FMaterialId.FNumber"])
    unit = site.our_unit(row.get("FBaseUnitId.FNumber"), material)
    warehouse = _text(row["FStockId.FNumber"])
    quantity = _sum(row["FBaseQty"]).quantize(DIGITS, ROUND_HALF_UP)
    if quantity < 0:
        said = f"{warehouse}: {quantity} is below zero"
        raise SkipRecord("kingdee.negative_stock", said, field=material)
    return StockIn(f"{material}@{warehouse}", material, warehouse, unit, quantity)


def partner(site: SiteMapping, row: Row) -> PartnerIn:
    number = _text(row["FNumber"])
    name = _text(row.get("FName"))
    if not name:
        raise SkipRecord("kingdee.customer_name_missing", "the customer has no name", field=number)
    code = _text(row.get(site.fields["partner.code"]))
    return PartnerIn(_id(row, "FCUSTID"), number, name, code, row.get("FForbidStatus") != FORBIDDEN)


def unit(site: SiteMapping, row: Row) -> UnitIn:
    return UnitIn(_id(row, "FUNITID"), _text(row["FNumber"]), _text(row.get("FName")))


def price(site: SiteMapping, row: Row) -> PriceIn:
    """One line of a price list for one customer, or for everybody."""
    material, customer = _text(row["FMaterialId.FNumber"]), _text(row.get("customer"))
    listed = _text(row["FNumber"])
    if row.get("limited"):
        said = f"{listed} holds for kinds of customers or for salespersons"
        raise SkipRecord("kingdee.price_limited", said, field=material)
    if not _true(row["FIsIncludedTax"]):
        raise SkipRecord("kingdee.price_without_tax", f"{listed} has prices without tax", field=material)
    return PriceIn(
        external_id="/".join(filter(None, (_id(row, "FID"), _id(row, site.fields["price.line"]), customer))),
        material=material,
        unit=site.our_unit(row.get("FUnitID.FNumber"), material),
        currency=site.our_currency(row.get("FCurrencyId.FNumber"), material),
        price=_positive(row["FPrice"], material).quantize(DIGITS, ROUND_HALF_UP),
        from_quantity=number_of(row.get("FFromQty")),
        from_day=_later(
            _day_or_none(row.get("FEffectiveDate")), _day_or_none(row.get("FEntryEffectiveDate"))
        ),
        to_day=_earlier(_day_or_none(row.get("FExpiryDate")), _day_or_none(row.get("FEntryExpiryDate"))),
        partner=customer,
    )


def delivery(site: SiteMapping, row: Row) -> DeliveryIn:
    number = _text(row["FBillNo"])
    return DeliveryIn(
        external_id=of_order(row),
        number=number,
        reference=row["reference"],
        day=_day(row["FDate"], number),
        lines=_moved(site, row, "FMaterialID.FNumber"),
        carrier=_text(row.get(site.fields["delivery.carrier"])),
        tracking=_text(row.get(site.fields["delivery.tracking"])),
    )


def receipt(site: SiteMapping, row: Row) -> ReceiptIn:
    number = _text(row["FBillNo"])
    lines = _moved(site, row, "FMaterialId.FNumber")
    return ReceiptIn(of_order(row), number, row["reference"], _day(row["FDate"], number), lines)


def invoice(site: SiteMapping, row: Row) -> InvoiceIn:
    number = _text(row["FBillNo"])
    currency = site.our_currency(row.get("FCURRENCYID.FNumber"), number)
    return InvoiceIn(
        of_order(row), number, row["reference"], _day(row["FDATE"], number), currency, _sum(row["amounts"])
    )


def payment(site: SiteMapping, row: Row) -> PaymentIn:
    number = _text(row["FBillNo"])
    currency = site.our_currency(row.get("FCURRENCYID.FNumber"), number)
    return PaymentIn(
        of_order(row), number, row["reference"], _day(row["FDATE"], number), currency, _sum(row["amounts"])
    )


def _sum(amounts: Iterable[Any]) -> Decimal:
    return sum((number_of(amount) for amount in amounts), Decimal(0))


def of_order(row: Row) -> str:
    """A bill there may be about several orders of ours: it is one record for each of them."""
    return f"{_id(row, 'FID')}/{row['reference']}"


def _moved(site: SiteMapping, row: Row, material: str) -> tuple[MovedLine, ...]:
    return tuple(
        MovedLine(
            line["line"],
            _text(line[material]),
            number_of(line["FRealQty"]).quantize(DIGITS, ROUND_HALF_UP),
            site.our_unit(line.get("FUnitID.FNumber"), _text(row["FBillNo"])),
        )
        for line in row["lines"]
    )


def _id(row: Row, key: str) -> str:
    """An internal id, without which a record could not be known again. Raises SkipRecord."""
    found = str(row[key])
    if not found.isdecimal():
        raise SkipRecord("kingdee.number_unreadable", f"{key}: {found} is no internal id")
    return found


def _text(value: Any) -> str:
    return str(value or "").strip()


def _true(value: Any) -> bool:
    return str(value).lower() in ("true", "1")


def _positive(value: Any, number: str) -> Decimal:
    found = number_of(value)
    if found <= 0:
        raise SkipRecord("kingdee.price_missing", f"the price is {found}", field=number)
    return found


def _day(value: Any, number: str) -> date:
    found = _day_or_none(value)
    if found is None:
        raise SkipRecord("kingdee.day_missing", f"{value!r} is no day", field=number)
    return found


def _day_or_none(value: Any) -> date | None:
    try:
        found = date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
    return found if found.year > 1 else None  # how .NET writes "never"


def _later(one: date | None, other: date | None) -> date | None:
    return max(filter(None, (one, other)), default=None)


def _earlier(one: date | None, other: date | None) -> date | None:
    return min(filter(None, (one, other)), default=None)

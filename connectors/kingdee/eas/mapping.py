"""EAS's names and codes, and nothing of them beyond this file: orders out, bills, materials, customers and stock in.

The names follow EAS's own object model (`orderCustomer`, `entry`, `{"number": ...}` for base data), as public samples
of its supply-chain services show it; a site that names things otherwise says so in the setting `fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.kingdee.eas.text import number
from tongshang.connect import (
    Access,
    Bill,
    Found,
    OrderOut,
    PartnerIn,
    ProductIn,
    Rejected,
    RemoteLine,
    RetryLater,
    SkipRecord,
    StockIn,
)

PRICE = Decimal("0.0000000001")  # ten places
COUNT = Decimal("0.000001")

UNITS = {
    "pcs": "PCS",
    "kpcs": "KPCS",
    "piece": "PCS",
    "t": "T",
    "kg": "KG",
    "m": "M",
    "set": "SET",
    "box": "BOX",
    "roll": "ROLL",
    "sheet": "SHEET",
}
CURRENCIES = {"CNY": "BB01"}
STATES = {"saved": "1", "submitted": "2", "cancelled": "3", "audited": "4"}
FIELDS = {
    "id": "id",
    "reference": "number",
    "date": "bizDate",
    "organisation": "saleOrgUnit",
    "customer": "orderCustomer",
    "saler": "salePerson",
    "currency": "currency",
    "with_tax": "isInTax",
    "note": "description",
    "total": "totalTaxAmount",
    "state": "baseStatus",
    "lines": "entry",
    "material": "material",
    "unit": "unit",
    "quantity": "qty",
    "price": "taxPrice",
    "rate": "taxRate",
    "amount": "taxAmount",
    "delivery": "deliveryDate",
}
"""Our words for the fields of a sales order, and EAS's."""


class SiteMapping:
    """One site's way to file things."""

    def __init__(self, access: Access) -> None:
        self.organisation = access.organisation
        self.saler = access["saler"]
        self.units = access.table("units", UNITS)
        self.currencies = access.table("currencies", CURRENCIES)
        self.states = access.table("states", STATES)
        self.fields = access.table("fields", FIELDS)
        self.our_units = {theirs: ours for ours, theirs in reversed(self.units.items())}

    # -- out

    def bill(
        self,
        order: OrderOut,
        customer: str,
        material_of: Callable[[Any], str | None],
        learned: Mapping[tuple[str, str], str],
    ) -> Bill:
        """The order as a bill to import; raises Rejected where EAS has no word for ours."""
        currency = self.currencies.get(order.currency)
        if currency is None:
            raise Rejected("eas.currency_missing", f"no currency for {order.currency}", field="currency")
        lines: list[RemoteLine] = []
        entries: list[dict[str, Any]] = []
        name = self.fields
        delivery = (order.delivery_on or order.ordered_on).isoformat()
        for line in order.lines:
            unit = self.units.get(line.unit)
            if unit is None:
                raise Rejected("eas.unit_missing", f"no unit for {line.unit}", field="unit")
            material = material_of(line.sku_id) or line.material
            price = (line.gross / line.quantity).quantize(PRICE, ROUND_HALF_UP)
            lines.append(RemoteLine(material, line.quantity, unit, price, line.gross))
            entries.append(
                {
                    name["material"]: _ref(material),
                    name["unit"]: _ref(unit),
                    name["quantity"]: line.quantity,
                    name["price"]: price,
                    name["rate"]: line.vat_rate * 100,
                    name["amount"]: line.gross,
                    name["delivery"]: delivery,
                }
            )
        body = {
            name["reference"]: order.reference,
            name["date"]: order.ordered_on.isoformat(),
            name["organisation"]: _ref(self.organisation),
            name["customer"]: _ref(customer),
            name["saler"]: _ref(self.saler),
            name["currency"]: _ref(currency),
            name["with_tax"]: True,
            name["total"]: order.total,
            name["note"]: " ".join(filter(None, ("通商", order.buyer_po, order.note)))[:250],
            name["lines"]: entries,
        }
        return Bill(order.reference, customer, currency, order.total, tuple(lines), body, learned)

    def found(self, row: Mapping[str, Any]) -> Found:
        """One bill of a look-up. Raises RetryLater when a field is missing: then nothing is known about it."""
        name = self.fields
        try:
            state = str(row[name["state"]])
            lines = tuple(self._line(entry) for entry in row[name["lines"]])
            return Found(
                remote_id=_text(row[name["id"]]),
                number=_text(row[name["reference"]]),
                partner=_number_of(row[name["customer"]]),
                currency=_number_of(row[name["currency"]]),
                total=number(row[name["total"]]),
                lines=lines,
                finished=state == self.states["audited"],
                cancelled=state == self.states["cancelled"],
                status=state,
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise RetryLater("eas.unreadable", f"a bill without what is needed: {error}") from error

    def _line(self, entry: Mapping[str, Any]) -> RemoteLine:
        name = self.fields
        return RemoteLine(
            _number_of(entry[name["material"]]),
            number(entry[name["quantity"]]),
            _number_of(entry[name["unit"]]),
            number(entry[name["price"]]),
            number(entry[name["amount"]]),
        )

    # -- in

    def product(self, row: Mapping[str, Any]) -> ProductIn:
        code = _known(row, "number")
        if not row.get("name"):
            raise SkipRecord("eas.name_missing", "the material has no name", field=code)
        return ProductIn(
            external_id=_known(row, "id"),
            code=code,
            name=str(row["name"]),
            unit=self._our_unit(row.get("baseUnit"), code),
            specification=str(row.get("model") or ""),
            group=_soft_number(row.get("materialGroup")),
            active=row.get("enabled") is not False,
        )

    def partner(self, row: Mapping[str, Any]) -> PartnerIn:
        its = _known(row, "number")
        if not row.get("name"):
            raise SkipRecord("eas.name_missing", "the customer has no name", field=its)
        return PartnerIn(
            external_id=_known(row, "id"),
            number=its,
            name=str(row["name"]),
            code=str(row.get("taxCode") or ""),
            active=row.get("enabled") is not False,
        )

    def stock(self, row: Mapping[str, Any]) -> StockIn:
        """One warehouse's stock of one material; lots have been added up before."""
        material, warehouse = _known(row, "material"), _known(row, "warehouse")
        unit = self._our_unit(row.get("unit"), material)
        try:
            quantity = number(row["qty"]).quantize(COUNT, ROUND_HALF_UP)
        except (ValueError, ArithmeticError) as error:
            raise SkipRecord("eas.number_missing", str(error), field=material) from None
        if quantity < 0:
            raise SkipRecord("eas.negative_stock", f"{warehouse}: {quantity} is below zero", field=material)
        return StockIn(f"{material}@{warehouse}", material, warehouse, unit, quantity)

    def _our_unit(self, theirs: Any, field: str) -> str:
        unit = self.our_units.get(_soft_number(theirs))
        if unit is None:
            raise SkipRecord("eas.unit_unknown", f"no unit of ours for {_soft_number(theirs)}", field=field)
        return unit


def sums(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Stock rows added up per material, warehouse and unit, in their order. Raises RetryLater for an unreadable one."""
    found: dict[tuple[str, str, str], Decimal] = {}
    for row in rows:
        try:
            key = (_number_of(row["material"]), _number_of(row["warehouse"]), _number_of(row["unit"]))
            found[key] = found.get(key, Decimal(0)) + number(row["qty"])
        except (KeyError, ValueError, TypeError) as error:
            raise RetryLater("eas.unreadable", f"a stock row without what is needed: {error}") from error
    return [
        {"material": material, "warehouse": warehouse, "unit": unit, "qty": total}
        for (material, warehouse, unit), total in found.items()
    ]


def _ref(value: str) -> dict[str, str]:
    return {"number": value}


def _number_of(value: Any) -> str:
    """The number of a reference to base data; raises ValueError when there is none."""
    found = _soft_number(value)
    if not found:
        raise ValueError(f"no number in {value!r}")
    return found


def _soft_number(value: Any) -> str:
    inner = value.get("number") if isinstance(value, Mapping) else value
    return inner if isinstance(inner, str) else ""


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"no text: {value!r}")
    return str(value)


def _known(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise SkipRecord("eas.number_missing", f"a row without {name}", field=name)
    return value

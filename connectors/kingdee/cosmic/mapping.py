"""Cosmic's names and codes, and nothing of them beyond this file. The names are general knowledge of the standard sales
order; a site tells its own in the settings `fields` and `states`, as its API pages list them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.kingdee.cosmic.wire import number
from tongshang.connect import Access, Bill, Found, OrderOut, Rejected, RemoteLine, RetryLater

PRICE = Decimal("0.0000000001")
UNITS = {
    "pcs": "pcs",
    "piece": "pcs",
    "t": "t",
    "kg": "kg",
    "m": "m",
    "set": "set",
    "box": "box",
    "roll": "roll",
    "sheet": "sheet",
}
CURRENCIES = {"CNY": "CNY", "USD": "USD"}
STATES = {"saved": "A", "submitted": "B", "audited": "C", "cancelled": "B"}
FIELDS = {
    "id": "id",
    "reference": "billno",
    "date": "bizdate",
    "organisation": "org",
    "customer": "customer",
    "currency": "settlecurrency",
    "note": "comment",
    "total": "totalallamount",
    "state": "billstatus",
    "cancelled": "cancelstatus",
    "lines": "billentry",
    "material": "material",
    "unit": "unit",
    "quantity": "qty",
    "price": "priceandtax",
    "rate": "taxrate",
    "amount": "amountandtax",
    "delivery": "deliverdate",
    "tax_code": "societycreditcode",
}


class SiteMapping:
    """One site's way to file things."""

    def __init__(self, access: Access) -> None:
        self.organisation = access.organisation
        self.units = access.table("units", UNITS)
        self.currencies = access.table("currencies", CURRENCIES)
        self.states = access.table("states", STATES)
        self.fields = access.table("fields", FIELDS)

    def bill(
        self,
        order: OrderOut,
        customer: str,
        material_of: Callable[[Any], str | None],
        learned: Mapping[tuple[str, str], str],
    ) -> Bill:
        """The order as a document to save; raises Rejected where Cosmic has no word for ours."""
        currency = self.currencies.get(order.currency)
        if currency is None:
            raise Rejected("cosmic.currency_missing", f"no currency for {order.currency}", field="currency")
        lines: list[RemoteLine] = []
        entries: list[dict[str, Any]] = []
        name = self.fields
        delivery = (order.delivery_on or order.ordered_on).isoformat()
        for line in order.lines:
            unit = self.units.get(line.unit)
            if unit is None:
                raise Rejected("cosmic.unit_missing", f"no unit for {line.unit}", field="unit")
            material = material_of(line.sku_id) or line.material
            price = (line.gross / line.quantity).quantize(PRICE, ROUND_HALF_UP)
            lines.append(RemoteLine(material, line.quantity, unit, price, line.gross))
            entries.append(
                {
                    name["material"]: {"number": material},
                    name["unit"]: {"number": unit},
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
            name["organisation"]: {"number": self.organisation},
            name["customer"]: {"number": customer},
            name["currency"]: {"number": currency},
            name["total"]: order.total,
            name["note"]: " ".join(filter(None, ("通商", order.buyer_po, order.note)))[:250],
            name["lines"]: entries,
        }
        return Bill(order.reference, customer, currency, order.total, tuple(lines), body, learned)

    def found(self, row: Mapping[str, Any]) -> Found:
        """One document of a query. Raises RetryLater when a field is missing: then nothing is known about it."""
        name = self.fields
        try:
            state = str(row[name["state"]])
            void = str(row.get(name["cancelled"], "")) == self.states["cancelled"]
            return Found(
                remote_id=_text(row[name["id"]]),
                number=_text(row[name["reference"]]),
                partner=_number_of(row, name["customer"]),
                currency=_number_of(row, name["currency"]),
                total=number(row[name["total"]]),
                lines=tuple(self._line(entry) for entry in row[name["lines"]]),
                finished=state == self.states["audited"] and not void,
                cancelled=void,
                status=state,
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise RetryLater("cosmic.unreadable", f"a document without what is needed: {error}") from error

    def _line(self, entry: Mapping[str, Any]) -> RemoteLine:
        name = self.fields
        return RemoteLine(
            _number_of(entry, name["material"]),
            number(entry[name["quantity"]]),
            _number_of(entry, name["unit"]),
            number(entry[name["price"]]),
            number(entry[name["amount"]]),
        )


def _number_of(row: Mapping[str, Any], field: str) -> str:
    """The number of a reference, which queries answer either as an object or flat beside it; raises ValueError."""
    value = row.get(field)
    found = value.get("number") if isinstance(value, Mapping) else row.get(f"{field}_number")
    if not isinstance(found, str) or not found:
        raise ValueError(f"no number of {field}")
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"no text: {value!r}")
    return str(value)

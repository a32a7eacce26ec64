"""Our order as other systems see it, and what one of them tells about it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.generic.records import CURRENCIES, UNITS
from connectors.generic.values import NOT_TOLD, listed, number, pick, text
from tongshang.connect import Access, Bill, Found, Lookup, OrderOut, Rejected, RemoteLine

PRICE = Decimal("0.000001")
ANSWER = {
    "id": "id",
    "number": "number",
    "status": "status",
    "reference": "reference",
    "partner": "partner",
    "currency": "currency",
    "total": "total",
    "lines": "lines",
    "line.material": "material",
    "line.unit": "unit",
    "line.quantity": "quantity",
    "line.price": "price",
    "line.amount": "amount",
    "error": "error",
    "message": "message",
}
"""What is looked for in an answer about an order, until the setting `answer` tells other names."""

NOTHING = Decimal(0)


class OrderShape:
    """How one enterprise's orders are filed: its words for units, currencies, partners and answers."""

    def __init__(self, access: Access) -> None:
        self.organisation = access.organisation
        self.units = access.table("units", UNITS)
        self.currencies = access.table("currencies", CURRENCIES)
        self.partners = dict(access.tables.get("partners", {}))
        self.materials = dict(access.tables.get("materials", {}))
        self.by_code = access["partner_by"] != "number"
        self.answer = access.table("answer", ANSWER)
        self.done = listed(access["done_statuses"])
        self.cancelled = listed(access["cancelled_statuses"])

    def tells(self, field: str) -> bool:
        """Whether the other system's answer carries the field at all (`total=-` says it does not)."""
        return self.answer.get(field, NOT_TOLD) != NOT_TOLD

    # -- out

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        """The order in the other system's codes. What its answers do not tell stays blank, so it is not compared."""
        currency = self.currencies.get(order.currency)
        if currency is None:
            raise Rejected("generic.currency_missing", f"no currency for {order.currency}", field="currency")
        partner = self._partner(order, lookup)
        lines, entries = [], []
        for line in order.lines:
            unit = self.units.get(line.unit)
            if unit is None:
                raise Rejected("generic.unit_missing", f"no unit for {line.unit}", field="unit")
            if line.quantity <= 0:
                raise Rejected("generic.no_quantity", f"line {line.no}: {line.quantity}", field="quantity")
            material = lookup("product", line.sku_id) or self.materials.get(line.material) or line.material
            price = (line.gross / line.quantity).quantize(PRICE, ROUND_HALF_UP)
            lines.append(RemoteLine(material, line.quantity, unit, price, line.gross))
            entries.append(
                {
                    "line": line.no,
                    "material": material,
                    "name": line.name,
                    "unit": unit,
                    "quantity": line.quantity,
                    "price": price,
                    "tax_rate": line.vat_rate,
                    "amount": line.gross,
                }
            )
        body = {
            "reference": order.reference,
            "version": order.version,
            "organisation": self.organisation,
            "ordered_on": order.ordered_on.isoformat(),
            "delivery_on": order.delivery_on.isoformat() if order.delivery_on else "",
            "partner": partner,
            "partner_name": order.partner_name,
            "partner_code": order.partner_code,
            "buyer_po": order.buyer_po,
            "ship_to": order.ship_to,
            "note": order.note,
            "currency": currency,
            "total": order.total,
            "lines": entries,
        }
        return Bill(
            reference=order.reference,
            partner=partner if self.tells("partner") else "",
            currency=currency if self.tells("currency") else "",
            total=order.total if self.tells("total") else NOTHING,
            lines=tuple(self._compared(line) for line in lines) if self.tells("lines") else (),
            body=body,
        )

    def _partner(self, order: OrderOut, lookup: Lookup) -> str:
        known = lookup("partner", order.partner_id) or self.partners.get(order.partner_code)
        if known:
            return known
        if self.by_code and order.partner_code:
            return order.partner_code
        raise Rejected("generic.partner_missing", f"no number for {order.partner_name}", field="partner")

    def _compared(self, line: RemoteLine) -> RemoteLine:
        return RemoteLine(
            line.material,
            line.quantity,
            line.unit if self.tells("line.unit") else "",
            line.price if self.tells("line.price") else NOTHING,
            line.amount if self.tells("line.amount") else NOTHING,
        )

    # -- back

    def found(self, told: Any) -> Found:
        """A document as an answer tells it. Raises ValueError where it lacks what it should tell."""
        no, id = self._text(told, "number"), self._text(told, "id")
        if not (no or id):
            raise ValueError(f"neither id ({self.answer['id']}) nor number ({self.answer['number']})")
        status = self._text(told, "status")
        lines: tuple[RemoteLine, ...] = ()
        if self.tells("lines"):
            rows = pick(told, self.answer["lines"])
            rows = [rows] if isinstance(rows, Mapping) else rows
            if not isinstance(rows, list):
                raise ValueError(f"no lines ({self.answer['lines']})")
            lines = tuple(self._line(row) for row in rows)
        return Found(
            remote_id=id or no,
            number=no or id,
            partner=self._text(told, "partner"),
            currency=self._text(told, "currency"),
            total=self._number(told, "total"),
            lines=lines,
            finished=not self.done or status.lower() in self.done,
            cancelled=bool(status) and status.lower() in self.cancelled,
            status=status,
        )

    def _line(self, row: Any) -> RemoteLine:
        return RemoteLine(
            material=self._text(row, "line.material"),
            quantity=self._number(row, "line.quantity"),
            unit=self._text(row, "line.unit"),
            price=self._number(row, "line.price"),
            amount=self._number(row, "line.amount"),
        )

    def _text(self, told: Any, field: str) -> str:
        return text(pick(told, self.answer[field]))

    def _number(self, told: Any, field: str) -> Decimal:
        if not self.tells(field):
            return NOTHING
        try:
            return number(pick(told, self.answer[field]))
        except ValueError as error:
            raise ValueError(f"{field} ({self.answer[field]}): {error}") from None

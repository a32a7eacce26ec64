"""Our documents as other systems see them, kind by kind, and what one of them tells about one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.generic.records import CURRENCIES, UNITS
from connectors.generic.values import NOT_TOLD, listed, number, pick, text
from tongshang.connect import (
    Access,
    Bill,
    Found,
    GoodsOut,
    LineOut,
    Lookup,
    MoneyOut,
    OrderOut,
    Outgoing,
    Rejected,
    RemoteLine,
)

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
"""What is looked for in an answer about a document, until settings tell other names."""

NOTHING = Decimal(0)
PARTNER = ("partner", "partner_name", "partner_code")
MONEY = ("note", "currency", "total")


@dataclass(frozen=True)
class Layout:
    """The fields of one kind of document in their order; `act` (create, change, cancel) stands in files only."""

    title: str
    head: tuple[str, ...]
    line: tuple[str, ...]


_BEGIN = ("reference", "version", "act", "organisation")
_WARE = ("material", "name", "unit", "quantity", "price", "tax_rate", "amount")
_ORDER = (
    (*_BEGIN, "ordered_on", "delivery_on", *PARTNER, "buyer_po", "ship_to", *MONEY),
    ("line", *_WARE),
)
_GOODS = (
    (*_BEGIN, "moved_on", *PARTNER, "carrier", "waybill", *MONEY),
    ("line", "order_reference", "order_line", *_WARE),
)
LAYOUTS = {
    "sales_order": Layout("Sales orders", *_ORDER),
    "purchase_order": Layout("Purchase orders", *_ORDER),
    "inbound_order": Layout("Arrival notices", *_GOODS),
    "receipt": Layout("Goods receipts", *_GOODS),
    "payment": Layout(
        "Payments",
        (*_BEGIN, "direction", "paid_on", *PARTNER, "order_reference", "bank_ref", *MONEY),
        ("invoice", "amount"),
    ),
}


class Shape:
    """How one enterprise's documents of one kind are filed: its words for units, currencies, partners and answers.

    `answer` names what differs for this kind from the names that an answer about an order has.
    """

    def __init__(self, access: Access, kind: str, answer: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self.organisation = access.organisation
        self.units = access.table("units", UNITS)
        self.currencies = access.table("currencies", CURRENCIES)
        self.partners = dict(access.tables.get("partners", {}))
        self.suppliers = dict(access.tables.get("suppliers", {}))
        self.materials = dict(access.tables.get("materials", {}))
        self.by_code = access["partner_by"] != "number"
        self.answer = access.table("answer", ANSWER) | {
            name: value for name, value in (answer or {}).items() if name in ANSWER or name == "list"
        }
        self.done = listed(access["done_statuses"])
        self.cancelled = listed(access["cancelled_statuses"])

    def tells(self, field: str) -> bool:
        """Whether the other system's answer carries the field at all (`total=-` says it does not)."""
        if self.kind == "payment" and field == "lines":
            return False  # what a payment settles changes there by itself
        return self.answer.get(field, NOT_TOLD) != NOT_TOLD

    # -- out

    def bill(self, document: Outgoing, lookup: Lookup) -> Bill:
        """The document in the other system's codes. What its answers do not tell stays blank, so it is not compared."""
        currency = self.currencies.get(document.currency)
        if currency is None:
            raise Rejected(
                "generic.currency_missing", f"no currency for {document.currency}", field="currency"
            )
        partner = self._partner(document, lookup)
        layout = LAYOUTS[self.kind]
        lines, entries = [], []
        for line in document.lines:
            made, entry = self._entry(line, lookup)
            lines.append(made)
            entries.append({name: entry[name] for name in layout.line})
        if isinstance(document, MoneyOut):
            entries = [{"invoice": part.number, "amount": part.amount} for part in document.invoices]
        facts = {
            **self._own(document),
            "reference": document.reference,
            "version": document.version,
            "organisation": self.organisation,
            "partner": partner,
            "partner_name": document.partner_name,
            "partner_code": document.partner_code,
            "note": document.note,
            "currency": currency,
            "total": document.total,
        }
        body = {name: facts[name] for name in layout.head if name != "act"} | {"lines": entries}
        return Bill(
            reference=document.reference,
            partner=partner if self.tells("partner") else "",
            currency=currency if self.tells("currency") else "",
            total=document.total if self.tells("total") else NOTHING,
            lines=tuple(self._compared(line) for line in lines) if self.tells("lines") else (),
            body=body,
        )

    @staticmethod
    def _own(document: Outgoing) -> dict[str, Any]:
        """What only this kind says in its head."""
        if isinstance(document, OrderOut):
            return {
                "ordered_on": document.ordered_on.isoformat(),
                "delivery_on": document.delivery_on.isoformat() if document.delivery_on else "",
                "buyer_po": document.buyer_po,
                "ship_to": document.ship_to,
            }
        if isinstance(document, GoodsOut):
            return {
                "moved_on": document.moved_on.isoformat(),
                "carrier": document.carrier,
                "waybill": document.waybill,
            }
        return {
            "direction": document.direction,
            "paid_on": document.paid_on.isoformat(),
            "order_reference": document.order_reference,
            "bank_ref": document.bank_ref,
        }

    def _entry(self, line: LineOut, lookup: Lookup) -> tuple[RemoteLine, dict[str, Any]]:
        unit = self.units.get(line.unit)
        if unit is None:
            raise Rejected("generic.unit_missing", f"no unit for {line.unit}", field="unit")
        if line.quantity <= 0:
            raise Rejected("generic.no_quantity", f"line {line.no}: {line.quantity}", field="quantity")
        material = lookup("product", line.sku_id) or self.materials.get(line.material) or line.material
        price = (line.gross / line.quantity).quantize(PRICE, ROUND_HALF_UP)
        return RemoteLine(material, line.quantity, unit, price, line.gross), {
            "line": line.no,
            "order_reference": line.order_reference,
            "order_line": line.order_line,
            "material": material,
            "name": line.name,
            "unit": unit,
            "quantity": line.quantity,
            "price": price,
            "tax_rate": line.vat_rate,
            "amount": line.gross,
        }

    def _partner(self, document: Outgoing, lookup: Lookup) -> str:
        """The customer's number of a sale and of money received, the supplier's of everything bought."""
        selling = document.kind == "sales_order" or getattr(document, "direction", "") == "in"
        role, told = ("partner", self.partners) if selling else ("supplier", self.suppliers)
        known = lookup(role, document.partner_id) or told.get(document.partner_code)
        if known:
            return known
        if self.by_code and document.partner_code:
            return document.partner_code
        code = "generic.partner_missing" if selling else "generic.supplier_missing"
        raise Rejected(code, f"no number for {document.partner_name}", field="partner")

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

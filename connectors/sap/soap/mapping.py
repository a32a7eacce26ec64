"""Orders in the words of the customer's functions: out as a tree of parameters, back as a found document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from connectors.sap.soap import values, xml
from connectors.sap.soap.client import put
from connectors.sap.soap.names import Names
from tongshang.connect import Ambiguous, Bill, Found, Lookup, OrderOut, Rejected, RemoteLine, RetryLater

# Unit keys as SAP stores them (internal, not ISO). What is missing here is told as missing, never guessed.
UNITS = {"pcs": "ST", "piece": "ST", "t": "TO", "kg": "KG", "m": "M", "box": "KAR", "roll": "ROL"}
CURRENCIES = {"CNY": "CNY", "USD": "USD", "EUR": "EUR", "HKD": "HKD", "JPY": "JPY"}
PRICE = Decimal("0.0000000001")
CUSTOMER_DIGITS, DOCUMENT_DIGITS, ITEM_DIGITS = 10, 10, 6
YES = {"X", "TRUE", "1", "Y", "C"}


@dataclass(frozen=True)
class Held(Found):
    """A found document that still knows the reference it was found by, and its items by number."""

    reference: str = ""
    items: tuple[str, ...] = ()  # six digits each, in the order of the lines
    rejected: tuple[str, ...] = ()  # items that are there and count no more


@dataclass(frozen=True)
class Site:
    """How one site files an order."""

    names: Names
    sales_org: str
    doc_type: str
    channel: str
    division: str
    units: Mapping[str, str]
    currencies: Mapping[str, str]
    partners: Mapping[str, str]
    materials: Mapping[str, str]
    constants: Mapping[str, str]
    material_digits: int = 40
    compact_dates: bool = False

    def partner_by_hand(self, order: OrderOut) -> str | None:
        """The customer number that was mapped by hand, by credit code, id or name."""
        for ours in (order.partner_code, str(order.partner_id), order.partner_name):
            if ours and ours in self.partners:
                return self.partners[ours]
        return None

    # -- out

    def bill(
        self,
        order: OrderOut,
        customer: str,
        lookup: Lookup,
        learned: Mapping[tuple[str, str], str],
    ) -> Bill:
        """The order in SAP's keys, external form; raises Rejected where there is no word for ours."""
        currency = self.currencies.get(order.currency)
        if currency is None:
            raise Rejected("sap.currency_missing", f"no currency for {order.currency}", field="currency")
        lines = []
        for line in order.lines:
            unit = self.units.get(line.unit)
            if unit is None:
                raise Rejected("sap.unit_missing", f"no unit for {line.unit}", field="item.unit")
            if not line.quantity:
                raise Rejected(
                    "sap.quantity_missing", f"line {line.no} has no quantity", field="item.quantity"
                )
            material = self.materials.get(line.material) or lookup("product", line.sku_id) or line.material
            price = (line.gross / line.quantity).quantize(PRICE, ROUND_HALF_UP)
            lines.append(RemoteLine(values.bare(material), line.quantity, unit, price, line.gross))
        return Bill(
            reference=order.reference,
            partner=values.bare(customer),
            currency=currency,
            total=order.total,
            lines=tuple(lines),
            body={
                "ordered_on": order.ordered_on,
                "wanted_on": order.delivery_on or order.ordered_on,
                "ship_to": order.ship_to[:200],
                "buyer_po": order.buyer_po[:35],
                "note": order.note[:250],
                "version": order.version,
                "texts": [line.name[:40] for line in order.lines],
                "nos": [item_number(line.no) for line in order.lines],
            },
            learned=learned,
        )

    def tree(self, bill: Bill, document: str = "", more: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The parameters of a function that writes the bill, on `document` when it is there already."""
        told: dict[str, Any] = {}
        for path, constant in self.constants.items():
            put(told, path, constant)
        head = {
            "reference": bill.reference,
            "sold_to": values.padded(bill.partner, CUSTOMER_DIGITS),
            "doc_type": self.doc_type,
            "sales_org": self.sales_org,
            "channel": self.channel,
            "division": self.division,
            "currency": bill.currency,
            "ordered_on": self._date(bill.body["ordered_on"]),
            "wanted_on": self._date(bill.body["wanted_on"]),
            "ship_to": bill.body["ship_to"],
            "buyer_po": bill.body["buyer_po"],
            "note": bill.body["note"],
            "document": values.padded(document, DOCUMENT_DIGITS) if document else "",
            **(more or {}),
        }
        for ours, given in head.items():
            if self.names[ours]:
                put(told, self.names[ours], given)
        rows = zip(bill.lines, bill.body["nos"], bill.body["texts"], strict=True)
        put(told, self.names["items"], [self._item(line, no, text) for line, no, text in rows])
        return told

    def _item(self, line: RemoteLine, no: str, text: str) -> dict[str, Any]:
        told: dict[str, Any] = {}
        given = {
            "item.no": no,
            "item.material": values.padded(line.material, self.material_digits),
            "item.quantity": line.quantity,
            "item.unit": line.unit,
            "item.price": line.price,
            "item.amount": line.amount,
            "item.text": text,
        }
        for ours, each in given.items():
            if self.names[ours]:
                put(told, self.names[ours], each)
        return told

    def _date(self, day: date) -> str:
        return day.strftime("%Y%m%d") if self.compact_dates else day.isoformat()

    # -- back

    def field(self, row: Mapping[str, Any], ours: str) -> Any:
        """A field of an answer by our word; empty when it is not there."""
        told: Any = row
        for part in self.names[ours].split("."):
            told = told.get(xml.key(part), "") if isinstance(told, Mapping) else ""
        return told

    def text(self, row: Mapping[str, Any], ours: str) -> str:
        told = self.field(row, ours)
        if not isinstance(told, str):
            raise xml.Unreadable(f"{self.names[ours]} comes more than once or carries fields")
        return told

    def found(self, answer: Mapping[str, Any], reference: str) -> Held | None:
        """The one document with our reference. Raises xml.Unreadable, and Ambiguous when there are several."""
        told = self.all(answer, reference)
        alive = [one for one in told if not one.cancelled]
        if len(alive) > 1:
            numbers = ", ".join(one.number for one in alive)
            raise Ambiguous("sap.reference_ambiguous", f"{reference} stands on {numbers}")
        return alive[0] if alive else (told[-1] if told else None)

    def all(self, answer: Mapping[str, Any], reference: str) -> list[Held]:
        """Every document of an answer that carries our reference. Raises xml.Unreadable."""
        lines = xml.rows(self.field(answer, "lines"))
        told = []
        for order in xml.rows(self.field(answer, "orders")):
            theirs = self.text(order, "order.reference")
            if theirs and theirs.casefold() != reference.casefold():
                continue  # a reader that searches by pattern may answer neighbours
            told.append(self._document(order, lines, reference))
        return told

    def _document(self, order: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], reference: str) -> Held:
        number = values.bare(self.text(order, "order.document"))
        if not number.strip("0"):
            raise xml.Unreadable("an order without a number")
        own = [row for row in rows if values.bare(self.text(row, "line.document")) == number]
        own.sort(key=self._no)
        kept = [row for row in own if not _yes(self.text(row, "line.rejected"))]
        cancelled = _yes(self.text(order, "order.cancelled")) or bool(own and not kept)
        counting = own if cancelled else kept
        lines = tuple(self._line(row) for row in counting)
        try:
            total = values.number(self.text(order, "order.total"))
        except ValueError as error:
            raise xml.Unreadable(str(error)) from None
        if not self.names["order.total"]:
            total = sum((line.amount for line in lines), Decimal(0))
        return Held(
            remote_id=number,
            number=number,
            partner=values.bare(self.text(order, "order.sold_to")),
            currency=self.text(order, "order.currency"),
            total=total,
            lines=lines,
            finished=not cancelled,
            cancelled=cancelled,
            status="cancelled" if cancelled else "open",
            reference=reference,
            items=tuple(self._no(row) for row in counting),
            rejected=tuple(self._no(row) for row in own if row not in counting),
        )

    def _no(self, row: Mapping[str, Any]) -> str:
        return values.bare(self.text(row, "line.no")).zfill(ITEM_DIGITS)

    def _line(self, row: Mapping[str, Any]) -> RemoteLine:
        try:
            quantity = values.number(self.text(row, "line.quantity"))
            amount = values.number(self.text(row, "line.amount"))
        except ValueError as error:
            raise xml.Unreadable(str(error)) from None
        price = (amount / quantity).quantize(PRICE, ROUND_HALF_UP) if quantity else Decimal(0)
        material = values.bare(self.text(row, "line.material"))
        return RemoteLine(material, quantity, self.text(row, "line.unit"), price, amount)


def item_number(line: int) -> str:
    """Line 1 of ours is item 000010 of theirs, so that a delivery can be told by its item."""
    return str(line * 10).zfill(ITEM_DIGITS)


def _yes(text: str) -> bool:
    return text.strip().upper() in YES


def one_customer(site: Site, answer: Mapping[str, Any], order: OrderOut) -> str:
    """The one customer that a look by tax code found. Raises Rejected for none and for several."""
    try:
        rows = xml.rows(site.field(answer, "customers"))
        numbers = sorted({values.bare(site.text(row, "customer")) for row in rows} - {"", "0"})
    except xml.Unreadable as why:
        raise RetryLater("sap.unreadable", str(why)) from None
    if not numbers:
        raise Rejected("sap.customer_missing", f"{order.partner_name} ({order.partner_code})", field="sold_to")
    if len(numbers) > 1:
        said = f"{order.partner_code}: {', '.join(numbers[:5])}"
        raise Rejected("sap.customer_ambiguous", said, field="sold_to")
    return numbers[0]


def message_id(reference: str, version: str) -> str:
    """The same name for the same version of an order, however often it is sent: 32 hex digits."""
    return uuid5(NAMESPACE_OID, f"{reference}:{version}").hex

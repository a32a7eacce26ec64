"""A purchase order in SAP's names: filled in from ours, and read back. SAP keeps net prices and a tax code, never the tax."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.sap.odata import wire
from connectors.sap.odata.filing.common import material_of, price_of, short, unit_of, with_tax
from connectors.sap.odata.mapping import CENT, SiteMapping, item_number, rate_of
from tongshang.connect import (
    Access,
    Bill,
    FixSettings,
    Found,
    LineOut,
    Lookup,
    OrderOut,
    Rejected,
    RemoteLine,
)

STANDARD_FIELD = "CorrespncInternalReference"  # "our reference"
LENGTHS = {STANDARD_FIELD: 12, "CorrespncExternalReference": 12}
OWN_FIELD = 35  # characters that a field the customer added must hold
CODED = re.compile("[A-Z2-7]{12}")  # what may be a code that `short` made
DELETED = "L"
NEEDED = ("company_code", "purchasing_organization", "purchasing_group", "receiving_plant")


class PurchaseWords:
    """One site's way to buy: company, purchasing organisation and group, plant, tax codes, and where our reference stands."""

    def __init__(self, access: Access, site: SiteMapping) -> None:
        self.site = site
        self.told = {name: access[name] for name in NEEDED}
        self.type = access["purchase_type"] or "NB"
        self.place = access["receiving_place"]
        self.field = access["purchase_reference"] or STANDARD_FIELD
        self.text_id = access["purchase_text"] or "F01"
        self.length = LENGTHS.get(self.field, OWN_FIELD)
        self.suppliers = access.table("suppliers", {})
        self.taxes = {
            rate: code
            for told, code in access.table("taxes", {}).items()
            if (rate := _rate(told)) is not None
        }
        self.rates = {code: rate for rate, code in self.taxes.items()}

    def code(self, reference: str) -> str:
        """What stands in the searchable field. A field of the customer's own takes the reference as it is."""
        if self.length == OWN_FIELD:
            if len(reference) > OWN_FIELD:
                said = f"{reference}: {OWN_FIELD} characters"
                raise Rejected("sap.reference_too_long", said, field="reference")
            return reference
        return short(reference, self.length)

    # -- out

    def bill(
        self, order: OrderOut, supplier: str, lookup: Lookup, learned: Mapping[tuple[str, str], str]
    ) -> Bill:
        """The order as a deep insert; Rejected where SAP has no word for ours, FixSettings where the site told none."""
        for name, value in self.told.items():
            if not value:
                raise FixSettings("sap.purchasing_missing", f"{name} is missing")
        currency = self.site.currencies.get(order.currency)
        if currency is None:
            raise Rejected("sap.currency_missing", f"no currency for {order.currency}", field="currency")
        made = [self._line(order, line, lookup) for line in order.lines]
        lines = tuple(line for line, _ in made)
        tails = sum((line.amount for line in lines), Decimal(0)) - sum(
            (line.gross for line in order.lines), Decimal(0)
        )
        return Bill(
            reference=order.reference,
            partner=supplier,
            currency=currency,
            total=order.total + tails,
            lines=lines,
            body=self._head(order, supplier, currency, [item for _, item in made]),
            learned=learned,
        )

    def _head(
        self, order: OrderOut, supplier: str, currency: str, items: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        code = self.code(order.reference)
        head: dict[str, Any] = {
            "PurchaseOrderType": self.type,
            "CompanyCode": self.told["company_code"],
            "PurchasingOrganization": self.told["purchasing_organization"],
            "PurchasingGroup": self.told["purchasing_group"],
            "Supplier": supplier,
            "PurchaseOrderDate": wire.ticks(order.ordered_on),
            "DocumentCurrency": currency,
            self.field: code,
        }
        if code != order.reference:
            note = {
                "TextObjectType": self.text_id,
                "Language": self.site.language,
                "PlainLongText": order.reference,
            }
            head["to_PurchaseOrderNote"] = {"results": [note]}
        return head | {"to_PurchaseOrderItem": {"results": list(items)}}

    def _line(self, order: OrderOut, line: LineOut, lookup: Lookup) -> tuple[RemoteLine, dict[str, Any]]:
        unit = unit_of(line, self.site.units)
        tax = self.taxes.get(line.vat_rate.normalize())
        if tax is None:
            raise Rejected("sap.tax_missing", f"no tax code for {line.vat_rate}", field="vat_rate")
        material = material_of(line, self.site.materials, lookup)
        net = (line.gross / (1 + line.vat_rate)).quantize(CENT, ROUND_HALF_UP)
        amount = with_tax(net, line.vat_rate)
        rate, per = rate_of(net, line.quantity, line.material)
        item: dict[str, Any] = {
            "PurchaseOrderItem": str(item_number(line.no)),
            "Material": material,
            "Plant": self.told["receiving_plant"],
            "OrderQuantity": line.quantity,
            "PurchaseOrderQuantityUnit": unit,
            "OrderPriceUnit": unit,
            "NetPriceAmount": rate,
            "NetPriceQuantity": Decimal(per),
            "TaxCode": tax,
        }
        if self.place:
            item["StorageLocation"] = self.place
        schedule = {
            "ScheduleLine": "1",
            "ScheduleLineDeliveryDate": wire.ticks(order.delivery_on or order.ordered_on),
            "ScheduleLineOrderQuantity": line.quantity,
        }
        item["to_ScheduleLine"] = {"results": [schedule]}
        return RemoteLine(material, line.quantity, unit, price_of(amount, line.quantity), amount), item

    # -- back

    def ours(self, order: Mapping[str, Any], reference: str) -> bool:
        """Whether an order found by the code is the reference's: the whole reference stands in the header text, if any does."""
        if self.code(reference) == reference:
            return wire.text(order, self.field) == reference
        written = self._texts(order)
        return not written or any(reference in text for text in written)

    def reference(self, order: Mapping[str, Any]) -> str | None:
        """Our reference of an order; empty where it carries none, None where only a code is left of it."""
        code = wire.text(order, self.field)
        if self.length == OWN_FIELD:
            return code
        for text in self._texts(order):
            for told in (text, *text.split()):
                if self.code(told) == code:
                    return told
        return None if CODED.fullmatch(code) else code

    def _texts(self, order: Mapping[str, Any]) -> list[str]:
        """The header texts that may hold the whole reference."""
        told = [
            wire.text(note, "PlainLongText")
            for note in wire.many(order, "to_PurchaseOrderNote")
            if wire.text(note, "TextObjectType") == self.text_id
        ]
        return [text for text in told if text]

    def found(self, order: Mapping[str, Any]) -> Found:
        """An order as SAP has it; deleted items are no lines of it. Raises wire.Unreadable."""
        items = live_items(order)
        gone = [
            item for item in main_items(order) if wire.text(item, "PurchasingDocumentDeletionCode") == DELETED
        ]
        cancelled = wire.text(order, "PurchasingDocumentDeletionCode") == DELETED or (
            bool(gone) and not items
        )
        lines = tuple(self._read(item) for item in (gone if cancelled else items))
        number = wire.text(order, "PurchaseOrder")
        if not number:
            raise wire.Unreadable("an order without a number")
        return Found(
            remote_id=number,
            number=number,
            partner=wire.text(order, "Supplier"),
            currency=wire.text(order, "DocumentCurrency"),
            total=sum((line.amount for line in lines), Decimal(0)),
            lines=lines,
            finished=True,
            cancelled=cancelled,
            status=wire.text(order, "PurchasingProcessingStatus"),
        )

    def _read(self, item: Mapping[str, Any]) -> RemoteLine:
        """A line with the tax its code stands for; a code nobody mapped counts as none, which shows as a difference."""
        quantity = wire.number(item, "OrderQuantity")
        per = wire.number(item, "NetPriceQuantity") or Decimal(1)
        net = (wire.number(item, "NetPriceAmount") * quantity / per).quantize(CENT, ROUND_HALF_UP)
        amount = with_tax(net, self.rates.get(wire.text(item, "TaxCode"), Decimal(0)))
        unit = wire.text(item, "PurchaseOrderQuantityUnit")
        priced = wire.text(item, "OrderPriceUnit")
        if priced and priced != unit:  # a price for another unit than the quantity's is none of ours
            unit = f"{unit} ({priced})"
        return RemoteLine(wire.text(item, "Material"), quantity, unit, price_of(amount, quantity), amount)


def main_items(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Items of their own, in the order of their numbers, without the ones SAP adds below them."""
    items = [
        item
        for item in wire.many(order, "to_PurchaseOrderItem")
        if not wire.text(item, "PurchasingParentItem").strip("0")
        and wire.text(item, "PurchaseOrderItem").isdecimal()
    ]
    return sorted(items, key=lambda item: int(wire.text(item, "PurchaseOrderItem")))


def live_items(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Items that are not deleted. A blocked item (`S`) still stands."""
    return [
        item for item in main_items(order) if wire.text(item, "PurchasingDocumentDeletionCode") != DELETED
    ]


def _rate(told: str) -> Decimal | None:
    """`0.13`, or `13` for those who write per cent; None for what is no rate."""
    try:
        rate = Decimal(told.strip().rstrip("%"))
    except ArithmeticError:
        return None
    if not rate.is_finite() or rate < 0:
        return None
    return (rate / 100 if rate >= 1 else rate).normalize()

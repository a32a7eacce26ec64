"""Goods receipts: a material document of movement type 101 against our purchase orders, taken back by SAP's own cancellation.

A material document is never changed. The reference document (16 characters) carries our number or a short code of it, the
header text (25 characters) its beginning for people. Material documents carry no money: amounts are not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import v2
from connectors.sap.odata.client import Client
from connectors.sap.odata.filing.common import (
    after_writing,
    guarded,
    material_of,
    one_of,
    quoted,
    short,
    there,
    unit_of,
)
from connectors.sap.odata.filing.purchase_words import live_items
from connectors.sap.odata.filing.purchases import Purchases
from connectors.sap.odata.mapping import line_of
from tongshang.connect import (
    Bill,
    Filing,
    Found,
    GoodsOut,
    LineOut,
    Lookup,
    Premature,
    Rejected,
    RemoteLine,
    RetryLater,
    Uncertain,
)

MOVEMENTS = v2("API_MATERIAL_DOCUMENT_SRV")
WHOLE = {"$expand": "to_MaterialDocumentItem"}
FOR_ORDERS, INTO_STOCK, BY_ORDER = "01", "101", "B"  # goods movement code, movement type, kind of reference
REFERENCE, TEXT = 16, 25  # characters
CHINA = timezone(timedelta(hours=8))  # posting days are days of the house
NOTHING = Decimal(0)

Item = Mapping[str, Any]


class Receipts(Filing):
    """Goods the buyer counted in, posted into its stock."""

    def __init__(self, client: Client, purchases: Purchases) -> None:
        self.client, self.purchases = client, purchases

    def bill(self, goods: GoodsOut, lookup: Lookup) -> Bill:
        """The receipt against the items of its orders; Premature while one of the orders is not in SAP yet."""
        orders = {line.order_reference: None for line in goods.lines}
        items = {reference: self._items(reference) for reference in orders}
        made = [self._line(line, items[line.order_reference], lookup) for line in goods.lines]
        if not made:
            raise Rejected("sap.receipt_empty", f"{goods.reference}: nothing was counted in")
        suppliers = {supplier for found in items.values() for supplier, _ in found.values()}
        if len(suppliers) > 1:
            said = f"{goods.reference}: {', '.join(sorted(suppliers))}"
            raise Rejected("sap.supplier_ambiguous", said, field="Supplier")
        day = wire.ticks(goods.moved_on)
        body = {
            "GoodsMovementCode": FOR_ORDERS,
            "DocumentDate": day,
            "PostingDate": day,
            "ReferenceDocument": short(goods.reference, REFERENCE),
            "MaterialDocumentHeaderText": goods.reference[:TEXT],
            "to_MaterialDocumentItem": {"results": [item for _, item in made]},
        }
        lines = tuple(line for line, _ in made)
        return Bill(goods.reference, suppliers.pop(), "", NOTHING, lines, body)

    def find(self, reference: str) -> Found | None:
        return one_of(reference, self._all(reference))

    def count(self, reference: str) -> int:
        """How many documents that were not taken back carry the reference."""
        return sum(not one.cancelled for one in self._all(reference))

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is not None:
            raise Rejected("sap.receipt_fixed", f"{found.number} is posted and cannot be changed in SAP")
        created = self.client.create(MOVEMENTS, "A_MaterialDocumentHeader", bill.body)
        return there(bill.reference, wire.text(created, "MaterialDocument"), self.find)

    def cancel(self, found: Found) -> Found:
        """Post the cancellation (102) today: the day of the receipt may lie in a period that is closed by now."""
        number, _, year = found.remote_id.partition("/")
        asked = {
            "MaterialDocumentYear": wire.literal(year),
            "MaterialDocument": wire.literal(number),
            "PostingDate": wire.day_literal(today()),
        }
        self.client.invoke(MOVEMENTS, "Cancel", asked)
        after: Found = after_writing(lambda: self._read(number, year))
        if not after.cancelled:
            raise Uncertain("sap.not_cancelled", f"{number} does not count as cancelled yet")
        return after

    # -- the orders

    def _items(self, reference: str) -> dict[int, tuple[str, Item]]:
        """The items of an order by the number of our line, each with the order's supplier."""
        rows = guarded(lambda: self.purchases.rows(reference))
        if not rows:
            raise Premature("sap.purchase_missing", f"{reference} is not in SAP yet")
        chosen = one_of(reference, guarded(lambda: [self.purchases.words.found(row) for row in rows]))
        order = next(row for row in rows if chosen and wire.text(row, "PurchaseOrder") == chosen.number)
        supplier = wire.text(order, "Supplier")
        items = guarded(lambda: live_items(order))
        return {line_of(wire.text(item, "PurchaseOrderItem")): (supplier, item) for item in items}

    def _line(
        self, line: LineOut, items: Mapping[int, tuple[str, Item]], lookup: Lookup
    ) -> tuple[RemoteLine, dict[str, Any]]:
        if line.order_line not in items:
            said = f"{line.order_reference}: line {line.order_line} has no item that is not deleted"
            raise Rejected("sap.purchase_item_missing", said, field="PurchaseOrderItem")
        _, item = items[line.order_line]
        site = self.purchases.words.site
        unit, material = unit_of(line, site.units), material_of(line, site.materials, lookup)
        if wire.text(item, "Material") != material:
            said = f"{line.order_reference}: {material} → {wire.text(item, 'Material')}"
            raise Rejected("sap.purchase_item_missing", said, field="Material")
        made = {
            "GoodsMovementType": INTO_STOCK,
            "GoodsMovementRefDocType": BY_ORDER,
            "PurchaseOrder": wire.text(item, "PurchaseOrder"),
            "PurchaseOrderItem": wire.text(item, "PurchaseOrderItem"),
            "Material": material,
            "Plant": wire.text(item, "Plant"),
            "QuantityInEntryUnit": line.quantity,
            "EntryUnit": unit,
        }
        if place := wire.text(item, "StorageLocation") or self.purchases.words.place:
            made["StorageLocation"] = place
        return RemoteLine(material, line.quantity, unit, NOTHING, NOTHING), made

    # -- back

    def _all(self, reference: str) -> list[Found]:
        """Receipts that carry the reference; cancellations, which may carry it too, are none."""
        where = f"ReferenceDocument eq {wire.literal(short(reference, REFERENCE))}"
        order = "MaterialDocumentYear,MaterialDocument"
        query = {"$filter": where, "$orderby": order, **WHOLE}
        pages = self.client.pages(MOVEMENTS, "A_MaterialDocumentHeader", query)
        rows = [row for page in pages for row in page.entities]
        return [
            self._found(row)
            for row in rows
            if guarded(lambda row=row: _received(row))  # type: ignore[misc]
            and wire.text(row, "MaterialDocumentHeaderText") in ("", reference[:TEXT].strip())
        ]

    def _read(self, number: str, year: str) -> Found:
        key = f"MaterialDocumentYear={wire.literal(year)},MaterialDocument={wire.literal(number)}"
        return self._found(self.client.one(MOVEMENTS, quoted(f"A_MaterialDocumentHeader({key})"), WHOLE))

    def _found(self, row: Mapping[str, Any]) -> Found:
        number, year = wire.text(row, "MaterialDocument"), wire.text(row, "MaterialDocumentYear")
        items = guarded(lambda: _received(row))
        if not (number and year and items):
            raise RetryLater("sap.unreadable", "a material document without a number or without receipts")
        lines = guarded(
            lambda: tuple(
                RemoteLine(
                    wire.text(item, "Material"),
                    wire.number(item, "QuantityInEntryUnit"),
                    wire.text(item, "EntryUnit"),
                    NOTHING,
                    NOTHING,
                )
                for item in items
            )
        )
        gone = all(wire.flag(item, "GoodsMovementIsCancelled") for item in items)
        return Found(
            remote_id=f"{number}/{year}",
            number=number,
            partner=wire.text(items[0], "Supplier"),
            currency="",
            total=NOTHING,
            lines=lines,
            finished=True,
            cancelled=gone or self._reversed(number, year) >= {_no(item) for item in items},
            status=wire.text(items[0], "GoodsMovementType"),
        )

    def _reversed(self, number: str, year: str) -> set[int]:
        """The items of a document that others took back: not every release flags the items themselves."""
        where = f"ReversedMaterialDocument eq {wire.literal(number)}"
        where += f" and ReversedMaterialDocumentYear eq {wire.literal(year)}"
        query = {"$filter": where, "$orderby": "MaterialDocumentYear,MaterialDocument,MaterialDocumentItem"}
        pages = self.client.pages(MOVEMENTS, "A_MaterialDocumentItem", query)
        told = [wire.text(row, "ReversedMaterialDocumentItem") for page in pages for row in page.entities]
        return {int(no) for no in told if no.isdecimal()}


def today() -> date:
    return datetime.now(UTC).astimezone(CHINA).date()


def _received(row: Mapping[str, Any]) -> list[Item]:
    """The items of a document that took goods in, in their order; without those SAP adds by itself."""
    items = [
        item
        for item in wire.many(row, "to_MaterialDocumentItem")
        if wire.text(item, "GoodsMovementType") == INTO_STOCK
        and not wire.text(item, "IsAutomaticallyCreated")
    ]
    return sorted(items, key=_no)


def _no(item: Item) -> int:
    told = wire.text(item, "MaterialDocumentItem")
    return int(told) if told.isdecimal() else 0

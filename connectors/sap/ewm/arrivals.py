"""Inbound orders on their way to the warehouse: inbound deliveries in S/4 with reference to its purchase orders.

The delivery carries our reference as the supplier's own number of it (`DeliveryDocumentBySupplier`), by which it is found again.
EWM receives it from S/4. What EWM has is not changed from outside: a change deletes it, while nothing was put away, and makes it
anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connectors.sap.ewm.mapping import INBOUND, NONE, SUPPLIERS_OWN, WAIT, EwmMapping, is_begun
from connectors.sap.odata import wire
from connectors.sap.odata.client import Client
from connectors.sap.odata.filing.purchase_words import PurchaseWords, live_items
from connectors.sap.odata.filing.purchases import Purchases
from connectors.sap.odata.mapping import SiteMapping, line_of
from tongshang.connect import (
    Access,
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
    SyncError,
    Uncertain,
    differences,
)

ITEMS = {"$expand": "to_DeliveryDocumentItem"}
REFERENCE = 35  # characters

Item = tuple[str, Mapping[str, Any]]
"""The supplier of a purchase order and one of its items."""


class Arrivals(Filing):
    """Announcements to one warehouse."""

    def __init__(self, client: Client, mapping: EwmMapping, access: Access) -> None:
        self.client, self.mapping = client, mapping
        self.purchases = Purchases(client, PurchaseWords(access, SiteMapping(access)))

    def bill(self, goods: GoodsOut, lookup: Lookup) -> Bill:
        """The announcement against the items of its purchase orders; RetryLater while one of them is not in S/4 yet."""
        if len(goods.reference) > REFERENCE:
            said = f"{goods.reference}: {REFERENCE} characters"
            raise Rejected("ewm.reference_too_long", said, field="reference")
        orders = dict.fromkeys(line.order_reference for line in goods.lines)
        items = {order: self._items(order) for order in orders}
        made = [
            self._line(line, items[line.order_reference].get(line.order_line), lookup) for line in goods.lines
        ]
        suppliers = {supplier for found in items.values() for supplier, _ in found.values()}
        if len(suppliers) != 1:
            said = f"{goods.reference}: {', '.join(sorted(suppliers)) or 'no item'}"
            raise Rejected("ewm.order_differs", said, field="Supplier")
        supplier = suppliers.pop()
        body = {
            SUPPLIERS_OWN: goods.reference,
            "Supplier": supplier,
            "DeliveryDate": wire.ticks(goods.moved_on),
            "to_DeliveryDocumentItem": {"results": [row for _, row in made]},
        }
        return Bill(goods.reference, supplier, "", NONE, tuple(line for line, _ in made), body)

    def find(self, reference: str) -> Found | None:
        query = {
            "$filter": f"{SUPPLIERS_OWN} eq {wire.literal(reference)}",
            "$orderby": "DeliveryDocument",
            **ITEMS,
        }
        pages = self.client.pages(INBOUND, "A_InbDeliveryHeader", query)
        rows = [row for page in pages for row in page.entities]
        try:
            return _found(rows) if rows else None
        except wire.Unreadable as error:
            raise RetryLater("sap.unreadable", str(error)) from None

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is not None:
            if not differences(bill, found):
                return found
            self.cancel(found)
        created = self.client.create(INBOUND, "A_InbDeliveryHeader", bill.body)
        number = wire.text(created, "DeliveryDocument")
        try:
            held = self.find(bill.reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if held is None or (number and number not in held.number.split(",")):
            raise Uncertain("ewm.not_visible", f"{number} was made, but a look-up does not show it yet")
        return held

    def cancel(self, found: Found) -> Found:
        """Delete the deliveries, none of them when the warehouse has begun with one."""
        if found.status == "begun":
            raise Rejected("ewm.begun", f"{found.number}: putting away or goods receipt has begun")
        for number in found.number.split(","):
            path = quote(f"A_InbDeliveryHeader({wire.literal(number)})", safe="/()',=$")
            etag = wire.etag(self.client.one(INBOUND, path, {"$select": "DeliveryDocument"}))
            try:
                self.client.delete(INBOUND, path, etag or "*")
            except Rejected as error:
                if error.code != "sap.not_found":
                    raise
        return replace(found, cancelled=True, status="deleted")

    # -- the purchase orders

    def _items(self, reference: str) -> dict[int, Item]:
        """The items of a purchase order by the number of our line."""
        try:
            rows = self.purchases.rows(reference)
            if not rows:
                said = f"no purchase order in S/4 carries {reference} yet"
                raise Premature("ewm.purchase_missing", said, after=WAIT)
            if len(rows) > 1:
                numbers = ", ".join(wire.text(row, "PurchaseOrder") for row in rows)
                raise Rejected("ewm.purchase_twice", f"{reference} stands on more than one order: {numbers}")
            supplier = wire.text(rows[0], "Supplier")
            return {
                line_of(wire.text(item, "PurchaseOrderItem")): (supplier, item)
                for item in live_items(rows[0])
            }
        except wire.Unreadable as error:
            raise RetryLater("sap.unreadable", str(error)) from None

    def _line(self, line: LineOut, known: Item | None, lookup: Lookup) -> tuple[RemoteLine, dict[str, Any]]:
        material, unit = self.mapping.goods(line, lookup)
        item: Mapping[str, Any] = known[1] if known else {}
        told = f"{wire.text(item, 'Material')} {wire.text(item, 'PurchaseOrderQuantityUnit')}".strip()
        if told != f"{material} {unit}":
            said = f"{line.order_reference}: line {line.order_line} is {material} {unit} here, {told or 'nothing'} there"
            raise Rejected("ewm.order_differs", said, field=material)
        row = {
            "ReferenceSDDocument": wire.text(item, "PurchaseOrder"),
            "ReferenceSDDocumentItem": wire.text(item, "PurchaseOrderItem"),
            "ActualDeliveryQuantity": line.quantity,
            "DeliveryQuantityUnit": unit,
        }
        return RemoteLine(material, line.quantity, unit, NONE, NONE), row


def _found(deliveries: Sequence[Mapping[str, Any]]) -> Found:
    """What stands on the deliveries of one announcement, in the order of their items; batches of an item added up."""
    sums: dict[tuple[str, str], RemoteLine] = {}
    for delivery in deliveries:
        for row in sorted(wire.many(delivery, "to_DeliveryDocumentItem"), key=_no):
            place = wire.text(row, "ReferenceSDDocument"), wire.text(row, "ReferenceSDDocumentItem")
            count = wire.number(row, "ActualDeliveryQuantity")
            count += sums[place].quantity if place in sums else NONE
            material, unit = wire.text(row, "Material"), wire.text(row, "DeliveryQuantityUnit")
            sums[place] = RemoteLine(material, count, unit, NONE, NONE)
    numbers = [wire.text(delivery, "DeliveryDocument") for delivery in deliveries]
    return Found(
        remote_id=numbers[0],
        number=",".join(numbers),
        partner=wire.text(deliveries[0], "Supplier"),
        currency="",
        total=NONE,
        lines=tuple(line for line in sums.values() if line.quantity),
        finished=True,
        cancelled=False,
        status="begun" if any(is_begun(each) for each in deliveries) else "open",
    )


def _no(row: Mapping[str, Any]) -> int:
    told = wire.text(row, "DeliveryDocumentItem")
    return int(told) if told.isdecimal() else 0

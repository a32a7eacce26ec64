"""Inbound orders on their way to the warehouse: inbound deliveries in S/4 with reference to its purchase orders.

The delivery carries our reference as the supplier's own number of it (`DeliveryDocumentBySupplier`), by which it is found again.
EWM receives it from S/4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sap.ewm.mapping import INBOUND, NONE, SUPPLIERS_OWN, WAIT, EwmMapping, is_begun
from connectors.sap.ewm.remade import ITEMS, Remade
from connectors.sap.odata import wire
from connectors.sap.odata.client import Client
from connectors.sap.odata.filing.common import guarded
from connectors.sap.odata.filing.purchase_words import PurchaseWords, live_items
from connectors.sap.odata.filing.purchases import Purchases
from connectors.sap.odata.mapping import SiteMapping, line_of
from tongshang.connect import (
    Access,
    Bill,
    Found,
    GoodsOut,
    LineOut,
    Lookup,
    Premature,
    Rejected,
    RemoteLine,
)

REFERENCE = 35  # characters

Item = tuple[str, Mapping[str, Any]]
"""The supplier of a purchase order and one of its items."""


class Arrivals(Remade):
    """Announcements to one warehouse."""

    service, heads, work = INBOUND, "A_InbDeliveryHeader", "putting away or goods receipt"

    def __init__(self, client: Client, mapping: EwmMapping, access: Access) -> None:
        self.client, self.mapping = client, mapping
        self.purchases = Purchases(client, PurchaseWords(access, SiteMapping(access)))

    def bill(self, goods: GoodsOut, lookup: Lookup) -> Bill:
        """The announcement against the items of its purchase orders; Premature while one of them is not in S/4 yet."""
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
        rows = self._carrying(reference)
        return guarded(lambda: _found(rows)) if rows else None

    def count(self, reference: str) -> int:
        """How many inbound deliveries carry the reference."""
        return len(self._carrying(reference))

    def _carrying(self, reference: str) -> list[Mapping[str, Any]]:
        query = {
            "$filter": f"{SUPPLIERS_OWN} eq {wire.literal(reference)}",
            "$orderby": "DeliveryDocument",
            **ITEMS,
        }
        pages = self.client.pages(INBOUND, "A_InbDeliveryHeader", query)
        return [row for page in pages for row in page.entities]

    # -- the purchase orders

    def _items(self, reference: str) -> dict[int, Item]:
        """The items of a purchase order by the number of our line."""
        rows = guarded(lambda: self.purchases.rows(reference))
        if not rows:
            said = f"no purchase order in S/4 carries {reference} yet"
            raise Premature("ewm.purchase_missing", said, after=WAIT)
        if len(rows) > 1:
            numbers = ", ".join(wire.text(row, "PurchaseOrder") for row in rows)
            raise Rejected("ewm.purchase_twice", f"{reference} stands on more than one order: {numbers}")
        found: dict[int, Item] = guarded(lambda: _by_line(rows[0]))
        return found

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


def _by_line(order: Mapping[str, Any]) -> dict[int, Item]:
    supplier = wire.text(order, "Supplier")
    return {line_of(wire.text(item, "PurchaseOrderItem")): (supplier, item) for item in live_items(order)}


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

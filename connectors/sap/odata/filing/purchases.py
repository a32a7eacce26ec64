"""Purchase orders: looked up by our reference, created with all that hangs on them, changed, and deleted item by item.

The searchable field "our reference" (`CorrespncInternalReference`) holds twelve characters. A longer reference stands there as
a short code and as a whole in a header text, which SAP cannot search; a field the customer added may take it instead.

SAP's service neither sets the deletion code on creation nor lets it be changed: DELETE on an item is what sets `L`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import v2
from connectors.sap.odata.changing import Step, free_number
from connectors.sap.odata.client import Change, Client
from connectors.sap.odata.filing.common import (
    SUPPLIER,
    after_writing,
    guarded,
    one_of,
    own_user,
    partner_number,
    quoted,
    there,
)
from connectors.sap.odata.filing.purchase_words import PurchaseWords, live_items, main_items
from connectors.sap.odata.mapping import line_of
from tongshang.connect import Bill, Filing, Found, Lookup, OrderOut, Rejected, Uncertain

PURCHASES = v2("API_PURCHASEORDER_PROCESS_SRV")
WHOLE = {"$expand": "to_PurchaseOrderItem,to_PurchaseOrderItem/to_ScheduleLine,to_PurchaseOrderNote"}
IN_PLACE = ("OrderQuantity", "NetPriceAmount", "NetPriceQuantity")  # what an item lets be changed of ours


class Purchases(Filing):
    """The buyer's orders in one company code and purchasing organisation."""

    def __init__(self, client: Client, words: PurchaseWords) -> None:
        self.client, self.words = client, words

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        learned: dict[tuple[str, str], str] = {}
        known = self.words.suppliers
        supplier = (
            known.get(order.partner_code)
            or known.get(order.partner_name)
            or lookup("supplier", order.partner_id)
        )
        if supplier is None:
            supplier = partner_number(self.client, order, SUPPLIER)
            learned["supplier", str(order.partner_id)] = supplier
        return self.words.bill(order, supplier, lookup, learned)

    def find(self, reference: str) -> Found | None:
        found = guarded(lambda: [self.words.found(row) for row in self.rows(reference)])
        return one_of(reference, found)

    def count(self, reference: str) -> int:
        """How many orders that are not deleted carry the reference."""
        found = guarded(lambda: [self.words.found(row) for row in self.rows(reference)])
        return sum(not one.cancelled for one in found)

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is None:
            created = self.client.create(PURCHASES, "A_PurchaseOrder", bill.body)
            return there(bill.reference, wire.text(created, "PurchaseOrder"), self.find)
        order = self._whole(found.number)
        for no, step in enumerate(guarded(lambda: steps(bill, order))):
            self._write(step, wire.etag(order if no == 0 else self._head(found.number)))
        return there(bill.reference, found.number, self.find)

    def cancel(self, found: Found) -> Found:
        """Delete every item. The first that SAP refuses ends it with SAP's reason; the next try goes on with the rest."""
        order = self._whole(found.number)
        for item in guarded(lambda: live_items(order)):
            self._write(
                _delete(found.number, int(item["PurchaseOrderItem"])), "*" if wire.etag(order) else ""
            )
        after: Found = after_writing(lambda: guarded(lambda: self.words.found(self._whole(found.number))))
        if not after.cancelled:
            raise Uncertain("sap.not_deleted", f"{found.number} still has items that are not deleted")
        return after

    def tally(self, day: date) -> list[tuple[str, Decimal, bool]] | None:
        """The orders our user filed under that day; None where one of them does not tell our number."""
        user = own_user(self.words.site.access)
        if not user or not self.words.told["company_code"]:
            return None
        where = f"PurchaseOrderDate eq {wire.day_literal(day)} and CreatedByUser eq {wire.literal(user)}"
        told = []
        for row in self._listed(where):
            reference = guarded(lambda row=row: self.words.reference(row))  # type: ignore[misc]
            if reference is None:
                return None
            found = guarded(lambda row=row: self.words.found(row))  # type: ignore[misc]
            told.append((reference, found.total, found.cancelled))
        return told

    def rows(self, reference: str) -> list[Mapping[str, Any]]:
        """The orders that carry a reference, with their items, as SAP has them. Raises wire.Unreadable."""
        where = f"{self.words.field} eq {wire.literal(self.words.code(reference))}"
        return [row for row in self._listed(where) if self.words.ours(row, reference)]

    def _listed(self, where: str) -> list[Mapping[str, Any]]:
        if company := self.words.told["company_code"]:
            where += f" and CompanyCode eq {wire.literal(company)}"
        query = {"$filter": where, "$orderby": "PurchaseOrder", **WHOLE}
        return [
            row for page in self.client.pages(PURCHASES, "A_PurchaseOrder", query) for row in page.entities
        ]

    def _whole(self, number: str) -> Mapping[str, Any]:
        return self.client.one(PURCHASES, quoted(f"A_PurchaseOrder({wire.literal(number)})"), WHOLE)

    def _head(self, number: str) -> Mapping[str, Any]:
        return self.client.one(PURCHASES, quoted(f"A_PurchaseOrder({wire.literal(number)})"))

    def _write(self, step: Step, etag: str) -> None:
        path = quoted(step.path)
        if step.method == "POST":
            self.client.create(PURCHASES, path, step.values)
        elif step.method == "DELETE":
            self.client.delete(PURCHASES, path, etag)
        else:
            self.client.change(PURCHASES, Change(path, step.values, etag))


def steps(bill: Bill, order: Mapping[str, Any]) -> list[Step]:
    """The smallest writes that make the order there say what ours says. Raises Rejected for what cannot be changed there."""
    number = wire.text(order, "PurchaseOrder")
    for name, ours in (("Supplier", bill.partner), ("DocumentCurrency", bill.currency)):
        if wire.text(order, name) != ours:
            said = f"{name}: {wire.text(order, name)} → {ours} cannot be changed in SAP"
            raise Rejected("sap.head_fixed", said, field=name)
    live = {int(wire.text(item, "PurchaseOrderItem")): item for item in live_items(order)}
    used = {int(wire.text(item, "PurchaseOrderItem")) for item in main_items(order)}
    changed: list[Step] = []
    added: list[Step] = []
    kept: set[int] = set()
    for wanted in wire.many(bill.body, "to_PurchaseOrderItem"):
        line = line_of(str(wanted["PurchaseOrderItem"]))
        at = next((no for no in sorted(live) if no not in kept and _same(no, live[no], line, wanted)), None)
        if at is None:
            free = free_number(line, used)
            used.add(free)
            values = {**wanted, "PurchaseOrderItem": str(free)}
            added.append(
                Step("POST", f"A_PurchaseOrder({wire.literal(number)})/to_PurchaseOrderItem", values)
            )
        else:
            kept.add(at)
            changed += _item(number, at, live[at], wanted)
    gone = [_delete(number, no) for no in sorted(live) if no not in kept]
    # While nothing is left of the old items the new ones go first: an order with every item deleted is a cancelled one.
    return changed + (gone + added if kept else added + gone)


def _same(no: int, item: Mapping[str, Any], line: int, wanted: Mapping[str, Any]) -> bool:
    """Whether the wanted line can be written into this item."""
    fixed = ("Material", "PurchaseOrderQuantityUnit", "Plant", "TaxCode")
    return no // 10 == line and all(wire.text(item, name) == wire.text(wanted, name) for name in fixed)


def _item(number: str, no: int, item: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Step]:
    made = []
    if any(wire.number(item, name) != wire.number(wanted, name) for name in IN_PLACE):
        made.append(Step("PATCH", _path(number, no), {name: wanted[name] for name in IN_PLACE}))
    held, meant = _schedule(item), _schedule(wanted)
    day = "ScheduleLineDeliveryDate"
    if held and len(held) == 1 and wire.day(held[0], day) != wire.day(meant[0], day):
        key = f"PurchasingDocument={wire.literal(number)},PurchasingDocumentItem='{no}'"
        key += f",ScheduleLine={wire.literal(wire.text(held[0], 'ScheduleLine'))}"
        made.append(Step("PATCH", f"A_PurchaseOrderScheduleLine({key})", {day: meant[0][day]}))
    return made


def _schedule(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return wire.many(item, "to_ScheduleLine")


def _delete(number: str, item: int) -> Step:
    return Step("DELETE", _path(number, item), {})


def _path(number: str, item: int) -> str:
    return f"A_PurchaseOrderItem(PurchaseOrder={wire.literal(number)},PurchaseOrderItem='{item}')"

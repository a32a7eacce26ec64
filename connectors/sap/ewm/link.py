"""Outbound orders on their way to the warehouse: deliveries in S/4 with reference to its sales order, which EWM receives.

S/4 refuses to deliver more of an item than is open, so a delivery of the whole order is not made twice. A delivery that EWM
has is not changed from outside: a change deletes it, while nothing was picked, and makes it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connectors.sap.ewm.arrivals import Arrivals
from connectors.sap.ewm.mapping import DELIVERIES, ORDERS, WAIT, EwmMapping
from connectors.sap.ewm.streams import STREAMS
from connectors.sap.odata import wire
from connectors.sap.odata.client import Client
from tongshang.connect import (
    Ambiguous,
    Bill,
    CallerLink,
    Filing,
    Found,
    Lookup,
    OrderOut,
    Premature,
    Rejected,
    RetryLater,
    Stream,
    SyncError,
    Uncertain,
    differences,
)

ITEMS = {"$expand": "to_DeliveryDocumentItem"}


class EwmLink(CallerLink):
    """One warehouse of one system."""

    def __init__(self, client: Client, mapping: EwmMapping, arrivals: Arrivals) -> None:
        self.caller = client
        self.client, self.mapping, self.arrivals = client, mapping, arrivals

    def filing(self, kind: str) -> Filing:
        return self.arrivals if kind == "inbound_order" else super().filing(kind)

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        sold = self._sold(order.reference)
        if sold is None or _is_rejected(sold):
            said = f"no sales order in S/4 carries {order.reference} yet"
            raise Premature("ewm.order_missing", said, after=WAIT)
        return self._read(lambda: self.mapping.bill(order, sold, lookup))

    def find(self, reference: str) -> Found | None:
        """What stands on the deliveries of the sales order that carries our reference."""
        sold = self._sold(reference)
        return None if sold is None else self._delivered(wire.text(sold, "SalesOrder"))

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is not None:
            if not differences(bill, found):
                return found
            self.cancel(found)
        created = self.client.create(DELIVERIES, "A_OutbDeliveryHeader", bill.body)
        number = wire.text(created, "DeliveryDocument")
        held = self._after_writing(bill.reference)
        if held is None or (number and number not in held.number.split(",")):
            raise Uncertain("ewm.not_visible", f"{number} was made, but a look-up does not show it yet")
        return held

    def cancel(self, found: Found) -> Found:
        """Delete the deliveries, none of them when the warehouse has begun with one."""
        if found.status == "begun":
            raise Rejected("ewm.begun", f"{found.number}: picking or goods issue has begun")
        for number in found.number.split(","):
            self._delete(number)
        return replace(found, cancelled=True, status="deleted")

    def stream(self, key: str) -> Stream:
        kinds = {kind.key: kind for kind in STREAMS}
        return kinds[key](self.client, self.mapping)

    def close(self) -> None:
        self.client.http.close()

    # -- looking

    def _sold(self, reference: str) -> Mapping[str, Any] | None:
        """The sales order in S/4 with our reference; one that is rejected as a whole only when there is no other."""
        query = {
            "$filter": f"PurchaseOrderByCustomer eq {wire.literal(reference)}",
            "$orderby": "SalesOrder",
            "$expand": "to_Item",
        }
        rows = [row for page in self.client.pages(ORDERS, "A_SalesOrder", query) for row in page.entities]
        live = [row for row in rows if not _is_rejected(row)]
        if len(live) > 1:
            numbers = ", ".join(wire.text(row, "SalesOrder") for row in live)
            raise Ambiguous("ewm.reference_twice", f"{reference} stands on more than one order: {numbers}")
        return live[0] if live else (rows[-1] if rows else None)

    def _delivered(self, order: str) -> Found | None:
        query = {
            "$filter": f"ReferenceSDDocument eq {wire.literal(order)}",
            "$orderby": "DeliveryDocument,DeliveryDocumentItem",
        }
        numbers = {
            wire.text(row, "DeliveryDocument")
            for page in self.client.pages(DELIVERIES, "A_OutbDeliveryItem", query)
            for row in page.entities
        }
        whole = [
            self.client.one(DELIVERIES, _path(number), ITEMS) for number in sorted(filter(None, numbers))
        ]
        return self._read(lambda: self.mapping.found(order, whole)) if whole else None

    def _after_writing(self, reference: str) -> Found | None:
        """A look behind a write that was answered yes: when it fails, the write is still done."""
        try:
            return self.find(reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error

    def _delete(self, number: str) -> None:
        """Delete one delivery as it is now; one that is gone meanwhile is as good as deleted."""
        path = _path(number)
        etag = wire.etag(self.client.one(DELIVERIES, path, {"$select": "DeliveryDocument"}))
        try:
            self.client.delete(DELIVERIES, path, etag or "*")
        except Rejected as error:
            if error.code != "sap.not_found":
                raise

    @staticmethod
    def _read(taken: Any) -> Any:
        try:
            return taken()
        except wire.Unreadable as error:
            raise RetryLater("sap.unreadable", str(error)) from None


def _is_rejected(sold: Mapping[str, Any]) -> bool:
    return wire.text(sold, "OverallSDDocumentRejectionSts") == "C"


def _path(number: str) -> str:
    return quote(f"A_OutbDeliveryHeader({wire.literal(number)})", safe="/()',=$")

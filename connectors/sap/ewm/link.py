"""Outbound orders on their way to the warehouse: deliveries in S/4 with reference to its sales order, which EWM receives.

S/4 refuses to deliver more of an item than is open, so a delivery of the whole order is not made twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sap.ewm.arrivals import Arrivals
from connectors.sap.ewm.mapping import DELIVERIES, ORDERS, WAIT, EwmMapping
from connectors.sap.ewm.remade import ITEMS, Remade
from connectors.sap.ewm.streams import STREAMS
from connectors.sap.odata import wire
from connectors.sap.odata.client import Client
from connectors.sap.odata.filing.common import guarded
from tongshang.connect import (
    Ambiguous,
    Bill,
    CallerLink,
    Filing,
    Found,
    Lookup,
    OrderOut,
    Premature,
    Stream,
)


class EwmLink(Remade, CallerLink):
    """One warehouse of one system."""

    service, heads, work = DELIVERIES, "A_OutbDeliveryHeader", "picking or goods issue"

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
        made: Bill = guarded(lambda: self.mapping.bill(order, sold, lookup))
        return made

    def find(self, reference: str) -> Found | None:
        """What stands on the deliveries of the sales order that carries our reference."""
        sold = self._sold(reference)
        return None if sold is None else self._delivered(wire.text(sold, "SalesOrder"))

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
            self.client.one(DELIVERIES, self.path(number), ITEMS) for number in sorted(filter(None, numbers))
        ]
        return guarded(lambda: self.mapping.found(order, whole)) if whole else None


def _is_rejected(sold: Mapping[str, Any]) -> bool:
    return wire.text(sold, "OverallSDDocumentRejectionSts") == "C"

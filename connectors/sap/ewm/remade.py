"""What outbound and inbound deliveries have in common: S/4 makes them, EWM works on them, and none is changed from outside.

A change deletes what is there, while the warehouse has not begun with it, and makes it anew.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import Service
from connectors.sap.odata.client import Client
from connectors.sap.odata.filing.common import after_writing
from tongshang.connect import Bill, Filing, Found, Rejected, Uncertain, differences

ITEMS = {"$expand": "to_DeliveryDocumentItem"}


class Remade(Filing):
    """Deliveries of one service. All that stand under one reference are one document; `Found.number` lists them."""

    service: ClassVar[Service]
    heads: ClassVar[str]
    work: ClassVar[str]  # what the warehouse has begun with
    client: Client

    @abstractmethod
    def find(self, reference: str) -> Found | None:
        """All deliveries under the reference."""

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is not None:
            if not differences(bill, found):
                return found
            self.cancel(found)
        created = self.client.create(self.service, self.heads, bill.body)
        number = wire.text(created, "DeliveryDocument")
        held: Found | None = after_writing(lambda: self.find(bill.reference))
        if held is None or (number and number not in held.number.split(",")):
            raise Uncertain("ewm.not_visible", f"{number} was made, but a look-up does not show it yet")
        return held

    def cancel(self, found: Found) -> Found:
        """Delete the deliveries, none of them when the warehouse has begun with one."""
        if found.status == "begun":
            raise Rejected("ewm.begun", f"{found.number}: {self.work} has begun")
        for number in found.number.split(","):
            self._delete(number)
        return replace(found, cancelled=True, status="deleted")

    def path(self, number: str) -> str:
        return quote(f"{self.heads}({wire.literal(number)})", safe="/()',=$")

    def _delete(self, number: str) -> None:
        """Delete one delivery as it is now; one that is gone meanwhile is as good as deleted."""
        path = self.path(number)
        try:
            etag = wire.etag(self.client.one(self.service, path, {"$select": "DeliveryDocument"}))
            self.client.delete(self.service, path, etag or "*")
        except Rejected as error:
            if error.code != "sap.not_found":
                raise

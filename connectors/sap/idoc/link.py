"""Orders by IDoc: SAP only takes a message; what became of it is read back, by its status and by the order itself.

An IDoc that waits or failed there may still become an order when a person processes it again. So while SAP says that
one with our key is open, nothing is sent a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from connectors.sap.idoc import orders, segments
from connectors.sap.idoc.orders import Layout, Partners
from connectors.sap.soap import xml
from connectors.sap.soap.client import Client, put
from connectors.sap.soap.link import Reader, held
from connectors.sap.soap.mapping import Site
from tongshang.connect import (
    Accepted,
    Access,
    Bill,
    FixSettings,
    Found,
    Lookup,
    OrderOut,
    Rejected,
    RetryLater,
    SyncError,
    Uncertain,
    differences,
)

POSTED = "53"
OVER = {"31", "68"}  # no further processing: a person put it away
WAITING = {"50", "60", "62", "64", "66", "69", "75"}  # on its way into the application
TAKEN = "the IDoc was taken; what became of it is not known yet"


class IdocLink(Reader):
    """One partner profile there, and the reading functions that tell what became of an IDoc."""

    def __init__(
        self,
        client: Client,
        site: Site,
        access: Access,
        partners: Partners,
        layout: Layout,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(client, site, access)
        self.partners, self.layout, self.clock = partners, layout, clock

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        told = super().bill(order, lookup)
        for ours, line in zip(order.lines, told.lines, strict=True):
            if line.unit not in self.layout.units:
                raise Rejected("sap.unit_missing", f"no ISO unit for {ours.unit}", field="item.unit")
        return told

    def find(self, reference: str) -> Found | None:
        idocs = self.statuses(reference)
        waiting = [one for one in idocs if one["STATUS"] in WAITING]
        if waiting:
            raise RetryLater("sap.idoc_waiting", _said(waiting[-1]))
        found = super().find(reference)
        if found is None:
            self._still_open(idocs)
        return found

    def _still_open(self, idocs: list[Mapping[str, str]]) -> None:
        for one in reversed(idocs):
            if one["STATUS"] == POSTED:
                raise RetryLater(
                    "sap.idoc_posted", f"{_said(one)}: posted, but the order is not to be read yet"
                )
            if one["STATUS"] not in OVER:
                said = f"{_said(one)}; process it again there (BD87) or put it away (status 68)"
                raise Rejected("sap.idoc_failed", said)

    def send(self, bill: Bill, found: Found | None) -> Found:
        before = None if found is None else held(found)
        self._post(orders.order(bill, self.layout, self.partners, self.clock(), before))
        self._failed(bill.reference)
        there = self.there(bill.reference, "sap.accepted", TAKEN)
        if found is not None and differences(bill, there):
            raise Accepted("sap.accepted", f"{bill.reference}: {TAKEN}")
        return there

    def cancel(self, found: Found) -> Found:
        before = held(found)
        reference = before.reference
        self._post(orders.cancellation(before, self.partners, self.clock()))
        self._failed(reference)
        after = self.there(reference, "sap.accepted", TAKEN)
        if not after.cancelled:
            raise Accepted("sap.accepted", f"{reference}: {TAKEN}")
        return after

    def statuses(self, reference: str) -> list[Mapping[str, str]]:
        """The IDocs with our key there, oldest first; none where the site has no function to ask."""
        name = self.access["op_status"]
        if not name or name not in self.client.operations:
            return []
        names = self.site.names
        tree: dict[str, Any] = {}
        put(tree, names["ask.idoc"], reference)
        answer = self.call_reader(name, tree, "idocs")
        told = []
        try:
            for row in xml.rows(self.site.field(answer, "idocs")):
                one = {
                    key.upper(): self.site.text(row, f"idoc.{key}") for key in ("number", "status", "text")
                }
                one["STATUS"] = one["STATUS"].zfill(2)
                told.append(one)
        except xml.Unreadable as why:
            raise RetryLater("sap.unreadable", str(why)) from None
        return sorted(told, key=lambda one: one["NUMBER"].zfill(16))

    def _failed(self, reference: str) -> None:
        """Raise when the newest IDoc was refused at once; anything else is left to the look at the order itself."""
        try:
            idocs = self.statuses(reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if idocs and idocs[-1]["STATUS"] not in WAITING | OVER | {POSTED}:
            raise Rejected("sap.idoc_failed", _said(idocs[-1]))

    def _post(self, idoc: segments.Idoc) -> None:
        """Hand one IDoc over. Returns when it was taken; raises SyncError by remedy."""
        from connectors.sap.soap.wire import status_error

        body = segments.write(idoc)
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        if self.access["door"] != "xml":
            body = segments.enveloped(body)
            headers["SOAPAction"] = '"http://sap.com/xi/WebService/soap1.1"'
        wire = self.client.wire
        wire.trace, wire.before_write = self.client.trace, self.client.before_write
        wire.write, wire.operation = True, idoc.control["MESTYP"]
        response = wire.post(self.url(), body, headers)
        refused = status_error(response, write=True)
        if refused is not None:
            raise refused
        if response.status_code == 500:
            raise Uncertain("http.status", "the server answered 500")
        try:
            inside = xml.soap_body(xml.parse(response.content))
        except xml.Unreadable:
            return  # a page or a word: it proves nothing, and nothing is taken from it
        if inside is not None and xml.local(inside) == "Fault":
            raise self.client.fault(inside, write=True)

    def url(self) -> str:
        """The IDoc door of the connection's own host."""
        parts = urlsplit(self.client.base_url)
        path = self.access["idoc_path"]
        if not path.startswith("/"):
            raise FixSettings("sap.idoc_path", "the path of the IDoc service must begin with /")
        query = urlencode({"sap-client": self.client.sap_client}) if self.client.sap_client else ""
        return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _said(one: Mapping[str, str]) -> str:
    return f"IDoc {one['NUMBER'].lstrip('0')}: status {one['STATUS']} {one['TEXT']}".strip()

"""Orders on their way into SAP: filled in, looked up by our reference, created, changed, and cancelled by rejection.

SAP does not refuse a second order with the same customer reference, it only warns. So nothing here is called done before
the order can be found by our reference: a look-up that comes later will then find it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from connectors.sap.odata import wire
from connectors.sap.odata.changing import Step, reject, steps
from connectors.sap.odata.client import Change, Client
from connectors.sap.odata.mapping import ORDERS, PARTNERS, SiteMapping, live_items
from connectors.sap.odata.streams import STREAMS
from tongshang.connect import (
    Ambiguous,
    Bill,
    CallerLink,
    Found,
    Lookup,
    OrderOut,
    Rejected,
    RetryLater,
    Stream,
    SyncError,
    Uncertain,
)

WHOLE = {"$expand": "to_Item,to_Item/to_PricingElement"}
AT_ONCE = 50  # items rejected in one batch


class SapLink(CallerLink):
    """One user in one system, filing for one sales area."""

    def __init__(self, client: Client, mapping: SiteMapping) -> None:
        self.caller = client
        self.client = client
        self.mapping = mapping

    # -- the contract

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        learned: dict[tuple[str, str], str] = {}
        customer = self.mapping.customer_by_hand(order) or lookup("partner", order.partner_id)
        if customer is None:
            customer = self._customer(order)
            learned["partner", str(order.partner_id)] = customer
        return self.mapping.bill(order, customer, lookup, learned)

    def find(self, reference: str) -> Found | None:
        """The order with our reference in our sales organisation. Rejected ones count only when there is no other."""
        where = f"PurchaseOrderByCustomer eq {wire.literal(reference)}"
        if self.mapping.organisation:
            where += f" and SalesOrganization eq {wire.literal(self.mapping.organisation)}"
        query = {"$filter": where, "$orderby": "SalesOrder", **WHOLE}
        found = [
            self._found(row)
            for page in self.client.pages(ORDERS, "A_SalesOrder", query)
            for row in page.entities
        ]
        live = [one for one in found if not one.cancelled]
        if len(live) > 1:
            numbers = ", ".join(one.number for one in live)
            raise Ambiguous("sap.reference_twice", f"{reference} stands on more than one order: {numbers}")
        return live[0] if live else (found[-1] if found else None)

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is None:
            created = self.client.create(ORDERS, "A_SalesOrder", bill.body)
            return self._there(bill.reference, wire.text(created, "SalesOrder"))
        self._change(bill, found.number)
        return self._there(bill.reference, found.number)

    def cancel(self, found: Found) -> Found:
        """Reject every item. If some cannot be, the first reason is raised and the next try goes on with the rest."""
        order = self._whole(found.number)
        open_items = live_items(order)
        verdicts: list[SyncError | None] = []
        for at in range(0, len(open_items), AT_ONCE):
            # Cancelled is cancelled, whoever changed the order meanwhile: the ETag of the first rejection would be stale
            # for the second anyway, since each one makes a new ETag of the order.
            changes = [
                Change(_quoted(step.path), step.values, "*")
                for item in open_items[at : at + AT_ONCE]
                for step in [reject(found.number, int(item["SalesOrderItem"]), self.mapping.rejection)]
            ]
            verdicts += self.client.changes(ORDERS, changes)
        failed = [verdict for verdict in verdicts if verdict is not None]
        if failed:
            raise next((one for one in failed if isinstance(one, Uncertain)), failed[0])
        after = self._after_writing(lambda: self._found(self._whole(found.number)))
        if not after.cancelled:
            raise Uncertain("sap.not_rejected", f"{found.number} still has items that are not rejected")
        return after

    def stream(self, key: str) -> Stream:
        kinds = {kind.key: kind for kind in STREAMS}
        return kinds[key](self.client, self.mapping)

    def close(self) -> None:
        self.client.http.close()

    # -- the buyer

    def _customer(self, order: OrderOut) -> str:
        """The one customer whose business partner has the buyer's tax number."""
        named = f"{order.partner_name} ({order.partner_code})"
        if not order.partner_code:
            raise Rejected("sap.customer_missing", named, field="SoldToParty")
        code = wire.literal(order.partner_code)
        # The short field holds 20 characters, systems with long numbers fill the other one.
        where = f"BPTaxNumber eq {code} or BPTaxLongNumber eq {code}"
        query = {"$filter": where, "$orderby": "BusinessPartner,BPTaxType"}
        partners = {
            wire.text(row, "BusinessPartner")
            for page in self.client.pages(PARTNERS, "A_BusinessPartnerTaxNumber", query)
            for row in page.entities
        }
        customers = sorted(filter(None, (self._customer_of(id) for id in sorted(partners))))
        if not customers:
            raise Rejected("sap.customer_missing", named, field="SoldToParty")
        if len(customers) > 1:
            said = f"{order.partner_code}: {', '.join(customers[:5])}"
            raise Rejected("sap.customer_ambiguous", said, field="SoldToParty")
        return customers[0]

    def _customer_of(self, partner: str) -> str:
        """The customer number of a business partner, empty when it is blocked or no customer."""
        path = _quoted(f"A_BusinessPartner({wire.literal(partner)})")
        row = self.client.one(
            PARTNERS, path, {"$select": "BusinessPartner,Customer,BusinessPartnerIsBlocked"}
        )
        return "" if wire.flag(row, "BusinessPartnerIsBlocked") else wire.text(row, "Customer")

    # -- the order

    def _change(self, bill: Bill, number: str) -> None:
        order = self._whole(number)
        etag = wire.etag(order)
        for no, step in enumerate(self._steps(bill, order)):
            self._write(step, etag if no == 0 else self._etag(number))

    def _steps(self, bill: Bill, order: Mapping[str, Any]) -> list[Step]:
        try:
            return steps(bill, order, self.mapping.rejection)
        except wire.Unreadable as error:
            raise RetryLater("sap.unreadable", str(error)) from None

    def _write(self, step: Step, etag: str) -> None:
        if step.method == "POST":
            self.client.create(ORDERS, _quoted(step.path), step.values)
        else:
            self.client.change(ORDERS, Change(_quoted(step.path), step.values, etag))

    def _etag(self, number: str) -> str:
        """The ETag after our own last change; what others did since is seen when the whole order is read back."""
        path = _quoted(f"A_SalesOrder({wire.literal(number)})")
        return wire.etag(self.client.one(ORDERS, path, {"$select": "SalesOrder,LastChangeDateTime"}))

    def _whole(self, number: str) -> Mapping[str, Any]:
        return self.client.one(ORDERS, _quoted(f"A_SalesOrder({wire.literal(number)})"), WHOLE)

    @staticmethod
    def _guarded(taken: Callable[[], Found]) -> Found:
        try:
            return taken()
        except wire.Unreadable as error:
            raise RetryLater("sap.unreadable", str(error)) from None

    def _found(self, row: Mapping[str, Any]) -> Found:
        return self._guarded(lambda: self.mapping.found(row))

    def _there(self, reference: str, number: str) -> Found:
        """The order as a later look-up will find it; Uncertain until that works, and while it finds another one."""
        found = self._after_writing(lambda: self.find(reference))
        if found is None:
            raise Uncertain("sap.not_visible", f"{number} was written and is not found by {reference} yet")
        if number and found.number != number:
            raise Ambiguous("sap.reference_twice", f"{reference} stands on {found.number} and {number}")
        return found

    @staticmethod
    def _after_writing(look: Callable[[], Any]) -> Any:
        """A look behind a write that was answered yes: when it fails, the write is still done."""
        try:
            return look()
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error


def _quoted(path: str) -> str:
    """A path with keys in it, as it stands in a request line."""
    return quote(path, safe="/()',=$")

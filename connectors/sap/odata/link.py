"""Orders on their way into SAP: filled in, looked up by our reference, created, changed, and cancelled by rejection.

SAP does not refuse a second order with the same customer reference, it only warns. So nothing here is called done before
the order can be found by our reference: a look-up that comes later will then find it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.sap.odata import wire
from connectors.sap.odata.changing import Step, reject, steps
from connectors.sap.odata.client import Change, Client
from connectors.sap.odata.filing.common import (
    CUSTOMER,
    after_writing,
    guarded,
    one_of,
    own_user,
    partner_number,
    quoted,
    there,
)
from connectors.sap.odata.filing.purchase_words import PurchaseWords
from connectors.sap.odata.filing.purchases import Purchases
from connectors.sap.odata.filing.receipts import Receipts
from connectors.sap.odata.mapping import SiteMapping, live_items
from connectors.sap.odata.streams import STREAMS
from tongshang.connect import (
    Bill,
    CallerLink,
    Filing,
    Found,
    Lookup,
    OrderOut,
    Stream,
    SyncError,
    Uncertain,
)

AT_ONCE = 50  # items rejected in one batch


class SapLink(CallerLink):
    """One user in one system, filing for one sales area."""

    def __init__(self, client: Client, mapping: SiteMapping) -> None:
        self.caller = client
        self.client = client
        self.mapping = mapping
        self.orders = mapping.orders  # the service that takes sales orders, and its names

    # -- the contract

    def filing(self, kind: str) -> Filing:
        purchases = Purchases(self.client, PurchaseWords(self.mapping.access, self.mapping))
        if kind == "purchase_order":
            return purchases
        return Receipts(self.client, purchases) if kind == "receipt" else super().filing(kind)

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        learned: dict[tuple[str, str], str] = {}
        customer = self.mapping.customer_by_hand(order) or lookup("partner", order.partner_id)
        if customer is None:
            customer = partner_number(self.client, order, CUSTOMER)
            learned["partner", str(order.partner_id)] = customer
        return self.mapping.bill(order, customer, lookup, learned)

    def find(self, reference: str) -> Found | None:
        """The order with our reference in our sales organisation. Rejected ones count only when there is no other."""
        return one_of(reference, self._carrying(reference))

    def count(self, reference: str) -> int:
        """How many orders that are not rejected carry the reference."""
        return sum(not one.cancelled for one in self._carrying(reference))

    def tally(self, day: date) -> list[tuple[str, Decimal, bool]] | None:
        """The orders our user filed under that day; None where SAP knows it by another name than it signs in with.

        An order's own day is the day SAP was reached; ours stands in the customer's date.
        """
        user = own_user(self.mapping.access)
        if not user or not self.mapping.organisation:
            return None
        where = (
            f"CustomerPurchaseOrderDate eq {self.orders.day(day)} and CreatedByUser eq {wire.literal(user)}"
            f" and SalesOrganization eq {wire.literal(self.mapping.organisation)}"
        )
        told = [(row, self._found(row)) for row in self._listed(where)]
        return [(wire.text(row, "PurchaseOrderByCustomer"), one.total, one.cancelled) for row, one in told]

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is None:
            body = self.orders.out(bill.body)
            created = self.client.create(self.orders.service, self.orders.orders, body)
            return there(bill.reference, wire.text(created, "SalesOrder"), self.find)
        self._change(bill, found.number)
        return there(bill.reference, found.number, self.find)

    def cancel(self, found: Found) -> Found:
        """Reject every item. If some cannot be, the first reason is raised and the next try goes on with the rest."""
        order = self._whole(found.number)
        open_items = live_items(order)
        verdicts: list[SyncError | None] = []
        for at in range(0, len(open_items), AT_ONCE):
            # Cancelled is cancelled, whoever changed the order meanwhile: the ETag of the first rejection would be stale
            # for the second anyway, since each one makes a new ETag of the order.
            changes = [
                Change(quoted(self.orders.path(step.path)), self.orders.out(step.values), "*")
                for item in open_items[at : at + AT_ONCE]
                for step in [reject(found.number, int(item["SalesOrderItem"]), self.mapping.rejection)]
            ]
            verdicts += self.client.changes(self.orders.service, changes)
        failed = [verdict for verdict in verdicts if verdict is not None]
        if failed:
            raise next((one for one in failed if isinstance(one, Uncertain)), failed[0])
        after: Found = after_writing(lambda: self._found(self._whole(found.number)))
        if not after.cancelled:
            raise Uncertain("sap.not_rejected", f"{found.number} still has items that are not rejected")
        return after

    def stream(self, key: str) -> Stream:
        kinds = {kind.key: kind for kind in STREAMS}
        return kinds[key](self.client, self.mapping)

    def close(self) -> None:
        self.client.http.close()

    # -- the order

    def _carrying(self, reference: str) -> list[Found]:
        where = f"PurchaseOrderByCustomer eq {wire.literal(reference)}"
        if self.mapping.organisation:
            where += f" and SalesOrganization eq {wire.literal(self.mapping.organisation)}"
        return [self._found(row) for row in self._listed(where)]

    def _listed(self, where: str) -> list[Mapping[str, Any]]:
        query = {"$filter": where, "$orderby": "SalesOrder", **self.orders.whole}
        pages = self.client.pages(self.orders.service, self.orders.orders, query)
        return [row for page in pages for row in page.entities]

    def _change(self, bill: Bill, number: str) -> None:
        order = self._whole(number)
        for no, step in enumerate(guarded(lambda: steps(bill, order, self.mapping.rejection))):
            self._write(step, number, wire.etag(order) if no == 0 else "")

    def _write(self, step: Step, number: str, etag: str) -> None:
        """One change, guarded by the ETag the order came with, or by the one it has after our own last change.

        What others did since is seen when the whole order is read back.
        """
        path, values = quoted(self.orders.path(step.path)), self.orders.out(step.values)
        if step.method == "POST":
            self.client.create(self.orders.service, path, values)
            return
        whole = f"A_SalesOrder({wire.literal(number)})"
        guard = self.orders.guard(step.path, whole)
        if not etag or guard != whole:
            etag = self._etag(guard) or self._etag(whole)
        self.client.change(self.orders.service, Change(path, values, etag))

    def _etag(self, path: str) -> str:
        told = quoted(self.orders.path(path))
        return wire.etag(self.client.one(self.orders.service, told, self.orders.stamp))

    def _whole(self, number: str) -> Mapping[str, Any]:
        path = quoted(self.orders.path(f"A_SalesOrder({wire.literal(number)})"))
        row = self.client.one(self.orders.service, path, self.orders.whole)
        whole: Mapping[str, Any] = guarded(lambda: self.orders.back(row))
        return whole

    def _found(self, row: Mapping[str, Any]) -> Found:
        found: Found = guarded(lambda: self.mapping.found(self.orders.back(row)))
        return found

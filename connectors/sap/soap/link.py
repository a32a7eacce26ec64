"""How an order gets in through functions, and how it is found again.

Nothing is taken for done because an answer says so: after every write the order is read back by our reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.sap.soap import xml
from connectors.sap.soap.client import Client, put
from connectors.sap.soap.mapping import DOCUMENT_DIGITS, Held, Site, message_id, one_customer
from connectors.sap.soap.returns import RETRIABLE, messages, refusal
from connectors.sap.soap.values import bare, padded
from tongshang.connect import (
    Accepted,
    Access,
    Ambiguous,
    Bill,
    FixSettings,
    Found,
    Link,
    Lookup,
    OrderOut,
    Rejected,
    RetryLater,
    Stream,
    SyncError,
    Uncertain,
    differences,
)

LONGEST_REFERENCE = 35  # characters of the customer's purchase order number (BSTKD)
REJECTION = "01"  # reason for rejection that stands on every item of a cancelled order


class Reader(Link):
    """Finding: the half that orders by function, by bulk message and by IDoc have in common."""

    def __init__(self, client: Client, site: Site, access: Access) -> None:
        self.client, self.site, self.access = client, site, access
        self.retriable = access.table("retry_messages", RETRIABLE)

    def __setattr__(self, name: str, told: Any) -> None:
        """What the engine sets for each piece of work is used by the client."""
        object.__setattr__(self, name, told)
        if name in ("trace", "before_write"):
            setattr(self.client, name, told)

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        if len(order.reference) > LONGEST_REFERENCE:
            said = f"{order.reference} is longer than the {LONGEST_REFERENCE} characters it is found by"
            raise Rejected("sap.reference_too_long", said, field="reference")
        learned: dict[tuple[str, str], str] = {}
        customer = lookup("partner", order.partner_id) or self.site.partner_by_hand(order)
        if customer is None:
            customer = self._customer(order)
            learned["partner", str(order.partner_id)] = customer
        return self.site.bill(order, customer, lookup, learned)

    def _customer(self, order: OrderOut) -> str:
        name = self.access["op_customer"]
        if not order.partner_code or not name or name not in self.client.operations:
            raise Rejected(
                "sap.customer_missing", f"{order.partner_name} ({order.partner_code})", field="sold_to"
            )
        return one_customer(self.site, self.ask(name, "ask.tax_code", order.partner_code, "customers"), order)

    def find(self, reference: str) -> Found | None:
        answer = self.ask(self.access["op_read"], "ask.reference", reference, "orders", "lines")
        try:
            return self.site.found(answer, reference)
        except xml.Unreadable as why:
            raise RetryLater("sap.unreadable", str(why)) from None

    def count(self, reference: str) -> int:
        """How many orders that were not cancelled carry our reference there."""
        answer = self.ask(self.access["op_read"], "ask.reference", reference, "orders", "lines")
        try:
            return sum(not one.cancelled for one in self.site.all(answer, reference))
        except xml.Unreadable as why:
            raise RetryLater("sap.unreadable", str(why)) from None

    def ask(self, operation: str, by: str, value: str, *tables: str) -> dict[str, Any]:
        """What a reading function says of one value; see `call_reader`."""
        tree: dict[str, Any] = {}
        put(tree, self.site.names[by], value)
        return self.call_reader(operation, tree, *tables)

    def call_reader(self, operation: str, tree: Mapping[str, Any], *tables: str) -> dict[str, Any]:
        """A call that changes nothing; error rows are raised, and so is a missing table, lest a renamed one read as "none"."""
        answer = self.client.call(operation, tree, write=False)
        if answer is None:
            raise FixSettings(
                "sap.operation_missing", f"{operation} gives no answer, so it cannot read anything"
            )
        try:
            told = messages(self.site.field(answer, "return"))
        except xml.Unreadable as why:
            raise RetryLater("sap.unreadable", str(why)) from None
        refused = refusal(told, self.retriable, rolls_back=True, write=False)
        if refused is not None:
            raise refused
        for table in tables:
            if not _has(answer, self.site.names[table]):
                said = f"{operation}: no {self.site.names[table]} in the answer"
                raise RetryLater("sap.unreadable", said)
        return answer

    def there(self, reference: str, code: str, said: str) -> Found:
        """The document after a write; not to be found is uncertain, and so is a look that fails."""
        try:
            found = self.find(reference)
        except Ambiguous:
            raise
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if found is None:
            raise Uncertain(code, f"{reference}: {said}")
        return found

    def stream(self, key: str) -> Stream:
        raise KeyError(key)

    def close(self) -> None:
        self.client.http.close()


class FunctionLink(Reader):
    """Orders by the customer's own functions, each of which does its work and commits within one call."""

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is None:
            number = self.tell("op_create", self.site.tree(bill), document=True)
            said = f"the function answered {number}, but the order is not there: does it commit?"
        else:
            self.tell("op_change", self.site.tree(bill, found.remote_id))
            said = "changed, and not there any more"
        return self.there(bill.reference, "sap.vanished", said)

    def cancel(self, found: Found) -> Found:
        tree: dict[str, Any] = {}
        put(tree, self.site.names["document"], padded(found.remote_id, DOCUMENT_DIGITS))
        self.tell("op_cancel", tree)
        after = self.there(held(found).reference, "sap.vanished", "cancelled, and not there any more")
        if not after.cancelled:
            raise Uncertain("sap.not_cancelled", f"{found.number} was to be cancelled and is still open")
        return after

    def tell(self, setting: str, tree: Mapping[str, Any], *, document: bool = False) -> str:
        """Call a function that writes; the number it answers. Raises SyncError for everything but a clear yes."""
        operation = self.access[setting]
        if not operation or (setting != "op_create" and operation not in self.client.operations):
            raise Rejected(
                "sap.function_missing", f"the WSDL has no function {operation or setting} for this"
            )
        if self.client.operation(operation).one_way:
            raise FixSettings("sap.one_way", f"{operation} is one-way: connect the bulk service instead")
        answer = self.client.call(operation, tree, write=True)
        assert answer is not None
        try:
            told = messages(self.site.field(answer, "return"))
            number = bare(self.site.text(answer, "document"))
        except xml.Unreadable as why:
            raise Uncertain("sap.unreadable", f"{operation}: {why}") from None
        refused = refusal(told, self.retriable, rolls_back=self.client.rolls_back, write=True)
        if refused is not None:
            raise refused
        if document and not number.strip("0"):
            said = "; ".join(str(one) for one in told) or "no message"
            raise Uncertain("sap.no_document", f"{operation} names no document: {said}")
        return number


class BulkLink(Reader):
    """Orders by the asynchronous service: a message is only taken, and the order appears some time later, or never."""

    def __init__(
        self,
        client: Client,
        site: Site,
        access: Access,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(client, site, access)
        self.clock = clock

    def send(self, bill: Bill, found: Found | None) -> Found:
        more = self._header(bill.reference, str(bill.body["version"]), "02" if found else "01")
        self._post(self.site.tree(bill, found.remote_id if found else "", more))
        said = "the message was taken; what became of it is not known yet"
        there = self.there(bill.reference, "sap.accepted", said)
        if found is not None and differences(bill, there):
            raise Accepted("sap.accepted", f"{bill.reference}: {said}")
        return there

    def cancel(self, found: Found) -> Found:
        before, names = held(found), self.site.names
        reference = before.reference
        tree: dict[str, Any] = {}
        told = self._header(reference, "cancel", "02") | {
            "document": padded(found.remote_id, DOCUMENT_DIGITS),
            "reference": reference,
        }
        for ours, given in told.items():
            if names[ours]:
                put(tree, names[ours], given)
        items: list[dict[str, Any]] = []
        for no in before.items:
            item: dict[str, Any] = {}
            put(item, names["item.no"], no)
            put(item, names["item.rejection"], REJECTION)
            items.append(item)
        put(tree, names["items"], items)
        self._post(tree)
        said = "the cancellation was taken; what became of it is not known yet"
        after = self.there(reference, "sap.accepted", said)
        if not after.cancelled:
            raise Accepted("sap.accepted", f"{reference}: {said}")
        return after

    def _header(self, reference: str, version: str, action: str) -> dict[str, str]:
        return {
            "message_id": message_id(reference, version),
            "created_at": self.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sender": self.access["sender"],
            "action": action,
        }

    def _post(self, tree: Mapping[str, Any]) -> None:
        operation = self.access["op_create"]
        if not self.client.operation(operation).one_way:
            raise FixSettings(
                "sap.not_one_way", f"{operation} gives an answer: connect the functions instead"
            )
        self.client.call(operation, tree, write=True)


def held(found: Found) -> Held:
    """The found document with what we know beyond the contract. Raises Rejected for one that was found otherwise."""
    if not isinstance(found, Held):
        raise Rejected("sap.reference_missing", f"{found.number} was not found by a reference of ours")
    return found


def _has(answer: Mapping[str, Any], path: str) -> bool:
    told: Any = answer
    for part in path.split("."):
        if not isinstance(told, Mapping) or xml.key(part) not in told:
            return False
        told = told[xml.key(part)]
    return True


__all__ = ["BulkLink", "FunctionLink", "Reader", "held"]

"""What we call a field, and what the customer's function calls it: defaults, over which a site writes its own.

A name may be a path (`ORDER_HEADER_IN.PURCH_NO_C`). A single `-` leaves a field out. Names are compared without
case and underscores, so that a service in mixed-case style (`PurchNoC`) needs no settings of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WRAPPER = {
    # what goes out: head
    "document": "SALESDOCUMENT",
    "reference": "PURCH_NO_C",
    "sold_to": "SOLD_TO",
    "doc_type": "DOC_TYPE",
    "sales_org": "SALES_ORG",
    "channel": "DISTR_CHAN",
    "division": "DIVISION",
    "currency": "CURRENCY",
    "ordered_on": "PURCH_DATE",
    "wanted_on": "REQ_DATE",
    "ship_to": "SHIP_TO_TEXT",
    "buyer_po": "PURCH_NO_S",
    "note": "NOTE",
    # its lines
    "items": "ITEMS",
    "item.no": "ITM_NUMBER",
    "item.material": "MATERIAL",
    "item.quantity": "TARGET_QTY",
    "item.unit": "TARGET_QU",
    "item.price": "GROSS_PRICE",
    "item.amount": "GROSS_AMOUNT",
    "item.text": "SHORT_TEXT",
    # what a reader is asked by
    "ask.reference": "PURCH_NO_C",
    "ask.tax_code": "TAX_CODE",
    # what comes back
    "return": "RETURN",
    "customer": "CUSTOMER",
    "customers": "CUSTOMERS",
    "orders": "ORDERS",
    "order.document": "SALESDOCUMENT",
    "order.reference": "PURCH_NO_C",
    "order.sold_to": "SOLD_TO",
    "order.currency": "CURRENCY",
    "order.total": "GROSS_TOTAL",
    "order.cancelled": "REJECTED",
    "lines": "ORDER_ITEMS",
    "line.document": "SALESDOCUMENT",
    "line.no": "ITM_NUMBER",
    "line.material": "MATERIAL",
    "line.quantity": "TARGET_QTY",
    "line.unit": "TARGET_QU",
    "line.amount": "GROSS_AMOUNT",
    "line.rejected": "REJECTED",
}

# The asynchronous service of S/4 (SalesOrderBulkRequest_In) takes one message with orders inside.
BULK_ORDER = "SalesOrderBulkRequestMessage.SalesOrder"
BULK = WRAPPER | {
    "message_id": "MessageHeader.ID",
    "created_at": "MessageHeader.CreationDateTime",
    "sender": "MessageHeader.SenderBusinessSystemID",
    "action": f"{BULK_ORDER}.ActionCode",
    "document": f"{BULK_ORDER}.SalesOrder",
    "reference": f"{BULK_ORDER}.PurchaseOrderByCustomer",
    "sold_to": f"{BULK_ORDER}.SoldToParty",
    "doc_type": f"{BULK_ORDER}.SalesOrderType",
    "sales_org": f"{BULK_ORDER}.SalesOrganization",
    "channel": f"{BULK_ORDER}.DistributionChannel",
    "division": f"{BULK_ORDER}.OrganizationDivision",
    "currency": f"{BULK_ORDER}.TransactionCurrency",
    "ordered_on": f"{BULK_ORDER}.CustomerPurchaseOrderDate",
    "wanted_on": f"{BULK_ORDER}.RequestedDeliveryDate",
    "items": f"{BULK_ORDER}.Item",
    "item.no": "SalesOrderItem",
    "item.material": "Material",
    "item.quantity": "RequestedQuantity",
    "item.unit": "RequestedQuantityUnit",
    "item.amount": "GrossAmount",
    "item.rejection": "SalesDocumentRjcnReason",
    "item.price": "-",
    "item.text": "-",
    "ship_to": "-",
    "buyer_po": "-",
    "note": "-",
}

NEEDED_TO_WRITE = ("reference", "sold_to", "items", "item.material", "item.quantity")
"""Without these a function cannot carry an order of ours."""


@dataclass(frozen=True)
class Names:
    """One site's names, ours to theirs."""

    told: Mapping[str, str]

    def __getitem__(self, ours: str) -> str:
        """Theirs; empty for what is left out."""
        theirs = self.told.get(ours, "")
        return "" if theirs == "-" else theirs

"""What flows out, in the platform's own words: one frozen value for each kind of document.

All of them say whom they concern (`partner_*`: the buyer in the seller's books, the seller in the buyer's), under which
`reference` the other system will find them again, and what they come to. Amounts include tax, quantities are in the unit
that stands beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

SALES_ORDER = "sales_order"
PURCHASE_ORDER = "purchase_order"
INBOUND_ORDER = "inbound_order"
RECEIPT = "receipt"
PAYMENT = "payment"

PARTNER, SUPPLIER = "partner", "supplier"


@dataclass(frozen=True)
class LineOut:
    """One line on its way out. `gross` is the line's amount with tax.

    Goods that moved also say which line of which order they belong to: `order_reference` is what that order is filed
    under in this enterprise's books, `order_line` the number of its line.
    """

    no: int
    sku_id: UUID
    material: str
    name: str
    unit: str
    quantity: Decimal  # in `unit`
    vat_rate: Decimal  # 0.13
    gross: Decimal
    order_reference: str = ""
    order_line: int = 0


@dataclass(frozen=True)
class OrderOut:
    """An order as both sides agreed it: a sales order in the seller's books, a purchase order in the buyer's."""

    object_id: UUID
    reference: str
    version: int
    partner_id: UUID
    partner_name: str
    partner_code: str  # unified social credit code
    buyer_po: str
    currency: str
    total: Decimal  # with tax
    ordered_on: date
    delivery_on: date | None
    ship_to: str
    note: str
    lines: tuple[LineOut, ...]
    kind: Literal["sales_order", "purchase_order"] = "sales_order"


@dataclass(frozen=True)
class GoodsOut:
    """Goods that moved, for the buyer's side: announced to its warehouse (inbound order) or counted in (receipt)."""

    kind: Literal["inbound_order", "receipt"]
    object_id: UUID
    reference: str
    version: int
    partner_id: UUID
    partner_name: str
    partner_code: str
    order_reference: str  # of the first line; goods of several orders may travel together
    currency: str
    total: Decimal  # what the goods come to with tax, at the prices of their orders
    moved_on: date
    carrier: str
    waybill: str
    note: str
    lines: tuple[LineOut, ...]
    order_id: UUID | None = None  # of the first line


@dataclass(frozen=True)
class InvoicePart:
    """How much of a payment settles which invoice."""

    number: str
    amount: Decimal


@dataclass(frozen=True)
class MoneyOut:
    """Money that the seller found on its account: received (`in`) in the seller's books, paid (`out`) in the buyer's."""

    direction: Literal["in", "out"]
    object_id: UUID
    reference: str
    version: int
    partner_id: UUID
    partner_name: str
    partner_code: str
    order_reference: str  # empty when it is not meant for one order
    currency: str
    total: Decimal
    paid_on: date
    bank_ref: str
    note: str
    invoices: tuple[InvoicePart, ...]
    kind: Literal["payment"] = "payment"
    lines: tuple[LineOut, ...] = ()
    order_id: UUID | None = None  # the order it is meant for, or of the first invoice it settles


Outgoing = OrderOut | GoodsOut | MoneyOut
KINDS: dict[str, type[OrderOut] | type[GoodsOut] | type[MoneyOut]] = {
    SALES_ORDER: OrderOut,
    PURCHASE_ORDER: OrderOut,
    INBOUND_ORDER: GoodsOut,
    RECEIPT: GoodsOut,
    PAYMENT: MoneyOut,
}
TITLES = {
    SALES_ORDER: "Sales order",
    PURCHASE_ORDER: "Purchase order",
    INBOUND_ORDER: "Arrival notice",
    RECEIPT: "Goods receipt",
    PAYMENT: "Payment",
}


def day_of(document: Outgoing) -> date:
    """The day a document carries, under which both sides count it."""
    if isinstance(document, OrderOut):
        return document.ordered_on
    return document.moved_on if isinstance(document, GoodsOut) else document.paid_on


def order_of(document: Outgoing) -> UUID | None:
    """The order a document belongs to."""
    return document.object_id if isinstance(document, OrderOut) else document.order_id


def role(document: Outgoing) -> str:
    """As what the partner of a document is kept there: `partner` is a customer, `supplier` one of whom we buy."""
    if isinstance(document, MoneyOut):
        return PARTNER if document.direction == "in" else SUPPLIER
    return PARTNER if document.kind == SALES_ORDER else SUPPLIER


__all__ = [
    "INBOUND_ORDER",
    "KINDS",
    "PAYMENT",
    "PURCHASE_ORDER",
    "RECEIPT",
    "SALES_ORDER",
    "TITLES",
    "GoodsOut",
    "InvoicePart",
    "LineOut",
    "MoneyOut",
    "OrderOut",
    "Outgoing",
    "day_of",
    "order_of",
    "role",
]

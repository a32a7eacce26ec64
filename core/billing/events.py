"""What happened to invoices and money. Both parties hear of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from core.kernel import Event


@dataclass(frozen=True)
class InvoiceChanged(Event):
    """`total` includes VAT and is negative on a red invoice; `due_on` is an ISO day."""

    order_id: UUID
    buyer_id: UUID
    seller_id: UUID
    order_number: str | None
    invoice_id: UUID
    invoice_number: str
    total: Decimal
    open: Decimal
    currency: str
    due_on: str
    at: datetime


class InvoiceIssued(InvoiceChanged):
    """The seller billed what was accepted."""


class InvoiceCredited(InvoiceChanged):
    """A red invoice was issued; `total` is negative."""


class InvoiceWrittenOff(InvoiceChanged):
    """A small remainder was given up; `open` is what is left, usually nothing."""


@dataclass(frozen=True)
class PaymentChanged(Event):
    """`subject_id` is the payment; `invoice_ids` what it settles, `amounts` how much of each, index by index."""

    subject_id: UUID
    buyer_id: UUID
    seller_id: UUID
    number: str
    amount: Decimal
    currency: str
    bank_ref: str
    invoice_ids: tuple[UUID, ...]
    amounts: tuple[Decimal, ...]
    at: datetime


class PaymentAnnounced(PaymentChanged):
    """The buyer says that it paid."""


class PaymentConfirmed(PaymentChanged):
    """The seller has the money, or put money it had on invoices; those named are settled by as much."""


class PaymentRejected(PaymentChanged):
    """The seller did not find the money; the invoices are open as before."""


class PaymentRefunded(PaymentChanged):
    """Money that no invoice needs went back to the buyer."""

"""Invoices and money: what was accepted is billed, what is paid settles it, and both books say the same."""

from core.billing.due import due_on
from core.billing.events import (
    InvoiceCredited,
    InvoiceIssued,
    InvoiceWrittenOff,
    PaymentAnnounced,
    PaymentConfirmed,
    PaymentRefunded,
    PaymentRejected,
)
from core.billing.invoicing import Credit, credit_invoice, issue_invoice
from core.billing.model import (
    Allocation,
    Invoice,
    InvoiceLine,
    InvoiceMatch,
    Payment,
    PaymentTarget,
    Refund,
    WriteOff,
)
from core.billing.paying import (
    allocate_payment,
    announce_payment,
    confirm_payment,
    refund_payment,
    reject_payment,
    write_off,
)
from core.billing.settlement import post_settlement
from core.billing.settling import overdue

__all__ = [
    "Allocation",
    "Credit",
    "Invoice",
    "InvoiceCredited",
    "InvoiceIssued",
    "InvoiceLine",
    "InvoiceMatch",
    "InvoiceWrittenOff",
    "Payment",
    "PaymentAnnounced",
    "PaymentConfirmed",
    "PaymentRefunded",
    "PaymentRejected",
    "PaymentTarget",
    "Refund",
    "WriteOff",
    "allocate_payment",
    "announce_payment",
    "confirm_payment",
    "credit_invoice",
    "due_on",
    "issue_invoice",
    "overdue",
    "post_settlement",
    "refund_payment",
    "reject_payment",
    "write_off",
]

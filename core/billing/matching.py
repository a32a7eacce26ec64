"""Matching invoice lines to receipt lines, oldest receipt first: every billed piece was received and accepted."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from core.billing.model import Invoice, InvoiceLine, InvoiceMatch
from core.fulfilment import Receipt, ReceiptLine
from core.kernel import Conflict, Context, uuid7

ZERO = Decimal(0)


@dataclass
class Place:
    """What of a receipt line is accepted and not billed yet."""

    receipt_line_id: UUID
    free: Decimal


def match(ctx: Context, invoice: Invoice) -> None:
    """Pair the lines of a new invoice with what was accepted and not billed; Conflict when that is not enough."""
    free = _unbilled(ctx, invoice.order_id)
    rows = []
    for line in _lines(ctx, invoice.id):
        wanted = line.quantity
        for place in free.get(line.order_line_id, []):
            taken = min(wanted, place.free)
            if taken <= 0:
                continue
            place.free -= taken
            wanted -= taken
            rows.append(_row(invoice, line.id, place.receipt_line_id, taken))
        if wanted > 0:
            raise Conflict("invoice.not_accepted", line=line.no, quantity=wanted.normalize())
    ctx.session.add_all(rows)
    ctx.session.flush()


def unmatch(ctx: Context, blue: Invoice, red: Invoice) -> None:
    """Give the receipts of a blue invoice back what its red one takes off, the latest receipt first."""
    found = ctx.session.execute(
        select(InvoiceLine.order_line_id, InvoiceMatch.receipt_line_id, func.sum(InvoiceMatch.quantity))
        .join(InvoiceLine, InvoiceLine.id == InvoiceMatch.invoice_line_id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where((Invoice.id == blue.id) | (Invoice.original_id == blue.id))
        .group_by(InvoiceLine.order_line_id, InvoiceMatch.receipt_line_id)
        .order_by(InvoiceMatch.receipt_line_id.desc())
    ).all()
    rows = []
    for line in _lines(ctx, red.id):
        wanted = -line.quantity
        for order_line_id, receipt_line_id, billed in found:
            taken = min(wanted, billed) if order_line_id == line.order_line_id else ZERO
            if taken > 0:
                wanted -= taken
                rows.append(_row(red, line.id, receipt_line_id, -taken))
    ctx.session.add_all(rows)
    ctx.session.flush()


def _unbilled(ctx: Context, order_id: UUID) -> dict[UUID, list[Place]]:
    """By order line, oldest first."""
    billed = (
        select(func.coalesce(func.sum(InvoiceMatch.quantity), ZERO))
        .where(InvoiceMatch.receipt_line_id == ReceiptLine.id)
        .scalar_subquery()
    )
    rows = ctx.session.execute(
        select(ReceiptLine.order_line_id, ReceiptLine.id, ReceiptLine.accepted - billed)
        .join(Receipt, Receipt.id == ReceiptLine.receipt_id)
        .where(ReceiptLine.order_id == order_id, Receipt.reversed_at.is_(None))
        .order_by(ReceiptLine.id)
    )
    free: dict[UUID, list[Place]] = {}
    for order_line_id, receipt_line_id, quantity in rows:
        free.setdefault(order_line_id, []).append(Place(receipt_line_id, quantity))
    return free


def check_reversal(ctx: Context, receipt: Receipt) -> None:
    """A receipt that something was billed from stands until the invoice is credited."""
    billed = ctx.session.scalar(
        select(func.sum(InvoiceMatch.quantity))
        .join(ReceiptLine, ReceiptLine.id == InvoiceMatch.receipt_line_id)
        .where(ReceiptLine.receipt_id == receipt.id)
        .group_by(ReceiptLine.id)
        .having(func.sum(InvoiceMatch.quantity) > 0)
        .limit(1)
    )
    if billed:
        raise Conflict("receipt.invoiced", receipt=receipt.number)


def last_receipt(ctx: Context, order_id: UUID) -> datetime | None:
    """When the latest receipt of an order came in."""
    moment: datetime | None = ctx.session.scalar(
        select(func.max(Receipt.received_at))
        .join(ReceiptLine, ReceiptLine.receipt_id == Receipt.id)
        .where(ReceiptLine.order_id == order_id, Receipt.reversed_at.is_(None))
    )
    return moment


def _lines(ctx: Context, invoice_id: UUID) -> list[InvoiceLine]:
    return list(
        ctx.session.scalars(
            select(InvoiceLine).where(InvoiceLine.invoice_id == invoice_id).order_by(InvoiceLine.no)
        )
    )


def _row(invoice: Invoice, line_id: UUID, receipt_line_id: UUID, quantity: Decimal) -> InvoiceMatch:
    return InvoiceMatch(
        id=uuid7(), buyer_id=invoice.buyer_id, seller_id=invoice.seller_id, invoice_line_id=line_id,
        receipt_line_id=receipt_line_id, quantity=quantity,
    )  # fmt: skip

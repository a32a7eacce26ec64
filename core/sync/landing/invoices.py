"""Invoices: what was billed there is billed here, and only when both come to the same amount."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from core.billing import Invoice, issue_invoice
from core.kernel import Context
from core.sync.contract import Record
from core.sync.incoming import InvoiceIn
from core.sync.landing.frame import (
    Left,
    NotLanded,
    amount,
    attempt,
    counterpart,
    lock_order,
    stands_for,
    taken,
)

KIND = "invoice"


def land(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, InvoiceIn]]) -> list[Left]:
    """Issue what was issued there, once; amounts that differ are listed and nothing is posted."""
    left: list[Left] = []
    for record, item in rows:
        with attempt(ctx, record, item.external_id, left):
            _land(ctx, connection_id, item)
    return left


def _land(ctx: Context, connection_id: UUID, item: InvoiceIn) -> None:
    order = lock_order(ctx, item.reference, "seller")
    if order.currency != item.currency:
        raise NotLanded("sync.invoice_differs", f"{order.currency} / {item.currency}")
    known = counterpart(ctx, connection_id, KIND, item.external_id)
    if known is not None:
        _compare(ctx.session.get_one(Invoice, known), item)
        return
    if item.total <= 0:
        raise NotLanded("sync.invoice_red", f"{item.number}: {item.total}")
    invoice = _by_hand(ctx, connection_id, order.id, item)
    if invoice is None:
        invoice = issue_invoice(ctx, order.id)
        _compare(invoice, item)
    stands_for(ctx, connection_id, KIND, invoice.id, item.external_id, item.number)


def _compare(invoice: Invoice, item: InvoiceIn) -> None:
    if invoice.total != item.total:
        said = f"{item.number}: {amount(invoice.total)} / {amount(item.total)} {item.currency}"
        raise NotLanded("sync.invoice_differs", said)


def _by_hand(ctx: Context, connection_id: UUID, order_id: UUID, item: InvoiceIn) -> Invoice | None:
    """An invoice of the order with the same total that somebody issued here, the oldest that stands for none yet."""
    found = list(
        ctx.session.scalars(
            select(Invoice)
            .where(
                Invoice.order_id == order_id,
                Invoice.kind == "blue",
                Invoice.total == item.total,
                Invoice.state != "credited",
            )
            .order_by(Invoice.id)
        )
    )
    used = taken(ctx, connection_id, KIND, [each.id for each in found])
    return next((each for each in found if each.id not in used), None)

"""Invoices and payments over JSON: one endpoint for each act, and the act is the verb of the same name."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from core import billing
from core.billing import finding
from core.billing.schema import (
    AllocateIn,
    ConfirmIn,
    CreditIn,
    InvoiceAnswer,
    InvoiceDetailAnswer,
    InvoiceList,
    InvoiceQuery,
    PaidIn,
    PaymentAnswer,
    PaymentIn,
    PaymentList,
    PaymentQuery,
    ReasonIn,
    RefundIn,
)
from core.kernel import Context, Invalid
from core.orders import reading
from core.web import Api, Nothing

api = Api("billing")
MANY = 200


@api.get("/invoices", permission="invoice.view", query=InvoiceQuery, answer=InvoiceList)
def list_invoices(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """Invoices of the enterprise as buyer and as seller, newest first. `next` is the `after` of the next page."""
    states = (query["state"],) if query["state"] else ()
    page = finding.list_invoices(ctx, query["side"], states, query["after"], query["limit"])
    return {"items": page.rows, "next": page.next}


@api.get("/invoices/<uuid:invoice_id>", permission="invoice.view", answer=InvoiceDetailAnswer)
def invoice(ctx: Context, invoice_id: UUID) -> finding.InvoiceDetail:
    """One invoice with its lines and what settled it."""
    return finding.invoice_detail(ctx, invoice_id)


@api.get("/orders/<uuid:order_id>/invoices", permission="invoice.view", answer=InvoiceList)
def invoices_of_order(ctx: Context, order_id: UUID) -> dict[str, Any]:
    """The invoices of one order, newest first; the latest 200."""
    order = reading.find(ctx, order_id)
    return {"items": finding.list_invoices(ctx, limit=MANY, order_id=order.id).rows, "next": None}


@api.post(
    "/orders/<uuid:order_id>/invoices", permission="invoice.issue", body=Nothing, answer=InvoiceAnswer, status=201,
    idempotent=True,
)  # fmt: skip
def issue_invoice(ctx: Context, order_id: UUID, body: dict[str, Any]) -> billing.Invoice:
    """Bill everything that is accepted and not billed yet."""
    return billing.issue_invoice(ctx, order_id)


@api.post(
    "/invoices/<uuid:invoice_id>/credit", permission="invoice.credit", body=CreditIn, answer=InvoiceAnswer, status=201,
    idempotent=True,
)  # fmt: skip
def credit_invoice(ctx: Context, invoice_id: UUID, body: dict[str, Any]) -> billing.Invoice:
    """Answer an invoice with a red one, whole, by quantity or by an amount."""
    if body["lines"] is not None and body["amount"] is not None:
        raise Invalid.one("amount", "invoice.lines_or_amount")
    lines = None if body["lines"] is None else {line["line_id"]: line["quantity"] for line in body["lines"]}
    credit = billing.Credit(body["reason"], lines, body["amount"], body["refund"], body["bank_ref"])
    return billing.credit_invoice(ctx, invoice_id, credit)


@api.post(
    "/invoices/<uuid:invoice_id>/write-off", permission="invoice.write_off", body=ReasonIn, answer=InvoiceAnswer,
    idempotent=True,
)  # fmt: skip
def write_off(ctx: Context, invoice_id: UUID, body: dict[str, Any]) -> billing.Invoice:
    """Give up a small remainder of an invoice."""
    return billing.write_off(ctx, invoice_id, body["reason"])


@api.get("/payments", permission="invoice.view", query=PaymentQuery, answer=PaymentList)
def list_payments(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """Payments of the enterprise as buyer and as seller, newest first. `next` is the `after` of the next page."""
    states = (query["state"],) if query["state"] else ()
    page = finding.list_payments(ctx, query["side"], states, query["after"], query["limit"])
    return {"items": page.rows, "next": page.next}


@api.get("/orders/<uuid:order_id>/payments", permission="invoice.view", answer=PaymentList)
def payments_of_order(ctx: Context, order_id: UUID) -> dict[str, Any]:
    """The payments meant for one order or settling its invoices, newest first; the latest 200."""
    order = reading.find(ctx, order_id)
    return {"items": finding.list_payments(ctx, limit=MANY, order_id=order.id).rows, "next": None}


@api.post(
    "/payments",
    permission="payment.announce",
    body=PaymentIn,
    answer=PaymentAnswer,
    status=201,
    idempotent=True,
)
def announce_payment(ctx: Context, body: dict[str, Any]) -> billing.Payment:
    """Say that invoices were paid, with one transfer."""
    return billing.announce_payment(
        ctx, body["amount"], body["bank_ref"], invoice_ids=_once(body["invoice_ids"], "invoice_ids"),
        split=_split(body["split"]), note=body["note"] or "",
    )  # fmt: skip


@api.post(
    "/invoices/<uuid:invoice_id>/payments", permission="payment.announce", body=PaidIn, answer=PaymentAnswer, status=201,
    idempotent=True,
)  # fmt: skip
def announce_for_invoice(ctx: Context, invoice_id: UUID, body: dict[str, Any]) -> billing.Payment:
    """Say that one invoice was paid."""
    return billing.announce_payment(
        ctx, body["amount"], body["bank_ref"], invoice_ids=[invoice_id], note=body["note"] or ""
    )


@api.post(
    "/orders/<uuid:order_id>/payments", permission="payment.announce", body=PaidIn, answer=PaymentAnswer, status=201,
    idempotent=True,
)  # fmt: skip
def announce_for_order(ctx: Context, order_id: UUID, body: dict[str, Any]) -> billing.Payment:
    """Say that money was paid for an order: it settles its open invoices, the rest is kept for the next ones."""
    return billing.announce_payment(
        ctx, body["amount"], body["bank_ref"], order_id=order_id, note=body["note"] or ""
    )


@api.post(
    "/payments/<uuid:payment_id>/confirm", permission="payment.confirm", body=ConfirmIn, answer=PaymentAnswer,
    idempotent=True,
)  # fmt: skip
def confirm_payment(ctx: Context, payment_id: UUID, body: dict[str, Any]) -> billing.Payment:
    """Confirm that the money arrived; it settles what it was announced for."""
    return billing.confirm_payment(ctx, payment_id, bank_ref=body["bank_ref"], split=_split(body["split"]))


@api.post(
    "/payments/<uuid:payment_id>/reject", permission="payment.confirm", body=ReasonIn, answer=PaymentAnswer,
    idempotent=True,
)  # fmt: skip
def reject_payment(ctx: Context, payment_id: UUID, body: dict[str, Any]) -> billing.Payment:
    """Say that the money did not arrive."""
    return billing.reject_payment(ctx, payment_id, body["reason"])


@api.post(
    "/payments/<uuid:payment_id>/allocate", permission="payment.confirm", body=AllocateIn, answer=PaymentAnswer,
    idempotent=True,
)  # fmt: skip
def allocate_payment(ctx: Context, payment_id: UUID, body: dict[str, Any]) -> billing.Payment:
    """Put unapplied money on open invoices: as `split` says, else oldest due first."""
    return billing.allocate_payment(ctx, payment_id, _split(body["split"]))


@api.post(
    "/payments/<uuid:payment_id>/refund", permission="payment.confirm", body=RefundIn, answer=PaymentAnswer,
    idempotent=True,
)  # fmt: skip
def refund_payment(ctx: Context, payment_id: UUID, body: dict[str, Any]) -> billing.Payment:
    """Send money back that no invoice needs."""
    return billing.refund_payment(ctx, payment_id, body["amount"], body["bank_ref"], body["reason"])


def _split(shares: Sequence[dict[str, Any]]) -> dict[UUID, Decimal] | None:
    _once([share["invoice_id"] for share in shares], "split")
    return {share["invoice_id"]: share["amount"] for share in shares} or None


def _once(ids: Sequence[UUID], field: str) -> Sequence[UUID]:
    if len(set(ids)) != len(ids):
        raise Invalid.one(field, "payment.invoice_twice")
    return ids

"""Payments: money that came in there confirms what the buyer announced here; nobody else's announcement is made up."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select

from core.billing import Invoice, Payment, PaymentTarget, confirm_payment
from core.kernel import Context
from core.sync.contract import Record
from core.sync.incoming import PaymentIn
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
from core.sync.model import ExternalRef

KIND = "payment"


def land(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, PaymentIn]]) -> list[Left]:
    """Confirm announced payments, each once. What nobody announced, or another amount, is listed."""
    left: list[Left] = []
    for record, item in rows:
        with attempt(ctx, record, item.external_id, left):
            _land(ctx, connection_id, item)
    return left


def _land(ctx: Context, connection_id: UUID, item: PaymentIn) -> None:
    order = lock_order(ctx, _order_reference(ctx, connection_id, item.reference), "seller")
    known = counterpart(ctx, connection_id, KIND, item.external_id)
    if known is not None:
        _compare(ctx.session.get_one(Payment, known), item)
        return
    payment = _announced(ctx, connection_id, order.id, item)
    _compare(payment, item)
    if payment.state == "announced":
        confirm_payment(ctx, payment.id)
    stands_for(ctx, connection_id, KIND, payment.id, item.external_id, item.number)


def _order_reference(ctx: Context, connection_id: UUID, reference: str) -> str:
    """The order of an invoice, when the reference is an invoice's: our number of it or theirs."""
    if not reference.strip():
        return ""  # what names nothing is no invoice that has no number
    theirs = select(ExternalRef.local_id).where(
        ExternalRef.tenant_id == ctx.tenant_id,
        ExternalRef.connection_id == connection_id,
        ExternalRef.kind == "invoice",
        ExternalRef.external_number == reference.strip(),
    )
    order_id = ctx.session.scalar(
        select(Invoice.order_id)
        .where(
            Invoice.seller_id == ctx.tenant_id,
            or_(Invoice.number == reference.strip(), Invoice.id.in_(theirs)),
        )
        .order_by(Invoice.id)
        .limit(1)
    )
    return str(order_id) if order_id else reference


def _announced(ctx: Context, connection_id: UUID, order_id: UUID, item: PaymentIn) -> Payment:
    """The payment meant: the one under this bank reference, else the only one announced for the order with this amount."""
    billed = select(PaymentTarget.payment_id).join(Invoice, Invoice.id == PaymentTarget.invoice_id)
    found = list(
        ctx.session.scalars(
            select(Payment)
            .where(
                Payment.seller_id == ctx.tenant_id,
                Payment.state.in_(("announced", "confirmed")),
                or_(Payment.order_id == order_id, Payment.id.in_(billed.where(Invoice.order_id == order_id))),
            )
            .order_by(Payment.id)
            .execution_options(populate_existing=True)
        )
    )
    used = taken(ctx, connection_id, KIND, [each.id for each in found])
    free = [each for each in found if each.id not in used]
    named = [each for each in free if each.bank_ref in (item.number.strip(), item.external_id.strip())]
    if named:
        return named[0]
    same = [each for each in free if (each.amount, each.currency) == (item.amount, item.currency)]
    if not same:
        raise NotLanded("sync.payment_unannounced", f"{item.number}: {amount(item.amount)} {item.currency}")
    if len(same) > 1:
        raise NotLanded("sync.payment_ambiguous", ", ".join(each.number for each in same))
    return same[0]


def _compare(payment: Payment, item: PaymentIn) -> None:
    if (payment.amount, payment.currency) != (item.amount, item.currency):
        said = f"{payment.number}: {amount(payment.amount)} {payment.currency} / {amount(item.amount)} {item.currency}"
        raise NotLanded("sync.payment_differs", said)

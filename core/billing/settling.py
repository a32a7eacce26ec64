"""Which money settles which invoice: allocations added, moved and taken back, prepayments applied, gates satisfied."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from core import orders
from core.billing import books, escrow
from core.billing.model import Allocation, Invoice, Payment, Refund, WriteOff
from core.kernel import Conflict, Context, FieldError, Invalid, Money, minor_units, round2, round_to, uuid7
from core.orders import PlanItem, TradeOrder

ZERO = Decimal(0)


def restate(invoice: Invoice) -> None:
    """The state of a blue invoice follows from its figures."""
    if invoice.credited and invoice.credited == invoice.total:
        invoice.state = "credited"
    elif invoice.open == 0:
        invoice.state = "paid"
    else:
        invoice.state = "part_paid" if invoice.settled or invoice.credited else "issued"


def oldest_first(amount: Decimal, invoices: Sequence[Invoice]) -> dict[UUID, Decimal]:
    """Spread an amount over open invoices, oldest due first; what no invoice needs stays out."""
    ranked = sorted(invoices, key=lambda invoice: (invoice.due_on, invoice.issued_at, invoice.id))
    shares: dict[UUID, Decimal] = {}
    for invoice in ranked:
        share = min(amount, invoice.open)
        if share > 0:
            shares[invoice.id] = share
            amount -= share
    return shares


def check_amount(path: str, amount: Decimal, currency: str) -> None:
    """An amount that is one: above zero, and with no more digits than the currency has."""
    if amount <= 0:
        raise Invalid.one(path, "decimal.must_be_positive")
    if round_to(amount, minor_units(currency)) != amount:
        raise Invalid.one(path, "decimal.too_many_digits")


def check_split(shares: Mapping[UUID, Decimal], amount: Decimal, invoices: Mapping[UUID, Invoice]) -> None:
    """A split somebody chose: known invoices, nothing above what is open, nothing above the payment. Names every wrong share."""
    errors: list[FieldError] = []
    for invoice_id, share in shares.items():
        try:
            _check_share(f"split.{invoice_id}", share, invoices.get(invoice_id))
        except Invalid as wrong:
            errors += wrong.errors
    if errors:
        raise Invalid(errors)
    if sum(shares.values(), ZERO) > amount:
        raise Invalid.one(
            "split", "payment.above_amount", split=sum(shares.values(), ZERO), amount=round2(amount)
        )


def _check_share(path: str, share: Decimal, invoice: Invoice | None) -> None:
    if invoice is None:
        raise Invalid.one(path, "invoice.not_found")
    check_amount(path, share, invoice.currency)
    if share > invoice.open:
        left = Money(invoice.open, invoice.currency)
        raise Invalid.one(path, "payment.above_open", invoice=invoice.number, open=left)


def open_invoices(
    ctx: Context, buyer_id: UUID, seller_id: UUID, currency: str, order_id: UUID | None = None
) -> list[Invoice]:
    """Blue invoices between two enterprises with something open, read fresh."""
    wanted = (
        select(Invoice)
        .where(Invoice.seller_id == seller_id, Invoice.buyer_id == buyer_id, Invoice.currency == currency)
        .where(Invoice.state.in_(("issued", "part_paid")), Invoice.kind == "blue")
        .order_by(Invoice.due_on, Invoice.id)
        .execution_options(populate_existing=True)
    )
    if order_id is not None:
        wanted = wanted.where(Invoice.order_id == order_id)
    return list(ctx.session.scalars(wanted))


def put_on_invoice(ctx: Context, payment: Payment, invoice: Invoice, amount: Decimal) -> None:
    """Allocate, without posting: the caller posts the event this is part of."""
    _allocate(ctx, payment, invoice.order_id, invoice.id, amount)
    payment.allocated += amount
    invoice.settled += amount
    restate(invoice)


def keep_for_order(ctx: Context, payment: Payment, order: TradeOrder, amount: Decimal) -> None:
    """Bind money to an order before there is an invoice."""
    _allocate(ctx, payment, order.id, None, amount)
    payment.allocated += amount
    orders.book(ctx, order, prepaid=amount)
    escrow.fund(ctx, order, amount)


def prepaid_by(ctx: Context, order: TradeOrder) -> list[tuple[Payment, Decimal]]:
    """The payments that still hold money for an order, oldest first, with how much."""
    rows = ctx.session.execute(
        select(Allocation.payment_id, func.sum(Allocation.amount))
        .where(Allocation.order_id == order.id, Allocation.invoice_id.is_(None))
        .group_by(Allocation.payment_id)
        .having(func.sum(Allocation.amount) > 0)
        .order_by(Allocation.payment_id)
    ).all()
    return [(ctx.session.get_one(Payment, payment_id), held) for payment_id, held in rows]


def apply_prepayments(ctx: Context, order: TradeOrder, invoice: Invoice) -> None:
    """Settle an invoice from what was paid for its order in advance; posts the advances it uses."""
    if not order.prepaid:
        return
    applied = ZERO
    for payment, held in prepaid_by(ctx, order):
        share = min(held, invoice.open)
        if share <= 0:
            continue
        _allocate(ctx, payment, order.id, None, -share)
        _allocate(ctx, payment, order.id, invoice.id, share)
        invoice.settled += share
        applied += share
    if not applied:
        return
    restate(invoice)
    orders.book(ctx, order, prepaid=-applied, paid=applied)
    escrow.release(ctx, order, applied)
    books.post(
        ctx,
        order,
        "advance_applied",
        invoice.id,
        invoice.number,
        invoice.currency,
        books.advance_applied(applied),
    )


def release(
    ctx: Context,
    order: TradeOrder,
    blue: Invoice,
    red: Invoice,
    amount: Decimal,
    *,
    refund: bool,
    bank_ref: str,
) -> None:
    """A red invoice leaves `amount` paid too much: take it off the blue one, newest money first.

    It stays as the buyer's unapplied credit, or goes back by bank. What was written off comes back last.
    """
    if not amount:
        return
    left = amount
    for payment, share in _on_invoice(ctx, blue):
        part = min(left, share)
        if part <= 0:
            continue
        _allocate(ctx, payment, order.id, blue.id, -part)
        payment.allocated -= part
        left -= part
        if refund:
            add_refund(ctx, payment, part, bank_ref, red.reason)
    money = amount - left
    blue.settled -= amount
    if left:
        give_up(ctx, blue, -left, red.reason)
    if money:
        books.post(
            ctx, order, "advance_released", red.id, blue.number, blue.currency, books.advance_applied(-money)
        )
        if refund:
            books.post(ctx, order, "refund", red.id, bank_ref.strip(), blue.currency, books.refunded(money))
    ctx.session.flush()


def add_refund(ctx: Context, payment: Payment, amount: Decimal, bank_ref: str, reason: str) -> Refund:
    """Money goes back: counted on its payment; the caller posts it."""
    row = Refund(
        id=uuid7(), buyer_id=payment.buyer_id, seller_id=payment.seller_id, payment_id=payment.id, amount=amount,
        bank_ref=bank_ref.strip(), reason=reason, by=ctx.actor.name, at=ctx.now,
    )  # fmt: skip
    payment.refunded += amount
    ctx.session.add(row)
    return row


def give_up(ctx: Context, invoice: Invoice, amount: Decimal, reason: str) -> None:
    """Write off a part of an invoice, or (negative) take a write-off back; counted by the caller, posted here."""
    row = WriteOff(
        id=uuid7(), buyer_id=invoice.buyer_id, seller_id=invoice.seller_id, invoice_id=invoice.id, amount=amount,
        reason=reason, by=ctx.actor.name, at=ctx.now,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    books.post(ctx, invoice, "write_off", row.id, invoice.number, invoice.currency, books.written_off(amount))


def give_up_prepaid(
    ctx: Context, order: TradeOrder, amount: Decimal, *, to: str = "buyer"
) -> list[tuple[Payment, Decimal]]:
    """Unbind money from an order, newest payment first; it becomes unapplied. Answers from which payments.

    Held in escrow, it leaves that for the side `to`.
    """
    if amount > order.prepaid:
        raise Conflict(
            "payment.above_prepaid",
            prepaid=Money(order.prepaid, order.currency),
            amount=Money(amount, order.currency),
        )
    parts = []
    for payment, held in reversed(prepaid_by(ctx, order)):
        part = min(amount, held)
        if part > 0:
            release_from(ctx, order, payment, part, to=to)
            parts.append((payment, part))
            amount -= part
    return parts


def release_from(
    ctx: Context, order: TradeOrder, payment: Payment, amount: Decimal, *, to: str = "buyer"
) -> None:
    """Unbind a part of one payment from an order."""
    _allocate(ctx, payment, order.id, None, -amount)
    payment.allocated -= amount
    orders.book(ctx, order, prepaid=-amount)
    (escrow.refund if to == "buyer" else escrow.release)(ctx, order, amount)


def satisfy_payment_gates(ctx: Context, order: TradeOrder, evidence: str) -> None:
    """The gates of the payment plan open in turn, as far as the money for the order reaches."""
    items = ctx.session.scalars(
        select(PlanItem).where(PlanItem.order_id == order.id).order_by(PlanItem.no)
    ).all()
    money = order.paid + order.prepaid
    due = ZERO
    for item in items:
        due += item.amount
        if money < due:
            break
        if item.gate:
            orders.satisfy_gate(ctx, order, f"payment:{item.no}", evidence)


def overdue(invoice: Invoice, today: date) -> bool:
    """Open on a day after its due day; the due day itself is in time."""
    return invoice.open > 0 and today > invoice.due_on


def _on_invoice(ctx: Context, invoice: Invoice) -> list[tuple[Payment, Decimal]]:
    rows = ctx.session.execute(
        select(Allocation.payment_id, func.sum(Allocation.amount))
        .where(Allocation.invoice_id == invoice.id)
        .group_by(Allocation.payment_id)
        .having(func.sum(Allocation.amount) > 0)
        .order_by(Allocation.payment_id.desc())
    ).all()
    return [(ctx.session.get_one(Payment, payment_id), share) for payment_id, share in rows]


def _allocate(
    ctx: Context, payment: Payment, order_id: UUID, invoice_id: UUID | None, amount: Decimal
) -> None:
    ctx.session.add(
        Allocation(
            id=uuid7(), buyer_id=payment.buyer_id, seller_id=payment.seller_id, payment_id=payment.id,
            order_id=order_id, invoice_id=invoice_id, amount=amount, at=ctx.now,
        )
    )  # fmt: skip

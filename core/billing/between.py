"""What is open between two enterprises, what a payment is meant for, and what of an invoice may still be credited: to read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from core.billing.finding import OPEN, PaymentRow
from core.billing.invoicing import left_to_credit
from core.billing.model import Allocation, Invoice, Payment, PaymentTarget
from core.kernel import Context, Money, NotFound
from core.orders import TradeOrder
from core.tenancy import EnterpriseCard, cards

MANY = 200
"""A split names at most as many invoices; the oldest due come first."""


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice with something open. `payee` is whom to pay instead of the seller, empty where it is the seller."""

    id: UUID
    number: str
    order_id: UUID
    order_number: str | None
    due_on: date
    total: Money
    open: Money
    payee: str


@dataclass(frozen=True)
class Owed:
    """All that is open to one seller in one currency."""

    seller_id: UUID
    name_zh: str
    name_en: str | None
    invoices: int
    open: Money
    due_on: date


@dataclass(frozen=True)
class Share:
    """What of a payment goes on an invoice; `amount` None where the payment says only which invoices it is for."""

    invoice_id: UUID
    number: str
    amount: Money | None


@dataclass(frozen=True)
class PaymentDetail:
    """One payment whole: `meant` as announced, `settles` as it stands. `kept` is bound to its order, without an invoice."""

    row: PaymentRow
    partner_id: UUID
    announced_by: str
    decided_by: str | None
    meant: tuple[Share, ...]
    settles: tuple[Share, ...]
    kept: Decimal


@dataclass(frozen=True)
class Creditable:
    """A line of an invoice with something left to credit; `quantity` in `unit`, amounts with VAT."""

    line_id: UUID
    no: int
    code: str
    name_zh: str
    name_en: str
    unit: str
    quantity: Decimal
    gross: Decimal


def open_between(
    ctx: Context, buyer_id: UUID, seller_id: UUID, currency: str, only: Iterable[UUID] = ()
) -> tuple[OpenInvoice, ...]:
    """Blue invoices between two enterprises with something open, oldest due first. One statement."""
    wanted = (
        select(Invoice, TradeOrder.number)
        .join(TradeOrder, TradeOrder.id == Invoice.order_id)
        .where(Invoice.seller_id == seller_id, Invoice.buyer_id == buyer_id, Invoice.currency == currency)
        .where(Invoice.state.in_(OPEN), Invoice.kind == "blue")
        .order_by(Invoice.due_on, Invoice.issued_at, Invoice.id)
        .limit(MANY)
        .execution_options(populate_existing=True)
    )
    if chosen := list(only):
        wanted = wanted.where(Invoice.id.in_(chosen))
    return tuple(
        OpenInvoice(
            row.id, row.number, row.order_id, order_number, row.due_on, Money(row.total, row.currency),
            Money(row.open, row.currency), row.payee_name,
        )
        for row, order_number in ctx.session.execute(wanted)
    )  # fmt: skip


def owed_to(ctx: Context) -> tuple[Owed, ...]:
    """Whom the acting enterprise owes money, the most pressing first. One statement."""
    left = func.sum(Invoice.total - Invoice.settled - Invoice.credited)
    rows = ctx.session.execute(
        select(
            Invoice.seller_id, EnterpriseCard.name, EnterpriseCard.name_en, Invoice.currency, func.count(), left,
            func.min(Invoice.due_on).label("due_on"),
        )
        .join(EnterpriseCard, EnterpriseCard.tenant_id == Invoice.seller_id)
        .where(Invoice.buyer_id == ctx.tenant_id, Invoice.state.in_(OPEN), Invoice.kind == "blue")
        .group_by(Invoice.seller_id, EnterpriseCard.name, EnterpriseCard.name_en, Invoice.currency)
        .order_by("due_on", Invoice.seller_id)
    )  # fmt: skip
    return tuple(
        Owed(seller, zh, en, count, Money(open_amount, currency), due_on)
        for seller, zh, en, currency, count, open_amount, due_on in rows
    )


def payment_detail(ctx: Context, payment_id: UUID) -> PaymentDetail:
    """One payment with what it is for. NotFound for one of other enterprises."""
    payment = ctx.session.scalar(
        select(Payment).where(Payment.id == payment_id).execution_options(populate_existing=True)
    )
    if payment is None:
        raise NotFound("payment.not_found")
    side = "buyer" if payment.buyer_id == ctx.tenant_id else "seller"
    partner = payment.seller_id if side == "buyer" else payment.buyer_id
    card = cards(ctx, [partner])[partner]
    order = ctx.session.scalar(select(TradeOrder.number).where(TradeOrder.id == payment.order_id)) if payment.order_id else None
    row = PaymentRow(
        payment.id, payment.number, payment.state, side, payment.order_id, order, partner, card.name, card.name_en,
        payment.currency, payment.amount, payment.allocated, payment.refunded, payment.bank_ref, payment.note,
        payment.announced_at, payment.decided_at,
    )  # fmt: skip
    meant = ctx.session.execute(
        select(Invoice.id, Invoice.number, PaymentTarget.amount)
        .join(Invoice, Invoice.id == PaymentTarget.invoice_id)
        .where(PaymentTarget.payment_id == payment.id)
        .order_by(PaymentTarget.id)
    )
    settles = ctx.session.execute(
        select(Invoice.id, Invoice.number, func.sum(Allocation.amount))
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .where(Allocation.payment_id == payment.id)
        .group_by(Invoice.id, Invoice.number)
        .having(func.sum(Allocation.amount) != 0)
        .order_by(Invoice.number)
    )
    kept = ctx.session.scalar(
        select(func.coalesce(func.sum(Allocation.amount), Decimal(0))).where(
            Allocation.payment_id == payment.id, Allocation.invoice_id.is_(None)
        )
    )
    return PaymentDetail(
        row,
        partner,
        payment.announced_by,
        payment.decided_by,
        tuple(_share(payment.currency, *each) for each in meant),
        tuple(_share(payment.currency, *each) for each in settles),
        kept or Decimal(0),
    )


def creditable(ctx: Context, invoice_id: UUID) -> tuple[Creditable, ...]:
    """The lines of a blue invoice of which pieces may still be taken back; empty for any other. NotFound as ever."""
    blue = ctx.session.scalar(
        select(Invoice).where(Invoice.id == invoice_id).execution_options(populate_existing=True)
    )
    if blue is None:
        raise NotFound("invoice.not_found")
    if blue.kind != "blue" or blue.seller_id != ctx.tenant_id or blue.credited == blue.total:
        return ()
    return tuple(
        Creditable(
            line_id, each.line.no, each.line.sku_code, each.line.name_zh, each.line.name_en, each.line.unit,
            each.quantity, each.amounts.gross,
        )
        for line_id, each in left_to_credit(ctx, blue).items()
        if each.quantity > 0
    )  # fmt: skip


def _share(currency: str, invoice_id: UUID, number: str, amount: Decimal | None) -> Share:
    return Share(invoice_id, number, None if amount is None else Money(amount, currency))

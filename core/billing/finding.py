"""Invoices and payments as values to read. Lists ask each side by its own index and join the two (never OR)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, literal, select, union_all

from core.billing.model import Allocation, Invoice, InvoiceLine, Payment, PaymentTarget, WriteOff
from core.hooks import InvoiceFacts
from core.kernel import Context, NotFound
from core.orders import OrderLine, TradeOrder
from core.tenancy import EnterpriseCard
from core.web import Rejected
from core.web.pager import Page, cut, decode

SIDES = ("buyer", "seller")
OPEN = ("issued", "part_paid")


@dataclass(frozen=True)
class InvoiceRow:
    """An invoice as lists show it. `side` is the reader's; `partner_*` name the other one. Amounts include VAT."""

    id: UUID
    number: str
    kind: str
    state: str
    side: str
    order_id: UUID
    order_number: str | None
    partner_id: UUID
    partner_zh: str
    partner_en: str | None
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    settled: Decimal
    credited: Decimal
    issued_on: date
    due_on: date

    @property
    def open(self) -> Decimal:
        return self.total - self.settled - self.credited if self.kind == "blue" else Decimal(0)


@dataclass(frozen=True)
class PaymentRow:
    """A payment as lists show it. `unapplied` settles nothing yet."""

    id: UUID
    number: str
    state: str
    side: str
    order_id: UUID | None
    order_number: str | None
    partner_id: UUID
    partner_zh: str
    partner_en: str | None
    currency: str
    amount: Decimal
    allocated: Decimal
    refunded: Decimal
    bank_ref: str
    note: str
    announced_at: datetime
    decided_at: datetime | None

    @property
    def unapplied(self) -> Decimal:
        return self.amount - self.allocated - self.refunded if self.state == "confirmed" else Decimal(0)


@dataclass(frozen=True)
class BilledLine:
    """One line of an invoice."""

    line_id: UUID
    no: int
    sku_code: str
    name_zh: str
    name_en: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    tax_incl: bool
    vat_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True)
class Settled:
    """What covered a part of an invoice: a payment (its number), or a write-off (its reason)."""

    kind: str
    what: str
    amount: Decimal
    at: datetime


@dataclass(frozen=True)
class InvoiceDetail:
    """One invoice whole. `row` heads it; the titles are those of the day of issue."""

    row: InvoiceRow
    reason: str
    original_id: UUID | None
    buyer_title: str
    buyer_code: str
    seller_title: str
    seller_code: str
    payee_name: str
    payee_bank: str
    payee_account: str
    payee_reason: str
    lines: tuple[BilledLine, ...]
    settled_by: tuple[Settled, ...]


def list_invoices(
    ctx: Context,
    side: str = "all",
    states: Collection[str] = (),
    cursor: str | None = None,
    limit: int = 50,
    *,
    order_id: UUID | None = None,
) -> Page[InvoiceRow]:
    """Invoices of the enterprise, newest first. `side` is buyer, seller or all. One statement."""
    before = _before(cursor)
    arms = [
        _arm(ctx, Invoice, which, states, before, limit) for which in (SIDES if side == "all" else (side,))
    ]
    if order_id is not None:
        arms = [arm.where(Invoice.order_id == order_id) for arm in arms]
    rows = [InvoiceRow(**row) for row in _joined(ctx, arms, limit, _INVOICE)]
    return cut(rows, limit, lambda row: (row.id,))


def list_payments(
    ctx: Context,
    side: str = "all",
    states: Collection[str] = (),
    cursor: str | None = None,
    limit: int = 50,
    *,
    order_id: UUID | None = None,
) -> Page[PaymentRow]:
    """Payments of the enterprise, newest first; with `order_id` those that are meant for it or settle its invoices."""
    before = _before(cursor)
    arms = [
        _arm(ctx, Payment, which, states, before, limit) for which in (SIDES if side == "all" else (side,))
    ]
    if order_id is not None:
        meant = select(PaymentTarget.payment_id).join(Invoice, Invoice.id == PaymentTarget.invoice_id)
        settles = select(Allocation.payment_id).where(Allocation.order_id == order_id)
        ids = union_all(
            select(Payment.id).where(Payment.order_id == order_id),
            meant.where(Invoice.order_id == order_id),
            settles,
        )
        arms = [arm.where(Payment.id.in_(ids)) for arm in arms]
    rows = [PaymentRow(**row) for row in _joined(ctx, arms, limit, _PAYMENT)]
    return cut(rows, limit, lambda row: (row.id,))


def facts_of(ctx: Context, invoice_id: UUID) -> InvoiceFacts:
    """An invoice as plugins see it. NotFound where the enterprise has none with this id."""
    invoice = ctx.session.scalar(select(Invoice).where(Invoice.id == invoice_id))
    if invoice is None:
        raise NotFound("invoice.not_found")
    return as_facts(invoice)


def as_facts(invoice: Invoice) -> InvoiceFacts:
    return InvoiceFacts(
        invoice.id, invoice.number, invoice.order_id, invoice.buyer_id, invoice.seller_id, invoice.total
    )


def invoice_detail(ctx: Context, invoice_id: UUID) -> InvoiceDetail:
    """One invoice with its lines and what settled it. Four statements."""
    invoice = ctx.session.scalar(select(Invoice).where(Invoice.id == invoice_id))
    if invoice is None:
        raise NotFound("invoice.not_found")
    side = "buyer" if invoice.buyer_id == ctx.tenant_id else "seller"
    other = TradeOrder.seller_id if side == "buyer" else TradeOrder.buyer_id
    partner = (
        select(EnterpriseCard.name, EnterpriseCard.name_en, TradeOrder.number)
        .join(TradeOrder, EnterpriseCard.tenant_id == other)
        .where(TradeOrder.id == invoice.order_id)
    )
    name, name_en, order_number = ctx.session.execute(partner).one()
    head = {column: getattr(invoice, column) for column in _INVOICE}
    row = InvoiceRow(
        **head, side=side, order_number=order_number, partner_zh=name, partner_en=name_en,
        partner_id=invoice.seller_id if side == "buyer" else invoice.buyer_id,
    )  # fmt: skip
    billed = ctx.session.execute(
        select(InvoiceLine, OrderLine)
        .join(OrderLine, OrderLine.id == InvoiceLine.order_line_id)
        .where(InvoiceLine.invoice_id == invoice.id)
        .order_by(InvoiceLine.no)
    )
    texts = ("reason", "original_id", "buyer_title", "buyer_code", "seller_title", "seller_code")
    payee = ("payee_name", "payee_bank", "payee_account", "payee_reason")
    return InvoiceDetail(
        row=row,
        **{column: getattr(invoice, column) for column in (*texts, *payee)},
        lines=tuple(
            BilledLine(
                ordered.id, line.no, ordered.sku_code, ordered.name_zh, ordered.name_en, ordered.unit, line.quantity,
                line.unit_price, line.tax_incl, line.vat_rate, line.net, line.tax, line.gross,
            )
            for line, ordered in billed
        ),
        settled_by=tuple(_settled_by(ctx, invoice.id)),
    )  # fmt: skip


def _settled_by(ctx: Context, invoice_id: UUID) -> list[Settled]:
    money = (
        select(
            literal("payment").label("kind"), Payment.number.label("what"), Allocation.amount, Allocation.at
        )
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Allocation.invoice_id == invoice_id)
    )
    given = select(literal("write_off"), WriteOff.reason, WriteOff.amount, WriteOff.at).where(
        WriteOff.invoice_id == invoice_id
    )
    found = union_all(money, given).subquery()
    return [Settled(*row) for row in ctx.session.execute(select(found).order_by(found.c.at))]


_INVOICE = (
    "id", "number", "kind", "state", "order_id", "currency", "net", "tax", "total", "settled", "credited",
    "issued_on", "due_on",
)  # fmt: skip
_PAYMENT = (
    "id", "number", "state", "order_id", "currency", "amount", "allocated", "refunded", "bank_ref", "note",
    "announced_at", "decided_at",
)  # fmt: skip


def _arm(
    ctx: Context, table: Any, side: str, states: Collection[str], before: UUID | None, limit: int
) -> Select[Any]:
    """One side's newest rows, by that side's index."""
    own, partner = (table.buyer_id, table.seller_id) if side == "buyer" else (table.seller_id, table.buyer_id)
    names = _INVOICE if table is Invoice else _PAYMENT
    columns: list[ColumnElement[Any]] = [getattr(table, name) for name in names]
    query = select(*columns, literal(side).label("side"), partner.label("partner_id")).where(
        own == ctx.tenant_id
    )
    if states:
        query = query.where(table.state.in_(tuple(states)))
    if before is not None:
        query = query.where(table.id < before)
    return query.order_by(table.id.desc()).limit(limit + 1)


def _joined(
    ctx: Context, arms: list[Select[Any]], limit: int, names: Collection[str]
) -> list[dict[str, Any]]:
    """The newest of both sides with the partner's name and the order's number."""
    found = (union_all(*arms) if len(arms) > 1 else arms[0]).subquery("found")
    card, order = EnterpriseCard.__table__, TradeOrder.__table__
    rows = ctx.session.execute(
        select(
            found,
            card.c.name.label("partner_zh"),
            card.c.name_en.label("partner_en"),
            order.c.number.label("order_number"),
        )
        .join_from(found, card, card.c.tenant_id == found.c.partner_id)
        .join(order, order.c.id == found.c.order_id, isouter=True)
        .order_by(found.c.id.desc())
        .limit(limit + 1)
    )
    return [dict(row._mapping) for row in rows]


def _before(cursor: str | None) -> UUID | None:
    keys = decode(cursor, 1)
    if keys is None:
        return None
    try:
        return UUID(keys[0])
    except ValueError:
        raise Rejected(400, "page.bad_cursor") from None

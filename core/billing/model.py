"""Invoices, payments, and which payment settled which invoice. Both sides share these rows.

An issued invoice is never edited: a red one answers it. Allocations are only ever added; taking one back is a row
with the amount negated, so what a payment settles is a sum that can be checked (I4).
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.billing import holding  # noqa: F401  its tables belong to this room
from core.db import Amount, Append, Measure, Model, Price, TwoSided, uuid_pk

ZERO = text("0")


def _belongs_to(table: str, column: str) -> ForeignKeyConstraint:
    """A child's parties are its parent's parties."""
    return ForeignKeyConstraint(
        [column, "buyer_id", "seller_id"], [f"ts.{table}.id", f"ts.{table}.buyer_id", f"ts.{table}.seller_id"]
    )


class Invoice(TwoSided, Model):
    """A blue invoice, or the red one that answers it (its amounts are negative).

    Of a blue one: `settled` is what payments and write-offs covered, `credited` what red ones took away. The payee's
    account is empty where the seller itself is to be paid. Titles and tax codes are as they were at issue.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("id", "buyer_id", "seller_id"),
        UniqueConstraint("seller_id", "number"),
        _belongs_to("trade_order", "order_id"),
        Index("ix_invoice_order", "order_id"),
        Index("ix_invoice_original", "original_id", postgresql_where=text("original_id IS NOT NULL")),
        Index("ix_invoice_buyer_new", "buyer_id", text("id DESC")),
        Index("ix_invoice_seller_new", "seller_id", text("id DESC")),
        Index(
            "ix_invoice_open",
            "seller_id",
            "buyer_id",
            "due_on",
            postgresql_where=text("state IN ('issued', 'part_paid')"),
        ),
        CheckConstraint("kind IN ('blue', 'red')", name="kind"),
        CheckConstraint("state IN ('issued', 'part_paid', 'paid', 'credited')", name="state"),
        CheckConstraint("total = net + tax", name="sums"),
        CheckConstraint(
            "CASE kind WHEN 'blue' THEN total >= 0 AND settled >= 0 AND credited >= 0 AND settled + credited <= total"
            " ELSE total <= 0 AND settled = 0 AND credited = 0 AND original_id IS NOT NULL END",
            name="money",
        ),
    )

    id: Mapped[uuid_pk]
    number: Mapped[str]
    kind: Mapped[str]
    order_id: Mapped[UUID]
    original_id: Mapped[UUID | None]
    currency: Mapped[str]
    net: Mapped[Decimal] = mapped_column(Amount())
    tax: Mapped[Decimal] = mapped_column(Amount())
    total: Mapped[Decimal] = mapped_column(Amount())
    settled: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    credited: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    issued_on: Mapped[date]
    due_on: Mapped[date]
    issued_by: Mapped[str]
    issued_at: Mapped[datetime]
    buyer_title: Mapped[str]
    buyer_code: Mapped[str]
    seller_title: Mapped[str]
    seller_code: Mapped[str]
    payee_name: Mapped[str] = mapped_column(server_default="")
    payee_bank: Mapped[str] = mapped_column(server_default="")
    payee_account: Mapped[str] = mapped_column(server_default="")
    payee_reason: Mapped[str] = mapped_column(server_default="")

    @property
    def open(self) -> Decimal:
        """What is still to be paid; a red invoice is never paid."""
        return self.total - self.credited - self.settled if self.kind == "blue" else Decimal(0)


class InvoiceLine(Append, TwoSided, Model):
    """What an invoice bills of one order line. A price reduction has quantity 0; a red invoice's figures are negative."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        UniqueConstraint("id", "buyer_id", "seller_id"),
        _belongs_to("invoice", "invoice_id"),
        ForeignKeyConstraint(["order_line_id"], ["ts.order_line.id"]),
        UniqueConstraint("invoice_id", "no"),
        Index("ix_invoice_line_order_line", "order_line_id"),
        CheckConstraint("gross = net + tax", name="sums"),
    )

    id: Mapped[uuid_pk]
    invoice_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    no: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(Measure())
    unit_price: Mapped[Decimal] = mapped_column(Price())
    tax_incl: Mapped[bool]
    vat_rate: Mapped[Decimal] = mapped_column(Measure())
    net: Mapped[Decimal] = mapped_column(Amount())
    tax: Mapped[Decimal] = mapped_column(Amount())
    gross: Mapped[Decimal] = mapped_column(Amount())


class InvoiceMatch(Append, TwoSided, Model):
    """Which receipt a billed quantity came from; n-n, negative where a red invoice gives it back."""

    __tablename__ = "invoice_match"
    __table_args__ = (
        _belongs_to("invoice_line", "invoice_line_id"),
        _belongs_to("receipt_line", "receipt_line_id"),
        Index("ix_invoice_match_invoice_line", "invoice_line_id"),
        Index("ix_invoice_match_receipt_line", "receipt_line_id"),
        CheckConstraint("quantity <> 0", name="quantity"),
    )

    id: Mapped[uuid_pk]
    invoice_line_id: Mapped[UUID]
    receipt_line_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(Measure())


class Payment(TwoSided, Model):
    """Money the buyer says it sent (`announced`) and the seller found on its account (`confirmed`) or did not (`rejected`).

    `number` comes from the buyer's series (PY). With `order_id` it is meant for that order. What is neither allocated
    nor refunded is unapplied: the buyer's credit with the seller.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("id", "buyer_id", "seller_id"),
        UniqueConstraint("buyer_id", "number"),
        Index("uq_payment_bank_ref", "seller_id", "bank_ref", unique=True, postgresql_where=text("state = 'confirmed'")),
        Index(
            "uq_payment_announced_ref", "buyer_id", "seller_id", "bank_ref", unique=True,
            postgresql_where=text("state <> 'rejected'"),
        ),
        Index("ix_payment_order", "order_id", postgresql_where=text("order_id IS NOT NULL")),
        Index("ix_payment_buyer_new", "buyer_id", text("id DESC")),
        Index("ix_payment_seller_new", "seller_id", text("id DESC")),
        CheckConstraint("state IN ('announced', 'confirmed', 'rejected')", name="state"),
        CheckConstraint("amount > 0 AND allocated >= 0 AND refunded >= 0", name="positive"),
        CheckConstraint("allocated + refunded <= amount", name="i4_allocated"),
        CheckConstraint("state = 'confirmed' OR (allocated = 0 AND refunded = 0)", name="unconfirmed"),
    )  # fmt: skip

    id: Mapped[uuid_pk]
    number: Mapped[str]
    order_id: Mapped[UUID | None]
    currency: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Amount())
    allocated: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    refunded: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    bank_ref: Mapped[str]
    state: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    announced_by: Mapped[str]
    announced_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]

    @property
    def unapplied(self) -> Decimal:
        return self.amount - self.allocated - self.refunded if self.state == "confirmed" else Decimal(0)


class PaymentTarget(Append, TwoSided, Model):
    """An invoice a payment was announced for; `amount` where the buyer said exactly how much, else oldest due first."""

    __tablename__ = "payment_target"
    __table_args__ = (
        _belongs_to("payment", "payment_id"),
        _belongs_to("invoice", "invoice_id"),
        UniqueConstraint("payment_id", "invoice_id"),
        Index("ix_payment_target_invoice", "invoice_id"),
        CheckConstraint("amount > 0", name="positive"),
    )

    id: Mapped[uuid_pk]
    payment_id: Mapped[UUID]
    invoice_id: Mapped[UUID]
    amount: Mapped[Decimal | None] = mapped_column(Amount())


class Allocation(Append, TwoSided, Model):
    """A part of a payment put on an invoice, or (`invoice_id` empty) kept for an order as a prepayment."""

    __tablename__ = "allocation"
    __table_args__ = (
        _belongs_to("payment", "payment_id"),
        _belongs_to("trade_order", "order_id"),
        _belongs_to("invoice", "invoice_id"),
        Index("ix_allocation_payment", "payment_id"),
        Index("ix_allocation_order", "order_id"),
        Index("ix_allocation_invoice", "invoice_id"),
        CheckConstraint("amount <> 0", name="amount"),
    )

    id: Mapped[uuid_pk]
    payment_id: Mapped[UUID]
    order_id: Mapped[UUID]
    invoice_id: Mapped[UUID | None]
    amount: Mapped[Decimal] = mapped_column(Amount())
    at: Mapped[datetime]


class WriteOff(Append, TwoSided, Model):
    """A small remainder of an invoice that nobody will chase; negative where a red invoice gives it back."""

    __tablename__ = "write_off"
    __table_args__ = (
        _belongs_to("invoice", "invoice_id"),
        Index("ix_write_off_invoice", "invoice_id"),
        CheckConstraint("amount <> 0", name="amount"),
    )

    id: Mapped[uuid_pk]
    invoice_id: Mapped[UUID]
    amount: Mapped[Decimal] = mapped_column(Amount())
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]


class Refund(Append, TwoSided, Model):
    """Money of a payment that the seller sent back."""

    __tablename__ = "refund"
    __table_args__ = (
        _belongs_to("payment", "payment_id"),
        UniqueConstraint("payment_id", "bank_ref"),
        CheckConstraint("amount > 0", name="positive"),
    )

    id: Mapped[uuid_pk]
    payment_id: Mapped[UUID]
    amount: Mapped[Decimal] = mapped_column(Amount())
    bank_ref: Mapped[str]
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]

"""Money that waits between the parties: held in escrow for an order, or owed as damages.

An escrow is written by `ts.escrow_move` alone, which posts the trust book in the same breath: the application may read.
"""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Amount, Model, TwoSided, uuid_pk

ZERO = text("0")


def _of_order() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["order_id", "buyer_id", "seller_id"],
        ["ts.trade_order.id", "ts.trade_order.buyer_id", "ts.trade_order.seller_id"],
    )


class Escrow(TwoSided, Model):
    """What is held for one order. funded = released (to the seller) + refunded (to the buyer) + held, always."""

    __tablename__ = "escrow"
    __grants__: ClassVar[str] = "SELECT"
    __table_args__ = (
        _of_order(),
        UniqueConstraint("order_id"),
        CheckConstraint("released >= 0 AND refunded >= 0 AND funded >= released + refunded", name="held"),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    currency: Mapped[str]
    funded: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    released: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    refunded: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)

    @property
    def held(self) -> Decimal:
        return self.funded - self.released - self.refunded


class EscrowMove(TwoSided, Model):
    """One movement of an escrow: `fund`, `release` to the seller, `refund` to the buyer."""

    __tablename__ = "escrow_move"
    __grants__: ClassVar[str] = "SELECT"
    __table_args__ = (
        _of_order(),
        Index("ix_escrow_move_order", "order_id"),
        CheckConstraint("kind IN ('fund', 'release', 'refund') AND amount > 0", name="kind"),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    kind: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Amount())
    by: Mapped[str]
    at: Mapped[datetime]


class Claim(TwoSided, Model):
    """Damages one side owes the other because of an order: open until the creditor has the money, or waives it."""

    __tablename__ = "claim"
    __table_args__ = (
        _of_order(),
        Index("ix_claim_order", "order_id"),
        CheckConstraint("debtor IN ('buyer', 'seller') AND amount > 0", name="debtor"),
        CheckConstraint("state IN ('open', 'paid', 'waived')", name="state"),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    debtor: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Amount())
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    bank_ref: Mapped[str] = mapped_column(server_default="")
    raised_by: Mapped[str]
    raised_at: Mapped[datetime]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]

"""Accounts, transactions and entries. Entries are never changed; a wrong one is answered by a reversal.

The database itself holds the rules: a transaction sums to zero and has two entries or more (checked at
commit), a balance is moved only by its entries, and neither entries nor transactions are updated or deleted.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Model, TenantOwned, uuid_pk
from core.db.types import Exact


class LedgerAmount(Exact):
    """An amount in the books: numeric(24,4), debit positive."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(24, 4)


class Account(TenantOwned, Model):
    """One account of one enterprise in one currency. `min_balance` None: it may go as low as it likes."""

    __tablename__ = "account"
    __grants__ = "SELECT, INSERT"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code", "currency"),
        UniqueConstraint("tenant_id", "id", "currency"),
        CheckConstraint("min_balance IS NULL OR balance >= min_balance", name="min_balance"),
    )

    id: Mapped[uuid_pk]
    code: Mapped[str]
    currency: Mapped[str]
    min_balance: Mapped[Decimal | None] = mapped_column(LedgerAmount())
    balance: Mapped[Decimal] = mapped_column(LedgerAmount(), server_default=text("0"))


class LedgerTxn(Append, TenantOwned, Model):
    """One posting. (kind, ref) is unique in an enterprise, so what caused it posts only once.

    `ref` is the id of what caused it, `label` its human number.
    """

    __tablename__ = "ledger_txn"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "ref"),
        UniqueConstraint("tenant_id", "id", "currency"),
    )

    id: Mapped[uuid_pk]
    kind: Mapped[str]
    ref: Mapped[str]
    label: Mapped[str]
    currency: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]


class LedgerEntry(Append, TenantOwned, Model):
    """One amount on one account. Currency is part of both keys, so a posting never mixes two currencies."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "txn_id", "currency"],
            ["ledger_txn.tenant_id", "ledger_txn.id", "ledger_txn.currency"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "account_id", "currency"], ["account.tenant_id", "account.id", "account.currency"]
        ),
        UniqueConstraint("tenant_id", "txn_id", "no"),
        Index("ix_ledger_entry_statement", "tenant_id", "account_id", "id"),
        CheckConstraint("amount <> 0", name="amount"),
    )

    id: Mapped[uuid_pk]
    txn_id: Mapped[UUID]
    account_id: Mapped[UUID]
    currency: Mapped[str]
    no: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(LedgerAmount())

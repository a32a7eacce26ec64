"""Enterprises: what each keeps about itself, what it shows to all, and how it deals with its partners."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Amount, Measure, Model, Published, TenantOwned, uuid_pk

KINDS = ("trader", "manufacturer", "carrier", "financier", "inspector", "guarantor", "operator")
STATUSES = ("applied", "verified", "suspended", "exited")


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class Enterprise(TenantOwned, Model):
    """An enterprise as it knows itself. Its id is its tenant id. `status` is set by the operator only."""

    __tablename__ = "enterprise"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        CheckConstraint("id = tenant_id", name="own_tenant"),
        CheckConstraint(_one_of("kind", KINDS), name="kind_known"),
        CheckConstraint(_one_of("status", STATUSES), name="status_known"),
    )

    id: Mapped[uuid_pk]
    name: Mapped[str]  # as registered, in Chinese
    name_en: Mapped[str | None]
    short_name: Mapped[str | None]
    uscc: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="applied")
    verified_until: Mapped[date | None]
    legal_representative: Mapped[str | None]
    contact: Mapped[str | None]
    phone: Mapped[str | None]
    website: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  as SQLAlchemy declares it


class EnterpriseCard(Published, Model):
    """What every enterprise may read about another one: the head of its licence. A code stands on one card only."""

    __tablename__ = "enterprise_card"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("uscc"),
        CheckConstraint(_one_of("kind", KINDS), name="kind_known"),
        CheckConstraint(_one_of("status", STATUSES), name="status_known"),
        Index("ix_enterprise_card_name", "name"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("ts.enterprise.id"), primary_key=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    short_name: Mapped[str | None]
    uscc: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="applied")


class Address(TenantOwned, Model):
    """Where goods or post go. Parts as a Chinese address has them, largest first."""

    __tablename__ = "address"
    __table_args__ = (Index("ix_address_tenant_id_label", "tenant_id", "label"),)

    id: Mapped[uuid_pk]
    label: Mapped[str]
    contact: Mapped[str]
    phone: Mapped[str]
    province: Mapped[str]
    city: Mapped[str]
    district: Mapped[str | None]
    street: Mapped[str]
    postcode: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  as SQLAlchemy declares it


class InvoiceDetails(TenantOwned, Model):
    """开票信息: what an invoice to this enterprise must say. The title is the enterprise's registered name."""

    __tablename__ = "invoice_details"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("ts.enterprise.id"), primary_key=True)
    title: Mapped[str]
    tax_no: Mapped[str]
    registered_address: Mapped[str]
    phone: Mapped[str]
    bank: Mapped[str]
    bank_code: Mapped[str | None]  # twelve digits that name the branch
    account: Mapped[str]
    email: Mapped[str | None]  # where electronic invoices go
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  as SQLAlchemy declares it


class PartnerRelation(TenantOwned, Model):
    """How this enterprise deals with another one: mostly a seller's terms for a buyer. The other side never sees it."""

    __tablename__ = "partner_relation"
    __table_args__ = (
        UniqueConstraint("tenant_id", "partner_id"),
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("tenant_id <> partner_id", name="somebody_else"),
        CheckConstraint("credit_limit >= 0", name="credit_not_negative"),
        CheckConstraint("terms_days BETWEEN 0 AND 365", name="terms_within_a_year"),
    )

    id: Mapped[uuid_pk]
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("ts.enterprise_card.tenant_id"))
    code: Mapped[str | None]  # our number for them, as in the own ERP
    price_group: Mapped[str | None]
    credit_limit: Mapped[Decimal | None] = mapped_column(Amount())  # own currency; None: no limit is watched
    terms_days: Mapped[int | None]  # days to pay after the invoice; None: as the enterprise's default
    blocked: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  as SQLAlchemy declares it


class TradeSettingsRow(TenantOwned, Model):
    """How an enterprise trades, where it differs from the platform's defaults."""

    __tablename__ = "trade_settings"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        CheckConstraint("approval_threshold > 0", name="threshold_positive"),
        CheckConstraint(
            "under_tol BETWEEN 0 AND 1 AND over_tol BETWEEN 0 AND 1", name="tolerance_is_a_share"
        ),
        CheckConstraint("write_off_amount >= 0 AND write_off_share BETWEEN 0 AND 1", name="write_off"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    approval_threshold: Mapped[Decimal | None] = mapped_column(Amount())
    offer_minutes: Mapped[int]
    soft_reserve_minutes: Mapped[int]
    accept_days: Mapped[int]
    under_tol: Mapped[Decimal] = mapped_column(Measure())
    over_tol: Mapped[Decimal] = mapped_column(Measure())
    default_terms_days: Mapped[int]
    write_off_amount: Mapped[Decimal] = mapped_column(Amount())
    write_off_share: Mapped[Decimal] = mapped_column(Measure())
    currency: Mapped[str]
    timezone: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  as SQLAlchemy declares it


class PluginEnablement(TenantOwned, Model):
    """A plugin in the life of one enterprise. No row: never switched on. Settings passed the plugin's own schema."""

    __tablename__ = "plugin_enablement"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE"
    __table_args__ = (CheckConstraint("state IN ('enabled', 'draining', 'disabled')", name="state_known"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    plugin_version: Mapped[str]  # whose schema the settings passed
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  as SQLAlchemy declares it

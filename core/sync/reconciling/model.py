"""A day of a connection, counted on both sides, and what differs."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Amount, Model, TenantOwned, uuid_pk

ZERO = text("0")
NOTHING = text("'{}'")

KINDS = ("missing_there", "missing_here", "differs", "cancelled_there", "alive_there", "twice_there")
ACTS = ("replay", "look", "cancel")


class SyncTally(TenantOwned, Model):
    """The documents of one kind and one day (by the date they carry) on one connection. Sums are by currency, as text.

    `checked` of `total` references were looked for so far; counted again, a day starts from the beginning.
    """

    __tablename__ = "sync_tally"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "kind", "day"),
        Index("ix_sync_tally_due", "asked_at", postgresql_where=text("state IN ('wanted', 'running')")),
        CheckConstraint("state IN ('wanted', 'running', 'done', 'failed')", name="state"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    kind: Mapped[str] = mapped_column(server_default="sales_order")
    day: Mapped[date]
    state: Mapped[str] = mapped_column(server_default="wanted")
    asked_by: Mapped[str] = mapped_column(server_default="")
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ours: Mapped[int] = mapped_column(server_default=ZERO)
    theirs: Mapped[int] = mapped_column(server_default=ZERO)
    our_sums: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=NOTHING)
    their_sums: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=NOTHING)
    under_way: Mapped[int] = mapped_column(server_default=ZERO)
    checked: Mapped[int] = mapped_column(server_default=ZERO)
    total: Mapped[int] = mapped_column(server_default=ZERO)
    differing: Mapped[int] = mapped_column(server_default=ZERO)
    said: Mapped[str] = mapped_column(server_default="")
    attempt: Mapped[int] = mapped_column(server_default=ZERO)
    lease_until: Mapped[datetime | None]


class SyncDifference(TenantOwned, Model):
    """One document that is not the same on both sides. `act` is what to do about it, done when somebody says so."""

    __tablename__ = "sync_difference"
    __table_args__ = (
        UniqueConstraint("tenant_id", "tally_id", "reference"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"act IN {ACTS}", name="act"),
    )

    id: Mapped[uuid_pk]
    tally_id: Mapped[UUID] = mapped_column(ForeignKey("ts.sync_tally.id", ondelete="CASCADE"))
    reference: Mapped[str]
    kind: Mapped[str]
    act: Mapped[str]
    currency: Mapped[str] = mapped_column(server_default="")
    ours: Mapped[Decimal | None] = mapped_column(Amount())
    theirs: Mapped[Decimal | None] = mapped_column(Amount())
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("ts.sync_document.id"))
    object_id: Mapped[UUID | None]
    acted_by: Mapped[str] = mapped_column(server_default="")
    acted_at: Mapped[datetime | None]

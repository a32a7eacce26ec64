"""A drill of one connection: what it was asked with, how far it is, and the sealed report."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, TenantOwned, uuid_pk

OVER = frozenset({"done", "failed", "cancelled"})


class SyncDrill(TenantOwned, Model):
    """`sample` is the order whose copies are sent; `results` one entry for each case that is over, in the catalogue's order."""

    __tablename__ = "sync_drill"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')", name="state"),
        CheckConstraint("(ended_at IS NOT NULL) = (state <> 'running')", name="ended"),
        Index("ix_sync_drill_due", "turned_at", "id", postgresql_where=text("state = 'running'")),
        Index("ix_sync_drill_connection_new", "tenant_id", "connection_id", text("asked_at DESC")),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    state: Mapped[str] = mapped_column(server_default="running")
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    sample: Mapped[dict[str, Any]] = mapped_column(JSONB)
    total: Mapped[int]
    results: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    said: Mapped[str] = mapped_column(server_default="")
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None]
    turned_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))

"""Calls that came in by themselves."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, TenantOwned, uuid_pk

ZERO = text("0")


class SyncPush(TenantOwned, Model):
    """One call of another system. `key` is its own name of it; `records` is what was heard in it, before it landed.

    landed: all that could land did, the rest stands as issues. waiting: acknowledged and kept until the connection is
    resumed. refused: not taken, and never lands. `body` is the call as it came, secrets hidden.
    """

    __tablename__ = "sync_push"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "key"),
        Index("ix_sync_push_new", "tenant_id", "connection_id", text("id DESC")),
        Index("ix_sync_push_waiting", "connection_id", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_sync_push_refused", "connection_id", "id", postgresql_where=text("state = 'refused'")),
        CheckConstraint("state IN ('landed', 'waiting', 'refused')", name="state"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    key: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="")
    path: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str]
    records: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    state: Mapped[str]
    said: Mapped[str] = mapped_column(server_default="")
    stored: Mapped[int] = mapped_column(server_default=ZERO)
    skipped: Mapped[int] = mapped_column(server_default=ZERO)
    answer_status: Mapped[int]
    answer_type: Mapped[str]
    answer: Mapped[bytes]
    at: Mapped[datetime]
    landed_at: Mapped[datetime | None]

"""The versions of a connection's mapping. Rows are added and never changed; the one with the highest number is in force."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Model, TenantOwned, uuid_pk


class SyncMapping(Append, TenantOwned, Model):
    """One version of the mapping of one connection: a whole document, who saved it and why."""

    __tablename__ = "sync_mapping"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "no"),
        CheckConstraint("no > 0", name="no_positive"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    no: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    author: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime]

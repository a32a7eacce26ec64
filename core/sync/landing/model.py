"""What the other system calls things: its units and its partners by number, kept for the page that maps them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, TenantOwned, uuid_pk


class SyncTerm(TenantOwned, Model):
    """A unit or a partner as the other system lists it, whether we know its counterpart or not."""

    __tablename__ = "sync_term"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "kind", "external_id"),
        CheckConstraint("kind IN ('unit', 'partner')", name="kind"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    kind: Mapped[str]
    external_id: Mapped[str]
    number: Mapped[str]
    name: Mapped[str]
    code: Mapped[str] = mapped_column(server_default="")  # a partner's unified social credit code
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))

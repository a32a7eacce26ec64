"""The views people keep."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from core.db import Model, TenantOwned, uuid_pk


class SavedView(TenantOwned, Model):
    """One person's view of the list of orders in one enterprise. At most one is the default."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id", "name"),
        Index("uq_saved_view_default", "tenant_id", "person_id", unique=True, postgresql_where=text("is_default")),
        CheckConstraint("length(name) BETWEEN 1 AND 40", name="name"),
    )

    id: Mapped[uuid_pk]
    person_id: Mapped[UUID]
    name: Mapped[str]
    side: Mapped[str]
    state: Mapped[str | None]
    waiting: Mapped[bool]
    open: Mapped[bool]
    q: Mapped[str]
    sort: Mapped[str]
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_default: Mapped[bool]
    created_at: Mapped[datetime]

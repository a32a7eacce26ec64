"""Tables: one declarative base and the mixins that say whose rows they hold.

Which tenant may see and write a row is part of the class (`__access__`), so `core.db.rls` can derive every policy and
grant from the models and a test can prove that none is missing.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.db.types import Measure
from core.kernel import uuid7

uuid_pk = Annotated[UUID, mapped_column(primary_key=True, default=uuid7)]
"""Annotation of a primary key that is made by us, in the order of time: `id: Mapped[uuid_pk]`."""


class Model(DeclarativeBase):
    """Base of every table. Core tables live in schema `ts`; a plugin names its own schema in `__table_args__`.

    `__access__` is tenant, two_sided, shared, published or exempt; `__grants__` is what the application roles may do at all.
    An exempt table states its reason in `__exempt__`.
    """

    metadata = MetaData(
        schema="ts",
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        Decimal: Measure(),
        str: Text(),
    }
    __access__: ClassVar[str] = "tenant"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"
    __exempt__: ClassVar[str | None] = None


class TenantOwned:
    """Rows of one enterprise, invisible to every other."""

    __access__ = "tenant"
    tenant_id: Mapped[UUID] = mapped_column(sort_order=-10)


class TwoSided:
    """Rows that buyer and seller share. The parties of a row can never be rewritten, and no side deletes it.

    `__seller_sees__` is a condition in SQL: only rows that meet it exist for their seller. Empty: all of them.
    """

    __access__ = "two_sided"
    __grants__ = "SELECT, INSERT, UPDATE"
    __seller_sees__: ClassVar[str] = ""
    buyer_id: Mapped[UUID] = mapped_column(sort_order=-10)
    seller_id: Mapped[UUID] = mapped_column(sort_order=-9)


class Published:
    """A projection its owner publishes: every enterprise reads it, only the owner writes it."""

    __access__ = "published"
    tenant_id: Mapped[UUID] = mapped_column(sort_order=-10)


class Shared:
    """Rows of one enterprise that one other may read as well; only the owner writes them."""

    __access__ = "shared"
    tenant_id: Mapped[UUID] = mapped_column(sort_order=-10)
    other_id: Mapped[UUID | None] = mapped_column(sort_order=-9)


class Append:
    """Mixed in beside an access: rows are added and never changed or removed by the application."""

    __grants__ = "SELECT, INSERT"

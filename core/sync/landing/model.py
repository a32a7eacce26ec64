"""What the other system says and nothing here follows: names of units and partners, its stock, what moved in it.

Names are kept for the page that maps them; stock and moves for the page that explains why the two sides differ.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Measure, Model, TenantOwned, uuid_pk

PRODUCT = (["tenant_id", "product_id"], ["ts.product.tenant_id", "ts.product.id"])


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


class SyncFigure(TenantOwned, Model):
    """What the other system last said lies of one product in one warehouse there, where its stock is only compared.

    `agreed` is the figure on which both sides last were one, NULL while they never were.
    """

    __tablename__ = "sync_figure"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "product_id", "warehouse"),
        ForeignKeyConstraint(*PRODUCT),
        CheckConstraint("(agreed IS NULL) = (agreed_at IS NULL)", name="agreed"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    product_id: Mapped[UUID]
    warehouse: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(Measure())
    first_at: Mapped[datetime]
    told_at: Mapped[datetime]
    agreed: Mapped[Decimal | None] = mapped_column(Measure())
    agreed_at: Mapped[datetime | None]


class SyncMove(Append, TenantOwned, Model):
    """Goods that came or went in a warehouse there, as it told us. Evidence: no stock of ours follows it."""

    __tablename__ = "sync_move"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "external_id"),
        Index("ix_sync_move_product", "tenant_id", "connection_id", "product_id", "warehouse", "at"),
        Index("ix_sync_move_connection", "tenant_id", "connection_id", "id"),
        ForeignKeyConstraint(*PRODUCT),
        CheckConstraint("quantity <> 0", name="quantity"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    external_id: Mapped[str]
    product_id: Mapped[UUID]
    warehouse: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(Measure())
    reason: Mapped[str] = mapped_column(server_default="")
    reference: Mapped[str] = mapped_column(server_default="")
    day: Mapped[date]
    at: Mapped[datetime]  # when we heard of it

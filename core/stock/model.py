"""Goods on hand: warehouses, lots, what came and went, and what is promised to whom.

A move is never changed. `StockLevel` is their sum per product and warehouse, beside what reservations hold
of it; the database itself refuses to hold more than is there.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Measure, Model, TenantOwned, uuid_pk

MOVE_KINDS = ("receipt", "shipment", "adjustment", "count", "return")


class Warehouse(TenantOwned, Model):
    """A place goods lie in. Stock is taken from low `rank` first."""

    __tablename__ = "warehouse"
    __table_args__ = (UniqueConstraint("tenant_id", "code"), UniqueConstraint("tenant_id", "id"))

    id: Mapped[uuid_pk]
    code: Mapped[str]
    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    rank: Mapped[int] = mapped_column(default=100)


class StockLevel(TenantOwned, Model):
    """What lies in a warehouse of a product, in base units. `hard` and `soft` are promised out of
    `on_hand`.
    """

    __tablename__ = "stock_level"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "product_id"], ["ts.product.tenant_id", "ts.product.id"]),
        ForeignKeyConstraint(["tenant_id", "warehouse_id"], ["ts.warehouse.tenant_id", "ts.warehouse.id"]),
        CheckConstraint("on_hand >= 0", name="on_hand"),
        CheckConstraint("hard >= 0", name="hard"),
        CheckConstraint("soft >= 0", name="soft"),
        CheckConstraint("hard + soft <= on_hand", name="promised"),
        {"postgresql_with": {"fillfactor": 70}},  # room on the page: a promise then touches no index
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    warehouse_id: Mapped[UUID] = mapped_column(primary_key=True)
    on_hand: Mapped[Decimal] = mapped_column(Measure(), default=Decimal(0))
    hard: Mapped[Decimal] = mapped_column(Measure(), default=Decimal(0))
    soft: Mapped[Decimal] = mapped_column(Measure(), default=Decimal(0))


class Lot(TenantOwned, Model):
    """Goods of one origin in one warehouse. `held` is what orders that named this very heat number hold of
    it.

    Goods without a lot lie in the lot with an empty number.
    """

    __tablename__ = "lot"
    __table_args__ = (
        UniqueConstraint("tenant_id", "product_id", "warehouse_id", "lot_no"),
        UniqueConstraint("tenant_id", "id"),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["ts.product.tenant_id", "ts.product.id"]),
        ForeignKeyConstraint(["tenant_id", "warehouse_id"], ["ts.warehouse.tenant_id", "ts.warehouse.id"]),
        CheckConstraint("on_hand >= 0", name="on_hand"),
        CheckConstraint("held >= 0 AND held <= on_hand", name="held"),
        Index("ix_lot_heat", "tenant_id", "product_id", "heat_no"),
    )

    id: Mapped[uuid_pk]
    product_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    lot_no: Mapped[str] = mapped_column(default="")
    heat_no: Mapped[str] = mapped_column(default="")
    expires_on: Mapped[date | None]
    on_hand: Mapped[Decimal] = mapped_column(Measure(), default=Decimal(0))
    held: Mapped[Decimal] = mapped_column(Measure(), default=Decimal(0))
    received_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class StockMove(Append, TenantOwned, Model):
    """Goods came (`qty` above zero) or went, in base units. `reason` says why somebody corrected a figure."""

    __tablename__ = "stock_move"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "lot_id"], ["ts.lot.tenant_id", "ts.lot.id"]),
        CheckConstraint("kind IN ('receipt', 'shipment', 'adjustment', 'count', 'return')", name="kind"),
        CheckConstraint("qty <> 0", name="qty"),
        CheckConstraint("kind NOT IN ('adjustment', 'count') OR reason <> ''", name="reason"),
        Index("ix_stock_move_product", "tenant_id", "product_id", "warehouse_id", "id"),
        Index("ix_stock_move_order", "tenant_id", "order_id", postgresql_where=text("order_id IS NOT NULL")),
    )

    id: Mapped[uuid_pk]
    product_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    kind: Mapped[str]
    qty: Mapped[Decimal] = mapped_column(Measure())
    reason: Mapped[str] = mapped_column(default="")
    order_id: Mapped[UUID | None]
    line_id: Mapped[UUID | None]
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class Reservation(TenantOwned, Model):
    """What an order line holds in a warehouse. Soft until `until`, hard without end; open while `closed_at`
    is empty.

    `qty` is what is still held and falls with every shipment. `outcome` is shipped, released, expired or
    renewed (expired, then taken up again when the order was confirmed).
    `lot_id` is set when the order named a heat number.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "product_id", "warehouse_id"],
            ["ts.stock_level.tenant_id", "ts.stock_level.product_id", "ts.stock_level.warehouse_id"],
        ),
        CheckConstraint("qty >= 0", name="qty"),
        CheckConstraint("kind IN ('soft', 'hard')", name="kind"),
        CheckConstraint("(kind = 'soft') = (until IS NOT NULL)", name="until"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="outcome"),
        Index("ix_reservation_order", "tenant_id", "order_id"),
        Index(
            "ix_reservation_soft",
            "tenant_id",
            "product_id",
            "until",
            postgresql_where=text("closed_at IS NULL AND kind = 'soft'"),
        ),
        Index("ix_reservation_due", "until", postgresql_where=text("closed_at IS NULL AND kind = 'soft'")),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    line_id: Mapped[UUID]
    product_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    lot_id: Mapped[UUID | None]
    qty: Mapped[Decimal] = mapped_column(Measure())
    kind: Mapped[str]
    until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

"""What lies where, and what was used of it. Both parties see their rows."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

import tongshang as ts


class ConsignmentStock(ts.TwoSided, ts.Model):
    """Goods of the seller in the buyer's warehouse, at an agreed price per `unit`. `left` is what was not used yet."""

    __tablename__ = "consignment_stock"
    __table_args__ = (
        CheckConstraint('"left" >= 0 AND "left" <= laid', name="left"),
        {"schema": "plugin_consignment"},
    )

    id: Mapped[ts.uuid_pk]
    sku_id: Mapped[UUID]
    code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    unit: Mapped[str]
    unit_price: Mapped[Decimal] = mapped_column(ts.Price())
    vat_rate: Mapped[Decimal] = mapped_column(ts.Measure())
    laid: Mapped[Decimal] = mapped_column(ts.Measure())
    left: Mapped[Decimal] = mapped_column("left", ts.Measure())
    laid_by: Mapped[str]
    laid_at: Mapped[datetime]


class UsageReport(ts.TwoSided, ts.Model):
    """So much was used, which made an order. `settled_at` is when that order was done."""

    __tablename__ = "usage_report"
    __table_args__ = ({"schema": "plugin_consignment"},)

    id: Mapped[ts.uuid_pk]
    stock_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(ts.Measure())
    order_id: Mapped[UUID | None]
    order_number: Mapped[str]
    reported_by: Mapped[str]
    reported_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

"""Shipments of the seller and receipts of the buyer. Both sides share the rows; quantities are in the order line's unit.

The counted quantities of an order line are the sums of these rows; `invariants.py` holds one against the other.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Measure, Model, TwoSided, uuid_pk

ZERO = text("0")


def _belongs_to(table: str, column: str) -> ForeignKeyConstraint:
    """A child's parties are its parent's parties."""
    return ForeignKeyConstraint(
        [column, "buyer_id", "seller_id"], [f"ts.{table}.id", f"ts.{table}.buyer_id", f"ts.{table}.seller_id"]
    )


class Shipment(TwoSided, Model):
    """Goods that left the seller together. `number` comes from the seller's series (SH)."""

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("id", "buyer_id", "seller_id"),
        UniqueConstraint("seller_id", "number"),
        Index("ix_shipment_buyer_new", "buyer_id", text("id DESC")),
        Index("ix_shipment_seller_new", "seller_id", text("id DESC")),
    )

    id: Mapped[uuid_pk]
    number: Mapped[str]
    carrier: Mapped[str] = mapped_column(server_default="")
    waybill: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")
    shipped_by: Mapped[str]
    shipped_at: Mapped[datetime]


class ShipmentLine(TwoSided, Model):
    """A quantity of one order line on one shipment. `received` is what receipts counted of it so far."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        UniqueConstraint("id", "buyer_id", "seller_id"),
        _belongs_to("shipment", "shipment_id"),
        _belongs_to("trade_order", "order_id"),
        ForeignKeyConstraint(["order_line_id"], ["ts.order_line.id"]),
        UniqueConstraint("shipment_id", "order_line_id"),
        Index("ix_shipment_line_order", "order_id"),
        Index("ix_shipment_line_order_line", "order_line_id"),
        CheckConstraint("quantity > 0 AND base_quantity > 0 AND received >= 0", name="positive"),
    )

    id: Mapped[uuid_pk]
    shipment_id: Mapped[UUID]
    order_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(Measure())
    base_quantity: Mapped[Decimal] = mapped_column(Measure())
    received: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)


class ShipmentPick(Append, TwoSided, Model):
    """Which lot a shipped quantity came from, in base units: the trail a recall follows downstream."""

    __tablename__ = "shipment_pick"
    __table_args__ = (
        _belongs_to("shipment_line", "shipment_line_id"),
        Index("ix_shipment_pick_line", "shipment_line_id"),
        Index("ix_shipment_pick_lot", "seller_id", "lot_id"),
        CheckConstraint("base_quantity > 0", name="positive"),
    )

    id: Mapped[uuid_pk]
    shipment_line_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    lot_no: Mapped[str]
    heat_no: Mapped[str]
    base_quantity: Mapped[Decimal] = mapped_column(Measure())


class Receipt(TwoSided, Model):
    """What the buyer's warehouse counted of one shipment. `number` comes from the buyer's series (GR)."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("id", "buyer_id", "seller_id"),
        UniqueConstraint("buyer_id", "number"),
        _belongs_to("shipment", "shipment_id"),
        Index("ix_receipt_shipment", "shipment_id"),
    )

    id: Mapped[uuid_pk]
    number: Mapped[str]
    shipment_id: Mapped[UUID]
    note: Mapped[str] = mapped_column(server_default="")
    received_by: Mapped[str]
    received_at: Mapped[datetime]
    reversed_by: Mapped[str | None]
    reversed_at: Mapped[datetime | None]
    reversed_why: Mapped[str | None]


class ReceiptLine(TwoSided, Model):
    """The count of one shipment line: accepted, rejected, or neither yet.

    `over_held` came beyond what was shipped and belongs to nobody's tally until it is accepted or returned.
    `returned` is what the seller took back of the rejected; of that, `reopened` is to be delivered again.
    """

    __tablename__ = "receipt_line"
    __table_args__ = (
        UniqueConstraint("id", "buyer_id", "seller_id"),
        _belongs_to("receipt", "receipt_id"),
        _belongs_to("shipment_line", "shipment_line_id"),
        _belongs_to("trade_order", "order_id"),
        ForeignKeyConstraint(["order_line_id"], ["ts.order_line.id"]),
        UniqueConstraint("receipt_id", "shipment_line_id"),
        Index("ix_receipt_line_order", "order_id"),
        Index("ix_receipt_line_order_line", "order_line_id"),
        Index("ix_receipt_line_shipment_line", "shipment_line_id"),
        CheckConstraint(
            "received >= 0 AND accepted >= 0 AND rejected >= 0 AND over_held >= 0", name="positive"
        ),
        CheckConstraint("accepted + rejected <= received", name="disposed"),
        CheckConstraint(
            "returned >= 0 AND returned <= rejected AND reopened >= 0 AND reopened <= returned",
            name="returned",
        ),
    )

    id: Mapped[uuid_pk]
    receipt_id: Mapped[UUID]
    shipment_line_id: Mapped[UUID]
    order_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    received: Mapped[Decimal] = mapped_column(Measure())
    accepted: Mapped[Decimal] = mapped_column(Measure())
    rejected: Mapped[Decimal] = mapped_column(Measure())
    over_held: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    excess_accepted: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    excess_returned: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    returned: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    reopened: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    reason: Mapped[str] = mapped_column(server_default="")


class ShortClose(TwoSided, Model):
    """The open rest of a line given up: by one side within the tolerance, else asked by one and agreed by the other."""

    __tablename__ = "short_close"
    __table_args__ = (
        _belongs_to("trade_order", "order_id"),
        ForeignKeyConstraint(["order_line_id"], ["ts.order_line.id"]),
        Index("ix_short_close_order", "order_id"),
        Index("uq_short_close_open", "order_line_id", unique=True, postgresql_where=text("state = 'open'")),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("state IN ('open', 'done', 'refused')", name="state"),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(Measure())
    reason: Mapped[str]
    side: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    state: Mapped[str]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]

"""Messages of an order, and which side still has something to read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Model, Shared, TwoSided, uuid_pk

LONGEST = 2000


class OrderMessage(Append, Shared, Model):
    """One message. `tenant_id` wrote it; `other_id` is the counterparty that may read it too, None for a note of one side."""

    __tablename__ = "order_message"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["trade_order.id"]),
        Index("ix_order_message_order", "order_id", text("at DESC"), text("id DESC")),
        CheckConstraint(f"length(text) BETWEEN 1 AND {LONGEST}", name="text"),
        CheckConstraint("(file_id IS NULL) = (file_name IS NULL)", name="file"),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    side: Mapped[str]
    author: Mapped[str]
    text: Mapped[str]
    file_id: Mapped[UUID | None]
    file_name: Mapped[str | None]
    at: Mapped[datetime]


class OrderTalk(TwoSided, Model):
    """How the talk between the two sides stands: the last shared message, and the side that has not read it yet.

    Answering is reading, so at most one side waits. The row lets a workbench find what is unread by an index,
    however long the talk is.
    """

    __tablename__ = "order_talk"
    __table_args__ = (
        ForeignKeyConstraint(
            ["order_id", "buyer_id", "seller_id"], ["trade_order.id", "trade_order.buyer_id", "trade_order.seller_id"]
        ),
        Index("ix_order_talk_buyer", "buyer_id", "since", postgresql_where=text("waits_for = 'buyer'")),
        Index("ix_order_talk_seller", "seller_id", "since", postgresql_where=text("waits_for = 'seller'")),
        CheckConstraint("waits_for IN ('buyer', 'seller')", name="waits_for"),
    )

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    waits_for: Mapped[str | None]
    last_id: Mapped[UUID]
    since: Mapped[datetime]

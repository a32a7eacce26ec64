"""The cart: what one person of an enterprise means to order."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

import tongshang as ts


class CartItem(ts.TenantOwned, ts.Model):
    """So much of one product in one person's cart; a product stands in a cart once.

    With `order_id` it has been ordered and waits for the seller to have the order; it is no longer in the cart. `code`,
    the names and `spec` are as they were when the product was put in, so that a withdrawn one still has a name.
    """

    __tablename__ = "cart_item"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index(
            "uq_cart_item_product",
            "tenant_id",
            "owner_id",
            "sku_id",
            unique=True,
            postgresql_where=text("order_id IS NULL"),
        ),
        Index("ix_cart_item_order", "tenant_id", "order_id", postgresql_where=text("order_id IS NOT NULL")),
        {"schema": "plugin_spot"},
    )

    id: Mapped[ts.uuid_pk]
    owner_id: Mapped[UUID]  # a person, or an API key that acts for none
    sku_id: Mapped[UUID]
    seller_id: Mapped[UUID]
    code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    spec: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(ts.Measure())
    unit: Mapped[str]
    added_at: Mapped[datetime]
    order_id: Mapped[UUID | None]

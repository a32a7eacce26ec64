"""What spot shows on pages of the core: a product's availability and way into the cart, an order's goods and terms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import tongshang as ts
from tongshang import gettext as _


@dataclass(frozen=True)
class Offer:
    """Goods with what is free of them, in their base unit; `may_buy` shows the form."""

    sku_id: UUID
    free: ts.Quantity
    may_buy: bool


@dataclass(frozen=True)
class OrderPanel:
    """How a spot order stands: what holds its stock, how far its lines are, and its payment terms.

    `held_until` is when an offer lapses; shares are of 100 and only for the bar.
    """

    stock: str
    tone: str
    held_until: datetime | None
    delivery_date: date | None
    late: bool
    lines: tuple["LineProgress", ...]
    terms_days: int


@dataclass(frozen=True)
class LineProgress:
    """Quantities of a line in its own unit."""

    no: int
    code: str
    ordered: ts.Quantity
    shipped: ts.Quantity
    received: ts.Quantity
    short: Decimal
    share: int


def product(ctx: ts.Context, listing: ts.ListingRow) -> ts.SlotFragment | None:
    """How much of a product could be had at once, and the form that puts it into the cart."""
    if listing.seller_id == ctx.tenant_id or listing.status != "listed":
        return None
    free = ts.on_offer(ctx, [listing.sku_id]).get(listing.sku_id, Decimal(0))
    offer = Offer(listing.sku_id, ts.Quantity(free, listing.base_uom), ctx.allows("spot.cart.use"))
    return ts.SlotFragment("spot/product.html", {"offer": offer}, title=_("Spot"), icon="stock", order=10)


def order_panel(ctx: ts.Context, order: ts.OrderFacts) -> ts.SlotFragment | None:
    """Reservation and delivery of a spot order."""
    if order.mode != "spot" or order.state not in STOCK:
        return None
    text, tone = STOCK[order.state]
    panel = OrderPanel(
        stock=str(text),
        tone=tone,
        held_until=order.offer_expires_at if order.state in ("submitted", "countered") else None,
        delivery_date=order.delivery_date,
        late=_late(ctx, order),
        lines=tuple(_progress(line) for line in order.lines),
        terms_days=order.terms_days,
    )
    return ts.SlotFragment("spot/order.html", {"panel": panel}, title=_("Spot"), icon="stock", order=20)


STOCK: dict[str, tuple[Any, str]] = {
    "draft": (ts.lazy("Nothing is reserved yet"), ""),
    "pending_approval": (ts.lazy("Nothing is reserved until a colleague approves"), "warn"),
    "submitted": (ts.lazy("Stock is held while the seller decides"), "acc"),
    "countered": (ts.lazy("Stock is held while the buyer decides"), "warn"),
    "confirmed": (ts.lazy("Stock is reserved for this order"), "acc"),
    "in_progress": (ts.lazy("Reserved stock is being shipped"), "acc"),
    "delivered": (ts.lazy("Everything has arrived"), "ok"),
    "accepted": (ts.lazy("Everything has been accepted"), "ok"),
    "completed": (ts.lazy("Delivered, invoiced and paid"), "ok"),
}
"""What each state means for the goods, and its tone. Orders that ended otherwise hold nothing and show nothing."""

SLOTS: dict[str, Callable[[ts.Context, Any], ts.SlotFragment | None]] = {
    "product:page": product,
    "order:panel": order_panel,
}


def _late(ctx: ts.Context, order: ts.OrderFacts) -> bool:
    open_still = order.state in ("confirmed", "in_progress")
    return open_still and order.delivery_date is not None and order.delivery_date < ctx.now.date()


def _progress(line: ts.LineFacts) -> LineProgress:
    due = line.quantity - line.short_closed
    share = 100 if due <= 0 else min(100, int(line.received * 100 / due))
    return LineProgress(
        no=line.no,
        code=line.sku_code,
        ordered=ts.Quantity(line.quantity, line.unit),
        shipped=ts.Quantity(line.shipped, line.unit),
        received=ts.Quantity(line.received, line.unit),
        short=line.short_closed,
        share=share,
    )

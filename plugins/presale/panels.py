"""What presales show on pages of the core: a product's running presales, and the reservation behind an order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import url_for

import tongshang as ts
from plugins.presale import reading
from plugins.presale.mode import by_order
from plugins.presale.model import Offer
from plugins.presale.views.frame import RESERVATION, State, said
from tongshang import gettext as _


@dataclass(frozen=True)
class Running:
    """An open presale of a product. `unit_price` is of one unit."""

    url: str
    number: str
    unit_price: ts.Money
    unit: str
    closes_at: Any
    free: ts.Quantity | None


@dataclass(frozen=True)
class Behind:
    """The reservation behind an order, with its deadlines."""

    url: str
    offer: str
    state: State
    earnest: ts.Money
    prepay: ts.Money
    balance: ts.Money
    held: ts.Money
    pay_by: Any
    balance_opens: Any
    balance_closes: Any
    open: bool


def product(ctx: ts.Context, listing: ts.ListingRow) -> ts.SlotFragment | None:
    """Presales that run now for a product of somebody else."""
    if listing.seller_id == ctx.tenant_id or not ctx.allows("presale.offer.view"):
        return None
    found = tuple(_running(item, offer) for item, offer in reading.running(ctx, [listing.sku_id]))
    if not found:
        return None
    return ts.SlotFragment("presale/product.html", {"offers": found}, title=_("Presale"), icon="cal", order=20)


def badge(ctx: ts.Context, goods: Any) -> ts.SlotFragment | None:
    """That something on this page of the catalogue is in presale; the query runs once for the page."""
    found = reading.running(ctx, list(goods.sku_ids))
    if not found:
        return None
    return ts.SlotFragment("presale/badge.html", {"count": len(found), "url": url_for("presale.index")}, order=20)


def order_panel(ctx: ts.Context, order: ts.OrderFacts) -> ts.SlotFragment | None:
    """Where an order born of a reservation stands in its presale."""
    if order.mode != "presale":
        return None
    found = by_order(ctx, order.id)
    if found is None:
        return None
    offer = ctx.session.get_one(Offer, found.offer_id)

    def money(amount: Any) -> ts.Money:
        return ts.Money(amount, found.currency)

    panel = Behind(
        url=url_for("presale.reservation", reservation_id=found.id),
        offer=offer.number,
        state=said(RESERVATION, found.state),
        earnest=money(found.earnest),
        prepay=money(found.prepay),
        balance=money(found.total - found.earnest - found.prepay),
        held=money(ts.money_of(ctx, order.id).held),
        pay_by=found.pay_by,
        balance_opens=found.balance_opens,
        balance_closes=found.balance_closes,
        open=found.state in ("reserved", "earnest_paid", "balance_due"),
    )
    return ts.SlotFragment("presale/order.html", {"panel": panel}, title=_("Presale"), icon="cal", order=20)


SLOTS: dict[str, Callable[[ts.Context, Any], ts.SlotFragment | None]] = {
    "product:page": product,
    "catalogue:badge": badge,
    "order:panel": order_panel,
}


def _running(item: Any, offer: Offer) -> Running:
    free = None if offer.max_total is None else ts.Quantity(max(offer.max_total - offer.taken, offer.taken * 0), offer.unit)
    return Running(
        url_for("presale.offer", offer_id=offer.id), offer.number, ts.Money(ts.round2(item.price), offer.currency),
        offer.unit, offer.closes_at, free,
    )  # fmt: skip

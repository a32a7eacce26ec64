"""Spot trade: goods that are there, at the buyer's own price, ordered from a cart and reserved at once."""

from typing import Any

import tongshang as ts
from plugins.spot import api, following, panels, views
from plugins.spot.mode import SPOT
from plugins.spot.schema import Settings
from tongshang import hookimpl

__all__ = ["Settings"]


@hookimpl
def register_permissions() -> list[ts.Permission]:
    return [
        ts.Permission("spot.cart.use", "Fill a cart", ("admin", "buyer.clerk", "buyer.approver")),
    ]


@hookimpl
def register_blueprints() -> list[ts.Pages]:
    return [views.pages]


@hookimpl
def register_api() -> list[ts.Api]:
    return [api.api]


@hookimpl
def register_menu() -> list[ts.NavEntry]:
    return [views.CART]


@hookimpl
def register_event_handlers() -> list[ts.Subscription]:
    return [
        ts.Subscription(ts.OrderSubmitted, following.clear_cart),
        ts.Subscription(ts.OrderSubmitted, following.confirm_by_rule),
        ts.Subscription(ts.OrderCancelled, following.give_back),
        ts.Subscription(ts.OrderExpired, following.give_back),
    ]


@hookimpl
def register_trade_modes() -> list[ts.TradeMode]:
    return [SPOT]


@hookimpl
def fill_slot(ctx: ts.Context, slot: str, subject: Any) -> ts.SlotFragment | None:
    fill = panels.SLOTS.get(slot)
    return fill(ctx, subject) if fill else None

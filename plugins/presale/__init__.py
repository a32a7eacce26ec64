"""Presale: goods that do not exist yet, reserved against earnest money and paid in full before they are made or shipped."""

from typing import Any

import tongshang as ts
from plugins.presale import api, following, panels, views
from plugins.presale.mode import PRESALE
from plugins.presale.schema import Settings
from plugins.presale.service.timing import Timers
from tongshang import hookimpl

__all__ = ["Settings"]

EVERYBODY = (
    "admin", "auditor", "buyer.clerk", "buyer.approver", "buyer.finance",
    "seller.sales", "seller.planner", "seller.finance",
)  # fmt: skip


@hookimpl
def register_permissions() -> list[ts.Permission]:
    return [
        ts.Permission("presale.offer.view", "See presales and reservations", EVERYBODY),
        ts.Permission("presale.offer.edit", "Publish presales and enter index values", ("admin", "seller.sales")),
        ts.Permission("presale.reservation.make", "Reserve in presales", ("admin", "buyer.clerk", "buyer.approver")),
        ts.Permission(
            "presale.reservation.end",
            "Cut, leave and release reservations",
            ("admin", "buyer.clerk", "buyer.approver", "seller.sales"),
        ),
    ]


@hookimpl
def register_blueprints() -> list[ts.Pages]:
    return [views.pages]


@hookimpl
def register_api() -> list[ts.Api]:
    return [api.api]


@hookimpl
def register_menu() -> list[ts.NavEntry]:
    return [views.PRESALES]


@hookimpl
def register_jobs() -> list[Any]:
    return [Timers]


@hookimpl
def register_event_handlers() -> list[ts.Subscription]:
    return [
        ts.Subscription(ts.PaymentConfirmed, following.money_came),
        ts.Subscription(ts.OrderStarted, following.order_started),
        ts.Subscription(ts.OrderAmended, following.order_amended),
        ts.Subscription(ts.OrderCancelled, following.order_ended),
        ts.Subscription(ts.OrderTerminated, following.order_ended),
    ]


@hookimpl
def register_trade_modes() -> list[ts.TradeMode]:
    return [PRESALE]


@hookimpl
def open_gates(ctx: ts.Context, order: ts.OrderFacts) -> list[ts.GateRequest] | None:
    """An order does not start before its presale has closed and its price is final, however early it is paid."""
    if order.mode != "presale":
        return None
    return [ts.GateRequest("ready", "start", "The presale has closed and its price is final")]


@hookimpl
def fill_slot(ctx: ts.Context, slot: str, subject: Any) -> ts.SlotFragment | None:
    fill = panels.SLOTS.get(slot)
    return fill(ctx, subject) if fill else None

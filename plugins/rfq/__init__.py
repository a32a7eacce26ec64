"""Requests for quotation: a buyer asks, invited sellers quote, an award becomes orders at the quoted prices."""

from typing import Any

import tongshang as ts
from plugins.rfq import api, following, jobs, panels, views
from plugins.rfq.mode import RFQ
from plugins.rfq.schema import Settings
from tongshang import hookimpl

__all__ = ["Settings"]

BUYERS = ("admin", "buyer.clerk", "buyer.approver")
SELLERS = ("admin", "seller.sales")


@hookimpl
def register_permissions() -> list[ts.Permission]:
    buying, selling = (*BUYERS, "buyer.finance", "auditor"), (*SELLERS, "seller.planner", "seller.finance", "auditor")
    return [
        ts.Permission("rfq.view", "Open requests for quotation", tuple(dict.fromkeys((*buying, *selling)))),
        ts.Permission("rfq.request.view", "See own requests and compare quotes", buying),
        ts.Permission("rfq.request.write", "Ask sellers for quotes", BUYERS),
        ts.Permission("rfq.award", "Award quotes", BUYERS, limited=True),
        ts.Permission("rfq.quote.view", "See requests of buyers", selling),
        ts.Permission("rfq.quote.write", "Quote or decline", SELLERS),
    ]


@hookimpl
def register_blueprints() -> list[ts.Pages]:
    return [views.pages]


@hookimpl
def register_api() -> list[ts.Api]:
    return [api.api]


@hookimpl
def register_menu() -> list[ts.NavEntry]:
    return [views.MENU]


@hookimpl
def register_jobs() -> list[Any]:
    return [jobs.TIMER]


@hookimpl
def register_event_handlers() -> list[ts.Subscription]:
    return [
        ts.Subscription(ts.OrderSubmitted, following.confirm_award),
        ts.Subscription(ts.OrderCancelled, following.void_award),
        ts.Subscription(ts.OrderExpired, following.void_award),
        ts.Subscription(ts.OrderRejected, following.void_award),
    ]


@hookimpl
def register_trade_modes() -> list[ts.TradeMode]:
    return [RFQ]


@hookimpl
def fill_slot(ctx: ts.Context, slot: str, subject: Any) -> ts.SlotFragment | None:
    fill = panels.SLOTS.get(slot)
    return fill(ctx, subject) if fill else None

"""Consignment: goods lie at the buyer's and stay the seller's until the buyer uses them; what was used is billed."""

from typing import Any

import tongshang as ts
from tongshang import hookimpl
from tongshang_consignment import api, following, panels, views
from tongshang_consignment.mode import COUNTED, MODE, rules
from tongshang_consignment.schema import Settings

__all__ = ["Settings"]

BUYING = ("admin", "buyer.clerk", "buyer.warehouse")
SELLING = ("admin", "seller.sales", "seller.warehouse")


@hookimpl
def register_permissions() -> list[ts.Permission]:
    return [
        ts.Permission("consignment.stock.view", "See goods on consignment", tuple(dict.fromkeys(BUYING + SELLING))),
        ts.Permission("consignment.stock.lay", "Lay goods in at a buyer's", SELLING),
        ts.Permission("consignment.usage.report", "Report goods as used", BUYING),
        ts.Permission("consignment.usage.confirm", "Confirm what was reported as used", SELLING),
    ]


@hookimpl
def register_blueprints() -> list[ts.Pages]:
    return [views.pages]


@hookimpl
def register_api() -> list[ts.Api]:
    return [api.api]


@hookimpl
def register_menu() -> list[ts.NavEntry]:
    return [views.STOCK]


@hookimpl
def register_event_handlers() -> list[ts.Subscription]:
    return [ts.Subscription(ts.OrderCompleted, following.settle)]


@hookimpl
def register_trade_modes() -> list[ts.TradeMode]:
    return [MODE]


@hookimpl
def open_gates(ctx: ts.Context, order: ts.OrderFacts) -> list[ts.GateRequest] | None:
    """Where the seller wants it, nothing is billed before somebody there has confirmed the reported usage."""
    if order.mode != MODE.key or ctx.tenant_id != order.seller_id or not rules(ctx).confirm_usage:
        return None
    return [ts.GateRequest(COUNTED, "invoice", "The seller confirms the reported usage")]


@hookimpl
def fill_slot(ctx: ts.Context, slot: str, subject: Any) -> ts.SlotFragment | None:
    fill = panels.SLOTS.get(slot)
    return fill(ctx, subject) if fill else None

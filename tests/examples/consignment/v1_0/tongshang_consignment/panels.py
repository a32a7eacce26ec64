"""What an order of this mode says about where it came from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import tongshang as ts
from tongshang import gettext as _
from tongshang_consignment.mode import KEY, by_order
from tongshang_consignment.model import ConsignmentStock


@dataclass(frozen=True)
class Usage:
    """The report behind an order, and what is left of the goods."""

    code: str
    used: ts.Quantity
    left: ts.Quantity
    reported_by: str
    reported_at: datetime


def order_panel(ctx: ts.Context, order: ts.OrderFacts) -> ts.SlotFragment | None:
    report = by_order(ctx, order.id) if order.mode == KEY else None
    if report is None:
        return None
    stock = ctx.session.get_one(ConsignmentStock, report.stock_id)
    panel = Usage(
        stock.code,
        ts.Quantity(report.quantity, stock.unit),
        ts.Quantity(stock.left, stock.unit),
        report.reported_by,
        report.reported_at,
    )
    return ts.SlotFragment("consignment/order.html", {"panel": panel}, _("Consignment"), "stock", 20)


SLOTS: dict[str, Callable[[ts.Context, Any], ts.SlotFragment | None]] = {"order:panel": order_panel}

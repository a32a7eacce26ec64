"""The trade mode: an order is born of a usage report, at the price that was agreed when the goods were laid in.

Prices and plans are asked on the seller's side, so the settings are the seller's.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

import tongshang as ts
from tongshang_consignment.model import ConsignmentStock, UsageReport
from tongshang_consignment.schema import Settings

KEY = "consignment"
SOURCE = "consignment:"
COUNTED = "counted"
"""The gate before the invoice, where the seller confirms usage."""


@dataclass(frozen=True)
class Rules:
    """The seller's settings, with the defaults filled in."""

    settle_days: int
    confirm_usage: bool


def rules(ctx: ts.Context) -> Rules:
    said = Settings().load(dict(ctx.settings))
    return Rules(said["settle_days"], said["confirm_usage"])


def agreed(ctx: ts.Context, quotation: ts.Quotation) -> list[ts.AgreedPrice]:
    """The price agreed for the goods, for exactly what was reported."""
    report = report_of(ctx, quotation.source_ref)
    stock = ctx.session.get_one(ConsignmentStock, report.stock_id)
    wanted = (quotation.buyer_id, quotation.seller_id, quotation.sku_ids, quotation.quantities)
    if wanted != (stock.buyer_id, stock.seller_id, (stock.sku_id,), (report.quantity,)):
        raise ts.Refused("consignment.not_reported")
    return [ts.AgreedPrice(stock.unit_price, True, stock.vat_rate, "Consignment price")]


def report_of(ctx: ts.Context, source_ref: str | None) -> UsageReport:
    """The usage an order was born of; refused for an order that names none."""
    try:
        wanted = UUID((source_ref or "").removeprefix(SOURCE))
    except ValueError:
        raise ts.Refused("consignment.not_reported") from None
    found = ctx.session.get(UsageReport, wanted)
    if found is None:
        raise ts.Refused("consignment.not_reported")
    return found


def by_order(ctx: ts.Context, order_id: UUID) -> UsageReport | None:
    return ctx.session.scalar(select(UsageReport).where(UsageReport.order_id == order_id))


def payment_plan(ctx: ts.Context, order: ts.OrderFacts) -> list[ts.PlanItem]:
    """Everything on the invoice: nothing is owed for goods that only lie there."""
    return [ts.PlanItem("delivery", order.total, due_base="invoice", due_days=rules(ctx).settle_days)]


def cancel_plan(ctx: ts.Context, order: ts.OrderFacts, by: str) -> list[ts.MoneyMove] | None:
    """What was used cannot be unused by one side."""
    return None


def billable(line: ts.LineFacts, accepted: Decimal) -> tuple[Decimal, Decimal]:
    """What was accepted, which is what was used, at the agreed price."""
    return accepted, line.unit_price


MODE = ts.TradeMode(
    key=KEY,
    title="Consignment",
    payment_plan=payment_plan,
    cancel_plan=cancel_plan,
    billable=billable,
    reserve=False,
    agreed=agreed,
)

"""The trade mode: an order born of an award has the award's prices, and is paid as its quote says.

All are asked on the seller's side, where the award and the quote can be read.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

import tongshang as ts
from plugins.rfq.model import Award, AwardLine, Quote
from plugins.rfq.schema import Settings
from plugins.rfq.service.awarding import SOURCE


@dataclass(frozen=True)
class Rules:
    """The settings of the acting enterprise, with the defaults filled in."""

    tell_winning_price: bool
    days_open: int
    valid_days: int


def rules(ctx: ts.Context) -> Rules:
    return Rules(**Settings().load(dict(ctx.settings)))


def agreed(ctx: ts.Context, quotation: ts.Quotation) -> list[ts.AgreedPrice]:
    """The prices of the award. Lines other than the awarded ones are refused: what was agreed is not edited here."""
    award = _award(ctx, quotation.source_ref)
    if award is None or award.order_id not in (None, quotation.order_id) or award.buyer_id != quotation.buyer_id:
        raise ts.Conflict("rfq.not_awarded")
    lines = ctx.session.scalars(select(AwardLine).where(AwardLine.award_id == award.id).order_by(AwardLine.no)).all()
    asked = list(zip(quotation.sku_ids, quotation.quantities, quotation.units, strict=True))
    if asked != [(line.sku_id, line.quantity, line.unit) for line in lines]:
        raise ts.Conflict("rfq.award_is_fixed")
    return [ts.AgreedPrice(line.unit_price, line.tax_included, line.vat_rate, "quote") for line in lines]


def payment_plan(ctx: ts.Context, order: ts.OrderFacts) -> list[ts.PlanItem]:
    """The quote's own terms: a share before the order starts, the rest on the invoice."""
    award = _award(ctx, order.source_ref)
    quote = ctx.session.get(Quote, award.quote_id) if award is not None else None
    if quote is None:
        return [ts.PlanItem("delivery", order.total, due_base="invoice", due_days=order.terms_days)]
    first = ts.round2(order.total * quote.prepay_percent / 100)
    rest = order.total - first
    plan = [ts.PlanItem("prepay", first, due_base="confirm", due_days=0, gate="start")] if first else []
    return [*plan, ts.PlanItem("delivery", rest, due_base="invoice", due_days=quote.terms_days)] if rest else plan


def cancel_plan(ctx: ts.Context, order: ts.OrderFacts, by: str) -> list[ts.MoneyMove] | None:
    """What both signed is left by both."""
    return None


def billable(line: ts.LineFacts, accepted: Decimal) -> tuple[Decimal, Decimal]:
    """What was accepted, at the price of the quote."""
    return accepted, line.unit_price


def _award(ctx: ts.Context, source_ref: str | None) -> Award | None:
    if not source_ref or not source_ref.startswith(SOURCE):
        return None
    try:
        award_id = UUID(source_ref.removeprefix(SOURCE))
    except ValueError:
        return None
    found: Award | None = ctx.session.get(Award, award_id, populate_existing=True)
    return found


RFQ = ts.TradeMode(
    key="rfq",
    title="Requested quote",
    payment_plan=payment_plan,
    cancel_plan=cancel_plan,
    billable=billable,
    reserve=False,
    agreed=agreed,
)

"""The trade mode: how a spot order is paid, what leaving it costs, and what is billed.

Both plans are asked on the seller's side, so the settings are the seller's.
"""

from dataclasses import dataclass
from decimal import Decimal

import tongshang as ts
from plugins.spot.schema import Settings


@dataclass(frozen=True)
class Rules:
    """The seller's settings, with the defaults filled in. `auto_confirm_limit` in the seller's currency."""

    prepay: bool
    penalty_percent: Decimal
    auto_confirm_limit: Decimal | None


def rules(ctx: ts.Context) -> Rules:
    return Rules(**Settings().load(dict(ctx.settings)))


def payment_plan(ctx: ts.Context, order: ts.OrderFacts) -> list[ts.PlanItem]:
    """Everything in advance, before the order may start; or everything on the invoice, on the buyer's terms."""
    if rules(ctx).prepay:
        return [ts.PlanItem("prepay", order.total, due_base="confirm", due_days=0, gate="start")]
    return [ts.PlanItem("delivery", order.total, due_base="invoice", due_days=order.terms_days)]


def cancel_plan(ctx: ts.Context, order: ts.OrderFacts, by: str) -> list[ts.MoneyMove] | None:
    """Who leaves alone pays the agreed share of the amount; where none is agreed, leaving needs both."""
    share = rules(ctx).penalty_percent
    if not share:
        return None
    other = "seller" if by == "buyer" else "buyer"
    penalty = ts.round2(order.total * share / 100)
    return [ts.MoneyMove(by, other, penalty, "penalty")] if penalty else []


def billable(line: ts.LineFacts, accepted: Decimal) -> tuple[Decimal, Decimal]:
    """What was accepted, at the price of the order."""
    return accepted, line.unit_price


SPOT = ts.TradeMode(
    key="spot",
    title="Spot trade",
    payment_plan=payment_plan,
    cancel_plan=cancel_plan,
    billable=billable,
)

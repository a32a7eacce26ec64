"""The plugin contract (`specs`), what plugins see (`facts`) and answer (`answers`), and how they are called (`dispatch`)."""

from core.hooks.answers import (
    AgreedPrice,
    GateRequest,
    Health,
    Hit,
    MoneyMove,
    Objection,
    Offer,
    Payee,
    PlanItem,
    PriceComponent,
    Report,
    SlotFragment,
    Subscription,
    TradeMode,
)
from core.hooks.breaker import Fault
from core.hooks.dispatch import Broken, Dispatch, Mode, PluginBroke, PluginFailed
from core.hooks.facts import InvoiceFacts, LineFacts, LotFacts, OrderFacts, Party, Quotation, TransitionFacts
from core.hooks.specs import POLICIES, hookimpl, hookspec

__all__ = [
    "POLICIES",
    "AgreedPrice",
    "Broken",
    "Dispatch",
    "Fault",
    "GateRequest",
    "Health",
    "Hit",
    "InvoiceFacts",
    "LineFacts",
    "LotFacts",
    "Mode",
    "MoneyMove",
    "Objection",
    "Offer",
    "OrderFacts",
    "Party",
    "Payee",
    "PlanItem",
    "PluginBroke",
    "PluginFailed",
    "PriceComponent",
    "Quotation",
    "Report",
    "SlotFragment",
    "Subscription",
    "TradeMode",
    "TransitionFacts",
    "hookimpl",
    "hookspec",
]

"""The door: the only name plugins import. Everything here is re-exported from the core; nothing is defined.

What is not named here is not promised. `docs/reference/hooks.md` explains each name; a test holds the two together.
"""

from core.billing import PaymentConfirmed, PaymentRejected, announce_payment
from core.billing.agreed import amend_as_agreed, claim_damages
from core.billing.claims import claims_of, settle_claim, waive_claim
from core.billing.escrow import OrderMoney, money_of, moves_of
from core.catalog import (
    Agreed,
    Goods,
    ListingRow,
    PricedLine,
    SkuFacts,
    Wanted,
    agreed_lines,
    own_goods,
    own_prices,
    quote_lines,
    vat,
)
from core.catalog import listing_row as listing
from core.db import Amount, Append, Measure, Model, Price, Published, TenantOwned, TwoSided, uuid_pk
from core.files import files_of
from core.files import inspect as inspect_file
from core.files import keep as keep_file
from core.fulfilment import Count, Portion, receive, ship, short_close
from core.hooks import (
    AgreedPrice,
    GateRequest,
    Health,
    Hit,
    InvoiceFacts,
    LineFacts,
    LotFacts,
    MoneyMove,
    Objection,
    Offer,
    OrderFacts,
    Party,
    Payee,
    PlanItem,
    PriceComponent,
    Quotation,
    Report,
    SlotFragment,
    Subscription,
    TradeMode,
    TransitionFacts,
    hookimpl,
)
from core.kernel import (
    Conflict,
    Context,
    Event,
    FieldError,
    Forbidden,
    Invalid,
    Money,
    NotFound,
    Permission,
    Quantity,
    Refused,
    Transition,
    round2,
    round_to,
    split,
    uuid7,
)
from core.orders import NewOrder, WantedLine, cancel_confirmed, confirm, number, place
from core.orders.agreed import conclude, facts_of, hold_goods, pass_gate
from core.orders.events import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderCountered,
    OrderDelivered,
    OrderDrafted,
    OrderExpired,
    OrderMessageWritten,
    OrderRejected,
    OrderStarted,
    OrderSubmitted,
    OrderTerminated,
)
from core.stock import on_offer
from core.tenancy import addresses, cards, find_enterprises, partners, trade_settings
from core.web import Answer, Api, NavEntry, Pages, Schema, fields, flash, form, gettext, redirect, render
from core.web.i18n import language, lazy
from core.web.mending import mend, read_form
from core.web.page import Crumb

__all__ = [
    "Agreed", "AgreedPrice", "Amount", "Answer", "Api", "Append", "Conflict", "Context", "Count", "Crumb", "Event",
    "FieldError", "Forbidden", "GateRequest", "Goods", "Health", "Hit", "Invalid", "InvoiceFacts", "LineFacts",
    "ListingRow", "LotFacts", "Measure", "Model", "Money", "MoneyMove", "NavEntry", "NewOrder", "NotFound", "Objection", "Offer",
    "OrderAccepted", "OrderAmended", "OrderCancelled", "OrderCompleted", "OrderConfirmed", "OrderCountered",
    "OrderDelivered", "OrderDrafted", "OrderExpired", "OrderFacts", "OrderMessageWritten",
    "OrderMoney", "OrderRejected", "OrderStarted",
    "OrderSubmitted", "OrderTerminated", "Pages", "Party", "Payee", "PaymentConfirmed", "PaymentRejected",
    "Permission", "PlanItem", "Portion", "Price", "PriceComponent", "PricedLine", "Published", "Quantity", "Quotation",
    "Refused", "Report", "Schema", "SkuFacts", "SlotFragment", "Subscription", "TenantOwned", "TradeMode", "Transition",
    "TransitionFacts", "TwoSided", "Wanted", "WantedLine", "addresses", "agreed_lines", "amend_as_agreed",
    "announce_payment", "cancel_confirmed", "cards", "claim_damages", "claims_of", "conclude", "confirm",
    "facts_of", "fields", "files_of", "find_enterprises", "flash", "form", "gettext", "hold_goods", "hookimpl",
    "inspect_file", "keep_file", "language", "lazy", "listing", "mend", "money_of", "moves_of", "number",
    "on_offer", "own_goods", "own_prices", "partners", "pass_gate", "place", "quote_lines", "read_form",
    "receive", "redirect", "render", "round2", "round_to", "settle_claim", "ship", "short_close", "split",
    "trade_settings", "uuid7", "uuid_pk", "vat", "waive_claim",
]  # fmt: skip

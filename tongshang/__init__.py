"""The door: the only name plugins import. Everything here is re-exported from the core; nothing is defined.

What is not named here is not promised. The reference explains each name; a test compares the list with the last release.
"""

from core.db import Append, Model, Published, TenantOwned, TwoSided, uuid_pk
from core.fulfilment import receive, ship, short_close
from core.hooks import (
    GateRequest,
    Health,
    Hit,
    InvoiceFacts,
    LineFacts,
    MoneyMove,
    Objection,
    OrderFacts,
    Party,
    Payee,
    PlanItem,
    PriceComponent,
    Quotation,
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
from core.orders import NewOrder, WantedLine, place
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
    OrderRejected,
    OrderStarted,
    OrderSubmitted,
    OrderTerminated,
)
from core.web import Answer, Api, NavEntry, Pages, Schema, fields, flash, form, gettext, redirect, render

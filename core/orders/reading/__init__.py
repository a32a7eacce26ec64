"""Reading orders: lists by keyset, one order whole, and what its reader may do with it. Nothing here writes."""

from core.orders.reading.detail import detail, events, find
from core.orders.reading.facts import (
    Allowed,
    Change,
    Detail,
    Event,
    GateFacts,
    HoldFacts,
    Line,
    Partner,
    PlanFacts,
    ProposalFacts,
)
from core.orders.reading.listing import OPEN, WAITING, OrderRow, count_waiting, list_orders

__all__ = [
    "OPEN",
    "WAITING",
    "Allowed",
    "Change",
    "Detail",
    "Event",
    "GateFacts",
    "HoldFacts",
    "Line",
    "OrderRow",
    "Partner",
    "PlanFacts",
    "ProposalFacts",
    "count_waiting",
    "detail",
    "events",
    "find",
    "list_orders",
]

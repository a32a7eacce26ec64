"""An event handler that keeps everything it ever saw, and a hook that keeps what it saw of the largest orders."""

import time
from decimal import Decimal

import tongshang as ts
from tongshang import hookimpl

BIG = Decimal(5_000)
"""Orders from here on bring its mistake out; smaller ones go well."""
HUGE = Decimal(8_000)
KEPT = []
STEPS, PIECE = 40, 6 * 1024 * 1024  # bytes; a quarter of a gigabyte in a few seconds


@hookimpl
def open_gates(order):
    return [ts.GateRequest("seen", "ship", "Seen by the inspector")]


@hookimpl
def check_transition(order):
    if order.total >= HUGE:
        KEPT.extend(b"x" * PIECE for _ in range(STEPS // 2))


def hoard(ctx, event):
    if ts.facts_of(ctx, event.order_id).total >= BIG:
        for _ in range(STEPS):
            KEPT.append(b"x" * PIECE)
            time.sleep(0.1)


@hookimpl
def register_event_handlers():
    return [ts.Subscription(ts.OrderSubmitted, hoard)]

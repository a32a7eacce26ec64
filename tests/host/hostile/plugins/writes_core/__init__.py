"""A hook that writes the platform's own tables."""

from decimal import Decimal

from sqlalchemy import text

import tongshang as ts
from tongshang import hookimpl

BIG = Decimal(5_000)
"""Orders from here on bring its mistake out; smaller ones go well."""


@hookimpl
def open_gates(order):
    return [ts.GateRequest("seen", "ship", "Seen by the inspector")]


@hookimpl
def check_transition(ctx, order):
    if order.total >= BIG:
        ctx.session.execute(text("UPDATE ts.trade_order SET total = 0, net = 0, tax = 0"))

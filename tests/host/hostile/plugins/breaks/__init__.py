"""A hook that breaks the transaction and says nothing."""

from contextlib import suppress
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
        with suppress(Exception):
            ctx.session.execute(text("SELECT 1 / 0"))

"""A hook that sleeps for a minute, where nothing reaches it."""

import time
from decimal import Decimal

import tongshang as ts
from tongshang import hookimpl

BIG = Decimal(5_000)
"""Orders from here on bring its mistake out; smaller ones go well."""


@hookimpl
def open_gates(order):
    return [ts.GateRequest("seen", "ship", "Seen by the inspector")]


@hookimpl
def check_transition(order):
    if order.total >= BIG:
        time.sleep(60)

"""A hook that commits, by every road in turn."""

from contextlib import suppress
from decimal import Decimal

from sqlalchemy import text

import tongshang as ts
from tongshang import hookimpl

BIG = Decimal(5_000)
"""Orders from here on bring its mistake out; smaller ones go well."""


def roads(ctx):
    connection = ctx.session.connection()
    driver = connection.connection.driver_connection
    return [
        ctx.session.commit,
        connection.commit,
        driver.commit,
        lambda: connection.exec_driver_sql("COMMIT"),
        lambda: ctx.session.execute(text("END")),
        lambda: driver.execute("COMMIT AND CHAIN"),
    ]


@hookimpl
def open_gates(order):
    return [ts.GateRequest("seen", "ship", "Seen by the inspector")]


@hookimpl
def check_transition(ctx, order):
    if order.total >= BIG:
        for road in roads(ctx):
            with suppress(RuntimeError):
                road()

"""A hook that forgets to ask for its own enterprise's rows, and writes some in the name of another."""

from decimal import Decimal

from hostile_foreign.model import Note
from sqlalchemy import select

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
        for note in ctx.session.scalars(select(Note)):
            if note.tenant_id != ctx.tenant_id:
                raise AssertionError(f"saw a row of {note.tenant_id}")
            ctx.session.delete(note)
        ctx.session.add(Note(id=ts.uuid7(), tenant_id=order.buyer_id, order_id=order.id))

"""Rows inserted straight away are as good as flushed ones."""

import gc

from sqlalchemy import select

from core.db import count_statements, insert_rows
from core.kernel import uuid7
from core.orders.model import NumberSeries, OrderPrivate
from core.outbox.model import StoredAnswer


def test_inserted_rows_are_held_by_the_session_and_change_like_others(ctx):
    rows = [NumberSeries(id=uuid7(), tenant_id=ctx.tenant_id, kind=kind, year=2026, next=7) for kind in ("XA", "XB")]
    ids = [row.id for row in rows]
    insert_rows(ctx.session, rows)
    del rows
    gc.collect()
    held = sorted((row for row in ctx.session if isinstance(row, NumberSeries)), key=lambda row: row.kind)
    assert [row.id for row in held] == ids
    held[1].next = 8
    ctx.session.flush()
    table = NumberSeries.__table__.c
    assert ctx.session.scalars(select(table.next).where(table.id.in_(ids)).order_by(table.kind)).all() == [7, 8]


def test_what_the_database_fills_in_is_read_when_asked_for_and_what_is_empty_is_known(ctx):
    private = OrderPrivate(id=uuid7(), tenant_id=ctx.tenant_id, order_id=uuid7(), note="dock 3")
    answer = StoredAnswer(id=uuid7(), tenant_id=ctx.tenant_id, actor="a", route="r", key="k", fingerprint=b"f")
    with count_statements() as seen:
        insert_rows(ctx.session, [private])
        insert_rows(ctx.session, [answer])
        insert_rows(ctx.session, [])
        assert (private.note, answer.status) == ("dock 3", None)
        assert len(seen) == 2
        assert private.cost_centre == ""
        assert len(seen) == 3

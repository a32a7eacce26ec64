"""A day as people handle it: count it now, look at what differs, do what is suggested."""

from datetime import date
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from core.kernel import Conflict, Context, Invalid, NotFound, uuid7
from core.sync.facts import booked_on
from core.sync.model import ErpConnection, SyncDocument
from core.sync.outgoing import SALES_ORDER
from core.sync.reconciling.model import SyncDifference, SyncTally
from core.sync.service import find_connection

SHOWN = 31


def tally_day(ctx: Context, connection_id: UUID, day: date, kind: str = SALES_ORDER) -> SyncTally:
    """Ask for the documents of a kind of one day to be counted, or counted again; the worker does it within seconds."""
    ctx.require("connection.replay")
    connection = find_connection(ctx, connection_id)
    if connection.state != "active":
        raise Conflict("connection.not_active", state=connection.state)
    if day > booked_on(ctx, ctx.now):
        raise Invalid.one("day", "connection.day_to_come")
    if kind not in counted_kinds(connection):
        raise Invalid.one("kind", "connection.document_unknown", kind=kind[:40])
    asked = {"state": "wanted", "asked_by": ctx.actor.name, "asked_at": ctx.now}
    adding = insert(SyncTally).values(
        id=uuid7(), tenant_id=ctx.tenant_id, connection_id=connection_id, kind=kind, day=day, **asked
    )
    # One that is being counted goes on; whoever asks meanwhile gets its result.
    again = adding.on_conflict_do_update(
        index_elements=["tenant_id", "connection_id", "kind", "day"],
        set_=asked | {"lease_until": None, "checked": 0, "said": ""},
        where=SyncTally.state.in_(("done", "failed")),
    )
    ctx.session.execute(again)
    row = ctx.session.scalar(
        select(SyncTally)
        .where(
            SyncTally.tenant_id == ctx.tenant_id,
            SyncTally.connection_id == connection_id,
            SyncTally.kind == kind,
            SyncTally.day == day,
        )
        .execution_options(populate_existing=True)
    )
    assert row is not None
    ctx.record("connection.tally", connection, day=str(day), kind=kind)
    return row


def counted_kinds(connection: ErpConnection) -> tuple[str, ...]:
    """The kinds of documents that are counted on a connection: those that go out through it."""
    return tuple(connection.documents) or (SALES_ORDER,)


def tallies(ctx: Context, connection_id: UUID, limit: int = SHOWN) -> list[SyncTally]:
    """The days of a connection and their kinds, newest first."""
    ctx.require("connection.view")
    wanted = select(SyncTally).where(
        SyncTally.tenant_id == ctx.tenant_id, SyncTally.connection_id == connection_id
    )
    return list(ctx.session.scalars(wanted.order_by(SyncTally.day.desc(), SyncTally.kind).limit(limit)))


def find_tally(ctx: Context, tally_id: UUID) -> SyncTally:
    ctx.require("connection.view")
    found = ctx.session.scalar(
        select(SyncTally).where(SyncTally.tenant_id == ctx.tenant_id, SyncTally.id == tally_id)
    )
    if found is None:
        raise NotFound("connection.no_tally")
    return found


def find_difference(ctx: Context, difference_id: UUID) -> SyncDifference:
    ctx.require("connection.view")
    found = ctx.session.scalar(
        select(SyncDifference).where(SyncDifference.tenant_id == ctx.tenant_id, SyncDifference.id == difference_id)
    )
    if found is None:
        raise NotFound("connection.no_difference")
    return found


def differences_of(ctx: Context, tally_id: UUID, limit: int = 500) -> list[SyncDifference]:
    """What differs on a day, by reference."""
    ctx.require("connection.view")
    wanted = select(SyncDifference).where(
        SyncDifference.tenant_id == ctx.tenant_id, SyncDifference.tally_id == tally_id
    )
    return list(ctx.session.scalars(wanted.order_by(SyncDifference.reference).limit(limit)))


def act_on(ctx: Context, difference_id: UUID) -> SyncDifference:
    """Do what is suggested: send the document again, or its cancellation.

    Nothing is sent blindly: the engine looks the document up first. Conflict where only a person can look at it, and
    where the document has moved on since the day was counted.
    """
    ctx.require("connection.replay")
    row = ctx.session.scalar(
        select(SyncDifference)
        .where(SyncDifference.tenant_id == ctx.tenant_id, SyncDifference.id == difference_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("connection.no_difference")
    if row.act == "look" or row.document_id is None:
        raise Conflict("connection.only_to_look_at")
    later = aliased(SyncDocument)  # there: the same object goes to other systems too
    newer = (
        select(later.id)
        .where(
            later.tenant_id == ctx.tenant_id,
            later.object_id == row.object_id,
            later.connection_id == SyncDocument.connection_id,
            later.kind == SyncDocument.kind,
            later.id > row.document_id,
        )
        .exists()
    )
    taken = ctx.session.execute(
        update(SyncDocument)
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.id == row.document_id,
            SyncDocument.state.in_(("done", "failed", "held")),
            ~newer,
        )
        .values(state="new", tries=0, not_before=ctx.now, lease_until=None, changed_at=ctx.now)
    )
    if taken.rowcount != 1:
        raise Conflict("connection.document_moved")
    row.acted_by, row.acted_at = ctx.actor.name, ctx.now
    ctx.record("sync.reconcile", f"sync_document:{row.document_id}", reference=row.reference, act=row.act)
    return row

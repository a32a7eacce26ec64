"""Documents on their way out: written down as wishes; and is what the other system holds what we sent?"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from core.kernel import Context, uuid7
from core.orders import TradeOrder
from core.sync.contract import Bill
from core.sync.facts import order_out
from core.sync.model import ErpConnection, ExternalRef, SyncDocument
from core.sync.outcome import Found
from core.sync.outgoing import KINDS, PURCHASE_ORDER, SALES_ORDER, Outgoing, day_of, order_of
from core.sync.plainly import plain, typed
from core.sync.registry import connectors

REPLACED = ("new", "failed", "held")  # not under way: a newer version takes the place of a document in these states
SETTLE = timedelta(seconds=60)  # where nobody knows the connector any more
PRICE_DIGITS = Decimal("0.000001")  # prices there may be rounded to their own number of places


def enqueue(ctx: Context, order: TradeOrder, intent: str, version: int) -> int:
    """Wish for an order in ctx's own books: a sales order where it sells, a purchase order where it buys."""
    kind = SALES_ORDER if ctx.tenant_id == order.seller_id else PURCHASE_ORDER
    return wish(ctx, kind, order.id, intent, version, lambda: order_out(ctx, order, version))


def wish(
    ctx: Context, kind: str, object_id: UUID, intent: str, version: int, read: Callable[[], Outgoing]
) -> int:
    """Write the wish for every connection of ctx's enterprise that takes this kind; answers how many. Repeating changes nothing.

    `read` is asked only when somebody takes it. A newer version replaces older ones that are not under way, and keeps an
    older one that comes too late from being sent. A cancellation of a document that was never sent is done at once: there is
    nothing to take back. What came from a system is not sent back to it.
    """
    connections = _takers(ctx, kind, object_id)
    if not connections:
        return 0
    facts = read()
    for connection in connections:
        others = _versions(ctx, connection.id, kind, object_id)
        before = [row for row in others if row.version < version]
        if any(row.version > version for row in others) or (intent == "cancel" and not before):
            continue
        _supersede(ctx, [row.id for row in before if row.state in REPLACED])
        never_sent = not any(row.attempt for row in before)
        settle = settle_of(connection.connector, connection.settle_seconds)
        settled = [row.changed_at + settle for row in before if row.state == "held"]  # perhaps for an unclear answer
        _insert(ctx, connection.id, facts, intent, done=intent == "cancel" and never_sent, due=max([ctx.now, *settled]))
    return len(connections)


def _takers(ctx: Context, kind: str, object_id: UUID) -> list[Any]:
    """Who takes a kind: asked for at the connection, and its connector can. One that is not installed now may be again.

    Neither settings nor secrets are read: an order is written down for all, also when one of them has lost its key.
    """
    found = ctx.session.execute(
        select(ErpConnection.id, ErpConnection.connector, ErpConnection.settle_seconds)
        .where(ErpConnection.tenant_id == ctx.tenant_id, ErpConnection.documents.contains([kind]))
        .order_by(ErpConnection.id)
    )
    able = [
        each
        for each in found
        if each.connector not in connectors() or kind in connectors()[each.connector].documents
    ]
    if not able:
        return []
    sent = (
        select(SyncDocument.connection_id)
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.object_id == object_id,
            SyncDocument.kind == kind,
        )
        .distinct()
    )
    theirs = set(
        ctx.session.scalars(
            select(ExternalRef.connection_id).where(
                ExternalRef.tenant_id == ctx.tenant_id,
                ExternalRef.kind == kind,
                ExternalRef.local_id == object_id,
                ExternalRef.connection_id.not_in(sent),
            )
        )
    )
    return [each for each in able if each.id not in theirs]


def settle_of(connector: str, seconds: int | None) -> timedelta:
    """How long after an unclear answer a look tells the truth: as the connection says in seconds, else as its connector does."""
    known = connectors()
    return timedelta(seconds=seconds) if seconds else known[connector].settle if connector in known else SETTLE


def _versions(ctx: Context, connection_id: UUID, kind: str, object_id: UUID) -> Sequence[Row[Any]]:
    """What was written down of one object, locked: none of it is claimed, and no result of it is written, until we are done."""
    return ctx.session.execute(
        select(SyncDocument.id, SyncDocument.version, SyncDocument.state, SyncDocument.attempt, SyncDocument.changed_at)
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == connection_id,
            SyncDocument.object_id == object_id,
            SyncDocument.kind == kind,
        )
        .order_by(SyncDocument.id)
        .with_for_update()
    ).all()


def _supersede(ctx: Context, ids: list[UUID]) -> None:
    if ids:
        ctx.session.execute(
            update(SyncDocument)
            .where(SyncDocument.tenant_id == ctx.tenant_id, SyncDocument.id.in_(ids))
            .values(state="superseded", changed_at=ctx.now)
        )


def _insert(ctx: Context, connection_id: UUID, facts: Outgoing, intent: str, *, done: bool, due: datetime) -> None:
    row = {
        "id": uuid7(),
        "tenant_id": ctx.tenant_id,
        "connection_id": connection_id,
        "kind": facts.kind,
        "object_id": facts.object_id,
        "intent": intent,
        "version": facts.version,
        "idem_key": f"{facts.object_id}:{intent}:{facts.version}",
        "reference": facts.reference,
        "partner": facts.partner_name,
        "total": facts.total,
        "currency": facts.currency,
        "order_id": order_of(facts),
        "dated_on": day_of(facts),
        "body": to_json(facts),
        "state": "done" if done else "new",
        "not_before": due,
        "changed_at": ctx.now,
        "trace_id": ctx.trace_id,
    }
    ctx.session.execute(insert(SyncDocument).values(row).on_conflict_do_nothing())


def to_json(document: Outgoing) -> dict[str, Any]:
    """Decimals, dates and ids as text."""
    return dict(plain(document))


def from_json(body: dict[str, Any]) -> Outgoing:
    """The document that `to_json` wrote."""
    return typed(KINDS[body["kind"]], body)


def differences(bill: Bill, found: Found) -> list[str]:
    """Where the document there is not the one we sent; empty when it is. Lines are compared in their order."""
    told = []
    for name, ours, theirs in (
        ("partner", bill.partner, found.partner),
        ("currency", bill.currency, found.currency),
        ("lines", len(bill.lines), len(found.lines)),
        ("total", bill.total, found.total),
    ):
        if ours != theirs:
            told.append(f"{name}: {ours} → {theirs}")
    for no, (sent, held) in enumerate(zip(bill.lines, found.lines, strict=False), 1):
        for name in ("material", "unit", "quantity", "amount"):
            if getattr(sent, name) != getattr(held, name):
                told.append(f"{no} {name}: {getattr(sent, name)} → {getattr(held, name)}")
        if abs(sent.price - held.price) > PRICE_DIGITS:
            told.append(f"{no} price: {sent.price} → {held.price}")
    return told

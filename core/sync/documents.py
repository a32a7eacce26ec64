"""From an order to a document on its way out, and back: is what the other system holds what we sent?"""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from core.kernel import Context, round2, uuid7
from core.orders import OrderLine, TradeOrder
from core.sync.contract import Bill, LineOut, OrderOut
from core.sync.model import ErpConnection, SyncDocument
from core.sync.outcome import Found
from core.sync.registry import connectors
from core.tenancy import card

SALES_ORDER = "sales_order"
PRICE_DIGITS = Decimal("0.000001")  # prices there may be rounded to their own number of places


def enqueue(ctx: Context, order: TradeOrder, intent: str, version: int) -> int:
    """Write the wish for every connection of ctx's enterprise that takes orders; answers how many. Repeating changes nothing.

    A newer version replaces older ones that are not under way. A cancellation of a document that was never
    sent is done at once: there is nothing to take back.
    """
    found = ctx.session.scalars(
        select(ErpConnection).where(ErpConnection.tenant_id == ctx.tenant_id).order_by(ErpConnection.id)
    )
    connections = [each for each in found if _takes_orders(each.connector)]
    if not connections:
        return 0
    facts = order_out(ctx, order, version)
    for connection in connections:
        before = _older(ctx, connection.id, order.id, version)
        if intent == "cancel" and not before:
            continue
        replaced = [row for row in before if row.state in ("new", "failed", "held")]
        untouched = all(row.attempt == 0 or row.state == "superseded" for row in before)
        _supersede(ctx, [row.id for row in replaced])
        _insert(ctx, connection, facts, intent, done=intent == "cancel" and untouched)
    return len(connections)


def _takes_orders(key: str) -> bool:
    """A connector that is not installed now keeps its documents: it may be again."""
    return key not in connectors() or SALES_ORDER in connectors()[key].documents


def order_out(ctx: Context, order: TradeOrder, version: int) -> OrderOut:
    """The order as a frozen value; read once, so a later change of the order is a later document."""
    buyer = card(ctx, order.buyer_id)
    rows = ctx.session.scalars(select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.no))
    lines = tuple(
        LineOut(
            line.no,
            line.sku_id,
            line.sku_code,
            line.name_zh,
            line.unit,
            line.quantity,
            line.vat_rate,
            round2(line.gross),
        )
        for line in rows
    )
    return OrderOut(
        order_id=order.id,
        reference=order.number or str(order.id),
        version=version,
        buyer_id=order.buyer_id,
        buyer_name=buyer.name,
        buyer_code=buyer.uscc,
        buyer_po=order.buyer_po or "",
        currency=order.currency,
        total=round2(order.total),
        ordered_on=(order.confirmed_at or order.created_at).date(),
        delivery_on=order.delivery_date,
        ship_to=order.ship_to,
        note=order.note,
        lines=lines,
    )


def _older(ctx: Context, connection_id: UUID, order_id: UUID, version: int) -> list[SyncDocument]:
    found = ctx.session.scalars(
        select(SyncDocument)
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == connection_id,
            SyncDocument.object_id == order_id,
            SyncDocument.version < version,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(found)


def _supersede(ctx: Context, ids: list[UUID]) -> None:
    if ids:
        ctx.session.execute(
            update(SyncDocument)
            .where(SyncDocument.tenant_id == ctx.tenant_id, SyncDocument.id.in_(ids))
            .values(state="superseded", changed_at=ctx.now)
        )


def _insert(ctx: Context, connection: ErpConnection, facts: OrderOut, intent: str, *, done: bool) -> None:
    row = {
        "id": uuid7(),
        "tenant_id": ctx.tenant_id,
        "connection_id": connection.id,
        "kind": SALES_ORDER,
        "object_id": facts.order_id,
        "intent": intent,
        "version": facts.version,
        "idem_key": f"{facts.order_id}:{intent}:{facts.version}",
        "reference": facts.reference,
        "partner": facts.buyer_name,
        "total": facts.total,
        "currency": facts.currency,
        "body": to_json(facts),
        "state": "done" if done else "new",
        "not_before": ctx.now,
        "changed_at": ctx.now,
        "trace_id": ctx.trace_id,
    }
    ctx.session.execute(insert(SyncDocument).values(row).on_conflict_do_nothing())


def to_json(order: OrderOut) -> dict[str, Any]:
    """Decimals, dates and ids as text."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [plain(inner) for inner in value]
        return value if value is None or isinstance(value, int) else str(value)

    return {key: plain(value) for key, value in asdict(order).items()}


def from_json(body: dict[str, Any]) -> OrderOut:
    lines = tuple(
        LineOut(
            line["no"],
            UUID(line["sku_id"]),
            line["material"],
            line["name"],
            line["unit"],
            Decimal(line["quantity"]),
            Decimal(line["vat_rate"]),
            Decimal(line["gross"]),
        )
        for line in body["lines"]
    )
    typed = {
        "order_id": UUID(body["order_id"]),
        "buyer_id": UUID(body["buyer_id"]),
        "total": Decimal(body["total"]),
        "ordered_on": date.fromisoformat(body["ordered_on"]),
        "delivery_on": date.fromisoformat(body["delivery_on"]) if body["delivery_on"] else None,
        "lines": lines,
    }
    return OrderOut(**{**body, **typed})


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

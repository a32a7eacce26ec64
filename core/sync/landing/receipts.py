"""Receipts: what the buyer's warehouse took in is counted against the shipment it names, else against those under way.

A warehouse to which goods were announced names the announcement, which is the shipment; others name the order, and then the
oldest shipment comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from core import orders
from core.fulfilment import Count, Shipment, ShipmentLine, receive
from core.kernel import Context
from core.orders import OrderLine, TradeOrder
from core.sync.contract import Record
from core.sync.facts import marked
from core.sync.incoming import ReceiptIn
from core.sync.landing.frame import (
    ZERO,
    Left,
    NotLanded,
    attempt,
    counterpart,
    lock_order,
    moved_by_line,
    shown,
    stands_for,
)

KIND = "receipt"


def land(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, ReceiptIn]]) -> list[Left]:
    """Receive what was received there, once. More than is under way is listed and nothing of it is counted."""
    left: list[Left] = []
    for record, item in rows:
        with attempt(ctx, record, item.external_id, left):
            _land(ctx, connection_id, item)
    return left


def _land(ctx: Context, connection_id: UUID, item: ReceiptIn) -> None:
    if (shipment := _announced(ctx, item.reference)) is not None:
        _land_shipment(ctx, connection_id, item, shipment)
        return
    order = lock_order(ctx, item.reference, "buyer")
    if counterpart(ctx, connection_id, KIND, item.external_id) is not None:
        return
    lines = orders.lines(ctx, order.id)
    moved = moved_by_line(ctx, connection_id, lines, item.lines)
    shares, over = _shares(ctx, order.id, moved)
    if over:
        numbers = {line.id: line.no for line in lines}
        raise NotLanded("sync.receipt_over", shown({numbers[id]: quantity for id, quantity in over.items()}))
    for place, (shipment_id, counted) in enumerate(shares.items(), 1):
        counts = [Count(line_id, quantity) for line_id, quantity in counted.items()]
        receipt = receive(ctx, shipment_id, counts, item.number)
        # One of theirs may be several of ours, one for each shipment; the first bears the name.
        name = item.external_id if place == 1 else f"{item.external_id}#{place}"
        stands_for(ctx, connection_id, KIND, receipt.id, name, item.number)


@dataclass(frozen=True)
class Announced:
    """A line as it was announced: the order's line under the number it has on the announcement."""

    id: UUID
    no: int
    sku_id: UUID
    sku_code: str
    unit: str
    factor: Decimal


def _announced(ctx: Context, reference: str) -> Shipment | None:
    """The shipment to the enterprise that was announced under this reference."""
    text = reference.strip()
    rows = ctx.session.scalars(
        select(Shipment)
        .where(Shipment.buyer_id == ctx.tenant_id, Shipment.number.in_((text, text.rpartition("-")[0])))
        .limit(20)
    )
    found = [row for row in rows if text in (row.number, marked(row.number, row.seller_id))]
    if len(found) > 1:  # numbers are the sellers'; a buyer may meet one twice where it is not marked
        raise NotLanded("sync.order_ambiguous", reference)
    return found[0] if found else None


def _land_shipment(ctx: Context, connection_id: UUID, item: ReceiptIn, shipment: Shipment) -> None:
    ordered = ctx.session.execute(
        select(ShipmentLine, OrderLine)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(TradeOrder, TradeOrder.id == OrderLine.order_id)
        .where(ShipmentLine.shipment_id == shipment.id)
        .order_by(TradeOrder.number, OrderLine.no)  # as `facts.shipment_out` numbers them
    ).all()
    for order_id in sorted({sent.order_id for sent, _ in ordered}):
        orders.lock(ctx, order_id)  # two receipts of one order take turns
    if counterpart(ctx, connection_id, KIND, item.external_id) is not None:
        return
    lines = [
        Announced(line.id, no, line.sku_id, line.sku_code, line.unit, line.factor)
        for no, (_, line) in enumerate(ordered, 1)
    ]
    moved = moved_by_line(ctx, connection_id, lines, item.lines)
    left = {}
    for sent, _ in ordered:
        ctx.session.refresh(sent)
        left[sent.order_line_id] = sent.quantity - sent.received
    over = {
        line.no: moved[line.id] - left[line.id] for line in lines if moved.get(line.id, ZERO) > left[line.id]
    }
    if over:
        raise NotLanded("sync.receipt_over", shown(over))
    counts = [Count(line_id, quantity) for line_id, quantity in moved.items()]
    receipt = receive(ctx, shipment.id, counts, item.number)
    stands_for(ctx, connection_id, KIND, receipt.id, item.external_id, item.number)


def _shares(
    ctx: Context, order_id: UUID, moved: dict[UUID, Decimal]
) -> tuple[dict[UUID, dict[UUID, Decimal]], dict[UUID, Decimal]]:
    """What goes on which shipment, and what is more than is under way."""
    rest = dict(moved)
    shares: dict[UUID, dict[UUID, Decimal]] = {}
    under_way = ctx.session.scalars(
        select(ShipmentLine)
        .where(ShipmentLine.order_id == order_id, ShipmentLine.quantity > ShipmentLine.received)
        .order_by(ShipmentLine.shipment_id, ShipmentLine.id)
        .execution_options(populate_existing=True)
    )
    for line in under_way:
        share = min(rest.get(line.order_line_id, ZERO), line.quantity - line.received)
        if share > 0:
            shares.setdefault(line.shipment_id, {})[line.order_line_id] = share
            rest[line.order_line_id] -= share
    return shares, {line_id: quantity for line_id, quantity in rest.items() if quantity > 0}

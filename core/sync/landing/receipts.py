"""Receipts: what the buyer's warehouse took in is counted against the shipment it names, else against those under way.

A warehouse to which goods were announced names the announcement, which is the shipment; others name the order, and then the
oldest shipment comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from core import orders
from core.fulfilment import Count, Receipt, ReceiptLine, Shipment, ShipmentLine, receive
from core.kernel import Context
from core.orders import OrderLine, TradeOrder
from core.sync.contract import Record
from core.sync.facts import marked
from core.sync.incoming import ReceiptIn
from core.sync.landing.frame import (
    ZERO,
    Left,
    Line,
    NotLanded,
    attempt,
    counterpart,
    lock_order,
    moved_by_line,
    shown,
    stands_for,
)
from core.sync.model import ExternalRef

KIND = "receipt"
MOST = 100  # shipments that one receipt there may have counted in


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
    lines = orders.lines(ctx, order.id)
    if counterpart(ctx, connection_id, KIND, item.external_id) is not None:
        _compare(ctx, connection_id, item, lines)
        return
    moved = moved_by_line(ctx, connection_id, lines, item.lines)
    shares, over = _shares(ctx, order.id, moved)
    if over:
        numbers = {line.id: line.no for line in lines}
        raise NotLanded("sync.receipt_over", shown({numbers[id]: quantity for id, quantity in over.items()}))
    for place, (shipment_id, counted) in enumerate(shares.items(), 1):
        counts = [Count(line_id, quantity) for line_id, quantity in counted.items()]
        receipt = receive(ctx, shipment_id, counts, item.number)
        stands_for(ctx, connection_id, KIND, receipt.id, _name(item, place), item.number)


def _name(item: ReceiptIn, place: int) -> str:
    """One of theirs may be several of ours, one for each shipment; the first bears the name."""
    return item.external_id if place == 1 else f"{item.external_id}#{place}"


def _compare(ctx: Context, connection_id: UUID, item: ReceiptIn, lines: Sequence[Line]) -> None:
    """What is here already and is told again. One that was reversed here says nothing any more."""
    rows = ctx.session.execute(
        select(ReceiptLine.order_line_id, func.sum(ReceiptLine.received))
        .join(Receipt, Receipt.id == ReceiptLine.receipt_id)
        .join(ExternalRef, ExternalRef.local_id == Receipt.id)
        .where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == KIND,
            ExternalRef.external_id.in_([_name(item, place) for place in range(1, MOST)]),
            Receipt.reversed_at.is_(None),
            ReceiptLine.received > 0,
        )
        .group_by(ReceiptLine.order_line_id)
    )
    ours = {line_id: quantity for line_id, quantity in rows}
    numbers = {line.id: line.no for line in lines}
    if not ours or ours.keys() - numbers.keys():  # goods of several orders, filed by us under the first of them
        return
    theirs = moved_by_line(ctx, connection_id, lines, item.lines)
    if ours != theirs:
        sides = [{numbers[id]: quantity for id, quantity in side.items()} for side in (ours, theirs)]
        raise NotLanded("sync.receipt_differs", " / ".join(shown(side) for side in sides))


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
    lines = [
        Announced(line.id, no, line.sku_id, line.sku_code, line.unit, line.factor)
        for no, (_, line) in enumerate(ordered, 1)
    ]
    if counterpart(ctx, connection_id, KIND, item.external_id) is not None:
        _compare(ctx, connection_id, item, lines)
        return
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

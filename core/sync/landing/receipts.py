"""Receipts: what the buyer's warehouse took in is counted against the shipments under way, the oldest first."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from core import orders
from core.fulfilment import Count, ShipmentLine, receive
from core.kernel import Context
from core.sync.contract import Record
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

"""Deliveries: goods that left there leave here, in one shipment each, once."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from core import orders
from core.fulfilment import Portion, Shipment, ShipmentLine, ship
from core.kernel import Context
from core.orders import OrderLine
from core.sync.contract import Record
from core.sync.incoming import DeliveryIn
from core.sync.landing.frame import (
    Left,
    NotLanded,
    attempt,
    counterpart,
    lock_order,
    moved_by_line,
    shown,
    stands_for,
    taken,
)

KIND = "delivery"


def land(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, DeliveryIn]]) -> list[Left]:
    """Ship what was shipped there; a delivery that is here already is compared and never shipped again."""
    left: list[Left] = []
    for record, item in rows:
        with attempt(ctx, record, item.external_id, left):
            _land(ctx, connection_id, item)
    return left


def _land(ctx: Context, connection_id: UUID, item: DeliveryIn) -> None:
    order = lock_order(ctx, item.reference, "seller")
    lines = orders.lines(ctx, order.id)
    moved = moved_by_line(ctx, connection_id, lines, item.lines)
    known = counterpart(ctx, connection_id, KIND, item.external_id)
    if known is not None:
        _compare(lines, _quantities(ctx, [known]).get(known, {}), moved)
        return
    shipment_id = _by_hand(ctx, connection_id, order.id, item, moved)
    if shipment_id is None:
        portions = [Portion(line_id, quantity) for line_id, quantity in moved.items()]
        shipment_id = ship(ctx, order.id, portions, item.carrier, item.tracking, item.number).id
    stands_for(ctx, connection_id, KIND, shipment_id, item.external_id, item.number)


def _compare(lines: Sequence[OrderLine], ours: dict[UUID, Decimal], theirs: dict[UUID, Decimal]) -> None:
    if ours != theirs:
        numbers = {line.id: line.no for line in lines}
        sides = [{numbers.get(id, 0): quantity for id, quantity in side.items()} for side in (ours, theirs)]
        raise NotLanded("sync.delivery_differs", " / ".join(shown(side) for side in sides))


def _by_hand(
    ctx: Context, connection_id: UUID, order_id: UUID, item: DeliveryIn, moved: dict[UUID, Decimal]
) -> UUID | None:
    """The shipment somebody entered here for the same goods: same waybill, same quantities, nobody else's yet."""
    if not item.tracking:
        return None
    same = select(ShipmentLine.shipment_id).join(Shipment, Shipment.id == ShipmentLine.shipment_id)
    found = list(
        ctx.session.scalars(
            same.where(
                ShipmentLine.order_id == order_id, Shipment.waybill == item.tracking.strip()
            ).distinct()
        )
    )
    free = set(found) - taken(ctx, connection_id, KIND, found)
    fitting = [id for id, quantities in _quantities(ctx, list(free)).items() if quantities == moved]
    return min(fitting) if fitting else None


def _quantities(ctx: Context, shipment_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, Decimal]]:
    found: dict[UUID, dict[UUID, Decimal]] = {}
    rows = ctx.session.execute(
        select(ShipmentLine.shipment_id, ShipmentLine.order_line_id, ShipmentLine.quantity).where(
            ShipmentLine.shipment_id.in_(shipment_ids)
        )
    )
    for shipment_id, line_id, quantity in rows:
        found.setdefault(shipment_id, {})[line_id] = quantity
    return found

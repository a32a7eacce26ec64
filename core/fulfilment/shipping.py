"""The seller's half: goods leave, and rejected goods come back."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from core import orders, stock
from core.fulfilment.events import GoodsShipped
from core.fulfilment.model import Shipment, ShipmentLine, ShipmentPick
from core.kernel import Conflict, Context, FieldError, Invalid, Quantity, round_to, uuid7
from core.orders import OrderLine, TradeOrder


class Portion(NamedTuple):
    """A quantity of one order line, in the line's unit."""

    line_id: UUID
    quantity: Decimal


def shippable(line: OrderLine) -> Decimal:
    """How much of a line may still leave: the quantity with its over-tolerance, less what left or was given up."""
    return line.quantity * (1 + line.over_tol) - line.shipped - line.short_closed


def still_owed(line: OrderLine) -> Decimal:
    """How much of a line has yet to leave: what was ordered, less what left or was given up. Never below zero."""
    return max(line.quantity - line.shipped - line.short_closed, Decimal(0))


def ship(
    ctx: Context,
    order_id: UUID,
    portions: Sequence[Portion],
    carrier: str = "",
    waybill: str = "",
    note: str = "",
) -> Shipment:
    """Send goods of an order: stock leaves the seller's lots, the lines count it, the order moves on.

    A quantity above what may still leave is Invalid and names the line and the limit.
    """
    order = orders.lock(ctx, order_id)
    ctx.require("shipment.create")
    orders.need_side(ctx, order, "seller")
    orders.allow(ctx, order, "ship")
    by_id = {line.id: line for line in orders.lines(ctx, order.id)}
    _check(by_id, portions)

    shipment = Shipment(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, number=orders.number(ctx, "SH"),
        carrier=carrier.strip(), waybill=waybill.strip(), note=note.strip(), shipped_by=ctx.actor.name, shipped_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(shipment)
    ctx.session.flush()
    _load(ctx, order, shipment, [(by_id[portion.line_id], portion.quantity) for portion in portions])
    orders.tally(ctx, order, {portion.line_id: {"shipped": portion.quantity} for portion in portions})
    shipped = {str(by_id[portion.line_id].no): portion.quantity for portion in portions}
    orders.note(
        ctx,
        order,
        "shipped",
        shipment=shipment.number,
        lines=shipped,
        carrier=shipment.carrier,
        waybill=shipment.waybill,
    )
    ctx.record("shipment.create", shipment, order=order.number, lines=shipped)
    ctx.publish(
        GoodsShipped(
            order.id, order.buyer_id, order.seller_id, order.number, shipment.id, shipment.number,
            tuple(portion.line_id for portion in portions), tuple(portion.quantity for portion in portions), ctx.now,
        )
    )  # fmt: skip
    orders.advance(ctx, order)
    return shipment


def _check(by_id: dict[UUID, OrderLine], portions: Sequence[Portion]) -> None:
    if not portions:
        raise Invalid.one("lines", "shipment.no_lines")
    errors = []
    seen: set[UUID] = set()
    for index, portion in enumerate(portions):
        line = by_id.get(portion.line_id)
        if line is None:
            errors.append(FieldError(f"lines.{index}.line_id", "shipment.no_such_line", {}))
        elif line.id in seen:
            errors.append(FieldError(f"lines.{index}.line_id", "shipment.line_twice", {"line": line.no}))
        elif portion.quantity <= 0:
            errors.append(FieldError(f"lines.{index}.quantity", "decimal.must_be_positive", {}))
        elif portion.quantity > shippable(line):
            values = {
                "line": line.no,
                "sku": line.sku_code,
                "limit": Quantity(round_to(max(shippable(line), Decimal(0)), 6), line.unit),
            }
            errors.append(FieldError(f"lines.{index}.quantity", "shipment.over_limit", values))
        seen.add(portion.line_id)
    if errors:
        raise Invalid(errors)


def _load(
    ctx: Context, order: TradeOrder, shipment: Shipment, loads: Sequence[tuple[OrderLine, Decimal]]
) -> None:
    """Take the goods out of stock in one go, and write from which lot each part came."""
    wanted = [
        stock.Need(line.id, line.sku_id, round_to(quantity * line.factor, 6)) for line, quantity in loads
    ]
    picks = stock.ship_lines(ctx, order.id, wanted)
    for plugin, objection in ctx.ports.dispatch.decide("can_release", ctx, lots=tuple(picks), purpose="ship"):
        raise Conflict("shipment.lot_blocked", plugin=plugin, objection=objection.code, text=objection.text)
    parties = {"buyer_id": order.buyer_id, "seller_id": order.seller_id}
    rows = {
        line.id: ShipmentLine(
            id=uuid7(), **parties, shipment_id=shipment.id, order_id=order.id, order_line_id=line.id,
            quantity=quantity, base_quantity=need.qty, received=Decimal(0),
        )
        for (line, quantity), need in zip(loads, wanted, strict=True)
    }  # fmt: skip
    ctx.session.add_all(rows.values())
    ctx.session.flush()
    ctx.session.add_all(
        ShipmentPick(
            id=uuid7(), **parties, shipment_line_id=rows[pick.line_id].id, lot_id=pick.lot_id, lot_no=pick.lot_no,
            heat_no=pick.heat_no, base_quantity=pick.qty,
        )
        for pick in picks
    )  # fmt: skip

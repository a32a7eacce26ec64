"""Shipments and receipts as values to read: one order's, or the newest of a side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from core.fulfilment.model import Receipt, ReceiptLine, Shipment, ShipmentLine, ShipmentPick
from core.kernel import Context, NotFound
from core.orders import OrderLine, TradeOrder


@dataclass(frozen=True)
class Counted:
    """One receipt line. `undecided` is received and neither accepted nor rejected yet."""

    id: UUID
    line_id: UUID
    line_no: int
    received: Decimal
    accepted: Decimal
    rejected: Decimal
    over_held: Decimal
    returned: Decimal
    reason: str

    @property
    def undecided(self) -> Decimal:
        return self.received - self.accepted - self.rejected


@dataclass(frozen=True)
class ReceiptView:
    """A receipt and its lines; `reversed_at` says that it no longer counts."""

    id: UUID
    number: str
    received_by: str
    received_at: datetime
    note: str
    reversed_at: datetime | None
    reversed_why: str | None
    lines: tuple[Counted, ...]


@dataclass(frozen=True)
class Loaded:
    """One shipment line; `lots` are lot numbers (with the heat number where there is one)."""

    line_id: UUID
    line_no: int
    sku_code: str
    name_zh: str
    name_en: str
    unit: str
    quantity: Decimal
    received: Decimal
    lots: tuple[str, ...]


@dataclass(frozen=True)
class ShipmentView:
    """A shipment with its lines and what was counted of it."""

    id: UUID
    number: str
    order_id: UUID
    order_number: str | None
    buyer_id: UUID
    seller_id: UUID
    carrier: str
    waybill: str
    note: str
    shipped_by: str
    shipped_at: datetime
    lines: tuple[Loaded, ...]
    receipts: tuple[ReceiptView, ...]

    @property
    def arrived(self) -> bool:
        """All of it was counted in."""
        return all(line.received >= line.quantity for line in self.lines)


def of_order(ctx: Context, order_id: UUID) -> list[ShipmentView]:
    """Every shipment of an order, oldest first. Four statements, whatever their number."""
    ids = select(ShipmentLine.shipment_id).where(ShipmentLine.order_id == order_id)
    found = ctx.session.scalars(select(Shipment).where(Shipment.id.in_(ids)).order_by(Shipment.id)).all()
    return _views(ctx, found)


def recent(ctx: Context, side: str, *, before: UUID | None = None, limit: int = 50) -> list[ShipmentView]:
    """The newest shipments of ctx's tenant on one side, at most `limit` + 1. `before` continues below an id."""
    column = Shipment.buyer_id if side == "buyer" else Shipment.seller_id
    wanted = select(Shipment).where(column == ctx.tenant_id).order_by(Shipment.id.desc()).limit(limit + 1)
    if before is not None:
        wanted = wanted.where(Shipment.id < before)
    return _views(ctx, ctx.session.scalars(wanted).all())


def shipment(ctx: Context, shipment_id: UUID) -> ShipmentView:
    """One shipment whole; NotFound for a foreign one."""
    found = _views(ctx, ctx.session.scalars(select(Shipment).where(Shipment.id == shipment_id)).all())
    if not found:
        raise NotFound("shipment.not_found")
    return found[0]


def receipt(ctx: Context, receipt_id: UUID) -> ReceiptView:
    """One receipt whole; NotFound for a foreign one."""
    shipment_id = ctx.session.scalar(select(Receipt.shipment_id).where(Receipt.id == receipt_id))
    if shipment_id is None:
        raise NotFound("receipt.not_found")
    return next(view for view in shipment(ctx, shipment_id).receipts if view.id == receipt_id)


def _views(ctx: Context, shipments: Sequence[Shipment]) -> list[ShipmentView]:
    if not shipments:
        return []
    ids = [shipment.id for shipment in shipments]
    loaded = ctx.session.execute(
        select(ShipmentLine, OrderLine, TradeOrder.number)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(TradeOrder, TradeOrder.id == ShipmentLine.order_id)
        .where(ShipmentLine.shipment_id.in_(ids))
        .order_by(OrderLine.no)
    ).all()
    numbers = {line.id: line.no for _, line, _ in loaded}
    picks = ctx.session.execute(
        select(ShipmentPick.shipment_line_id, ShipmentPick.lot_no, ShipmentPick.heat_no)
        .where(ShipmentPick.shipment_line_id.in_([line.id for line, _, _ in loaded]))
        .order_by(ShipmentPick.id)
    ).all()
    counted = ctx.session.execute(
        select(Receipt, ReceiptLine)
        .join(ReceiptLine, ReceiptLine.receipt_id == Receipt.id)
        .where(Receipt.shipment_id.in_(ids))
        .order_by(Receipt.id, ReceiptLine.id)
    ).all()
    receipts = {receipt.id: receipt for receipt, _ in counted}.values()
    views = []
    for shipment in shipments:
        own = [(line, ordered, number) for line, ordered, number in loaded if line.shipment_id == shipment.id]
        views.append(
            ShipmentView(
                shipment.id, shipment.number, own[0][0].order_id, own[0][2], shipment.buyer_id, shipment.seller_id,
                shipment.carrier, shipment.waybill, shipment.note, shipment.shipped_by, shipment.shipped_at,
                tuple(_loaded(line, ordered, picks) for line, ordered, _ in own),
                tuple(
                    _receipt(receipt, [line for other, line in counted if other is receipt], numbers)
                    for receipt in receipts
                    if receipt.shipment_id == shipment.id
                ),
            )
        )  # fmt: skip
    return views


def _loaded(line: ShipmentLine, ordered: OrderLine, picks: Sequence[tuple[UUID, str, str]]) -> Loaded:
    lots = tuple(
        f"{lot} ({heat})" if heat else lot for line_id, lot, heat in picks if line_id == line.id and lot
    )
    return Loaded(
        ordered.id, ordered.no, ordered.sku_code, ordered.name_zh, ordered.name_en, ordered.unit,
        line.quantity, line.received, tuple(dict.fromkeys(lots)),
    )  # fmt: skip


def _receipt(receipt: Receipt, lines: Sequence[ReceiptLine], numbers: dict[UUID, int]) -> ReceiptView:
    return ReceiptView(
        receipt.id, receipt.number, receipt.received_by, receipt.received_at, receipt.note,
        receipt.reversed_at, receipt.reversed_why,
        tuple(
            Counted(
                line.id, line.order_line_id, numbers[line.order_line_id], line.received, line.accepted,
                line.rejected, line.over_held, line.returned, line.reason,
            )
            for line in lines
        ),
    )  # fmt: skip

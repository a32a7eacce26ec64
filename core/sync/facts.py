"""Our rows as frozen values on their way out; read once, so that a later change is a later document.

A number of the counterparty's series is marked with who gave it: two sellers may both have an order SO-1, and in one buyer's
ERP a reference must mean one document.
"""

from base64 import b32encode
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.billing import Allocation, Invoice, Payment
from core.fulfilment import Receipt, ReceiptLine, Shipment, ShipmentLine
from core.kernel import Context, round2
from core.orders import OrderLine, TradeOrder
from core.sync.outgoing import GoodsOut, InvoicePart, LineOut, MoneyOut, OrderOut
from core.tenancy import card, trade_settings


def marked(number: str, issuer: UUID) -> str:
    """A number of somebody else's series with four letters of who gave it (20 random bits of its id)."""
    return f"{number}-{b32encode(issuer.bytes[-3:]).decode()[:4]}"


def order_out(ctx: Context, order: TradeOrder, version: int) -> OrderOut:
    """The order as a sales order of its seller or a purchase order of its buyer, whoever ctx acts for."""
    selling = ctx.tenant_id == order.seller_id
    partner = card(ctx, order.buyer_id if selling else order.seller_id)
    rows = ctx.session.scalars(select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.no))
    return OrderOut(
        kind="sales_order" if selling else "purchase_order",
        object_id=order.id,
        reference=_reference(ctx, order),
        version=version,
        partner_id=partner.tenant_id,
        partner_name=partner.name,
        partner_code=partner.uscc,
        buyer_po=order.buyer_po or "",
        currency=order.currency,
        total=round2(order.total),
        ordered_on=booked_on(ctx, order.confirmed_at or order.created_at),
        delivery_on=order.delivery_date,
        ship_to=order.ship_to,
        note=order.note,
        lines=tuple(_line(row.no, row, row.quantity) for row in rows),
    )


def shipment_out(ctx: Context, shipment_id: UUID) -> GoodsOut:
    """Goods under way to the buyer ctx acts for, as its warehouse should expect them."""
    shipment = ctx.session.get_one(Shipment, shipment_id)
    moved = select(ShipmentLine.order_line_id, ShipmentLine.quantity).where(
        ShipmentLine.shipment_id == shipment_id
    )
    counted = [
        (row.order_line_id, row.quantity) for row in ctx.session.execute(moved.order_by(ShipmentLine.id))
    ]
    return _goods(
        ctx,
        "inbound_order",
        shipment,
        shipment.id,
        marked(shipment.number, shipment.seller_id),
        1,
        shipment.note,
        counted,
    )


def receipt_out(ctx: Context, receipt_id: UUID, version: int) -> GoodsOut:
    """What the buyer counted in, good or not yet judged."""
    receipt = ctx.session.get_one(Receipt, receipt_id)
    shipment = ctx.session.get_one(Shipment, receipt.shipment_id)
    moved = select(ReceiptLine.order_line_id, ReceiptLine.received).where(
        ReceiptLine.receipt_id == receipt_id, ReceiptLine.received > 0
    )
    counted = [
        (row.order_line_id, row.received) for row in ctx.session.execute(moved.order_by(ReceiptLine.id))
    ]
    return _goods(
        ctx, "receipt", shipment, receipt.id, receipt.number, version, receipt.note, counted, receipt
    )


def payment_out(ctx: Context, payment_id: UUID) -> MoneyOut:
    """Money in the books of whoever ctx acts for, with the invoices it settles so far."""
    payment = ctx.session.get_one(Payment, payment_id)
    receiving = ctx.tenant_id == payment.seller_id
    partner = card(ctx, payment.buyer_id if receiving else payment.seller_id)
    parts = ctx.session.execute(
        select(Invoice.number, Invoice.order_id, func.sum(Allocation.amount).label("amount"))
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .where(Allocation.payment_id == payment_id)
        .group_by(Invoice.number, Invoice.order_id)
        .having(func.sum(Allocation.amount) > 0)
        .order_by(Invoice.number)
    ).all()
    order = ctx.session.get(TradeOrder, payment.order_id) if payment.order_id else None
    return MoneyOut(
        direction="in" if receiving else "out",
        object_id=payment.id,
        reference=marked(payment.number, payment.buyer_id) if receiving else payment.number,
        version=1,
        partner_id=partner.tenant_id,
        partner_name=partner.name,
        partner_code=partner.uscc,
        order_reference=_reference(ctx, order) if order else "",
        currency=payment.currency,
        total=round2(payment.amount),
        paid_on=booked_on(ctx, payment.decided_at or payment.announced_at),
        bank_ref=payment.bank_ref,
        note=payment.note,
        invoices=tuple(InvoicePart(row.number, round2(row.amount)) for row in parts),
        order_id=payment.order_id or (parts[0].order_id if parts else None),
    )


def booked_on(ctx: Context, moment: datetime) -> date:
    """The day a moment belongs to in the books of whoever ctx acts for: before eight in the morning it is another one in UTC."""
    return moment.astimezone(ZoneInfo(trade_settings(ctx).timezone)).date()


def _reference(ctx: Context, order: TradeOrder) -> str:
    """What an order is filed under in the books of whoever ctx acts for."""
    number = order.number or str(order.id)
    return number if ctx.tenant_id == order.seller_id else marked(number, order.seller_id)


def _goods(
    ctx: Context,
    kind: Literal["inbound_order", "receipt"],
    shipment: Shipment,
    object_id: UUID,
    reference: str,
    version: int,
    note: str,
    counted: Iterable[tuple[UUID, Decimal]],
    receipt: Receipt | None = None,
) -> GoodsOut:
    quantities = dict(counted)
    rows = ctx.session.execute(
        select(OrderLine, TradeOrder)
        .join(TradeOrder, TradeOrder.id == OrderLine.order_id)
        .where(OrderLine.id.in_(quantities))
        .order_by(TradeOrder.number, OrderLine.no)
    ).all()
    seller = card(ctx, shipment.seller_id)
    lines = tuple(
        _line(no, line, quantities[line.id], _reference(ctx, order))
        for no, (line, order) in enumerate(rows, 1)
    )
    return GoodsOut(
        kind=kind,
        object_id=object_id,
        reference=reference,
        version=version,
        partner_id=seller.tenant_id,
        partner_name=seller.name,
        partner_code=seller.uscc,
        order_reference=lines[0].order_reference if lines else "",
        currency=rows[0][1].currency if rows else "CNY",
        total=sum((line.gross for line in lines), Decimal(0)),
        moved_on=booked_on(ctx, receipt.received_at if receipt else shipment.shipped_at),
        carrier=shipment.carrier,
        waybill=shipment.waybill,
        note=note,
        lines=lines,
        order_id=rows[0][1].id if rows else None,
    )


def _line(no: int, line: OrderLine, quantity: Decimal, order_reference: str = "") -> LineOut:
    """A line of an order, or the part of it that moved with its share of the amount."""
    gross = line.gross if quantity == line.quantity else line.gross * quantity / line.quantity
    return LineOut(
        no,
        line.sku_id,
        line.sku_code,
        line.name_zh,
        line.unit,
        quantity,
        line.vat_rate,
        round2(gross),
        order_reference,
        line.no if order_reference else 0,
    )

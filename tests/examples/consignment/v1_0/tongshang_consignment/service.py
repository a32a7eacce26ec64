"""The verbs: lay goods in, report usage, confirm it. They are the only writers of the plugin's tables."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

import tongshang as ts
from tongshang_consignment.mode import COUNTED, KEY, SOURCE, by_order
from tongshang_consignment.model import ConsignmentStock, UsageReport

MOST_SHOWN = 200


def lay_in(
    ctx: ts.Context, buyer_id: UUID, code: str, quantity: Decimal, unit_price: Decimal, vat_rate: Decimal
) -> ConsignmentStock:
    """The seller puts goods into a buyer's warehouse at an agreed price. Invalid for goods or a buyer nobody knows."""
    ctx.require("consignment.stock.lay")
    goods = ts.own_goods(ctx, [code]).get(code)
    if goods is None:
        raise ts.Invalid.one("code", "consignment.no_goods", goods=code)
    if buyer_id == ctx.tenant_id or buyer_id not in ts.cards(ctx, [buyer_id]):
        raise ts.Invalid.one("buyer_id", "consignment.no_buyer")
    laid = ConsignmentStock(
        id=ts.uuid7(), buyer_id=buyer_id, seller_id=ctx.tenant_id, sku_id=goods.sku_id, code=goods.code,
        name_zh=goods.name_zh, name_en=goods.name_en, unit=goods.base_uom, unit_price=unit_price, vat_rate=vat_rate,
        laid=quantity, left=quantity, laid_by=ctx.actor.name, laid_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(laid)
    ctx.session.flush()
    ctx.record("consignment.lay", f"consignment_stock:{laid.id}", goods=goods.code, quantity=quantity)
    return laid


def report_usage(ctx: ts.Context, stock_id: UUID, quantity: Decimal) -> UsageReport:
    """The buyer has used goods: they leave the stock, and an order over them is concluded at the agreed price.

    NotFound for goods that do not lie here; Invalid for more than is left.
    """
    ctx.require("consignment.usage.report")
    stock = ctx.session.scalar(_here(ctx).where(ConsignmentStock.id == stock_id).with_for_update())
    if stock is None:
        raise ts.NotFound("consignment.no_stock")
    if not 0 < quantity <= stock.left:
        raise ts.Invalid.one("quantity", "consignment.more_than_left", left=ts.Quantity(stock.left, stock.unit))
    stock.left -= quantity
    report = UsageReport(
        id=ts.uuid7(), buyer_id=stock.buyer_id, seller_id=stock.seller_id, stock_id=stock.id, quantity=quantity,
        order_id=None, order_number="", reported_by=ctx.actor.name, reported_at=ctx.now, settled_at=None,
    )  # fmt: skip
    ctx.session.add(report)
    ctx.session.flush()
    wanted = ts.WantedLine(stock.sku_id, quantity, stock.unit)
    order: Any = ts.conclude(ctx, ts.NewOrder(stock.seller_id, [wanted], mode=KEY, source_ref=f"{SOURCE}{report.id}"))
    report.order_id, report.order_number = order.id, order.number
    ctx.session.flush()
    ctx.record("consignment.use", f"usage_report:{report.id}", goods=stock.code, quantity=quantity, order=order.number)
    return report


def confirm_usage(ctx: ts.Context, order_id: UUID) -> UsageReport:
    """The seller has looked at a report: its order may be billed."""
    ctx.require("consignment.usage.confirm")
    report = by_order(ctx, order_id)
    if report is None or report.seller_id != ctx.tenant_id:
        raise ts.NotFound("consignment.not_reported")
    ts.pass_gate(ctx, order_id, f"{KEY}:{COUNTED}", ctx.actor.name)
    ctx.record("consignment.confirm", f"usage_report:{report.id}", order=report.order_number)
    return report


def stock(ctx: ts.Context) -> list[ConsignmentStock]:
    """What lies at this enterprise, and what it has lying at others; the newest first."""
    ctx.require("consignment.stock.view")
    mine = or_(ConsignmentStock.buyer_id == ctx.tenant_id, ConsignmentStock.seller_id == ctx.tenant_id)
    wanted = select(ConsignmentStock).where(mine).order_by(ConsignmentStock.id.desc()).limit(MOST_SHOWN)
    return list(ctx.session.scalars(wanted))


def settle(ctx: ts.Context, order_id: UUID) -> None:
    """The order of a report is done; a second time changes nothing."""
    report = by_order(ctx, order_id)
    if report is not None and report.settled_at is None:
        report.settled_at = ctx.now


def _here(ctx: ts.Context) -> Any:
    return select(ConsignmentStock).where(ConsignmentStock.buyer_id == ctx.tenant_id)

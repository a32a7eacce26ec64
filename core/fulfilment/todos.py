"""What waits on the workbench about goods: to ship for the seller's people, to receive for the buyer's."""

from datetime import UTC, datetime, time

from sqlalchemy import Text, Uuid, cast, func, literal, select, union_all

from core.fulfilment.model import Shipment, ShipmentLine
from core.kernel import Context
from core.orders import OrderLine, TradeOrder
from core.tenancy import EnterpriseCard
from core.web import gettext as _
from core.web.i18n import CHINESE, language
from core.workbench import Todo


def waiting(ctx: Context, limit: int) -> list[Todo]:
    """Orders with something left to ship, shipments with something left to count. One statement."""
    arms = []
    if ctx.allows("shipment.create"):
        rest = (
            select(literal(1))
            .where(
                OrderLine.order_id == TradeOrder.id,
                OrderLine.shipped + OrderLine.short_closed < OrderLine.quantity,
            )
            .exists()
        )
        arms.append(
            select(
                literal("ship").label("kind"), TradeOrder.id.label("order_id"), TradeOrder.number.label("number"),
                TradeOrder.buyer_id.label("partner_id"), TradeOrder.delivery_date.label("day"),
                TradeOrder.started_at.label("since"),
            )
            .where(TradeOrder.seller_id == ctx.tenant_id, TradeOrder.state == "in_progress", rest)
            .order_by(TradeOrder.delivery_date.nulls_last(), TradeOrder.started_at)
            .limit(limit)
        )  # fmt: skip
    if ctx.allows("receipt.create"):
        arms.append(
            select(
                literal("receive").label("kind"),
                cast(func.min(cast(ShipmentLine.order_id, Text)), Uuid).label("order_id"),
                Shipment.number.label("number"), Shipment.seller_id.label("partner_id"),
                func.min(TradeOrder.delivery_date).label("day"), Shipment.shipped_at.label("since"),
            )
            .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
            .join(TradeOrder, TradeOrder.id == ShipmentLine.order_id)
            .where(Shipment.buyer_id == ctx.tenant_id, ShipmentLine.received < ShipmentLine.quantity)
            .where(TradeOrder.state.in_(("in_progress", "delivered")))
            .group_by(Shipment.id, Shipment.number, Shipment.seller_id, Shipment.shipped_at)
            .order_by(Shipment.shipped_at)
            .limit(limit)
        )  # fmt: skip
    if not arms:
        return []
    found = (union_all(*arms) if len(arms) > 1 else arms[0]).subquery("found")
    card = EnterpriseCard.__table__
    rows = ctx.session.execute(
        select(found, card.c.name, card.c.name_en)
        .join_from(found, card, card.c.tenant_id == found.c.partner_id)
        .order_by(found.c.day.nulls_last(), found.c.since)
        .limit(limit)
    )
    todos = []
    for row in rows:
        shipping = row.kind == "ship"
        todos.append(
            Todo(
                row.kind, _("Ship an order") if shipping else _("Receive a shipment"), row.number, "orders.detail",
                {"order_id": row.order_id}, _("Ship") if shipping else _("Count in"),
                row.name if language() == CHINESE or not row.name_en else row.name_en,
                due=datetime.combine(row.day, time(23, 59), UTC) if row.day else None,
                icon="truck" if shipping else "box", rank=30,
            )
        )  # fmt: skip
    return todos

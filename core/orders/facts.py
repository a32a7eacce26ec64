"""Rows into frozen facts, for plugins and events."""

from collections.abc import Iterable

from core.hooks import LineFacts, OrderFacts
from core.orders.events import OrderChanged
from core.orders.model import OrderLine, TradeOrder


def line_facts(line: OrderLine) -> LineFacts:
    return LineFacts(
        line.id, line.no, line.sku_id, line.sku_code, line.name_zh, line.unit, line.quantity, line.unit_price,
        line.tax_incl, line.vat_rate, line.net, line.tax, line.gross, line.shipped, line.received, line.accepted,
        line.rejected, line.short_closed, line.invoiced,
    )  # fmt: skip


def order_facts(order: TradeOrder, lines: Iterable[OrderLine] = ()) -> OrderFacts:
    return OrderFacts(
        order.id, order.number, order.mode, order.state, order.version, order.buyer_id, order.seller_id,
        order.currency, order.total, order.net, order.tax, order.terms_days, order.delivery_date,
        order.submitted_at, order.confirmed_at, order.offer_expires_at, order.started_at,
        tuple(line_facts(line) for line in lines), order.source_ref, order.prepaid, order.paid,
    )  # fmt: skip


def event_of(
    kind: type[OrderChanged], order: TradeOrder, at: object, reason: str | None = None
) -> OrderChanged:
    return kind(
        order_id=order.id, buyer_id=order.buyer_id, seller_id=order.seller_id, number=order.number, mode=order.mode,
        order_version=order.version, total=order.total, currency=order.currency, at=at,  # type: ignore[arg-type]
        submitted_at=order.submitted_at, reason=reason,
    )  # fmt: skip

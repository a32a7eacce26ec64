"""Events that send documents on their way.

The seller's systems get the sales order, its changes and its end, and the money that came in. The buyer's get the purchase
order, what is on its way to the warehouse, what was counted in, and the money that was found at the seller.
"""

from sqlalchemy import select

from core.billing import PaymentConfirmed
from core.fulfilment import GoodsMoved, GoodsReceived, GoodsShipped, ReceiptReversed
from core.kernel import Context, Event
from core.orders import TradeOrder
from core.orders.events import OrderAmended, OrderCancelled, OrderChanged, OrderConfirmed
from core.outbox import Handler
from core.sync.documents import enqueue, wish
from core.sync.facts import payment_out, receipt_out, shipment_out
from core.sync.outgoing import INBOUND_ORDER, PAYMENT, RECEIPT


def order_confirmed(ctx: Context, event: Event) -> None:
    _enqueue(ctx, event, "create")


def order_amended(ctx: Context, event: Event) -> None:
    _enqueue(ctx, event, "change")


def order_cancelled(ctx: Context, event: Event) -> None:
    _enqueue(ctx, event, "cancel")


def goods_shipped(ctx: Context, event: Event) -> None:
    assert isinstance(event, GoodsMoved)
    id = event.document_id
    if ctx.tenant_id == event.buyer_id:
        wish(ctx, INBOUND_ORDER, id, "create", 1, lambda: shipment_out(ctx, id))


def goods_received(ctx: Context, event: Event) -> None:
    _received(ctx, event, "create", 1)


def receipt_reversed(ctx: Context, event: Event) -> None:
    _received(ctx, event, "cancel", 2)


def payment_confirmed(ctx: Context, event: Event) -> None:
    assert isinstance(event, PaymentConfirmed)
    id = event.subject_id
    wish(ctx, PAYMENT, id, "create", 1, lambda: payment_out(ctx, id))


def _enqueue(ctx: Context, event: Event, intent: str) -> None:
    assert isinstance(event, OrderChanged)
    order = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == event.order_id))
    if order is not None:
        enqueue(ctx, order, intent, event.order_version)


def _received(ctx: Context, event: Event, intent: str, version: int) -> None:
    assert isinstance(event, GoodsMoved)
    id = event.document_id
    if ctx.tenant_id == event.buyer_id:
        wish(ctx, RECEIPT, id, intent, version, lambda: receipt_out(ctx, id, version))


HANDLERS = [
    Handler("sync.order_confirmed", OrderConfirmed, order_confirmed),
    Handler("sync.order_amended", OrderAmended, order_amended),
    Handler("sync.order_cancelled", OrderCancelled, order_cancelled),
    Handler("sync.goods_shipped", GoodsShipped, goods_shipped),
    Handler("sync.goods_received", GoodsReceived, goods_received),
    Handler("sync.receipt_reversed", ReceiptReversed, receipt_reversed),
    Handler("sync.payment_confirmed", PaymentConfirmed, payment_confirmed),
]

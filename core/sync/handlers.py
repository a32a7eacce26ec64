"""Events that send documents on their way: the seller's ERP gets the sales order, its changes and its end."""

from sqlalchemy import select

from core.kernel import Context, Event
from core.orders import TradeOrder
from core.orders.events import OrderAmended, OrderCancelled, OrderChanged, OrderConfirmed
from core.outbox import Handler
from core.sync.documents import enqueue


def order_confirmed(ctx: Context, event: Event) -> None:
    _enqueue(ctx, event, "create")


def order_amended(ctx: Context, event: Event) -> None:
    _enqueue(ctx, event, "change")


def order_cancelled(ctx: Context, event: Event) -> None:
    _enqueue(ctx, event, "cancel")


def _enqueue(ctx: Context, event: Event, intent: str) -> None:
    assert isinstance(event, OrderChanged)
    if ctx.tenant_id != event.seller_id:
        return
    order = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == event.order_id))
    if order is not None:
        enqueue(ctx, order, intent, event.order_version)


HANDLERS = [
    Handler("sync.order_confirmed", OrderConfirmed, order_confirmed),
    Handler("sync.order_amended", OrderAmended, order_amended),
    Handler("sync.order_cancelled", OrderCancelled, order_cancelled),
]

"""What spot does when orders move. Handlers run after the commit and may run again; each has its effect once."""

import logging

import tongshang as ts
from plugins.spot import service
from plugins.spot.mode import rules

log = logging.getLogger("tongshang.plugins.spot")


def clear_cart(ctx: ts.Context, event: ts.OrderSubmitted) -> None:
    """The buyer's lines have become an order at the seller."""
    if event.mode == "spot" and ctx.tenant_id == event.buyer_id:
        service.forget_ordered(ctx, event.order_id)


def give_back(ctx: ts.Context, event: ts.OrderCancelled | ts.OrderExpired) -> None:
    """Ordered and never sent (an approver said no, nobody answered): the lines lie in the cart again."""
    if event.mode == "spot" and ctx.tenant_id == event.buyer_id:
        service.give_back(ctx, event.order_id)


def confirm_by_rule(ctx: ts.Context, event: ts.OrderSubmitted) -> None:
    """Confirm what the seller's rule allows. What the core refuses (credit, stock, somebody was first) waits for a person."""
    if event.mode != "spot" or ctx.tenant_id != event.seller_id:
        return
    limit = rules(ctx).auto_confirm_limit
    if limit is None or event.total > limit:
        return
    try:
        with ctx.session.begin_nested():
            ts.confirm(ctx, event.order_id, version=event.order_version)
    except ts.Refused as refused:
        log.info("order %s is not confirmed by rule: %s", event.number, refused)

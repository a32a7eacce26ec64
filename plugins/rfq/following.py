"""What requests do when their orders move. Handlers run after the commit and may run again; each has its effect once."""

import logging

import tongshang as ts
from plugins.rfq import service

log = logging.getLogger("tongshang.plugins.rfq")


def confirm_award(ctx: ts.Context, event: ts.OrderSubmitted) -> None:
    """An award that a colleague of the buyer had to approve: the quote was a binding offer, so the order is confirmed now.

    One that binds already is left alone; what the core refuses (credit, the quote's time) waits for a person.
    """
    if event.mode != "rfq" or ctx.tenant_id != event.seller_id:
        return
    try:
        with ctx.session.begin_nested():
            ts.confirm(ctx, event.order_id, version=event.order_version)
    except ts.Refused as refused:
        log.info("order %s of an award is not confirmed by itself: %s", event.number, refused)


def void_award(ctx: ts.Context, event: ts.OrderCancelled | ts.OrderExpired | ts.OrderRejected) -> None:
    """The order came to nothing: what it took may be awarded again."""
    if event.mode == "rfq" and ctx.tenant_id == event.buyer_id:
        service.void(ctx, event.order_id)

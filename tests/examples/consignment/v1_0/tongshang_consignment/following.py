"""What consignment does when orders move."""

import tongshang as ts
from tongshang_consignment import service
from tongshang_consignment.mode import KEY


def settle(ctx: ts.Context, event: ts.OrderCompleted) -> None:
    """The seller's ear is enough: both sides share the row."""
    if event.mode == KEY and ctx.tenant_id == event.seller_id:
        service.settle(ctx, event.order_id)

"""What an enterprise still has open with a plugin: it stands on the question before anything is switched off."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select

from core.kernel import Context
from core.orders import ORDER, TradeOrder

OVER = (*ORDER.ends, "completed", "draft")  # a draft binds nobody, and is its buyer's alone


@dataclass(frozen=True)
class OpenWork:
    """`orders` are open in one of its modes, on either side; `example` is the number of one."""

    orders: int
    example: str


def open_work(ctx: Context, name: str) -> OpenWork:
    """Count the open orders of the acting enterprise in a plugin's modes of trade."""
    modes = [key for key, mode in ctx.ports.dispatch.modes.items() if mode.plugin == name]
    if not modes:
        return OpenWork(0, "")
    mine = or_(TradeOrder.buyer_id == ctx.tenant_id, TradeOrder.seller_id == ctx.tenant_id)
    row = ctx.session.execute(
        select(func.count(), func.min(TradeOrder.number)).where(
            mine, TradeOrder.mode.in_(modes), TradeOrder.state.not_in(OVER)
        )
    ).one()
    return OpenWork(row[0], row[1] or "—")

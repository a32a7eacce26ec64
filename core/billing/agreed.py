"""Changing an order as its parties agreed beforehand, with the money that goes with it, in one transaction."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from core import orders
from core.billing.claims import raise_claim
from core.billing.holding import Claim
from core.billing.settlement import post_moves
from core.hooks import MoneyMove
from core.kernel import Context
from core.orders import TradeOrder, agreed


def amend_as_agreed(
    ctx: Context, order_id: UUID, quantities: Mapping[int, Decimal], reason: str, moves: Sequence[MoneyMove] = ()
) -> TradeOrder:
    """T22 by terms both sides signed before: quantities by line number, prices as the mode agreed them now.

    `moves` take money out of the order's advance first: `refund` to the buyer, `forfeit` to the seller; a `claim` is owed.
    """
    order = orders.lock(ctx, order_id)
    ctx.require("order.change")
    post_moves(ctx, order, moves)
    return agreed.amend(ctx, order, quantities, reason)


def claim_damages(ctx: Context, order_id: UUID, debtor: str, amount: Decimal, reason: str) -> Claim:
    """Book damages that the order's terms give one side; the caller has reckoned them by these terms."""
    order = orders.lock(ctx, order_id)
    ctx.require("order.change")
    claim = raise_claim(ctx, order, debtor, amount, reason)
    orders.note(ctx, order, "claimed", debtor=debtor, amount=amount, reason=reason)
    return claim

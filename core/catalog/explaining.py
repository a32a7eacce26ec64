"""Which price wins for a customer, and why the others do not: what sales tells a customer who asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from sqlalchemy import select

from core.catalog.model import AUDIENCES, PriceList, PriceRow
from core.catalog.pricing import PricedLine, Tier, Wanted, price_tiers, quote_lines
from core.kernel import Context

VERDICTS = ("wins", "later_level", "smaller_tier", "earlier_list", "dearer", "not_reached")
"""How a list fared: it gives the price; a level before it does; on the same level one with a tier from a larger
quantity, one that began later, or a cheaper one does; or its first tier asks for more.
"""


@dataclass(frozen=True)
class Candidate:
    """A list that speaks to the customer. `tier` is the one the quantity reaches, or the first where it reaches none."""

    tier: Tier
    reached: bool
    verdict: str


@dataclass(frozen=True)
class Explanation:
    """The price of a quantity for a customer and every list that was looked at, in the order they are searched."""

    price: PricedLine
    candidates: tuple[Candidate, ...]

    @property
    def cheaper_elsewhere(self) -> bool:
        """A later level would have been cheaper; the earlier one still stands."""
        return any(part.flag == "cheaper_elsewhere" for part in self.price.components)


def explain_price(
    ctx: Context, customer_id: UUID, sku_id: UUID, quantity: Decimal, uom: str | None = None
) -> Explanation:
    """Price a quantity of an own product for a customer and say why it is this price. Invalid as `quote_lines`."""
    ctx.require("product.view")
    (price,) = quote_lines(ctx, customer_id, [Wanted(sku_id, quantity, uom)])
    first = price.components[0]
    winner = ctx.session.scalar(
        select(PriceRow.price_list_id).where(PriceRow.tenant_id == ctx.tenant_id, PriceRow.id == first.row_id)
    )
    reached: list[tuple[Tier, bool]] = []
    for _list, found in groupby(price_tiers(ctx, sku_id, customer_id), lambda tier: tier.list_id):
        tiers = list(found)
        low = [tier for tier in tiers if tier.min_qty <= price.base_qty]
        reached.append((low[-1], True) if low else (tiers[0], False))
    won = next(tier for tier, _reached in reached if tier.list_id == winner)
    began = _began(ctx, [tier.list_id for tier, _reached in reached])
    return Explanation(
        price, tuple(Candidate(tier, there, _verdict(tier, there, won, began)) for tier, there in reached)
    )


def _began(ctx: Context, lists: Iterable[UUID]) -> dict[UUID, datetime]:
    wanted = select(PriceList.id, PriceList.valid_from).where(
        PriceList.tenant_id == ctx.tenant_id, PriceList.id.in_(list(lists))
    )
    return {each: at for each, at in ctx.session.execute(wanted)}


def _verdict(tier: Tier, reached: bool, won: Tier, began: Mapping[UUID, datetime]) -> str:
    if tier.list_id == won.list_id:
        return "wins"
    if not reached:
        return "not_reached"
    if AUDIENCES.index(tier.level) > AUDIENCES.index(won.level):
        return "later_level"
    if tier.min_qty != won.min_qty:
        return "smaller_tier"
    return "dearer" if began[tier.list_id] == began[won.list_id] else "earlier_list"

"""The two sides of an order, and the one place that crosses from one to the other (ruling 2b)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from core.kernel import Context, NotFound, Refused


class Parties(Protocol):
    """Anything with a buyer and a seller."""

    buyer_id: UUID
    seller_id: UUID


def side_of(ctx: Context, order: Parties) -> str:
    """Which side ctx's tenant is on."""
    if ctx.tenant_id == order.buyer_id:
        return "buyer"
    if ctx.tenant_id == order.seller_id:
        return "seller"
    raise NotFound("order.not_found")


def other(side: str) -> str:
    return "seller" if side == "buyer" else "buyer"


def party(order: Parties, side: str) -> UUID:
    return order.buyer_id if side == "buyer" else order.seller_id


def need_side(ctx: Context, order: Parties, side: str) -> None:
    """Refuse unless ctx's tenant is that side: not a permission question, so it has its own sentence."""
    if side_of(ctx, order) != side:
        raise Refused(f"order.only_{side}")


@contextmanager
def side(ctx: Context, order: Parties, which: str) -> Iterator[Context]:
    """Act as the named side for a few statements: reserve its stock, ask its plugins, post in its books."""
    target = party(order, which)
    if target == ctx.tenant_id:
        yield ctx
        return
    side_of(ctx, order)
    with ctx.as_tenant(target, which):
        yield ctx

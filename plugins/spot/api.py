"""The cart over JSON: everything its page does."""

from typing import Any
from uuid import UUID

import tongshang as ts
from plugins.spot import schema, service

api = ts.Api("spot")


@api.get("/spot/cart", permission="spot.cart.use", answer=schema.CartAnswer)
def show_cart(ctx: ts.Context) -> dict[str, Any]:
    """The cart by seller, at one's own prices now, with what is in stock."""
    return {"groups": service.cart(ctx)}


@api.post(
    "/spot/cart",
    permission="spot.cart.use",
    body=schema.NewItem,
    answer=schema.ItemAnswer,
    status=201,
    idempotent=True,
)
def put_in(ctx: ts.Context, body: dict[str, Any]) -> Any:
    """Put a product into the cart; in the same unit it adds to what is there."""
    return service.put(ctx, body["sku_id"], body["quantity"], body["unit"])


@api.put(
    "/spot/cart/<uuid:item_id>", permission="spot.cart.use", body=schema.NewQuantity, answer=schema.CartAnswer
)
def change_quantity(ctx: ts.Context, item_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Give a line another quantity."""
    service.change(ctx, {item_id: body["quantity"]})
    return {"groups": service.cart(ctx)}


@api.delete("/spot/cart/<uuid:item_id>", permission="spot.cart.use", status=204)
def take_out(ctx: ts.Context, item_id: UUID) -> None:
    """Take a line out of the cart."""
    service.take_out(ctx, item_id)


@api.post(
    "/spot/cart/order",
    permission="order.submit",
    body=schema.CartOrder,
    answer=schema.PlacedAnswer,
    status=201,
    idempotent=True,
)
def order_cart(ctx: ts.Context, body: dict[str, Any]) -> dict[str, Any]:
    """Order everything of one seller in the cart; all of it or nothing."""
    return schema.placed(service.order(ctx, **body))

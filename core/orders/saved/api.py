"""Saved views over JSON: those of the person whose session or key it is."""

from typing import Any
from uuid import UUID

from core.kernel import Context, NotFound
from core.orders.api import api
from core.orders.saved import service
from core.orders.saved.look import COLUMNS, Look
from core.orders.saved.model import SavedView
from core.orders.saved.schema import ViewAnswer, ViewedQuery, ViewIn, ViewList
from core.orders.saved.sorting import orders_of
from core.orders.schema import OrderList


def _look(body: dict[str, Any]) -> Look:
    chosen = set(body["columns"])
    return Look(
        body["side"], body["state"], body["waiting"], body["open"], body["q"], body["sort"],
        tuple(name for name in COLUMNS if name in chosen),
    )  # fmt: skip


@api.get("/orders/views", permission="order.view", answer=ViewList)
def list_views(ctx: Context) -> dict[str, list[SavedView]]:
    """The caller's own views of the list of orders, the oldest first."""
    return {"items": service.views_of(ctx)}


@api.post("/orders/views", permission="order.view", body=ViewIn, answer=ViewAnswer, status=201, idempotent=True)
def keep_view(ctx: Context, body: dict[str, Any]) -> SavedView:
    """Keep a view. Another one is the default no longer when this one is to be it."""
    return service.keep_view(ctx, body["name"], _look(body), body["default"])


@api.put("/orders/views/<uuid:view_id>", permission="order.view", body=ViewIn, answer=ViewAnswer)
def replace_view(ctx: Context, view_id: UUID, body: dict[str, Any]) -> SavedView:
    """Give a view another name, another look, and make it the default or not."""
    service.rename_view(ctx, view_id, body["name"])
    service.change_view(ctx, view_id, _look(body))
    return service.set_default(ctx, view_id, body["default"])


@api.delete("/orders/views/<uuid:view_id>", permission="order.view", status=204)
def drop_view(ctx: Context, view_id: UUID) -> None:
    """Delete a view; its orders are not touched."""
    service.drop_view(ctx, view_id)


@api.get("/orders/views/<uuid:view_id>/orders", permission="order.view", query=ViewedQuery, answer=OrderList)
def list_viewed(ctx: Context, view_id: UUID, query: dict[str, Any]) -> object:
    """The orders a view shows, in its order. `next` is the `after` of the next page."""
    view = next((each for each in service.views_of(ctx) if each.id == view_id), None)
    if view is None:
        raise NotFound("order.view_not_found")
    return orders_of(ctx, Look.kept(view), query["after"], query["limit"])

"""Consignment over JSON."""

from typing import Any
from uuid import UUID

import tongshang as ts
from tongshang_consignment import schema, service

api = ts.Api("consignment")


@api.get("/consignment/stock", permission="consignment.stock.view", answer=schema.StocksAnswer)
def list_stock(ctx: ts.Context) -> dict[str, Any]:
    """Goods on consignment in both directions, newest first."""
    return {"stock": service.stock(ctx)}


@api.post(
    "/consignment/stock",
    permission="consignment.stock.lay",
    body=schema.NewStock,
    answer=schema.StockAnswer,
    status=201,
    idempotent=True,
)
def lay_in(ctx: ts.Context, body: dict[str, Any]) -> Any:
    """Lay goods in at a buyer's."""
    return service.lay_in(ctx, **body)


@api.post(
    "/consignment/stock/<uuid:stock_id>/usage",
    permission="consignment.usage.report",
    body=schema.NewUsage,
    answer=schema.UsageAnswer,
    status=201,
    idempotent=True,
)
def report_usage(ctx: ts.Context, stock_id: UUID, body: dict[str, Any]) -> Any:
    """Report goods as used; an order over them is concluded."""
    return service.report_usage(ctx, stock_id, body["quantity"])


@api.put("/consignment/orders/<uuid:order_id>/usage", permission="consignment.usage.confirm", answer=schema.UsageAnswer)
def confirm_usage(ctx: ts.Context, order_id: UUID) -> Any:
    """Confirm what was reported as used, so that it may be billed."""
    return service.confirm_usage(ctx, order_id)

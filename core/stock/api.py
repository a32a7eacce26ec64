"""Stock over JSON: what there is, what came in, what was corrected."""

from typing import Any
from uuid import UUID

from core.catalog import find_product
from core.kernel import Context
from core.stock import finding, schema, service
from core.stock.model import Warehouse
from core.web import Api
from core.web.pager import decode, encode

api = Api("stock")


@api.get("/stock", permission="stock.view", query=schema.StockQuery, answer=schema.LevelsAnswer)
def list_stock(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """Stock by product and warehouse."""
    rows, after = finding.find_levels(
        ctx,
        q=query["q"],
        warehouse_id=query.get("warehouse"),
        state=query.get("state"),
        after=decode(query.get("after"), 2),
        limit=query["limit"],
    )
    return {"rows": rows, "next": encode(*after) if after else None}


@api.get("/stock/<uuid:sku_id>", permission="stock.view", answer=schema.StockAnswer)
def stock_of(ctx: Context, sku_id: UUID) -> dict[str, Any]:
    """A product's stock, its lots and its latest moves."""
    find_product(ctx, sku_id)
    found = service.available(ctx, [sku_id])[sku_id]
    return {
        "on_hand": found.on_hand,
        "hard": found.hard,
        "soft": found.soft,
        "free": found.free,
        "lots": service.lots(ctx, sku_id),
        "moves": service.moves(ctx, sku_id),
    }


@api.post("/stock/receipts", permission="stock.adjust", body=schema.ReceiptBody, status=204, idempotent=True)
def receive(ctx: Context, body: dict[str, Any]) -> None:
    """Bring goods in."""
    service.receive_stock(ctx, [service.Incoming(**row) for row in body["rows"]])


@api.post(
    "/stock/adjustments", permission="stock.adjust", body=schema.AdjustmentBody, status=204, idempotent=True
)
def adjust(ctx: Context, body: dict[str, Any]) -> None:
    """Correct a figure, with a reason."""
    given = dict(body)
    reason = given.pop("reason")
    service.adjust(ctx, service.Incoming(**given), reason)


@api.post(
    "/stock/counts",
    permission="stock.adjust",
    body=schema.CountBody,
    answer=schema.CountAnswer,
    idempotent=True,
)
def count(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Set what lies in warehouses to what was counted."""
    rows = [service.Incoming(**row) for row in body["rows"]]
    return {"refused": service.set_counted(ctx, rows, body["reason"])}


@api.get("/warehouses", permission="stock.view", answer=schema.WarehouseAnswer, many=True)
def list_warehouses(ctx: Context) -> list[Warehouse]:
    """One's own warehouses, first those stock is taken from first."""
    return service.warehouses(ctx)


@api.post(
    "/warehouses",
    permission="warehouse.edit",
    body=schema.WarehouseBody,
    answer=schema.WarehouseAnswer,
    status=201,
    idempotent=True,
)
def add_warehouse(ctx: Context, body: dict[str, Any]) -> Warehouse:
    """Set up a warehouse."""
    return service.add_warehouse(ctx, **body)

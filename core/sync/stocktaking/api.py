"""Stock that differs over JSON: the differences with what explains them, and the moves there."""

from typing import Any
from uuid import UUID

from core.kernel import Context
from core.sync.api import api
from core.sync.service import find_connection
from core.sync.stocktaking import reading, schema
from core.web.pager import decode, encode
from core.web.problem import Rejected


@api.get(
    "/connections/<uuid:connection_id>/stock-differences",
    permission="stock.view",
    answer=schema.StockDifferencesAnswer,
)
def stock_differences(ctx: Context, connection_id: UUID) -> dict[str, Any]:
    """Products and warehouses where the other system's last figure is not ours, and what explains each. Nothing is applied."""
    find_connection(ctx, connection_id)
    return {"rows": reading.differences(ctx, connection_id)}


@api.get(
    "/connections/<uuid:connection_id>/stock-moves",
    permission="stock.view",
    query=schema.StockMovesQuery,
    answer=schema.RemoteMovesAnswer,
)
def stock_moves(ctx: Context, connection_id: UUID, query: dict[str, Any]) -> dict[str, Any]:
    """What moved in the warehouses there, newest first."""
    find_connection(ctx, connection_id)
    rows = reading.moves(ctx, connection_id, before(query.get("after")), query["limit"])
    kept = rows[: query["limit"]]
    return {"rows": kept, "next": encode(kept[-1].id) if len(rows) > len(kept) else None}


def before(after: str | None) -> UUID | None:
    """The move behind which a page begins. Raises Rejected for a place nobody handed out."""
    told = decode(after, 1)
    try:
        return UUID(told[0]) if told else None
    except ValueError:
        raise Rejected(400, "page.bad_cursor") from None

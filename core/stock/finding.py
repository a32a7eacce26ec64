"""Looking through stock: one row per product and warehouse, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, cast, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY

from core.catalog import Product
from core.catalog.tokens import MAX_QUERY, part_number, query
from core.kernel import Context
from core.stock.model import StockLevel, Warehouse


@dataclass(frozen=True)
class LevelRow:
    """What lies of a product in a warehouse, in base units; `free` is not promised to anybody."""

    sku_id: UUID
    code: str
    name_zh: str
    name_en: str
    spec: str
    base_uom: str
    warehouse_id: UUID
    warehouse: str
    on_hand: Decimal
    hard: Decimal
    soft: Decimal

    @property
    def free(self) -> Decimal:
        return self.on_hand - self.hard - self.soft


def find_levels(
    ctx: Context,
    q: str = "",
    warehouse_id: UUID | None = None,
    state: str | None = None,
    after: Sequence[str] | None = None,
    limit: int = 50,
) -> tuple[list[LevelRow], tuple[str, str] | None]:
    """Levels by product code, and the keys to go on after. `state` is out (nothing free) or promised."""
    ctx.require("stock.view")
    wanted = (
        select(
            Product.id,
            Product.code,
            Product.name_zh,
            Product.name_en,
            Product.spec,
            Product.base_uom,
            Warehouse.id,
            Warehouse.name,
            StockLevel.on_hand,
            StockLevel.hard,
            StockLevel.soft,
        )
        .select_from(StockLevel)
        .join(Product, and_(Product.tenant_id == StockLevel.tenant_id, Product.id == StockLevel.product_id))
        .join(
            Warehouse,
            and_(Warehouse.tenant_id == StockLevel.tenant_id, Warehouse.id == StockLevel.warehouse_id),
        )
        .where(StockLevel.tenant_id == ctx.tenant_id)
        .order_by(Product.code, Warehouse.id)
        .limit(limit + 1)
    )
    if q.strip():
        words, part = query(q), part_number(q[:MAX_QUERY])
        found = [Product.code_key.startswith(part, autoescape=True)] if part else []
        if words:
            found.append(Product.search.op("@@")(cast(words, TSQUERY)))
        wanted = wanted.where(or_(*found) if found else Product.id.is_(None))
    if warehouse_id:
        wanted = wanted.where(StockLevel.warehouse_id == warehouse_id)
    if state == "out":
        wanted = wanted.where(StockLevel.on_hand == StockLevel.hard + StockLevel.soft)
    elif state == "promised":
        wanted = wanted.where(StockLevel.hard + StockLevel.soft > 0)
    if after:
        code, warehouse = after
        wanted = wanted.where(
            or_(Product.code > code, and_(Product.code == code, Warehouse.id > UUID(warehouse)))
        )
    rows = [LevelRow(*row) for row in ctx.session.execute(wanted)]
    kept = rows[:limit]
    return kept, (kept[-1].code, str(kept[-1].warehouse_id)) if len(rows) > limit else None

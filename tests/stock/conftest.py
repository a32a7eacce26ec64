"""A seller with goods in two warehouses, rolled back after each test, and one that commits for races."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text

from core import catalog, stock
from core.db import Unit
from core.kernel import Context

D = Decimal


@pytest.fixture
def main_store(ctx: Context) -> UUID:
    return stock.add_warehouse(ctx, "A", "宝山一库", rank=1).id


@pytest.fixture
def far_store(ctx: Context) -> UUID:
    return stock.add_warehouse(ctx, "B", "太仓库", rank=2).id


@pytest.fixture
def goods(ctx: Context) -> list[UUID]:
    rows = [catalog.ProductRow(code, "钢筋", base_uom="t") for code in ("R12", "R14", "R16")]
    return list(catalog.upsert_products(ctx, rows).ids.values())


@pytest.fixture
def later(ctx: Context) -> Callable[[str], None]:
    """Let the database's clock run ahead inside the transaction: later("31 minutes")."""

    def shift(by: str) -> None:
        ctx.session.execute(text("SELECT set_config('ts.clock_shift', :by, true)"), {"by": by})
        ctx.now = ctx.session.scalar(text("SELECT ts.clock()"))

    return shift


@pytest.fixture
def scarce(unit: Unit, tenant: UUID) -> UUID:
    """100 of one product, committed."""
    with unit.system(tenant, "seed") as ctx:
        sku = catalog.upsert_products(ctx, [catalog.ProductRow("SCARCE", "紧俏品")]).ids["SCARCE"]
        store = stock.add_warehouse(ctx, "A", "一库").id
        stock.receive_stock(ctx, [stock.Incoming(sku, store, D(100))])
    return sku

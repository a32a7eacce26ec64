"""Stock: written as counted where the other system is the one that counts, else only compared."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from core.catalog import Product
from core.kernel import Context
from core.stock import Incoming as Count
from core.stock import StockLevel, add_warehouse, set_counted, warehouses
from core.sync.contract import Record
from core.sync.incoming import StockIn
from core.sync.landing.frame import Left
from core.sync.landing.products import known_products

LARGEST = Decimal(10) ** 14  # more is no stock of anybody, and no column holds it

Rows = Sequence[tuple[Record, StockIn]]
Kept = list[tuple[Record, StockIn, Product]]


def land(ctx: Context, rows: Rows) -> list[Left]:
    """Set each product in each warehouse to what was counted there; not below what is promised."""
    kept, left = _known(ctx, rows)
    places = _warehouses(ctx, {item.warehouse for _, item, _ in kept})
    counts: dict[tuple[UUID, UUID], tuple[Record, StockIn]] = {
        (product.id, places[item.warehouse]): (record, item) for record, item, product in kept
    }
    counted = [Count(sku, place, item.quantity) for (sku, place), (_, item) in counts.items()]
    for unmoved in set_counted(ctx, counted, "ERP") if counted else ():
        record, item = counts[unmoved.sku_id, unmoved.warehouse_id]
        said = f"{item.quantity} {item.unit}, {unmoved.free} free"
        left.append(Left(record, item.external_id, "sync.below_promised", said))
    return left


def compare(ctx: Context, rows: Rows) -> list[Left]:
    """Write nothing: where the two figures differ both are listed, ours first."""
    kept, left = _known(ctx, rows)
    codes = {place.id: place.code for place in warehouses(ctx)}
    found = ctx.session.execute(
        select(StockLevel.product_id, StockLevel.warehouse_id, StockLevel.on_hand).where(
            StockLevel.tenant_id == ctx.tenant_id,
            StockLevel.product_id.in_([product.id for _, _, product in kept]),
        )
    )
    ours = {(sku, codes.get(place)): on_hand for sku, place, on_hand in found}
    for record, item, product in kept:
        own = ours.get((product.id, item.warehouse), Decimal(0))
        if own != item.quantity:
            said = f"{item.warehouse}: {_plain(own)} / {_plain(item.quantity)} {item.unit}"
            left.append(Left(record, item.external_id, "sync.stock_differs", said))
    return left


def _known(ctx: Context, rows: Rows) -> tuple[Kept, list[Left]]:
    known = known_products(ctx, sorted({item.material for _, item in rows}))
    kept: Kept = []
    left: list[Left] = []
    for record, item in rows:
        product = known.get(item.material)
        if product is None:
            left.append(Left(record, item.external_id, "sync.product_unknown", item.material))
        elif product.base_uom != item.unit:
            said = f"{product.base_uom} / {item.unit}"
            left.append(Left(record, item.external_id, "sync.unit_conflict", said))
        elif not item.quantity.is_finite() or abs(item.quantity) >= LARGEST:
            left.append(Left(record, item.external_id, "sync.quantity", str(item.quantity)))
        else:
            kept.append((record, item, product))
    return kept, left


def _warehouses(ctx: Context, codes: set[str]) -> dict[str, UUID]:
    """Warehouses by code; one we do not know yet is set up under its code."""
    places = {place.code: place.id for place in warehouses(ctx)}
    for code in sorted(codes - set(places)):
        places[code] = add_warehouse(ctx, code, code).id
    return places


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"

"""Stock: written as counted where the other system is the one that counts, else only compared, and what it said kept."""

from collections.abc import Sequence, Set
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select, text

from core.catalog import Product
from core.kernel import Context, uuid7
from core.stock import Incoming as Count
from core.stock import StockLevel, add_warehouse, set_counted, warehouses
from core.sync.contract import Record
from core.sync.incoming import StockIn, StockMoveIn
from core.sync.landing.frame import DIGITS, Left
from core.sync.landing.products import known_products

LARGEST = Decimal(10) ** 14  # more is no stock of anybody, and no column holds it
LONGEST_CODE = 100  # characters of a warehouse

Told = TypeVar("Told", StockIn, StockMoveIn)
Rows = Sequence[tuple[Record, StockIn]]


def land(ctx: Context, rows: Rows) -> list[Left]:
    """Set each product in each warehouse to what was counted there; not below what is promised."""
    recorded, left = recognised(ctx, rows)
    kept = []
    for record, item, product in recorded:
        if item.quantity < 0:  # an ERP may allow it, a shelf does not
            left.append(Left(record, item.external_id, "sync.quantity", f"{item.warehouse}: {_plain(item.quantity)}"))
        elif not (item.warehouse.strip() and item.warehouse.isprintable() and len(item.warehouse) <= LONGEST_CODE):
            left.append(Left(record, item.external_id, "sync.unusable", f"{item.material}: {item.warehouse!r}"))
        else:
            kept.append((record, item, product))
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


def compare(ctx: Context, connection_id: UUID, rows: Rows) -> list[Left]:
    """Change no stock: what they said is kept, and where the two figures differ both are listed, ours first."""
    kept, left = recognised(ctx, rows)
    codes = {place.id: place.code for place in warehouses(ctx)}
    found = ctx.session.execute(
        select(StockLevel.product_id, StockLevel.warehouse_id, StockLevel.on_hand).where(
            StockLevel.tenant_id == ctx.tenant_id,
            StockLevel.product_id.in_([product.id for _, _, product in kept]),
        )
    )
    ours = {(sku, codes.get(place)): on_hand for sku, place, on_hand in found}
    last = {(product.id, item.warehouse): item.quantity for _, item, product in kept}
    _note(ctx, connection_id, last, {place for place in last if ours.get(place, Decimal(0)) == last[place]})
    for record, item, product in kept:
        own = ours.get((product.id, item.warehouse), Decimal(0))
        if own != item.quantity:
            said = f"{item.warehouse}: {_plain(own)} / {_plain(item.quantity)} {item.unit}"
            left.append(Left(record, item.external_id, "sync.stock_differs", said))
    return left


def recognised(
    ctx: Context, rows: Sequence[tuple[Record, Told]]
) -> tuple[list[tuple[Record, Told, Product]], list[Left]]:
    """The rows of products of ours, in their base unit, with a quantity that can be kept; and the others."""
    known = known_products(ctx, sorted({item.material for _, item in rows}))
    kept: list[tuple[Record, Told, Product]] = []
    left: list[Left] = []
    for record, item in rows:
        product = known.get(item.material)
        if product is None:
            left.append(Left(record, item.external_id, "sync.product_unknown", item.material))
        elif product.base_uom != item.unit:
            said = f"{product.base_uom} / {item.unit}"
            left.append(Left(record, item.external_id, "sync.unit_conflict", said))
        elif not _keeps(item.quantity):
            left.append(Left(record, item.external_id, "sync.quantity", str(item.quantity)))
        else:
            kept.append((record, item, product))
    return kept, left


def _keeps(quantity: Decimal) -> bool:
    """Whether a column holds it as it stands."""
    return quantity.is_finite() and abs(quantity) < LARGEST and round(quantity, DIGITS) == quantity


_NOTE = text("""
    INSERT INTO ts.sync_figure AS f
      (id, tenant_id, connection_id, product_id, warehouse, quantity, first_at, told_at, agreed, agreed_at)
    SELECT w.id, ts.tenant(), :connection, w.product, w.warehouse, w.quantity, :now, :now,
           CASE WHEN w.same THEN w.quantity END, CASE WHEN w.same THEN CAST(:now AS timestamptz) END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:products AS uuid[]), CAST(:places AS text[]), CAST(:told AS numeric[]),
                CAST(:same AS boolean[])) AS w(id, product, warehouse, quantity, same)
    ON CONFLICT (tenant_id, connection_id, product_id, warehouse) DO UPDATE
    SET quantity = excluded.quantity, told_at = excluded.told_at, agreed = coalesce(excluded.agreed, f.agreed),
        agreed_at = coalesce(excluded.agreed_at, f.agreed_at)
""")


def _note(
    ctx: Context,
    connection_id: UUID,
    told: dict[tuple[UUID, str], Decimal],
    same: Set[tuple[UUID, str]],
) -> None:
    """Keep what they said last of each product and warehouse, and since when we are one on it."""
    places = sorted(told)  # in one order, so that two runs at once do not wait for each other
    if places:
        values = {
            "connection": connection_id,
            "now": ctx.now,
            "ids": [uuid7() for _ in places],
            "products": [product for product, _ in places],
            "places": [warehouse for _, warehouse in places],
            "told": [told[place] for place in places],
            "same": [place in same for place in places],
        }
        ctx.session.execute(_NOTE, values)


def _warehouses(ctx: Context, codes: set[str]) -> dict[str, UUID]:
    """Warehouses by code; one we do not know yet is set up under its code."""
    places = {place.code: place.id for place in warehouses(ctx)}
    for code in sorted(codes - set(places)):
        places[code] = add_warehouse(ctx, code, code).id
    return places


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"

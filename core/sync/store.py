"""Rows that came in, written through the verbs of the rooms that own them; never past them.

The other system owns what it tells (name, specification, base unit); what the portal added (category,
attributes, English name) stays. Where both sides say different things about one fact, the row is listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select, text

from core.catalog import Product, ProductRow, upsert_products
from core.kernel import Context, uuid7
from core.stock import Incoming as Count
from core.stock import add_warehouse, set_counted, warehouses
from core.sync.contract import Record
from core.sync.incoming import Incoming, ProductIn, StockIn


@dataclass(frozen=True)
class Left:
    """A row that was left out, and why."""

    record: Record
    external_id: str
    code: str
    said: str


Good = Sequence[tuple[Record, Incoming]]


def store(ctx: Context, connection_id: UUID, rows: Good) -> tuple[int, list[Left]]:
    """Store one page; answers how many rows landed and which did not."""
    products = [(record, item) for record, item in rows if isinstance(item, ProductIn)]
    counts = [(record, item) for record, item in rows if isinstance(item, StockIn)]
    left = _products(ctx, connection_id, products) + _counts(ctx, counts)
    return len(rows) - len(left), left


def _products(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, ProductIn]]) -> list[Left]:
    left: list[Left] = []
    newest = {item.code: (record, item) for record, item in rows}  # of a repeated code the last one counts
    known = _known(ctx, list(newest))
    wanted: list[ProductRow] = []
    for code, (record, item) in newest.items():
        product = known.get(code)
        if product is None and not item.active:
            continue
        if product is not None and product.base_uom != item.unit:
            said = f"{product.base_uom} / {item.unit}"
            left.append(Left(record, item.external_id, "sync.unit_conflict", said))
            continue
        wanted.append(_merged(item, product))
    landed = upsert_products(ctx, wanted)
    for issue in landed.issues:
        record, item = newest[issue.code]
        said = "; ".join(f"{error.path}: {error.code}" for error in issue.errors)
        left.append(Left(record, item.external_id, issue.errors[0].code, said))
    _remember(ctx, connection_id, {landed.ids[code]: newest[code][1] for code in landed.ids})
    return left


def _merged(item: ProductIn, product: Product | None) -> ProductRow:
    if product is None:
        return ProductRow(item.code, item.name, spec=item.specification, base_uom=item.unit)
    return ProductRow(
        code=item.code,
        name_zh=item.name,
        name_en=product.name_en,
        category=product.category_path,
        spec=item.specification or product.spec,
        base_uom=product.base_uom,
        tax_class=product.tax_class,
        weight_kg=product.weight_kg,
        attributes=dict(product.attributes),
        part_no=product.part_no,
        words=tuple(product.words.split()),
    )


def _known(ctx: Context, codes: Sequence[str]) -> dict[str, Product]:
    found = ctx.session.scalars(
        select(Product).where(Product.tenant_id == ctx.tenant_id, Product.code.in_(codes))
    )
    return {product.code: product for product in found}


# A material that got another number there is another product here: its id moves over.
_FORGET = text("""
    DELETE FROM ts.external_ref r
    USING unnest(CAST(:locals AS uuid[]), CAST(:externals AS text[])) AS w(local_id, external_id)
    WHERE r.tenant_id = ts.tenant() AND r.connection_id = :connection AND r.kind = 'product'
      AND r.external_id = w.external_id AND r.local_id <> w.local_id
""")
_REMEMBER = text("""
    INSERT INTO ts.external_ref AS r (id, tenant_id, connection_id, kind, local_id, external_id, external_number, at)
    SELECT w.id, ts.tenant(), :connection, 'product', w.local_id, w.external_id, w.number, ts.clock()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:locals AS uuid[]), CAST(:externals AS text[]), CAST(:numbers AS text[]))
         AS w(id, local_id, external_id, number)
    ON CONFLICT (tenant_id, connection_id, kind, local_id) DO UPDATE
    SET external_id = excluded.external_id, external_number = excluded.external_number
    WHERE (r.external_id, r.external_number) IS DISTINCT FROM (excluded.external_id, excluded.external_number)
""").bindparams(bindparam("connection"))


def _remember(ctx: Context, connection_id: UUID, items: dict[UUID, ProductIn]) -> None:
    if items:
        values = {
            "connection": connection_id,
            "ids": [uuid7() for _ in items],
            "locals": list(items),
            "externals": [item.external_id for item in items.values()],
            "numbers": [item.code for item in items.values()],
        }
        ctx.session.execute(_FORGET, {key: values[key] for key in ("connection", "locals", "externals")})
        ctx.session.execute(_REMEMBER, values)


def _counts(ctx: Context, rows: Sequence[tuple[Record, StockIn]]) -> list[Left]:
    if not rows:
        return []
    known = _known(ctx, sorted({item.material for _, item in rows}))
    places = _warehouses(ctx, {item.warehouse for _, item in rows})
    left: list[Left] = []
    kept: dict[tuple[UUID, UUID], tuple[Record, StockIn]] = {}
    for record, item in rows:
        product = known.get(item.material)
        if product is None:
            left.append(Left(record, item.external_id, "sync.product_unknown", item.material))
        elif product.base_uom != item.unit:
            said = f"{product.base_uom} / {item.unit}"
            left.append(Left(record, item.external_id, "sync.unit_conflict", said))
        else:
            kept[product.id, places[item.warehouse]] = (record, item)
    counted = [Count(sku, place, item.quantity) for (sku, place), (_, item) in kept.items()]
    for unmoved in set_counted(ctx, counted, "ERP") if counted else ():
        record, item = kept[unmoved.sku_id, unmoved.warehouse_id]
        said = f"{item.quantity} {item.unit}, {unmoved.free} free"
        left.append(Left(record, item.external_id, "sync.below_promised", said))
    return left


def _warehouses(ctx: Context, codes: set[str]) -> dict[str, UUID]:
    """Warehouses by code; one we do not know yet is set up under its code."""
    places = {place.code: place.id for place in warehouses(ctx)}
    for code in sorted(codes - set(places)):
        places[code] = add_warehouse(ctx, code, code).id
    return places

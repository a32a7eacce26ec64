"""Products: the other system owns name and specification; category, words and English name are ours.

One that is not active there is not added; where it is here already it stays: whether it is offered is decided here.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select, text

from core.catalog import Product, ProductRow, upsert_products
from core.kernel import Context, uuid7
from core.sync.contract import Record
from core.sync.incoming import ProductIn
from core.sync.landing.frame import Left


def land(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, ProductIn]]) -> list[Left]:
    """Add and change products, all of a page at once; a base unit that is another there is listed."""
    left: list[Left] = []
    # Told twice, perhaps numbered anew: the last counts.
    named = {item.external_id or item.code: (record, item) for record, item in rows}
    newest = {item.code: (record, item) for record, item in named.values()}
    known = known_products(ctx, list(newest))
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


def known_products(ctx: Context, codes: Sequence[str]) -> dict[str, Product]:
    """Own products by code."""
    found = ctx.session.scalars(
        select(Product).where(Product.tenant_id == ctx.tenant_id, Product.code.in_(codes))
    )
    return {product.code: product for product in found}


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

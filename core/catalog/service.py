"""The verbs of products: add, edit, take in many at once, list for buyers, withdraw.

Whatever brings products in (a form, the API, a file, a connector) ends here, so there is one check and one
way to write.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text

from core.catalog.events import ListingsWithdrawn, ProductsListed
from core.catalog.model import Product, UomConversion
from core.catalog.rows import ProductRow, Shelf, check, record, shelves
from core.kernel import Conflict, Context, FieldError, Invalid, NotFound, uuid7

BATCH = 1000

_COLUMNS = (
    "code, name_zh, name_en, category_id, category_path, spec, base_uom, tax_class, weight_kg, attributes,"
    " part_no, words, code_key, part_key, search"
)
_CHANGING = [name.strip() for name in _COLUMNS.split(",") if name.strip() != "code"]
_UPSERT = text(f"""
    INSERT INTO ts.product AS p (tenant_id, id, status, version, {_COLUMNS})
    SELECT ts.tenant(), r.id, 'draft', 1, {_COLUMNS.replace("search", "search::tsvector")}
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id uuid, code text, name_zh text, name_en text,
      category_id uuid, category_path text, spec text, base_uom text, tax_class text, weight_kg numeric,
      attributes jsonb, part_no text, words text, code_key text, part_key text, search text)
    ORDER BY r.code
    ON CONFLICT (tenant_id, code) DO UPDATE SET version = p.version + 1, updated_at = ts.clock(),
      {", ".join(f"{name} = excluded.{name}" for name in _CHANGING)}
    WHERE ({", ".join(f"p.{name}" for name in _CHANGING)})
      IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _CHANGING)})
    RETURNING p.id, p.code
""")
_LIST = text("""
    INSERT INTO ts.listing AS l (tenant_id, id, code, category_path, name_zh, name_en, spec, base_uom,
      tax_class, weight_kg, attributes, part_no, code_key, part_key, search, public_price, price_currency,
      price_tax_incl, status, version)
    SELECT p.tenant_id, p.id, p.code, p.category_path, p.name_zh, p.name_en, p.spec, p.base_uom, p.tax_class,
      p.weight_kg, p.attributes, p.part_no, p.code_key, p.part_key, p.search, now.price,
      coalesce(now.currency, 'CNY'), coalesce(now.tax_incl, true), 'listed', 1
    FROM ts.product p CROSS JOIN LATERAL ts.public_price(p.tenant_id, p.id) now
    WHERE p.tenant_id = ts.tenant() AND p.id = ANY(CAST(:ids AS uuid[])) AND p.status = 'active'
    ORDER BY p.id
    ON CONFLICT (id) DO UPDATE SET code = excluded.code, category_path = excluded.category_path,
      name_zh = excluded.name_zh, name_en = excluded.name_en, spec = excluded.spec,
      base_uom = excluded.base_uom,
      tax_class = excluded.tax_class, weight_kg = excluded.weight_kg, attributes = excluded.attributes,
      part_no = excluded.part_no, code_key = excluded.code_key, part_key = excluded.part_key,
      search = excluded.search,
      public_price = excluded.public_price, price_currency = excluded.price_currency,
      price_tax_incl = excluded.price_tax_incl, status = 'listed', version = l.version + 1
    RETURNING l.id
""")


@dataclass(frozen=True)
class RowIssue:
    """Why the row at this index (from 0) did not land."""

    index: int
    code: str
    errors: tuple[FieldError, ...]


@dataclass(frozen=True)
class Landed:
    """What became of a batch: ids by code of every good row, and the reasons of the others."""

    ids: dict[str, UUID]
    added: int
    changed: int
    unchanged: int
    issues: tuple[RowIssue, ...]


def upsert_products(ctx: Context, rows: Sequence[ProductRow]) -> Landed:
    """Take in many products by their code: new ones as drafts, known ones changed, equal ones left alone.

    Good rows land and bad ones are answered with their reasons; repeating the same rows changes nothing.
    Listings of changed products are renewed. A few statements per thousand rows.
    """
    ctx.require("product.edit")
    known = shelves(ctx, {row.category for row in rows})
    good: dict[str, ProductRow] = {}
    issues: list[RowIssue] = []
    closed = _come_too_late(ctx, rows, known)
    for index, row in enumerate(rows):
        wrong = check(row, known.get(row.category))
        if row.code in closed:
            wrong.append(FieldError("category", "category.retired", {"category": row.category}))
        if row.code in good:
            wrong.append(FieldError("code", "product.code_twice", {"product": row.code}))
        if wrong:
            issues.append(RowIssue(index, row.code, tuple(wrong)))
        else:
            good[row.code] = row
    ids: dict[str, UUID] = {}
    touched: list[UUID] = []
    added = 0
    for batch in _batches(list(good.values())):
        records = [{"id": str(uuid7()), **record(row, known.get(row.category))} for row in batch]
        fresh = {each["id"] for each in records}
        for sku_id, code in ctx.session.execute(_UPSERT, {"rows": json.dumps(records)}):
            ids[code] = sku_id
            touched.append(sku_id)
            added += str(sku_id) in fresh
        rest = [row.code for row in batch if row.code not in ids]
        if rest:
            found = select(Product.code, Product.id).where(
                Product.tenant_id == ctx.tenant_id, Product.code.in_(rest)
            )
            ids.update((code, sku_id) for code, sku_id in ctx.session.execute(found))
    _set_conversions(ctx, {ids[code]: row for code, row in good.items() if row.conversions is not None})
    ctx.session.expire_all()
    if touched:
        renew_listings(ctx, touched)
        ctx.record("product.upsert", f"enterprise:{ctx.tenant_id}", added=added, changed=len(touched) - added)
    return Landed(ids, added, len(touched) - added, len(good) - len(touched), tuple(issues))


def add_product(ctx: Context, row: ProductRow) -> Product:
    """Add one product as a draft; Conflict when its code is taken, Invalid with every field that is wrong."""
    ctx.require("product.edit")
    _refuse_wrong(ctx, row)
    taken = select(Product.id).where(Product.tenant_id == ctx.tenant_id, Product.code == row.code)
    if ctx.session.scalar(taken) is not None:
        raise Conflict("product.code_taken", field="code", product=row.code)
    landed = upsert_products(ctx, [row])
    product = find_product(ctx, landed.ids[row.code])
    ctx.record("product.add", product, code=row.code)
    return product


def edit_product(ctx: Context, product_id: UUID, row: ProductRow, version: int) -> Product:
    """Replace what a product says; Conflict when somebody changed it since `version`. Its code stays."""
    ctx.require("product.edit")
    product = lock_product(ctx, product_id)
    if product.version != version:
        raise Conflict("version.changed", current=product.version)
    if row.code != product.code:
        raise Invalid.one("code", "product.code_stays", product=product.code)
    _refuse_wrong(ctx, replace(row, words=row.words or tuple(product.words.split())))
    before = {"name_zh": product.name_zh, "name_en": product.name_en, "spec": product.spec}
    upsert_products(ctx, [replace(row, words=row.words or tuple(product.words.split()))])
    product = find_product(ctx, product_id)
    ctx.record("product.edit", product, before=before)
    return product


def find_product(ctx: Context, product_id: UUID) -> Product:
    product = ctx.session.scalar(
        select(Product).where(Product.tenant_id == ctx.tenant_id, Product.id == product_id)
    )
    if product is None:
        raise NotFound("product.not_found")
    return product


def lock_product(ctx: Context, product_id: UUID) -> Product:
    wanted = (
        select(Product).where(Product.tenant_id == ctx.tenant_id, Product.id == product_id).with_for_update()
    )
    product = ctx.session.scalar(wanted.execution_options(populate_existing=True))
    if product is None:
        raise NotFound("product.not_found")
    return product


def conversions(ctx: Context, product_id: UUID) -> list[UomConversion]:
    """The units a product may be ordered in besides its base unit."""
    wanted = select(UomConversion).where(
        UomConversion.tenant_id == ctx.tenant_id, UomConversion.product_id == product_id
    )
    return list(ctx.session.scalars(wanted.order_by(UomConversion.uom)))


def publish_products(ctx: Context, product_ids: Iterable[UUID]) -> int:
    """List products for every buyer, or renew what is listed of them; answers how many. Foreign ids are
    NotFound.
    """
    ctx.require("product.edit")
    ids = sorted(set(product_ids))
    found = _set_status(ctx, ids, "active")
    if found != len(ids):
        raise NotFound("product.not_found")
    renew_listings(ctx, ids)
    ctx.record("product.publish", _subject(ctx, ids), count=len(ids))
    for batch in _batches(ids):
        ctx.publish(ProductsListed(ctx.tenant_id, tuple(batch)))
    return found


def withdraw_products(ctx: Context, product_ids: Iterable[UUID]) -> int:
    """Take products off the catalogue; open orders keep them. Answers how many."""
    ctx.require("product.edit")
    ids = sorted(set(product_ids))
    found = _set_status(ctx, ids, "withdrawn")
    if found != len(ids):
        raise NotFound("product.not_found")
    ctx.session.execute(
        text("""UPDATE ts.listing SET status = 'withdrawn', version = version + 1
                WHERE tenant_id = ts.tenant() AND id = ANY(CAST(:ids AS uuid[])) AND status = 'listed'"""),
        {"ids": ids},
    )
    ctx.record("product.withdraw", _subject(ctx, ids), count=len(ids))
    for batch in _batches(ids):
        ctx.publish(ListingsWithdrawn(ctx.tenant_id, tuple(batch)))
    return found


def renew_listings(ctx: Context, product_ids: Iterable[UUID]) -> None:
    """Copy what changed of active products, price included, to what buyers see. Called by every verb that
    changes it.
    """
    for batch in _batches(sorted(set(product_ids))):
        ctx.session.execute(_LIST, {"ids": batch})


def _refuse_wrong(ctx: Context, row: ProductRow) -> None:
    known = shelves(ctx, [row.category])
    wrong = check(row, known.get(row.category))
    if _come_too_late(ctx, [row], known):
        wrong.append(FieldError("category", "category.retired", {"category": row.category}))
    if wrong:
        raise Invalid(wrong)


def _come_too_late(ctx: Context, rows: Sequence[ProductRow], known: Mapping[str, Shelf]) -> set[str]:
    """Codes of products that are new to a shelf that is retired; those that stand there already may stay."""
    wanted = {row.code: row.category for row in rows if (shelf := known.get(row.category)) and shelf.retired}
    if not wanted:
        return set()
    there = select(Product.code, Product.category_path).where(
        Product.tenant_id == ctx.tenant_id, Product.code.in_(wanted)
    )
    staying = {code for code, path in ctx.session.execute(there) if wanted[code] == path}
    return set(wanted) - staying


def _set_conversions(ctx: Context, rows: dict[UUID, ProductRow]) -> None:
    """Make the conversions of these products exactly what their rows say."""
    for batch in _batches(sorted(rows)):
        wanted = [
            {"id": str(uuid7()), "product": str(each), "uom": c.uom, "factor": str(c.factor), "kind": c.kind}
            for each in batch
            for c in rows[each].conversions or ()
        ]
        ctx.session.execute(
            text("""
                WITH wanted AS (SELECT * FROM jsonb_to_recordset(CAST(:wanted AS jsonb))
                                AS w(id uuid, product uuid, uom text, factor numeric, kind text)),
                gone AS (DELETE FROM ts.uom_conversion c
                         WHERE c.tenant_id = ts.tenant()
                           AND c.product_id = ANY(CAST(:products AS uuid[])) AND NOT EXISTS (
                             SELECT 1 FROM wanted w WHERE w.product = c.product_id AND w.uom = c.uom))
                INSERT INTO ts.uom_conversion AS c (tenant_id, id, product_id, uom, factor, kind)
                SELECT ts.tenant(), id, product, uom, factor, kind FROM wanted
                ON CONFLICT (tenant_id, product_id, uom)
                DO UPDATE SET factor = excluded.factor, kind = excluded.kind
            """),
            {"wanted": json.dumps(wanted), "products": batch},
        )


def _set_status(ctx: Context, ids: list[UUID], status: str) -> int:
    changing = text("""
        WITH mine AS (SELECT id FROM ts.product
                      WHERE tenant_id = ts.tenant() AND id = ANY(CAST(:ids AS uuid[]))
                      ORDER BY id FOR UPDATE),
        moved AS (UPDATE ts.product p SET status = :status, version = p.version + 1, updated_at = ts.clock()
                  FROM mine WHERE p.id = mine.id AND p.status <> :status)
        SELECT count(*) FROM mine
    """).bindparams(bindparam("status", status))
    ctx.session.expire_all()
    return ctx.session.scalar(changing, {"ids": ids})


def _subject(ctx: Context, ids: list[UUID]) -> str:
    return f"product:{ids[0]}" if len(ids) == 1 else f"enterprise:{ctx.tenant_id}"


def _batches(items: list[Any]) -> Iterable[list[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))

"""Long work: the words products of a category are found by, made anew after its names have changed."""

import json
from uuid import UUID

from sqlalchemy import select, text

from core import work
from core.catalog.model import Product
from core.catalog.rows import ProductRow, record, shelves
from core.catalog.service import renew_listings
from core.kernel import Context
from core.work import Batch, Step, WorkRun

BATCH = 500


def _begin(ctx: Context, run: WorkRun) -> Step:
    path, after = run.given["path"], UUID(run.mark.get("after", UUID(int=0).hex))
    left = (run.total or 0) - run.done

    def step(ctx: Context) -> Batch:
        nonlocal after, left
        wanted = select(Product).where(
            Product.tenant_id == ctx.tenant_id, Product.category_path == path, Product.id > after
        )
        found = list(ctx.session.scalars(wanted.order_by(Product.id).limit(BATCH)))
        shelf = shelves(ctx, [path]).get(path)
        words = [{"id": str(each.id), "search": record(_row(each), shelf)["search"]} for each in found]
        if words:
            ctx.session.execute(_RENEW, {"words": json.dumps(words)})
            renew_listings(ctx, [each.id for each in found])
            after = found[-1].id
        last = len(found) < BATCH
        done = left if last else min(len(found), left)  # products may have come or gone since it was asked for
        left -= done
        return Batch(done, mark={"after": str(after)}, last=last)

    return step


_RENEW = text("""
    UPDATE ts.product p SET search = w.search::tsvector
    FROM jsonb_to_recordset(CAST(:words AS jsonb)) AS w(id uuid, search text)
    WHERE p.tenant_id = ts.tenant() AND p.id = w.id
""")


def _row(product: Product) -> ProductRow:
    return ProductRow(
        code=product.code,
        name_zh=product.name_zh,
        name_en=product.name_en,
        category=product.category_path,
        spec=product.spec,
        base_uom=product.base_uom,
        tax_class=product.tax_class,
        weight_kg=product.weight_kg,
        attributes=product.attributes,
        part_no=product.part_no,
        words=tuple(product.words.split()),
    )


REINDEX = work.Kind("products.reindex", needs=("category.edit",), begin=_begin)

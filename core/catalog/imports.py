"""Products by file: the file is kept, its rows land batch by batch as long work, each bad row keeps its reasons.

Rows are known by their code, so the same file brought twice changes nothing the second time.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from core import files, work
from core.catalog import csvfile
from core.catalog.events import ProductsImported
from core.catalog.model import ImportRun, Listing, Product
from core.catalog.productfile import ATTRIBUTE, COLUMNS, Line, lines
from core.catalog.service import Landed, publish_products, upsert_products
from core.catalog.tariff import public_list, set_first_prices
from core.kernel import Context, FieldError, uuid7
from core.work import Batch, Step, Why, WorkReason, WorkRun

BATCH = 500
"""Rows of one transaction: what a cancellation waits for, and what a killed worker does again."""


@dataclass(frozen=True)
class Imported:
    """A file and what became of it so far. `run` is how far it is and who brought it."""

    id: UUID
    run: WorkRun
    file_id: UUID
    charset: str
    added: int
    changed: int
    unchanged: int

    @property
    def landed(self) -> int:
        return self.added + self.changed + self.unchanged


def start_import(ctx: Context, file_name: str, content: bytes, charset: str = "utf-8") -> Imported:
    """Keep a file of products and have it read. Only a file that cannot be read at all is refused, with Invalid.

    A price sets the public price for the first unit, and asks for that permission; a row marked listed is published.
    """
    ctx.require("product.import")
    total, priced = 0, False
    for line in lines(content, charset):
        total += 1
        priced = priced or line.price is not None
    if priced:
        ctx.require("price.edit")
    run_id = uuid7()
    file = files.keep(ctx, _plain_name(file_name), content, "import", run_id)
    run = work.start(ctx, IMPORT, file.name, {}, total, run_id)
    ctx.session.add(ImportRun(tenant_id=ctx.tenant_id, id=run_id, file_id=file.id, charset=charset))
    ctx.session.flush()
    return Imported(run_id, run, file.id, charset, 0, 0, 0)


def import_products(ctx: Context, file_name: str, content: bytes, charset: str = "utf-8") -> Imported:
    """Read a file inside this transaction: for seeding and small files of programs. Else `start_import`."""
    started = start_import(ctx, file_name, content, charset)
    work.work_off(ctx, IMPORT, started.run)
    return find_import(ctx, started.id)


def find_import(ctx: Context, run_id: UUID) -> Imported:
    """One's own import; NotFound for everybody else's."""
    return _joined(ctx, [work.find_run(ctx, IMPORT, run_id)])[0]


def recent_imports(ctx: Context, limit: int = 20) -> list[Imported]:
    """The latest imports, newest first. Two statements."""
    return _joined(ctx, work.recent_runs(ctx, IMPORT, limit))


def cancel_import(ctx: Context, run_id: UUID) -> Imported:
    """Stop an import; the rows that landed stay."""
    return _joined(ctx, [work.cancel(ctx, IMPORT, run_id)])[0]


def import_reasons(ctx: Context, run_id: UUID, limit: int | None = 500) -> list[WorkReason]:
    """Why rows of a file did not land, in the order of the file."""
    return work.reasons(ctx, work.find_run(ctx, IMPORT, run_id), limit)


def refused_rows(ctx: Context, run_id: UUID, say: Callable[[str, dict[str, Any]], str]) -> bytes:
    """The rows that did not land as a file: as they came, so that it can be mended and brought again.

    Their row in the first file, the field and the reason stand in front, under names an import passes over.
    `say` makes a sentence of a code and its values.
    """
    found = import_reasons(ctx, run_id, limit=None)
    header = list(dict.fromkeys(name for why in found for name in work.cells(why)))
    merged: dict[int, list[Any]] = {}
    for why in found:
        cells = work.cells(why)
        said = say(why.code, why.detail)
        if why.place in merged:
            merged[why.place][1] += f" / {said}"
        else:
            merged[why.place] = [str(why.place), said, *(cells.get(name, "") for name in header)]
    return csvfile.write([*csvfile.REMARKS, *header], merged.values())


def _joined(ctx: Context, runs: list[WorkRun]) -> list[Imported]:
    wanted = select(ImportRun).where(
        ImportRun.tenant_id == ctx.tenant_id, ImportRun.id.in_([run.id for run in runs])
    )
    found = {
        row.id: row for row in ctx.session.scalars(wanted.execution_options(populate_existing=True))
    } if runs else {}
    return [
        Imported(run.id, run, own.file_id, own.charset, own.added, own.changed, own.unchanged)
        for run in runs
        if (own := found.get(run.id))
    ]


def _begin(ctx: Context, run: WorkRun) -> Step:
    """Read the file again and pass over what earlier batches did; their codes still count as taken."""
    own = ctx.session.get_one(ImportRun, run.id)
    _file, content = files.read(ctx, own.file_id)
    rest = lines(content, own.charset)
    seen: set[str] = set()
    for line in islice(rest, run.mark.get("rows", 0)):
        if line.row is not None:
            seen.add(line.row.code)
    return _Reader(run.id, rest, seen, run.mark.get("rows", 0), run.total or 0)


class _Reader:
    """Takes the next rows of a file each time it is called."""

    def __init__(self, run_id: UUID, rest: Iterator[Line], seen: set[str], read: int, total: int) -> None:
        self.run_id, self.rest, self.seen, self.read, self.total = run_id, rest, seen, read, total

    def __call__(self, ctx: Context) -> Batch:
        taken = list(islice(self.rest, BATCH))
        self.read += len(taken)
        why = [(line, error) for line in taken for error in line.wrong]
        good: list[Line] = []
        for line in taken:
            if line.row is None:
                continue
            if line.row.code and line.row.code in self.seen:
                why.append((line, FieldError("code", "product.code_twice", {"product": line.row.code})))
                continue
            self.seen.add(line.row.code)
            good.append(line)
        landed = upsert_products(ctx, [line.row for line in good if line.row is not None])
        why += [(good[issue.index], error) for issue in landed.issues for error in issue.errors]
        bad = {line.number for line, _error in why}
        _price_and_list(ctx, [line for line in good if line.number not in bad], landed.ids)
        _count(ctx, self.run_id, landed)
        why.sort(key=lambda each: each[0].number)
        return Batch(
            done=len(taken),
            refused=len(bad),
            reasons=tuple(Why(line.number, error, _as_it_came(line)) for line, error in why),
            mark={"rows": self.read},
            last=self.read >= self.total,
        )


def _as_it_came(line: Line) -> str:
    return json.dumps(dict(line.cells), ensure_ascii=False)


def _count(ctx: Context, run_id: UUID, landed: Landed) -> None:
    own = ImportRun
    ctx.session.execute(
        update(own)
        .where(own.tenant_id == ctx.tenant_id, own.id == run_id)
        .values(
            added=own.added + landed.added,
            changed=own.changed + landed.changed,
            unchanged=own.unchanged + landed.unchanged,
        )
        .execution_options(synchronize_session=False)
    )


def _price_and_list(ctx: Context, good: list[Line], ids: Mapping[str, UUID]) -> None:
    listed = [ids[each.row.code] for each in good if each.row and each.listed]
    if listed:
        drafts = select(Product.id).where(
            Product.tenant_id == ctx.tenant_id, Product.id.in_(listed), Product.status != "active"
        )
        if fresh := list(ctx.session.scalars(drafts)):
            publish_products(ctx, fresh)
    prices = {ids[each.row.code]: each.price for each in good if each.row and each.price is not None}
    if prices:
        set_first_prices(ctx, public_list(ctx).id, prices)


def _ended(ctx: Context, run: WorkRun) -> None:
    done = _joined(ctx, [run])[0]
    ctx.record(
        "product.import", run, file=run.title, state=run.state, landed=done.landed, refused=run.refused
    )
    if run.state != "failed" or done.landed:
        ctx.publish(ProductsImported(ctx.tenant_id, run.id, done.landed, run.refused))


IMPORT = work.Kind(
    "products.import",
    needs=("product.import", "product.edit", "file.add", "file.view"),
    uses=("price.edit",),
    begin=_begin,
    ended=_ended,
)


def export_products(ctx: Context) -> bytes:
    """All own products in the columns an import takes, so that a file can go round; attributes as
    `attr:<key>`.
    """
    ctx.require("product.import")
    wanted = (
        select(Product, Listing.public_price)
        .outerjoin(Listing, Listing.id == Product.id)
        .where(Product.tenant_id == ctx.tenant_id)
        .order_by(Product.code)
    )
    found = ctx.session.execute(wanted.execution_options(yield_per=2000)).all()
    keys = sorted({key for product, _price in found for key in product.attributes})
    header = [*COLUMNS, *(f"{ATTRIBUTE}{key}" for key in keys)]
    ctx.record("product.export", f"enterprise:{ctx.tenant_id}", rows=len(found))
    return csvfile.write(header, (_exported(product, price, keys) for product, price in found))


def _exported(product: Product, price: Decimal | None, keys: list[str]) -> list[Any]:
    cells: dict[str, Any] = {name: getattr(product, name) for name in COLUMNS if hasattr(product, name)}
    cells |= {"category": product.category_path, "price": price}
    cells["status"] = "active" if product.status == "active" else "draft"
    return [*(cells[name] for name in COLUMNS), *(product.attributes.get(key) for key in keys)]


def _plain_name(name: str) -> str:
    """The name the file is kept under: always one of a CSV file."""
    kept = "".join(char for char in name.replace("\\", "/").rpartition("/")[2] if char.isprintable())[:110]
    return kept if kept.lower().endswith((".csv", ".txt")) else f"{kept or 'products'}.csv"

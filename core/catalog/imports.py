"""Products by file: good rows land, each bad row keeps its reason, and the file itself is kept with what
became of it.

Rows are known by their code, so the same file brought twice changes nothing the second time.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from core.catalog import csvfile
from core.catalog.events import ProductsImported
from core.catalog.model import ImportIssue, ImportRun, Listing, Product
from core.catalog.rows import ProductRow
from core.catalog.service import RowIssue, publish_products, upsert_products
from core.catalog.tariff import public_list, set_first_prices
from core.kernel import Context, FieldError, Invalid, NotFound, uuid7

COLUMNS: dict[str, tuple[str, ...]] = {
    "code": ("编码", "商品编码", "sku"),
    "name_zh": ("名称", "中文名称", "品名"),
    "name_en": ("英文名称", "name"),
    "category": ("类目",),
    "spec": ("规格",),
    "base_uom": ("单位", "unit"),
    "tax_class": ("税类",),
    "weight_kg": ("单重", "单重kg", "单重(kg)"),
    "part_no": ("厂家型号", "part number"),
    "price": ("含税价", "含税单价"),
    "status": ("状态",),
}
"""Column names a file may use, in English or Chinese; attributes stand in columns `attr:<key>`."""

_ATTRIBUTE = "attr:"
_LISTED = {"active", "listed", "在售", "上架"}
_DRAFT = {"", "draft", "草稿"}
_KEEP_ISSUES = 5_000


@dataclass(frozen=True)
class Imported:
    """The result of a file: how many rows were added, changed, left alone, refused; `run_id` leads to the
    reasons.
    """

    run_id: UUID
    rows: int
    added: int
    changed: int
    unchanged: int
    refused: int


@dataclass(frozen=True)
class _Read:
    number: int
    row: ProductRow
    price: Decimal | None
    listed: bool
    cells: Mapping[str, str]


def import_products(ctx: Context, file_name: str, content: bytes, charset: str = "utf-8") -> Imported:
    """Read a file of products. Only a file that cannot be read at all is refused; a bad row never stops the
    others.

    A price sets the public price for the first unit; a row marked listed is published.
    """
    ctx.require("product.import")
    header, lines = csvfile.read(content, charset)
    columns = _columns(header)
    read: list[_Read] = []
    issues: list[tuple[int, Mapping[str, str], FieldError]] = []
    count = 0
    for number, cells in lines:
        count += 1
        understood, wrong = _understand(number, cells, columns)
        issues += [(number, cells, error) for error in wrong]
        if understood:
            read.append(understood)
    landed = upsert_products(ctx, [each.row for each in read])
    issues += [
        (read[issue.index].number, read[issue.index].cells, error) for issue, error in _flat(landed.issues)
    ]
    bad = {number for number, _cells, _error in issues}
    _price_and_list(ctx, [each for each in read if each.number not in bad], landed.ids)
    run = ImportRun(
        tenant_id=ctx.tenant_id,
        id=uuid7(),
        file_name=_plain_name(file_name),
        charset=charset,
        content=content,
        rows=count,
        added=landed.added,
        changed=landed.changed,
        unchanged=landed.unchanged,
        refused=len(bad),
        by=ctx.actor.name,
        at=ctx.now,
    )
    ctx.session.add(run)
    ctx.session.flush()
    _keep(ctx, run.id, sorted(issues, key=lambda issue: issue[0])[:_KEEP_ISSUES])
    digest = hashlib.sha256(content).hexdigest()
    ctx.record(
        "product.import", run, file=run.file_name, sha256=digest, landed=len(landed.ids), refused=len(bad)
    )
    ctx.publish(ProductsImported(ctx.tenant_id, run.id, len(landed.ids), len(bad)))
    return Imported(run.id, count, landed.added, landed.changed, landed.unchanged, len(bad))


def _columns(header: Iterable[str]) -> dict[str, str]:
    """File column -> what it means. Unknown columns refuse the file: a typo must not lose a price
    silently.
    """
    aliases = {alias.lower(): name for name, names in COLUMNS.items() for alias in (name, *names)}
    found: dict[str, str] = {}
    for title in header:
        meaning = title if title.startswith(_ATTRIBUTE) else aliases.get(title.lower())
        if meaning is None:
            raise Invalid.one("file", "import.unknown_column", column=title[:60])
        if meaning in found.values():
            raise Invalid.one("file", "import.column_twice", column=title[:60])
        found[title] = meaning
    missing = {"code", "name_zh"} - set(found.values())
    if missing:
        raise Invalid.one("file", "import.missing_column", column=", ".join(sorted(missing)))
    return found


def _understand(
    number: int, cells: Mapping[str, str], columns: Mapping[str, str]
) -> tuple[_Read | None, list[FieldError]]:
    given = {meaning: cells[title] for title, meaning in columns.items()}
    wrong: list[FieldError] = []
    weight = _decimal(given, "weight_kg", wrong)
    price = _decimal(given, "price", wrong)
    status = given.get("status", "").lower()
    if status not in _LISTED | _DRAFT:
        wrong.append(FieldError("status", "import.status", {"status": status[:40]}))
    if price is not None and not (0 <= price < Decimal(10) ** 12 and price == round(price, 6)):
        wrong.append(FieldError("price", "price.number", {}))
    if wrong:
        return None, wrong
    row = ProductRow(
        code=given["code"],
        name_zh=given["name_zh"],
        name_en=given.get("name_en", ""),
        category=given.get("category", "").strip("/"),
        spec=given.get("spec", ""),
        base_uom=given.get("base_uom", "") or "pcs",
        tax_class=given.get("tax_class", "") or "goods",
        weight_kg=weight,
        part_no=given.get("part_no", ""),
        attributes={
            meaning.removeprefix(_ATTRIBUTE): cell
            for meaning, cell in given.items()
            if meaning.startswith(_ATTRIBUTE) and cell
        },
    )
    return _Read(number, row, price, status in _LISTED, cells), []


def _decimal(given: Mapping[str, str], name: str, wrong: list[FieldError]) -> Decimal | None:
    cell = given.get(name, "").replace(",", "")
    if not cell:
        return None
    try:
        number = Decimal(cell)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite():
        return number
    wrong.append(FieldError(name, "decimal.not_a_number", {}))
    return None


def _flat(issues: Iterable[RowIssue]) -> Iterable[tuple[RowIssue, FieldError]]:
    return ((issue, error) for issue in issues for error in issue.errors)


def _price_and_list(ctx: Context, good: list[_Read], ids: Mapping[str, UUID]) -> None:
    listed = [ids[each.row.code] for each in good if each.listed]
    if listed:
        drafts = select(Product.id).where(
            Product.tenant_id == ctx.tenant_id, Product.id.in_(listed), Product.status != "active"
        )
        if fresh := list(ctx.session.scalars(drafts)):
            publish_products(ctx, fresh)
    prices = {ids[each.row.code]: each.price for each in good if each.price is not None}
    if prices:
        set_first_prices(ctx, public_list(ctx).id, prices)


def _keep(ctx: Context, run_id: UUID, issues: list[tuple[int, Mapping[str, str], FieldError]]) -> None:
    values = [
        dict(
            tenant_id=ctx.tenant_id,
            id=uuid7(),
            run_id=run_id,
            row_no=number,
            field=error.path,
            code=error.code,
            detail={name: str(value) for name, value in error.values.items()},
            text=json.dumps(dict(cells), ensure_ascii=False)[:2000],
        )
        for number, cells, error in issues
    ]
    for at in range(0, len(values), 500):
        ctx.session.execute(insert(ImportIssue).values(values[at : at + 500]))


def import_run(ctx: Context, run_id: UUID, limit: int = 500) -> tuple[ImportRun, list[ImportIssue]]:
    """A run and the reasons of its refused rows, in the order of the file."""
    ctx.require("product.import")
    run = ctx.session.scalar(
        select(ImportRun).where(ImportRun.tenant_id == ctx.tenant_id, ImportRun.id == run_id)
    )
    if run is None:
        raise NotFound("import.not_found")
    wanted = select(ImportIssue).where(ImportIssue.tenant_id == ctx.tenant_id, ImportIssue.run_id == run_id)
    return run, list(ctx.session.scalars(wanted.order_by(ImportIssue.row_no, ImportIssue.id).limit(limit)))


def import_file(ctx: Context, run_id: UUID) -> tuple[str, bytes]:
    """The file of a run as it was brought."""
    ctx.require("product.import")
    wanted = select(ImportRun.file_name, ImportRun.content).where(
        ImportRun.tenant_id == ctx.tenant_id, ImportRun.id == run_id
    )
    found = ctx.session.execute(wanted).one_or_none()
    if found is None:
        raise NotFound("import.not_found")
    return found[0], found[1]


def recent_runs(ctx: Context, limit: int = 20) -> list[ImportRun]:
    ctx.require("product.import")
    wanted = select(ImportRun).where(ImportRun.tenant_id == ctx.tenant_id).order_by(ImportRun.id.desc())
    return list(ctx.session.scalars(wanted.limit(limit)))


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
    header = [*COLUMNS, *(f"{_ATTRIBUTE}{key}" for key in keys)]
    ctx.record("product.export", f"enterprise:{ctx.tenant_id}", rows=len(found))
    return csvfile.write(header, (_exported(product, price, keys) for product, price in found))


def _exported(product: Product, price: Decimal | None, keys: list[str]) -> list[Any]:
    cells: dict[str, Any] = {name: getattr(product, name) for name in COLUMNS if hasattr(product, name)}
    cells |= {"category": product.category_path, "price": price}
    cells["status"] = "active" if product.status == "active" else "draft"
    return [*(cells[name] for name in COLUMNS), *(product.attributes.get(key) for key in keys)]


def _plain_name(name: str) -> str:
    kept = "".join(char for char in name.replace("\\", "/").rpartition("/")[2] if char.isprintable())
    return kept[:120] or "products.csv"

"""A file of products, row by row: what its columns mean, and what each row says or why it says nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from core.catalog import csvfile
from core.catalog.rows import ProductRow
from core.kernel import FieldError, Invalid

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

ATTRIBUTE = "attr:"
_LISTED = {"active", "listed", "在售", "上架"}
_DRAFT = {"", "draft", "草稿"}


@dataclass(frozen=True)
class Line:
    """One row of a file, understood: `row` is None where `wrong` says why not."""

    number: int
    cells: Mapping[str, str]
    row: ProductRow | None
    price: Decimal | None = None
    listed: bool = False
    wrong: tuple[FieldError, ...] = ()


def lines(content: bytes, charset: str) -> Iterator[Line]:
    """The rows of a file. Invalid when the file as a whole is unusable; a bad row is a line that says what is wrong."""
    header, found = csvfile.read(content, charset)
    columns = _columns(header)
    return (_understand(number, cells, columns) for number, cells in found)


def _columns(header: Iterable[str]) -> dict[str, str]:
    """File column -> what it means. Unknown columns refuse the file: a typo must not lose a price
    silently.
    """
    aliases = {alias.lower(): name for name, names in COLUMNS.items() for alias in (name, *names)}
    found: dict[str, str] = {}
    for title in header:
        meaning = title if title.startswith(ATTRIBUTE) else aliases.get(title.lower())
        if meaning is None:
            raise Invalid.one("file", "import.unknown_column", column=title[:60])
        if meaning in found.values():
            raise Invalid.one("file", "import.column_twice", column=title[:60])
        found[title] = meaning
    missing = {"code", "name_zh"} - set(found.values())
    if missing:
        raise Invalid.one("file", "import.missing_column", column=", ".join(sorted(missing)))
    return found


def _understand(number: int, cells: Mapping[str, str], columns: Mapping[str, str]) -> Line:
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
        return Line(number, cells, None, wrong=tuple(wrong))
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
            meaning.removeprefix(ATTRIBUTE): cell
            for meaning, cell in given.items()
            if meaning.startswith(ATTRIBUTE) and cell
        },
    )
    return Line(number, cells, row, price, status in _LISTED)


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

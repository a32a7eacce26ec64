"""What a product must say to be one: the row every way in uses (form, API, file, connector), and its checks.

Checks answer with all errors at once, each naming its field, so a person mends a row in one go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.catalog.model import Category, CategoryAttribute
from core.catalog.tax import TAX_CLASSES
from core.catalog.tokens import part_number, vector
from core.catalog.units import UNITS
from core.kernel import Context, FieldError

MAX_TEXT = {"code": 64, "name_zh": 200, "name_en": 200, "spec": 200, "part_no": 64, "category": 300}
MAX_VALUE = 200


@dataclass(frozen=True)
class Conversion:
    """One `uom` is `factor` base units; `kind` fixed (exact) or theoretical (by a standard's formula)."""

    uom: str
    factor: Decimal
    kind: str = "fixed"


@dataclass(frozen=True)
class ProductRow:
    """A product as it comes in. `category` is a path such as `steel/rebar`; `weight_kg` is of one base unit.

    `conversions` None leaves those of an existing product as they are.
    """

    code: str
    name_zh: str
    name_en: str = ""
    category: str = ""
    spec: str = ""
    base_uom: str = "pcs"
    tax_class: str = "goods"
    weight_kg: Decimal | None = None
    attributes: Mapping[str, str | Decimal] = field(default_factory=dict)
    part_no: str = ""
    words: tuple[str, ...] = ()
    conversions: tuple[Conversion, ...] | None = None


@dataclass(frozen=True)
class AttributeRule:
    """One attribute of a category's template. `kind` is text, number or enum."""

    key: str
    name_zh: str
    name_en: str
    kind: str
    unit: str | None
    choices: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class Shelf:
    """A category with the attributes it asks for, its own and those of the shelves above it. A retired one
    takes no products that are new to it.
    """

    id: UUID
    path: str
    name_zh: str
    name_en: str
    rules: tuple[AttributeRule, ...]
    retired: bool = False


def shelves(ctx: Context, paths: Iterable[str]) -> dict[str, Shelf]:
    """The named shelves by path; of equal paths the own one stands before the operator's."""
    wanted = {path for path in paths if path}
    lineage = {
        "/".join(path.split("/")[: depth + 1]) for path in wanted for depth in range(path.count("/") + 1)
    }
    if not lineage:
        return {}
    order = (Category.tenant_id != ctx.tenant_id, Category.path)
    known: dict[str, Category] = {}
    for category in ctx.session.scalars(select(Category).where(Category.path.in_(lineage)).order_by(*order)):
        known.setdefault(category.path, category)
    asked = rules_of(ctx, [category.id for category in known.values()])
    return {path: _shelf(known, asked, path) for path in wanted if path in known}


def rules_of(ctx: Context, category_ids: Iterable[UUID]) -> dict[UUID, list[AttributeRule]]:
    """The attributes categories ask for themselves, in their order."""
    asked: dict[UUID, list[AttributeRule]] = {}
    attributes = (
        select(CategoryAttribute)
        .where(CategoryAttribute.category_id.in_(list(category_ids)))
        .order_by(CategoryAttribute.rank, CategoryAttribute.key)
    )
    for each in ctx.session.scalars(attributes):
        rule = AttributeRule(
            each.key, each.name_zh, each.name_en, each.kind, each.unit, tuple(each.choices), each.required
        )
        asked.setdefault(each.category_id, []).append(rule)
    return asked


def _shelf(known: dict[str, Category], asked: Mapping[UUID, list[AttributeRule]], path: str) -> Shelf:
    here, parts, rules = known[path], path.split("/"), {}
    for depth in range(1, len(parts) + 1):
        above = known.get("/".join(parts[:depth]))
        for rule in asked.get(above.id, ()) if above else ():
            rules[rule.key] = rule
    return Shelf(
        here.id, path, here.name_zh, here.name_en, tuple(rules.values()), here.retired_at is not None
    )


def check(row: ProductRow, shelf: Shelf | None) -> list[FieldError]:
    """Everything wrong with a row; empty when it may land."""
    wrong = [FieldError(name, "field.required", {}) for name in ("code", "name_zh") if not getattr(row, name)]
    for name, most in MAX_TEXT.items():
        text = getattr(row, name)
        if len(text) > most:
            wrong.append(FieldError(name, "product.text_too_long", {"max": most}))
        if not text.isprintable():
            wrong.append(FieldError(name, "product.unprintable", {}))
    if row.base_uom not in UNITS:
        wrong.append(FieldError("base_uom", "uom.unknown", {"uom": row.base_uom}))
    if row.tax_class not in TAX_CLASSES:
        wrong.append(FieldError("tax_class", "tax.unknown_class", {"tax_class": row.tax_class}))
    if row.weight_kg is not None and not (Decimal(0) < row.weight_kg < Decimal(10) ** 9):
        wrong.append(FieldError("weight_kg", "product.weight", {}))
    if row.category and shelf is None:
        wrong.append(FieldError("category", "category.unknown", {"category": row.category}))
    for each in row.conversions or ():
        wrong += _check_conversion(row, each)
    return wrong + _check_attributes(row, shelf)


def _check_conversion(row: ProductRow, each: Conversion) -> list[FieldError]:
    path = f"conversions.{each.uom}"
    if each.uom not in UNITS or each.uom == row.base_uom:
        return [FieldError(path, "uom.unknown", {"uom": each.uom})]
    if each.factor <= 0 or each.factor != round(each.factor, 6):
        return [FieldError(path, "uom.factor", {"uom": each.uom})]
    return []


def _check_attributes(row: ProductRow, shelf: Shelf | None) -> list[FieldError]:
    rules = {rule.key: rule for rule in shelf.rules} if shelf else {}
    wrong = [
        FieldError(f"attributes.{key}", "attribute.unknown", {"attribute": key})
        for key in row.attributes
        if shelf is not None and key not in rules
    ]
    for key, rule in rules.items():
        value = row.attributes.get(key)
        path = f"attributes.{key}"
        if value is None or value == "":
            if rule.required:
                wrong.append(FieldError(path, "attribute.required", {"attribute": rule.name_zh}))
        elif len(str(value)) > MAX_VALUE:
            wrong.append(FieldError(path, "product.text_too_long", {"max": MAX_VALUE}))
        elif rule.kind == "number" and _number(value) is None:
            wrong.append(
                FieldError(path, "attribute.not_a_number", {"attribute": rule.name_zh, "value": str(value)})
            )
        elif rule.kind == "enum" and str(value) not in rule.choices:
            given = {"attribute": rule.name_zh, "value": str(value), "choices": ", ".join(rule.choices)}
            wrong.append(FieldError(path, "attribute.not_a_choice", given))
    return wrong


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 12 else None


def stored_attributes(row: ProductRow, shelf: Shelf | None) -> dict[str, str]:
    """Attributes as the table keeps them: numbers as plain decimal text, nothing empty."""
    numbers = {rule.key for rule in shelf.rules if rule.kind == "number"} if shelf else set()
    kept = {}
    for key, value in row.attributes.items():
        if value is None or value == "":
            continue
        number = _number(value) if key in numbers or isinstance(value, Decimal) else None
        kept[key] = f"{number.normalize():f}" if number is not None else str(value)
    return kept


def record(row: ProductRow, shelf: Shelf | None) -> dict[str, Any]:
    """The columns of a row, ready for JSON, with the words it is found by."""
    attributes = stored_attributes(row, shelf)
    shelf_names = (shelf.name_zh, shelf.name_en) if shelf else ()
    texts = (
        row.code,
        row.name_zh,
        row.name_en,
        row.spec,
        row.part_no,
        *row.words,
        *attributes.values(),
        *shelf_names,
    )
    code_key = part_number(row.code)
    return {
        "code": row.code,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "category_id": str(shelf.id) if shelf else None,
        "category_path": shelf.path if shelf else "",
        "spec": row.spec,
        "base_uom": row.base_uom,
        "tax_class": row.tax_class,
        "weight_kg": None if row.weight_kg is None else str(row.weight_kg),
        "attributes": attributes,
        "part_no": row.part_no,
        "words": " ".join(row.words),
        "code_key": code_key,
        "part_key": part_number(row.part_no) or code_key,
        "search": vector((*texts, part_number(row.part_no)), code_key),
    }

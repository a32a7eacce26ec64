"""Writing a product: the form, with the attributes its category asks for, for a new one and for a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from core.catalog import finding, service
from core.catalog.model import Product
from core.catalog.rows import AttributeRule, ProductRow, shelves
from core.catalog.tax import TAX_CLASSES
from core.catalog.units import UNITS
from core.catalog.views.frame import TAX_WORDS, named, number, pages
from core.kernel import Context
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb


@dataclass(frozen=True)
class AttributeField:
    """An attribute of the chosen category as a field of the form."""

    name: str
    label: str
    kind: str
    unit: str | None
    choices: tuple[tuple[str, str], ...]
    required: bool
    value: str


@dataclass(frozen=True)
class ProductForm:
    """A product being written. `values` are the fields as typed; `version` is 0 for a new one."""

    action: str
    back_url: str
    version: int
    values: Mapping[str, str]
    categories: tuple[tuple[str, str], ...]
    attributes: tuple[AttributeField, ...]
    units: tuple[str, ...]
    tax_classes: tuple[tuple[str, str], ...]
    errors: Errors


@pages.get("/products/new", permission="product.edit")
def new(ctx: Context) -> Response:
    """A new product."""
    return _form(
        ctx, None, {"category": request.args.get("category", ""), "base_uom": "t", "tax_class": "goods"}, {}
    )


@pages.post("/products/new", permission="product.edit")
def add(ctx: Context) -> Response:
    """Add the product, or show what is wrong with it."""
    values = form()
    if "show" in values:
        return _form(ctx, None, values, {})
    added: list[Product] = []
    if errors := mend(ctx, lambda: added.append(service.add_product(ctx, _row(values)))):
        return _form(ctx, None, values, errors)
    flash(_("Product added"))
    return redirect("catalog.product", product_id=added[0].id)


@pages.get("/products/<uuid:product_id>/edit", permission="product.edit")
def edit(ctx: Context, product_id: UUID) -> Response:
    """Change a product."""
    found = service.find_product(ctx, product_id)
    values = {name: str(getattr(found, name) or "") for name in _FIELDS} | {"category": found.category_path}
    values["weight_kg"] = f"{found.weight_kg.normalize():f}" if found.weight_kg else ""
    values |= {f"attributes.{key}": value for key, value in found.attributes.items()}
    return _form(ctx, found, values, {})


@pages.post("/products/<uuid:product_id>/edit", permission="product.edit")
def save(ctx: Context, product_id: UUID) -> Response:
    """Save the product, or show what is wrong with it."""
    found = service.find_product(ctx, product_id)
    values = form() | {"code": found.code}
    if "show" in values:
        return _form(ctx, found, values, {})
    version = int(values["version"]) if values.get("version", "").isdigit() else 0
    if errors := mend(ctx, lambda: service.edit_product(ctx, product_id, _row(values), version)):
        return _form(ctx, found, values, errors)
    flash(_("Product saved"))
    return redirect("catalog.product", product_id=product_id)


_FIELDS = ("code", "name_zh", "name_en", "spec", "base_uom", "tax_class", "part_no")


def _row(values: Mapping[str, str]) -> ProductRow:
    weight = values.get("weight_kg", "").strip()
    fixed: dict[str, Any] = {name: values.get(name, "").strip() for name in _FIELDS}
    return ProductRow(
        **fixed,
        category=values.get("category", "").strip(),
        weight_kg=number(weight, "weight_kg") if weight else None,
        attributes={
            name.removeprefix("attributes."): value.strip()
            for name, value in values.items()
            if name.startswith("attributes.") and value.strip()
        },
    )


def _form(ctx: Context, found: Product | None, values: Mapping[str, str], errors: Errors) -> Response:
    category = values.get("category", "")
    shelf = shelves(ctx, [category]).get(category)
    page = ProductForm(
        action=url_for("catalog.save", product_id=found.id) if found else url_for("catalog.add"),
        back_url=url_for("catalog.product", product_id=found.id) if found else url_for("catalog.products"),
        version=found.version if found else 0,
        values=values,
        categories=tuple(
            (each.path, _indented(each.path, named(each)))
            for each in finding.categories(ctx)
            if each.retired_at is None or each.path == category
        ),
        attributes=tuple(_attribute(rule, values) for rule in shelf.rules) if shelf else (),
        units=UNITS,
        tax_classes=tuple((each, _(TAX_WORDS[each])) for each in TAX_CLASSES),
        errors=errors,
    )
    crumbs = [Crumb(_("Products"), url_for("catalog.products"))]
    crumbs += [Crumb(found.code, page.back_url), Crumb(_("Edit"))] if found else [Crumb(_("New product"))]
    return render("catalog/product_form.html", page, status=422 if errors else 200, crumbs=crumbs)


def _indented(path: str, name: str) -> str:
    return "\u3000" * path.count("/") + name


def _attribute(rule: AttributeRule, values: Mapping[str, str]) -> AttributeField:
    name = f"attributes.{rule.key}"
    return AttributeField(
        name,
        named(rule),
        rule.kind,
        rule.unit,
        tuple((word, word) for word in rule.choices),
        rule.required,
        values.get(name, ""),
    )

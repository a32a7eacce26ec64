"""Categories: the tree, and one of them with its names, its attributes and what hangs on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request, url_for

from core.catalog import finding, shelving
from core.catalog.model import Category
from core.catalog.rows import AttributeRule
from core.catalog.views.frame import named, pages
from core.kernel import Context
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.i18n import ngettext
from core.web.mending import Errors, mend
from core.web.page import Confirmation, Crumb

KIND_WORDS = {"text": "Text", "number": "A number", "enum": "One of a list"}
SPARE = 2
"""Empty attributes at the end of the form."""


@dataclass(frozen=True)
class ShelfRow:
    """A category in the tree. `products` are own ones on it, `below` those on the shelves below too."""

    href: str
    name: str
    other_name: str
    path: str
    depth: int
    own: bool
    retired: bool
    products: int
    below: int
    products_url: str
    id: str


@dataclass(frozen=True)
class ShelvesPage:
    """The tree of categories."""

    rows: tuple[ShelfRow, ...]
    own: int
    unsorted: int


@dataclass(frozen=True)
class RuleField:
    """An attribute as typed; `stated` is how many products state it, None for one not saved yet."""

    index: int
    key: str
    name_zh: str
    name_en: str
    kind: str
    unit: str
    choices: str
    required: bool
    stated: int | None


@dataclass(frozen=True)
class ShelfPage:
    """One category as a form. `use` is None for a new one, and `inherited` what the shelves above ask for.

    `open` are the attributes that are unfolded: those to mend, and the first empty one where there is no other.
    """

    id: str
    action: str
    back_url: str
    version: int
    own: bool
    retired: bool
    name: str
    path: str
    values: Mapping[str, str]
    parents: tuple[tuple[str, str], ...]
    parent: str
    kinds: tuple[tuple[str, str], ...]
    rules: tuple[RuleField, ...]
    open: frozenset[int]
    inherited: tuple[tuple[str, str], ...]
    use: shelving.Use | None
    consequences: tuple[str, ...]
    errors: Errors


@pages.get("/categories", permission="category.edit")
def categories(ctx: Context) -> Response:
    """The tree of categories with the own products on each."""
    counts = shelving.product_counts(ctx)
    found = finding.categories(ctx)
    rows = tuple(_row(ctx, each, counts) for each in sorted(found, key=lambda each: each.path.split("/")))
    page = ShelvesPage(
        rows=rows, own=sum(row.own for row in rows), unsorted=shelving.products_without_category(ctx)
    )
    return render("catalog/categories.html", page)


@pages.get("/categories/new", permission="category.edit")
def new_category(ctx: Context) -> Response:
    """A new category."""
    return _form(ctx, None, {"parent": request.args.get("parent", "")}, {})


@pages.post("/categories/new", permission="category.edit")
def add_category(ctx: Context) -> Response:
    """Add the category, or show what is wrong with it."""
    values = _compact(form())
    made: list[Category] = []

    def act() -> None:
        given = (values.get(name, "").strip() for name in ("code", "name_zh", "name_en", "parent"))
        made.append(shelving.new_category(ctx, *given, _rules(values)))

    if "more" in values:
        return _form(ctx, None, values, {})
    if errors := mend(ctx, act):
        return _form(ctx, None, values, errors)
    flash(_("Category added"))
    return redirect("catalog.category", category_id=made[0].id)


@pages.get("/categories/<uuid:category_id>", permission="category.edit")
def category(ctx: Context, category_id: UUID) -> Response:
    """One category."""
    found = shelving.find_category(ctx, category_id)
    values = {"name_zh": found.name_zh, "name_en": found.name_en, "version": str(found.version)}
    for index, rule in enumerate(shelving.own_rules(ctx, category_id)):
        values |= _typed(index, rule)
    return _form(ctx, found, values, {})


@pages.post("/categories/<uuid:category_id>", permission="category.edit")
def save_category(ctx: Context, category_id: UUID) -> Response:
    """Save names and attributes, or show what is wrong with them."""
    found = shelving.find_category(ctx, category_id)
    values = _compact(form())
    if "more" in values:
        return _form(ctx, found, values, {})
    names = (values.get("name_zh", "").strip(), values.get("name_en", "").strip())
    version = _version(values)
    if errors := mend(ctx, lambda: shelving.edit_category(ctx, category_id, version, *names, _rules(values))):
        return _form(ctx, found, values, errors)
    flash(_("Category saved"))
    return redirect("catalog.category", category_id=category_id)


@pages.post("/categories/<uuid:category_id>/move", permission="category.edit")
def move_category(ctx: Context, category_id: UUID) -> Response:
    """Put the category below another one."""
    given = form()
    shelving.move_category(ctx, category_id, given.get("parent", ""), _version(given))
    flash(_("Category moved"))
    return redirect("catalog.category", category_id=category_id)


@pages.get("/categories/<uuid:category_id>/retire", permission="category.edit")
def ask_retire(ctx: Context, category_id: UUID) -> Response:
    """Ask before retiring, where scripts do not run."""
    found = shelving.find_category(ctx, category_id)
    back = url_for("catalog.category", category_id=category_id)
    page = Confirmation(
        title=_("Retire category %(name)s?", name=named(found)),
        consequences=_consequences(shelving.category_use(ctx, found)),
        action=url_for("catalog.retire_category", category_id=category_id),
        verb=_("Retire category"),
        keep=_("Keep category"),
        keep_url=back,
        danger=True,
        fields={"version": str(found.version)},
    )
    return render("shell/confirm.html", page, crumbs=_crumbs(found))


@pages.post("/categories/<uuid:category_id>/retire", permission="category.edit")
def retire_category(ctx: Context, category_id: UUID) -> Response:
    """Let the category take no more products."""
    shelving.retire_category(ctx, category_id, _version(form()))
    flash(_("Category retired"))
    return redirect("catalog.category", category_id=category_id)


@pages.post("/categories/<uuid:category_id>/restore", permission="category.edit")
def restore_category(ctx: Context, category_id: UUID) -> Response:
    """Let the category take products again."""
    shelving.restore_category(ctx, category_id, _version(form()))
    flash(_("Category restored"))
    return redirect("catalog.category", category_id=category_id)


@pages.post("/categories/<uuid:category_id>/adopt", permission="category.edit")
def adopt_category(ctx: Context, category_id: UUID) -> Response:
    """Put an own category in the place of somebody else's."""
    made = shelving.adopt_category(ctx, category_id)
    flash(_("The category is your own now"))
    return redirect("catalog.category", category_id=made.id)


def _row(ctx: Context, each: Category, counts: Mapping[str, int]) -> ShelfRow:
    name = named(each)
    return ShelfRow(
        href=url_for("catalog.category", category_id=each.id),
        name=name,
        other_name=each.name_en if name == each.name_zh else each.name_zh,
        path=each.path,
        depth=each.path.count("/"),
        own=each.tenant_id == ctx.tenant_id,
        retired=each.retired_at is not None,
        products=counts.get(each.path, 0),
        below=sum(n for path, n in counts.items() if path.startswith(f"{each.path}/")),
        products_url=url_for("catalog.products", category=each.path),
        id=str(each.id),
    )


def _form(ctx: Context, found: Category | None, values: Mapping[str, str], errors: Errors) -> Response:
    use = shelving.category_use(ctx, found) if found else None
    parent = found.path.rpartition("/")[0] if found else values.get("parent", "")
    page = ShelfPage(
        id=str(found.id) if found else "",
        action=url_for("catalog.save_category", category_id=found.id)
        if found
        else url_for("catalog.add_category"),
        back_url=url_for("catalog.categories"),
        version=found.version if found else 0,
        own=found is None or found.tenant_id == ctx.tenant_id,
        retired=found is not None and found.retired_at is not None,
        name=named(found) if found else "",
        path=found.path if found else "",
        values=values,
        parents=tuple(
            (each.path, "\u3000" * each.path.count("/") + named(each))
            for each in finding.categories(ctx)
            if each.retired_at is None and not (found and f"{each.path}/".startswith(f"{found.path}/"))
        ),
        parent=parent,
        kinds=tuple((kind, _(word)) for kind, word in KIND_WORDS.items()),
        rules=_fields(values, use.stated if use else {}, "more" in values),
        open=_open(values, errors),
        inherited=tuple((named(rule), _kind(rule)) for rule in shelving.rules_above(ctx, parent)),
        use=use,
        consequences=_consequences(use) if use else (),
        errors=errors,
    )
    return render("catalog/category.html", page, status=422 if errors else 200, crumbs=_crumbs(found))


def _crumbs(found: Category | None) -> list[Crumb]:
    first = Crumb(_("Categories"), url_for("catalog.categories"))
    if found is None:
        return [first, Crumb(_("New category"))]
    return [first, Crumb(named(found), url_for("catalog.category", category_id=found.id))]


def _consequences(use: shelving.Use) -> tuple[str, ...]:
    on_it = ngettext(
        "%(n)s product stands on it, %(listed)s of them listed. It stays there and buyers go on finding it.",
        "%(n)s products stand on it, %(listed)s of them listed. They stay there and buyers go on finding them.",
        use.products,
        listed=use.listed,
    )
    closed = _("No other product can be put on it: not by hand, not by a file, not by the ERP.")
    below = ngettext(
        "%(n)s category below it stays as it is.", "%(n)s categories below it stay as they are.", use.shelves
    )
    return (on_it, closed, *((below,) if use.shelves else ()))


def _kind(rule: AttributeRule) -> str:
    if rule.kind == "enum":
        return " / ".join(rule.choices)
    word = _(KIND_WORDS[rule.kind])
    return f"{word} ({rule.unit})" if rule.unit else word


def _typed(index: int, rule: AttributeRule) -> dict[str, str]:
    name = f"attributes.{index}"
    typed = {
        f"{name}.key": rule.key,
        f"{name}.name_zh": rule.name_zh,
        f"{name}.name_en": rule.name_en,
        f"{name}.kind": rule.kind,
        f"{name}.unit": rule.unit or "",
        f"{name}.choices": "\n".join(rule.choices),
    }
    return typed | ({f"{name}.required": "1"} if rule.required else {})


_PARTS = ("key", "name_zh", "name_en", "kind", "unit", "choices", "required")


def _compact(values: Mapping[str, str]) -> dict[str, str]:
    """The form with its attributes numbered anew: without those ticked to go and those nothing was typed about."""
    found: dict[int, dict[str, str]] = {}
    for name, text in values.items():
        head, _dot, rest = name.partition(".")
        number, _dot, part = rest.partition(".")
        if head == "attributes" and number.isdecimal() and len(number) < 4 and text.strip():
            found.setdefault(int(number), {})[part] = text
    kept = [
        each
        for _number, each in sorted(found.items())
        if "gone" not in each and any(each.get(part) for part in ("key", "name_zh", "name_en", "choices"))
    ]
    plain = {name: text for name, text in values.items() if not name.startswith("attributes.")}
    return plain | {
        f"attributes.{index}.{part}": each[part]
        for index, each in enumerate(kept)
        for part in _PARTS
        if part in each
    }


def _count(values: Mapping[str, str]) -> int:
    return len({name.split(".")[1] for name in values if name.startswith("attributes.")})


def _fields(values: Mapping[str, str], stated: Mapping[str, int], more: bool) -> tuple[RuleField, ...]:
    shown = min(shelving.MAX_RULES, _count(values) + SPARE + 3 * more)
    return tuple(_field(values, index, stated) for index in range(shown))


def _open(values: Mapping[str, str], errors: Errors) -> frozenset[int]:
    parts = [path.split(".") for path in errors if path.startswith("attributes.")]
    wrong = {int(path[1]) for path in parts if path[1].isdecimal()}
    count = _count(values)
    return frozenset(wrong | ({count} if not count or "more" in values else set()))


def _field(values: Mapping[str, str], index: int, stated: Mapping[str, int]) -> RuleField:
    name = f"attributes.{index}"
    key = values.get(f"{name}.key", "")
    return RuleField(
        index=index,
        key=key,
        name_zh=values.get(f"{name}.name_zh", ""),
        name_en=values.get(f"{name}.name_en", ""),
        kind=values.get(f"{name}.kind", "text"),
        unit=values.get(f"{name}.unit", ""),
        choices=values.get(f"{name}.choices", ""),
        required=f"{name}.required" in values,
        stated=stated.get(key, 0) if key else None,
    )


def _rules(values: Mapping[str, str]) -> list[AttributeRule]:
    """The attributes as typed, in their order."""
    rules = []
    for index in range(_count(values)):
        each = _field(values, index, {})
        choices = tuple(word.strip() for word in each.choices.splitlines() if word.strip())
        rules.append(
            AttributeRule(
                key=each.key.strip(),
                name_zh=each.name_zh.strip(),
                name_en=each.name_en.strip(),
                kind=each.kind,
                unit=(each.unit.strip() or None) if each.kind == "number" else None,
                choices=choices if each.kind == "enum" else (),
                required=each.required,
            )
        )
    return rules


def _version(values: Mapping[str, str]) -> int:
    text = values.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0

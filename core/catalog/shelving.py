"""The verbs of categories: add, edit, move, retire, restore; and what hangs on one, so that nobody changes it blindly.

A category belongs to the enterprise that made it. Others read it, and put one of their own in its place by the same path.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from core import work
from core.catalog.model import Category, CategoryAttribute, Product
from core.catalog.reindexing import REINDEX
from core.catalog.rows import AttributeRule, rules_of, shelves
from core.kernel import Conflict, Context, FieldError, Invalid, NotFound, uuid7

KINDS = ("text", "number", "enum")
MAX_RULES = 60
_CODE = re.compile(r"^[^\W_](?:[\w-]{0,58}[^\W_])?$")
_KEY = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


@dataclass(frozen=True)
class Use:
    """What hangs on a category: own products on it (`listed` of them in front of buyers), those on the shelves
    below, those shelves, and how many of its products state each attribute.
    """

    products: int
    listed: int
    below: int
    shelves: int
    stated: Mapping[str, int]


def find_category(ctx: Context, category_id: UUID) -> Category:
    """A category of anybody: they are published."""
    ctx.require("catalogue.view")
    found = ctx.session.scalar(select(Category).where(Category.id == category_id))
    if found is None:
        raise NotFound("category.not_found")
    return found


def own_rules(ctx: Context, category_id: UUID) -> list[AttributeRule]:
    """The attributes a category asks for itself, without those of the shelves above."""
    return rules_of(ctx, [category_id]).get(category_id, [])


def rules_above(ctx: Context, parent: str) -> list[AttributeRule]:
    """The attributes a category below the one at path `parent` takes over."""
    shelf = shelves(ctx, [parent]).get(parent)
    return list(shelf.rules) if shelf else []


def products_without_category(ctx: Context) -> int:
    """How many own products stand on no shelf."""
    wanted = select(func.count()).where(Product.tenant_id == ctx.tenant_id, Product.category_path == "")
    return ctx.session.scalar(wanted) or 0


def product_counts(ctx: Context) -> dict[str, int]:
    """How many own products stand on each shelf, by path."""
    counted = (
        select(Product.category_path, func.count())
        .where(Product.tenant_id == ctx.tenant_id, Product.category_path != "")
        .group_by(Product.category_path)
    )
    return {path: count for path, count in ctx.session.execute(counted)}


def category_use(ctx: Context, category: Category) -> Use:
    """What hangs on a category, of the own products. Three statements."""
    ctx.require("category.edit")
    mine = Product.tenant_id == ctx.tenant_id
    counted = select(
        func.count().filter(Product.category_path == category.path),
        func.count().filter(Product.category_path == category.path, Product.status == "active"),
        func.count().filter(Product.category_path != category.path),
    ).where(mine, _at_or_below(Product.category_path, category.path))
    products, listed, below = ctx.session.execute(counted).one()
    children = select(func.count()).where(
        Category.tenant_id == category.tenant_id,
        Category.path.startswith(f"{category.path}/", autoescape=True),
    )
    stated = ctx.session.execute(
        text("""SELECT key, count(*) FROM ts.product p, jsonb_object_keys(p.attributes) AS key
                WHERE p.tenant_id = ts.tenant() AND p.category_path = :path GROUP BY key"""),
        {"path": category.path},
    )
    return Use(
        products, listed, below, ctx.session.scalar(children) or 0, {key: count for key, count in stated}
    )


def add_category(
    ctx: Context, code: str, name_zh: str, name_en: str, parent: str = "", rules: Sequence[AttributeRule] = ()
) -> Category:
    """Add a shelf below the shelf at path `parent`, with the attributes it asks for; known ones get names
    and rules anew.
    """
    ctx.require("category.edit")
    wrong = _wrong_names(name_zh, name_en) + _wrong_rules(rules)
    if not _CODE.match(code):
        wrong.append(FieldError("code", "category.code", {}))
    above = shelves(ctx, [parent]).get(parent)
    if parent and above is None:
        wrong.append(FieldError("parent", "category.unknown", {"category": parent}))
    if wrong:
        raise Invalid(wrong)
    path = f"{parent}/{code}" if parent else code
    category = _own_at(ctx, path)
    if category is None:
        category = Category(
            tenant_id=ctx.tenant_id, path=path, code=code, parent_id=above.id if above else None, version=0
        )
        ctx.session.add(category)
    _write(ctx, category, name_zh, name_en, rules)
    ctx.record("category.set", category, path=path)
    return category


def new_category(
    ctx: Context, code: str, name_zh: str, name_en: str, parent: str = "", rules: Sequence[AttributeRule] = ()
) -> Category:
    """Add a shelf that is not there yet; Conflict when there is one of the own at this path."""
    path = f"{parent}/{code}" if parent else code
    if _own_at(ctx, path) is not None:
        raise Conflict("category.path_taken", field="code", category=path)
    return add_category(ctx, code, name_zh, name_en, parent, rules)


def edit_category(
    ctx: Context, category_id: UUID, version: int, name_zh: str, name_en: str, rules: Sequence[AttributeRule]
) -> Category:
    """Give an own category its names and attributes anew. Conflict when somebody changed it since `version`.

    Products are found by the names of their category: where those change, the words of its products are renewed
    as long work.
    """
    category = _lock(ctx, category_id, version)
    if wrong := _wrong_names(name_zh, name_en) + _wrong_rules(rules):
        raise Invalid(wrong)
    before = {"name_zh": category.name_zh, "name_en": category.name_en}
    before_rules = [rule.key for rule in own_rules(ctx, category.id)]
    _write(ctx, category, name_zh, name_en, rules)
    after = {"name_zh": name_zh, "name_en": name_en}
    ctx.record(
        "category.edit", category, path=category.path, before=before | {"attributes": before_rules},
        after=after | {"attributes": [rule.key for rule in rules]},
    )  # fmt: skip
    if before != after:
        _renew_words(ctx, category)
    return category


def move_category(ctx: Context, category_id: UUID, parent: str, version: int) -> Category:
    """Put an own category, and the own ones below it, under the shelf at path `parent` (empty: to the top).

    Products go with them, in front of buyers too. Conflict when there is one of the same code already.
    """
    category = _lock(ctx, category_id, version)
    above = shelves(ctx, [parent]).get(parent)
    if parent and (above is None or above.retired):
        raise Invalid.one("parent", "category.unknown", category=parent)
    old, new = category.path, f"{parent}/{category.code}" if parent else category.code
    if new == old:
        return category
    if f"{parent}/".startswith(f"{old}/"):
        raise Invalid.one("parent", "category.below_itself", category=category.name_zh)
    if _own_at(ctx, new) is not None:
        raise Conflict("category.path_taken", field="parent", category=new)
    category.parent_id = above.id if above else None
    ctx.session.flush()
    count = ctx.session.scalar(
        _MOVE, {"old": old, "new": new, "cut": len(old) + 1, "below": f"{_plain(old)}/%"}
    )
    ctx.session.expire_all()
    ctx.record("category.move", category, before=old, after=new, products=count)
    return category


def retire_category(ctx: Context, category_id: UUID, version: int) -> Category:
    """Let an own category take no more products; those on it stay and are found as before."""
    category = _lock(ctx, category_id, version)
    if category.retired_at is None:
        category.retired_at, category.version = ctx.now, category.version + 1
        ctx.session.flush()
        ctx.record("category.retire", category, path=category.path)
    return category


def restore_category(ctx: Context, category_id: UUID, version: int) -> Category:
    """Let a retired category take products again."""
    category = _lock(ctx, category_id, version)
    if category.retired_at is not None:
        category.retired_at, category.version = None, category.version + 1
        ctx.session.flush()
        ctx.record("category.restore", category, path=category.path)
    return category


def adopt_category(ctx: Context, category_id: UUID) -> Category:
    """Put an own category in the place of somebody else's, with the same names and attributes, to change it."""
    ctx.require("category.edit")
    found = find_category(ctx, category_id)
    if found.tenant_id == ctx.tenant_id:
        return found
    parent = found.path.rpartition("/")[0]
    made = new_category(ctx, found.code, found.name_zh, found.name_en, parent, own_rules(ctx, found.id))
    ctx.session.execute(
        text("""UPDATE ts.product SET category_id = :id
                WHERE tenant_id = ts.tenant() AND category_path = :path"""),
        {"id": made.id, "path": made.path},
    )
    return made


_MOVE = text("""
    WITH moved AS (UPDATE ts.category c SET path = :new || substr(c.path, :cut), version = c.version + 1
                   WHERE c.tenant_id = ts.tenant() AND (c.path = :old OR c.path LIKE :below) RETURNING c.id, c.path),
    goods AS (UPDATE ts.product p SET category_path = moved.path, version = p.version + 1, updated_at = ts.clock()
              FROM moved WHERE p.tenant_id = ts.tenant() AND p.category_id = moved.id RETURNING p.id, p.category_path),
    shown AS (UPDATE ts.listing l SET category_path = goods.category_path, version = l.version + 1
              FROM goods WHERE l.tenant_id = ts.tenant() AND l.id = goods.id)
    SELECT count(*) FROM goods
""")


def _own_at(ctx: Context, path: str) -> Category | None:
    found: Category | None = ctx.session.scalar(
        select(Category).where(Category.tenant_id == ctx.tenant_id, Category.path == path)
    )
    return found


def lock_category(ctx: Context, category_id: UUID) -> Category:
    """An own category, held until the commit; NotFound for everybody else's."""
    ctx.require("category.edit")
    wanted = select(Category).where(Category.tenant_id == ctx.tenant_id, Category.id == category_id)
    found = ctx.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound("category.not_found")
    return found


def _lock(ctx: Context, category_id: UUID, version: int) -> Category:
    found = lock_category(ctx, category_id)
    if found.version != version:
        raise Conflict("version.changed", current=found.version)
    return found


def _at_or_below(column: Any, path: str) -> Any:
    return or_(column == path, column.startswith(f"{path}/", autoescape=True))


def _plain(path: str) -> str:
    return path.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _wrong_names(name_zh: str, name_en: str) -> list[FieldError]:
    given = (("name_zh", name_zh), ("name_en", name_en))
    wrong = [FieldError(name, "field.required", {}) for name, said in given if not said.strip()]
    return wrong + [
        FieldError(name, "product.text_too_long", {"max": 60}) for name, said in given if len(said) > 60
    ]


def _wrong_rules(rules: Sequence[AttributeRule]) -> list[FieldError]:
    wrong = (
        [FieldError("attributes", "attribute.too_many", {"max": MAX_RULES})] if len(rules) > MAX_RULES else []
    )
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        path = f"attributes.{index}"
        if not _KEY.match(rule.key):
            wrong.append(FieldError(f"{path}.key", "attribute.key", {}))
        elif rule.key in seen:
            wrong.append(FieldError(f"{path}.key", "attribute.key_twice", {"attribute": rule.key}))
        seen.add(rule.key)
        wrong += [
            FieldError(f"{path}.{each.path}", each.code, each.values)
            for each in _wrong_names(rule.name_zh, rule.name_en)
        ]
        if rule.kind not in KINDS:
            wrong.append(FieldError(f"{path}.kind", "choice.unknown", {}))
        if rule.kind == "enum" and not rule.choices:
            wrong.append(FieldError(f"{path}.choices", "attribute.no_choices", {"attribute": rule.name_zh}))
        if len(set(rule.choices)) != len(rule.choices):
            wrong.append(FieldError(f"{path}.choices", "attribute.choice_twice", {"attribute": rule.name_zh}))
    return wrong


def _write(
    ctx: Context, category: Category, name_zh: str, name_en: str, rules: Sequence[AttributeRule]
) -> None:
    category.name_zh, category.name_en, category.version = name_zh, name_en, category.version + 1
    ctx.session.flush()
    gone = delete(CategoryAttribute).where(
        CategoryAttribute.tenant_id == ctx.tenant_id,
        CategoryAttribute.category_id == category.id,
        CategoryAttribute.key.not_in([rule.key for rule in rules]),
    )
    ctx.session.execute(gone)
    if not rules:
        return
    values: list[dict[str, Any]] = [
        dict(
            tenant_id=ctx.tenant_id,
            id=uuid7(),
            category_id=category.id,
            key=rule.key,
            name_zh=rule.name_zh,
            name_en=rule.name_en,
            kind=rule.kind,
            unit=rule.unit,
            choices=list(rule.choices),
            required=rule.required,
            rank=rank,
        )
        for rank, rule in enumerate(rules)
    ]
    adding = insert(CategoryAttribute).values(values)
    fresh = {
        name: adding.excluded[name]
        for name in ("name_zh", "name_en", "kind", "unit", "choices", "required", "rank")
    }
    ctx.session.execute(
        adding.on_conflict_do_update(index_elements=["tenant_id", "category_id", "key"], set_=fresh)
    )


def _renew_words(ctx: Context, category: Category) -> None:
    counted = select(func.count()).where(
        Product.tenant_id == ctx.tenant_id, Product.category_path == category.path
    )
    if count := ctx.session.scalar(counted):
        work.start(ctx, REINDEX, category.path, {"path": category.path}, count)

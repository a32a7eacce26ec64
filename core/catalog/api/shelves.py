"""Categories over JSON."""

from typing import Any
from uuid import UUID

from core.catalog import finding, schema, shelving
from core.catalog.api.frame import api
from core.catalog.model import Category
from core.catalog.rows import AttributeRule
from core.kernel import Context
from core.web import Answer
from core.web.problem import Rejected


@api.get("/categories", permission="catalogue.view", answer=schema.CategoryAnswer, many=True)
def list_categories(ctx: Context) -> list[Category]:
    """Every shelf of the catalogue by path."""
    return finding.categories(ctx)


@api.post(
    "/categories",
    permission="category.edit",
    body=schema.CategoryBody,
    answer=schema.CategoryAnswer,
    status=201,
    idempotent=True,
)
def add_category(ctx: Context, body: dict[str, Any]) -> Category:
    """Add a shelf with the attributes it asks for, or set those of a known one anew."""
    return shelving.add_category(
        ctx, body["code"], body["name_zh"], body["name_en"], body["parent"], _rules(body)
    )


@api.get("/categories/<uuid:category_id>", permission="category.edit", answer=schema.CategoryDetailAnswer)
def category(ctx: Context, category_id: UUID) -> Answer:
    """A category, the attributes it asks for itself, and what hangs on it; its ETag is what a change must name."""
    found = shelving.find_category(ctx, category_id)
    data = {
        "category": found,
        "own": found.tenant_id == ctx.tenant_id,
        "attributes": shelving.own_rules(ctx, category_id),
        "use": shelving.category_use(ctx, found),
    }
    return Answer(data, etag=found.version)


@api.put(
    "/categories/<uuid:category_id>",
    permission="category.edit",
    body=schema.CategoryEditBody,
    answer=schema.CategoryAnswer,
    if_match=True,
)
def edit_category(ctx: Context, category_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Give an own category its names and attributes anew."""
    found = shelving.lock_category(ctx, category_id)
    if found.version != version:
        raise Rejected(412, "version.changed")
    edited = shelving.edit_category(ctx, category_id, version, body["name_zh"], body["name_en"], _rules(body))
    return Answer(edited, etag=edited.version)


@api.post(
    "/categories/<uuid:category_id>/move",
    permission="category.edit",
    body=schema.CategoryMoveBody,
    answer=schema.CategoryAnswer,
)
def move_category(ctx: Context, category_id: UUID, body: dict[str, Any]) -> Category:
    """Put an own category below another one, with all its products."""
    return shelving.move_category(ctx, category_id, body["parent"], body["version"])


@api.post(
    "/categories/<uuid:category_id>/retire",
    permission="category.edit",
    body=schema.CategoryVersionBody,
    answer=schema.CategoryAnswer,
)
def retire_category(ctx: Context, category_id: UUID, body: dict[str, Any]) -> Category:
    """Let an own category take no more products; those on it stay."""
    return shelving.retire_category(ctx, category_id, body["version"])


@api.post(
    "/categories/<uuid:category_id>/restore",
    permission="category.edit",
    body=schema.CategoryVersionBody,
    answer=schema.CategoryAnswer,
)
def restore_category(ctx: Context, category_id: UUID, body: dict[str, Any]) -> Category:
    """Let a retired category take products again."""
    return shelving.restore_category(ctx, category_id, body["version"])


@api.post(
    "/categories/<uuid:category_id>/adopt",
    permission="category.edit",
    answer=schema.CategoryAnswer,
    status=201,
    idempotent=True,
)
def adopt_category(ctx: Context, category_id: UUID) -> Category:
    """Put an own category in the place of somebody else's, to change it for the own products."""
    return shelving.adopt_category(ctx, category_id)


def _rules(body: dict[str, Any]) -> list[AttributeRule]:
    return [AttributeRule(**{**each, "choices": tuple(each["choices"])}) for each in body["attributes"]]

"""Categories: named, moved with their goods, retired without losing any, renamed so that goods are found anew."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from core import catalog, work
from core.catalog import finding, shelving
from core.catalog.reindexing import REINDEX
from core.db import Unit
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound

Row = Callable[..., catalog.ProductRow]


def at(ctx: Context, path: str) -> catalog.Category:
    return next(each for each in finding.categories(ctx) if each.path == path)


@pytest.fixture
def listed(selling: Context, shelves: None, bearing: Row) -> UUID:
    sku = catalog.add_product(selling, bearing()).id
    catalog.publish_products(selling, [sku])
    return sku


def test_use_counts_products_listings_and_what_they_state(
    selling: Context, listed: UUID, bearing: Row
) -> None:
    catalog.add_product(selling, bearing("6206", attributes={"bore": "30"}))
    use = catalog.category_use(selling, at(selling, "bearing/ball"))
    assert (use.products, use.listed, use.below, use.shelves) == (2, 1, 0, 0)
    assert use.stated == {"bore": 2, "seal": 1}
    above = catalog.category_use(selling, at(selling, "bearing"))
    assert (above.products, above.below, above.shelves) == (0, 2, 1)


def test_a_category_is_there_once(selling: Context, shelves: None) -> None:
    with pytest.raises(Conflict, match="path_taken"):
        catalog.new_category(selling, "ball", "球", "Balls", "bearing")
    assert catalog.new_category(selling, "roller", "滚子", "Rollers", "bearing").path == "bearing/roller"


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        ({"key": "Bore"}, "attributes.0.key", "attribute.key"),
        ({"name_zh": " "}, "attributes.0.name_zh", "field.required"),
        ({"name_en": "x" * 61}, "attributes.0.name_en", "product.text_too_long"),
        ({"kind": "colour"}, "attributes.0.kind", "choice.unknown"),
        ({"kind": "enum"}, "attributes.0.choices", "attribute.no_choices"),
        ({"kind": "enum", "choices": ("a", "a")}, "attributes.0.choices", "attribute.choice_twice"),
    ],
)
def test_a_bad_attribute_names_its_place(
    selling: Context, shelves: None, rule: dict[str, Any], path: str, code: str
) -> None:
    given = {
        "key": "k",
        "name_zh": "名",
        "name_en": "n",
        "kind": "text",
        "unit": None,
        "choices": (),
        "required": False,
    }
    with pytest.raises(Invalid) as refused:
        catalog.new_category(selling, "x", "名", "n", "", [catalog.AttributeRule(**(given | rule))])
    assert (path, code) in {(error.path, error.code) for error in refused.value.errors}


def test_bad_names_codes_and_parents_are_refused_together(selling: Context) -> None:
    twice = catalog.AttributeRule("k", "名", "n", "text", None, (), False)
    with pytest.raises(Invalid) as refused:
        catalog.new_category(selling, "a/b", "", "n", "nowhere", [twice, twice])
    assert {(error.path, error.code) for error in refused.value.errors} == {
        ("name_zh", "field.required"),
        ("attributes.1.key", "attribute.key_twice"),
        ("code", "category.code"),
        ("parent", "category.unknown"),
    }


def test_a_category_moves_with_its_goods_and_everything_below(selling: Context, listed: UUID) -> None:
    catalog.new_category(selling, "parts", "零件", "Parts")
    moving = at(selling, "bearing")
    moved = catalog.move_category(selling, moving.id, "parts", moving.version)
    assert moved.path == "parts/bearing" and moved.version > 1
    assert at(selling, "parts/bearing/ball").name_zh == "深沟球轴承"
    assert catalog.find_product(selling, listed).category_path == "parts/bearing/ball"
    (row,) = catalog.find_listings(selling, catalog.Search(shelf="parts")).rows
    assert row.sku_id == listed
    back = catalog.move_category(selling, moved.id, "", moved.version)
    assert back.path == "bearing"


def test_a_category_never_stands_below_itself_or_in_anothers_place(selling: Context, shelves: None) -> None:
    moving = at(selling, "bearing")
    with pytest.raises(Invalid) as refused:
        catalog.move_category(selling, moving.id, "bearing/ball", moving.version)
    assert refused.value.errors[0].code == "category.below_itself"
    catalog.new_category(selling, "ball", "球", "Balls")
    ball = at(selling, "bearing/ball")
    with pytest.raises(Conflict, match="path_taken"):
        catalog.move_category(selling, ball.id, "", ball.version)
    with pytest.raises(Invalid):
        catalog.move_category(selling, ball.id, "nowhere", ball.version)


def test_a_retired_category_keeps_its_goods_and_takes_no_others(
    selling: Context, listed: UUID, bearing: Row
) -> None:
    shelf = at(selling, "bearing/ball")
    catalog.retire_category(selling, shelf.id, shelf.version)
    assert catalog.find_listings(selling, catalog.Search("6205")).rows
    product = catalog.find_product(selling, listed)
    catalog.edit_product(selling, listed, bearing(spec="new"), product.version)
    with pytest.raises(Invalid) as refused:
        catalog.add_product(selling, bearing("6300"))
    assert refused.value.errors[0].code == "category.retired"
    landed = catalog.upsert_products(selling, [bearing(), bearing("6301")])
    assert [issue.errors[0].code for issue in landed.issues] == ["category.retired"]
    catalog.restore_category(selling, shelf.id, at(selling, "bearing/ball").version)
    catalog.add_product(selling, bearing("6300"))


def test_somebody_elses_category_is_read_and_replaced_by_an_own_one(
    selling: Context, listed: UUID, buyer: UUID
) -> None:
    shelf = at(selling, "bearing/ball")
    with selling.as_tenant(buyer, "buyer") as ctx:
        found = catalog.find_category(ctx, shelf.id)
        for act in (catalog.retire_category, catalog.restore_category):
            with pytest.raises(NotFound):
                act(ctx, shelf.id, shelf.version)
        with pytest.raises(NotFound):
            catalog.edit_category(ctx, shelf.id, shelf.version, "甲", "a", [])
        own = catalog.adopt_category(ctx, found.id)
        assert (own.path, own.tenant_id) == ("bearing/ball", buyer)
        assert [rule.key for rule in catalog.own_rules(ctx, own.id)] == ["bore", "seal", "cage"]
        catalog.edit_category(ctx, own.id, own.version, "甲", "a", [])
    assert at(selling, "bearing/ball").name_zh == "深沟球轴承"


def test_a_stale_change_is_refused(selling: Context, shelves: None) -> None:
    shelf = at(selling, "bearing")
    catalog.edit_category(selling, shelf.id, shelf.version, "轴承类", "Bearings", [])
    with pytest.raises(Conflict, match=r"version\.changed"):
        catalog.edit_category(selling, shelf.id, 1, "又", "b", [])


def test_only_who_may_arranges_categories(selling: Context, make_ctx: Callable[..., Context]) -> None:
    ctx = make_ctx(selling.tenant_id, {"catalogue.view": None})
    with pytest.raises(Forbidden):
        catalog.new_category(ctx, "x", "名", "n")
    with pytest.raises(Forbidden):
        shelving.lock_category(ctx, UUID(int=1))


def test_goods_are_found_by_the_new_name_of_their_category(
    unit: Unit, worker: Unit, goods: dict[str, UUID], tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.catalog.reindexing.BATCH", 25)
    with unit.system(tenant, "test") as ctx:
        shelf = at(ctx, "bearing")
        rules = catalog.own_rules(ctx, shelf.id)
        catalog.edit_category(ctx, shelf.id, shelf.version, "滚动体", "Rolling parts", rules)
        assert not catalog.find_listings(ctx, catalog.Search("滚动体")).rows
    assert work.work(worker) == 3
    with unit.system(tenant, "test") as ctx:
        assert catalog.find_listings(ctx, catalog.Search("滚动体")).total == 60
        (run,) = work.recent_runs(ctx, REINDEX)
        assert (run.state, run.done, run.total) == ("done", 60, 60)
        assert ctx.session.scalar(text("SELECT count(*) FROM ts.product WHERE version = 2")) == 60
        shelf = at(ctx, "bearing")
        catalog.edit_category(ctx, shelf.id, shelf.version, "滚动体", "Rolling parts", [])
        assert len(work.recent_runs(ctx, REINDEX)) == 1, "only names make goods be found otherwise"

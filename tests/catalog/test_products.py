"""Products come in, change, are listed and withdrawn."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from core import catalog
from core.db import count_statements
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound, uuid7

D = Decimal
Row = Callable[..., catalog.ProductRow]


def test_a_product_lands_as_a_draft_nobody_else_sees(
    selling: Context, shelves: None, buyer: UUID, bearing: Row
) -> None:
    product = catalog.add_product(selling, bearing())
    assert (product.status, product.version) == ("draft", 1)
    with selling.as_tenant(buyer, "buyer") as ctx:
        assert ctx.session.scalar(select(catalog.Listing)) is None
        with pytest.raises(NotFound):
            catalog.find_product(ctx, product.id)


def test_numbers_are_kept_as_plain_decimal_text(selling: Context, shelves: None, bearing: Row) -> None:
    product = catalog.add_product(selling, bearing(attributes={"bore": D("25.000"), "seal": "2RS"}))
    assert product.attributes == {"bore": "25", "seal": "2RS"}


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"name_zh": ""}, "name_zh", "field.required"),
        ({"code": "x" * 65}, "code", "product.text_too_long"),
        ({"base_uom": "stone"}, "base_uom", "uom.unknown"),
        ({"tax_class": "luxury"}, "tax_class", "tax.unknown_class"),
        ({"weight_kg": D(0)}, "weight_kg", "product.weight"),
        ({"category": "bearing/none"}, "category", "category.unknown"),
        ({"attributes": {}}, "attributes.bore", "attribute.required"),
        ({"attributes": {"bore": "wide"}}, "attributes.bore", "attribute.not_a_number"),
        ({"attributes": {"bore": "25", "seal": "wax"}}, "attributes.seal", "attribute.not_a_choice"),
        ({"attributes": {"bore": "25", "colour": "red"}}, "attributes.colour", "attribute.unknown"),
        ({"conversions": (catalog.Conversion("box", D(0)),)}, "conversions.box", "uom.factor"),
    ],
)
def test_a_wrong_row_names_its_field(
    selling: Context, shelves: None, bearing: Row, changes: dict[str, object], path: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        catalog.add_product(selling, bearing(**changes))
    assert [(error.path, error.code) for error in refused.value.errors] == [(path, code)]


def test_a_code_is_taken_once(selling: Context, shelves: None, bearing: Row) -> None:
    catalog.add_product(selling, bearing())
    with pytest.raises(Conflict, match="product.code_taken"):
        catalog.add_product(selling, bearing())


def test_two_sellers_may_use_the_same_code(selling: Context, buyer: UUID, steel: Row) -> None:
    catalog.add_product(selling, steel())
    with selling.as_tenant(buyer, "buyer") as ctx:
        assert catalog.add_product(ctx, steel()).tenant_id == buyer


def test_an_edit_against_an_old_version_is_refused(selling: Context, shelves: None, bearing: Row) -> None:
    product = catalog.add_product(selling, bearing())
    edited = catalog.edit_product(selling, product.id, bearing(name_zh="轴承"), version=1)
    assert (edited.name_zh, edited.version) == ("轴承", 2)
    with pytest.raises(Conflict, match="version.changed"):
        catalog.edit_product(selling, product.id, bearing(name_zh="别的"), version=1)


def test_an_equal_row_changes_nothing(selling: Context, shelves: None, bearing: Row) -> None:
    first = catalog.upsert_products(selling, [bearing(), bearing("6206-ZZ")])
    again = catalog.upsert_products(selling, [bearing(), bearing("6206-ZZ", name_zh="新名")])
    assert (first.added, first.changed, first.unchanged) == (2, 0, 0)
    assert (again.added, again.changed, again.unchanged) == (0, 1, 1)
    assert first.ids == again.ids
    assert catalog.find_product(selling, again.ids["6205-2RS1"]).version == 1


def test_bad_rows_of_a_batch_do_not_stop_the_good_ones(selling: Context, shelves: None, bearing: Row) -> None:
    landed = catalog.upsert_products(selling, [bearing(), bearing("B", base_uom="stone"), bearing()])
    assert list(landed.ids) == ["6205-2RS1"]
    assert [(issue.index, issue.errors[0].code) for issue in landed.issues] == [
        (1, "uom.unknown"),
        (2, "product.code_twice"),
    ]


def test_publishing_copies_and_editing_renews_the_listing(
    selling: Context, shelves: None, buyer: UUID, bearing: Row
) -> None:
    product = catalog.add_product(selling, bearing())
    catalog.publish_products(selling, [product.id])
    catalog.edit_product(selling, product.id, bearing(name_zh="改名"), version=2)
    with selling.as_tenant(buyer, "buyer") as ctx:
        listing = catalog.listing_row(ctx, product.id)
        assert (listing.name_zh, listing.status, listing.attributes["bore"]) == ("改名", "listed", "25")


def test_a_withdrawn_product_stays_readable_and_leaves_the_search(
    selling: Context, sku: UUID, buyer: UUID
) -> None:
    catalog.withdraw_products(selling, [sku])
    with selling.as_tenant(buyer, "buyer") as ctx:
        assert catalog.listing_row(ctx, sku).status == "withdrawn"
        assert catalog.find_listings(ctx, catalog.Search("6205")).rows == ()


def test_nobody_publishes_or_withdraws_for_another(selling: Context, sku: UUID, buyer: UUID) -> None:
    with selling.as_tenant(buyer, "buyer") as ctx:
        for act in (catalog.publish_products, catalog.withdraw_products):
            with pytest.raises(NotFound):
                act(ctx, [sku])
    with pytest.raises(NotFound):
        catalog.withdraw_products(selling, [uuid7()])


def test_editing_needs_its_permission(make_ctx: Callable[..., Context], steel: Row) -> None:
    reading = make_ctx(grants={"product.view": None})
    with pytest.raises(Forbidden):
        catalog.add_product(reading, steel())


def test_units_of_a_product_are_what_its_last_row_says(selling: Context, steel: Row) -> None:
    bundle = catalog.Conversion("bundle", D("2.003328"), "theoretical")
    product = catalog.add_product(
        selling, steel(conversions=(bundle, catalog.Conversion("piece", D("0.010656"))))
    )
    catalog.upsert_products(selling, [steel(conversions=(bundle,))])
    from core.catalog.service import conversions

    assert [(each.uom, each.factor) for each in conversions(selling, product.id)] == [
        ("bundle", D("2.003328"))
    ]


def test_an_attribute_of_an_upper_shelf_is_asked_for_below(selling: Context, bearing: Row) -> None:
    maker = catalog.AttributeRule("maker", "厂家", "Maker", "text", None, (), True)
    catalog.add_category(selling, "bearing", "轴承", "Bearings", "", (maker,))
    catalog.add_category(selling, "ball", "球轴承", "Ball bearings", "bearing")
    with pytest.raises(Invalid) as refused:
        catalog.add_product(selling, bearing(attributes={}))
    assert [error.path for error in refused.value.errors] == ["attributes.maker"]


def test_a_thousand_products_take_a_handful_of_statements(
    selling: Context, shelves: None, bearing: Row
) -> None:
    rows = [bearing(f"B-{number}") for number in range(1000)]
    with count_statements() as seen:
        landed = catalog.upsert_products(selling, rows)
        catalog.publish_products(selling, landed.ids.values())
    assert landed.added == 1000
    assert len(seen) <= 8, seen

"""Price lists for groups and customers: kept, ended, and explained to a customer who asks."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from core import catalog, tenancy
from core.catalog import explaining, pricelists
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound

D = Decimal
Price = Callable[..., catalog.PriceList]


@pytest.fixture
def sku(selling: Context, shelves: None, bearing: Callable[..., catalog.ProductRow]) -> UUID:
    made = catalog.add_product(selling, bearing()).id
    catalog.publish_products(selling, [made])
    return made


def verdicts(found: explaining.Explanation) -> dict[str, str]:
    return {each.tier.list_name: each.verdict for each in found.candidates}


def test_the_explanation_names_the_winner_and_why_the_others_do_not(
    selling: Context, buyer: UUID, sku: UUID, price: Price
) -> None:
    tenancy.set_partner(selling, buyer, price_group="A")
    price(sku, {1: "100", 50: "80"}, name="all")
    price(sku, {1: "95"}, name="group", audience="group", group="A")
    price(sku, {1: "70"}, name="other group", audience="group", group="B")
    price(sku, {10: "90"}, name="own", audience="tenant", customer_id=buyer)
    few = explaining.explain_price(selling, buyer, sku, D(5))
    assert few.price.unit_price == D(95)
    assert verdicts(few) == {"own": "not_reached", "group": "wins", "all": "later_level"}
    many = explaining.explain_price(selling, buyer, sku, D(60))
    assert (many.price.unit_price, many.cheaper_elsewhere) == (D(90), True)
    assert verdicts(many) == {"own": "wins", "group": "later_level", "all": "later_level"}


def test_on_one_level_the_larger_tier_then_the_later_list_then_the_cheaper_wins(
    selling: Context, buyer: UUID, sku: UUID, price: Price
) -> None:
    now = selling.now
    price(sku, {1: "100"}, name="old", valid_from=now - timedelta(days=9))
    price(sku, {1: "101"}, name="new", valid_from=now - timedelta(days=1))
    price(sku, {1: "103"}, name="dear", valid_from=now - timedelta(days=1))
    found = explaining.explain_price(selling, buyer, sku, D(1))
    assert verdicts(found) == {"new": "wins", "old": "earlier_list", "dear": "dearer"}
    price(sku, {2: "110"}, name="tier", valid_from=now - timedelta(days=5))
    found = explaining.explain_price(selling, buyer, sku, D(2))
    assert verdicts(found) == {
        "tier": "wins",
        "new": "smaller_tier",
        "dear": "smaller_tier",
        "old": "smaller_tier",
    }


def test_what_cannot_be_priced_is_not_explained(selling: Context, buyer: UUID, sku: UUID) -> None:
    for quantity, code in ((D(0), "decimal.must_be_positive"), (D(1), "price.none")):
        with pytest.raises(Invalid) as refused:
            explaining.explain_price(selling, buyer, sku, quantity)
        assert refused.value.errors[0].code == code


def test_the_lists_come_with_their_customers_and_products(
    selling: Context, buyer: UUID, sku: UUID, price: Price
) -> None:
    opened = price(sku, {1: "9", 5: "8"}, name="own", audience="tenant", customer_id=buyer)
    price(sku, {1: "10"}, name="all")
    rows = pricelists.list_rows(selling)
    assert [(row.list.name, row.customer, row.products) for row in rows] == [
        ("own", "北方机械有限公司", 1),
        ("all", "", 1),
    ]
    (on_it,) = pricelists.listed_tiers(selling, opened.id, "6205").rows
    assert on_it.tiers == ((D(1), D(9)), (D(5), D(8)))
    assert not pricelists.listed_tiers(selling, opened.id, "nothing").rows
    with selling.as_tenant(buyer, "buyer") as ctx:
        assert pricelists.list_rows(ctx) == []
        with pytest.raises(NotFound):
            pricelists.find_price_list(ctx, opened.id)
        with pytest.raises(NotFound):
            pricelists.drop_product(ctx, opened.id, sku)


def test_a_public_list_that_is_ended_no_longer_shows_in_the_catalogue(
    selling: Context, buyer: UUID, sku: UUID, price: Price
) -> None:
    price(sku, {1: "10"}, name="long", valid_from=selling.now - timedelta(days=9))
    short = price(sku, {1: "7"}, name="short", valid_from=selling.now - timedelta(days=2))

    def shown() -> Decimal | None:
        return catalog.find_listings(selling, catalog.Search("6205")).rows[0].public_price

    assert shown() == D(7)
    version = short.version
    changed = pricelists.change_price_list(
        selling, short.id, version, name="spring", valid_from=short.valid_from, valid_to=selling.now
    )
    assert (changed.phase, shown()) == ("over", D(10))
    with pytest.raises(Conflict, match=r"version\.changed"):
        pricelists.change_price_list(
            selling, short.id, version, name="x", valid_from=short.valid_from, valid_to=None
        )
    for name, valid_to, code in (("", None, "price.list_name"), ("x", short.valid_from, "price.ends_before")):
        with pytest.raises(Invalid) as refused:
            pricelists.change_price_list(
                selling, short.id, changed.version, name=name, valid_from=short.valid_from, valid_to=valid_to
            )
        assert refused.value.errors[0].code.startswith(code)
    with pytest.raises(Conflict, match="name_taken"):
        pricelists.change_price_list(
            selling, short.id, changed.version, name="long", valid_from=short.valid_from, valid_to=None
        )


def test_a_product_taken_off_a_list_falls_to_the_next(
    selling: Context, buyer: UUID, sku: UUID, price: Price
) -> None:
    price(sku, {1: "10"}, name="all")
    own = price(sku, {1: "9"}, name="own", audience="tenant", customer_id=buyer)
    pricelists.drop_product(selling, own.id, sku)
    assert explaining.explain_price(selling, buyer, sku, D(1)).price.unit_price == D(10)
    with pytest.raises(NotFound):
        pricelists.drop_product(selling, own.id, sku)


def test_groups_are_those_with_members_or_lists(
    selling: Context, buyer: UUID, sku: UUID, price: Price
) -> None:
    tenancy.set_partner(selling, buyer, price_group="A")
    price(sku, {1: "10"}, name="for B", audience="group", group="B")
    found = {each.code: each for each in pricelists.groups(selling)}
    assert [member.name for member in found["A"].members] == ["北方机械有限公司"]
    assert [each.name for each in found["B"].lists] == ["for B"]


def test_only_who_may_keeps_prices(selling: Context, make_ctx: Callable[..., Context]) -> None:
    nobody = make_ctx(selling.tenant_id, {})
    for act in (pricelists.list_rows, pricelists.groups):
        with pytest.raises(Forbidden):
            act(nobody)
    with pytest.raises(Forbidden):
        pricelists.drop_product(nobody, UUID(int=1), UUID(int=1))

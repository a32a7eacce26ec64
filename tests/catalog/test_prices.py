"""What a buyer pays, and why: the search order of prices, ladders, units and explanations."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from core import catalog, tenancy
from core.catalog import Wanted, quote_lines
from core.db import count_statements
from core.kernel import Context, Invalid, NotFound, uuid7

D = Decimal
Row = Callable[..., catalog.ProductRow]
SetTiers = Callable[..., catalog.PriceList]
V_L1 = {1: "100", 10: "95", 50: "90"}


@pytest.mark.parametrize(("qty", "amount"), [(9, 900), (10, 950), (49, 4655), (50, 4500), (60, 5400)])
def test_v_l1_volume(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers, qty: int, amount: int
) -> None:
    price(sku, V_L1, ladder="volume")
    (line,) = quote_lines(selling, buyer, [Wanted(sku, D(qty))])
    assert line.amounts.gross == D(amount)


@pytest.mark.parametrize(("qty", "amount"), [(9, 900), (10, 995), (49, 4700), (50, 4790), (60, 5690)])
def test_v_l1_graduated(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers, qty: int, amount: int
) -> None:
    price(sku, V_L1, ladder="graduated")
    (line,) = quote_lines(selling, buyer, [Wanted(sku, D(qty))])
    assert line.amounts.gross == D(amount)
    assert sum(each.base + each.adj for each in line.components) == line.unit_price


def test_a_graduated_ladder_from_zero_measures(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    price(sku, {0: "100", 10: "95"}, ladder="graduated")
    (line,) = quote_lines(selling, buyer, [Wanted(sku, D("12.5"))])
    assert line.amounts.gross == D("1237.50")


def test_the_first_level_with_a_price_wins_even_if_a_later_one_is_cheaper(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    tenancy.set_partner(selling, buyer, price_group="A")
    found = []
    for tiers, terms in (
        ({1: "50"}, {"audience": "base"}),
        ({1: "80"}, {"audience": "public"}),
        ({1: "90"}, {"audience": "group", "group": "A"}),
        ({1: "95"}, {"audience": "tenant", "customer_id": buyer}),
        ({1: "99"}, {"audience": "contract", "customer_id": buyer}),
    ):
        price(sku, tiers, **terms)
        (line,) = quote_lines(selling, buyer, [Wanted(sku, D(1))])
        (component,) = line.components
        found.append((component.level, line.unit_price, component.flag))
    assert found == [
        ("base", D(50), None),
        ("public", D(80), "cheaper_elsewhere"),
        ("group", D(90), "cheaper_elsewhere"),
        ("tenant", D(95), "cheaper_elsewhere"),
        ("contract", D(99), "cheaper_elsewhere"),
    ]


def test_prices_of_other_customers_and_groups_do_not_apply(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    price(sku, {1: "10"}, audience="group", group="B")
    price(sku, {1: "11"}, audience="tenant", customer_id=uuid7())
    price(sku, {1: "80"})
    (line,) = quote_lines(selling, buyer, [Wanted(sku, D(1))])
    assert (line.unit_price, line.components[0].flag) == (D(80), None)


def test_within_a_level_the_largest_quantity_reached_then_the_latest_list_then_the_lowest_price(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    now = selling.now
    price(sku, {1: "100", 20: "90"}, valid_from=now - timedelta(days=9))
    price(sku, {1: "98", 10: "97"}, valid_from=now - timedelta(days=5))
    price(sku, {1: "99"}, valid_from=now - timedelta(days=5))
    (one,) = quote_lines(selling, buyer, [Wanted(sku, D(1))])
    (ten,) = quote_lines(selling, buyer, [Wanted(sku, D(10))])
    (twenty,) = quote_lines(selling, buyer, [Wanted(sku, D(20))])
    assert [one.unit_price, ten.unit_price, twenty.unit_price] == [D(98), D(97), D(90)]


def test_a_list_is_valid_until_just_before_its_end(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers, later: Callable[[str], None]
) -> None:
    price(sku, {1: "100"}, valid_to=selling.now + timedelta(minutes=10))
    assert quote_lines(selling, buyer, [Wanted(sku, D(1))])[0].unit_price == D(100)
    later("10 minutes")
    with pytest.raises(Invalid) as refused:
        quote_lines(selling, buyer, [Wanted(sku, D(1))])
    assert refused.value.errors[0].code == "price.none"


def test_units_convert_exactly_and_the_price_stays_per_base_unit(
    selling: Context, buyer: UUID, price: SetTiers, steel: Row
) -> None:
    bundle = catalog.Conversion("bundle", D("2.003328"), "theoretical")
    product = catalog.add_product(selling, steel(conversions=(bundle,)))
    catalog.publish_products(selling, [product.id])
    price(product.id, {1: "4280"})
    wanted = [
        Wanted(product.id, D(3587), "kg"),
        Wanted(product.id, D(14), "bundle"),
        Wanted(product.id, D("3.587")),
    ]
    kilos, bundles, tonnes = quote_lines(selling, buyer, wanted)
    assert (kilos.factor, kilos.base_qty, kilos.amounts) == (D("0.001"), D("3.587"), tonnes.amounts)
    assert tonnes.amounts == (D("13586.16"), D("1766.20"), D("15352.36"))  # V-T10
    assert bundles.base_qty == D("28.046592")
    assert bundles.amounts.gross == D("120039.41")


def test_a_graduated_line_is_exact_however_large(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    price(sku, {1: "0.333333", 3: "0.111111"}, ladder="graduated")
    (line,) = quote_lines(selling, buyer, [Wanted(sku, D(7_000_000))])
    assert line.amounts.gross == D("777777.44")  # 2 x 0.333333 + 6,999,998 x 0.111111 = 777,777.444444


def test_all_lines_take_one_statement(selling: Context, sku: UUID, buyer: UUID, price: SetTiers) -> None:
    price(sku, V_L1)
    with count_statements() as seen:
        quote_lines(selling, buyer, [Wanted(sku, D(n)) for n in range(1, 21)])
    assert len(seen) == 1


def test_every_line_without_a_price_is_named(
    selling: Context, sku: UUID, buyer: UUID, shelves: None, bearing: Row
) -> None:
    draft = catalog.add_product(selling, bearing("DRAFT"))
    wanted = [Wanted(sku, D(1)), Wanted(uuid7(), D(1)), Wanted(draft.id, D(1)), Wanted(sku, D(1), "t")]
    with pytest.raises(Invalid) as refused:
        quote_lines(selling, buyer, wanted)
    assert [(error.path, error.code) for error in refused.value.errors] == [
        ("lines.0.sku_id", "price.none"),
        ("lines.1.sku_id", "product.not_found"),
        ("lines.2.sku_id", "product.not_found"),
        ("lines.3.uom", "uom.no_factor"),
    ]
    with pytest.raises(Invalid):
        quote_lines(selling, buyer, [Wanted(sku, D(0))])
    catalog.withdraw_products(selling, [sku])
    with pytest.raises(Invalid, match="product.not_listed"):
        quote_lines(selling, buyer, [Wanted(sku, D(1))])


def test_a_buyer_asks_for_itself_and_learns_nothing_of_third_parties(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    price(sku, {1: "80"})
    price(sku, {1: "70"}, audience="tenant", customer_id=buyer)
    stranger = uuid7()
    with selling.as_tenant(buyer, "buyer") as ctx:
        assert catalog.own_prices(ctx, [Wanted(sku, D(1))])[sku].unit_price == D(70)
        assert {tier.level for tier in catalog.price_tiers(ctx, sku)} == {"tenant", "public"}
    with selling.as_tenant(stranger, "buyer") as ctx:
        assert catalog.own_prices(ctx, [Wanted(sku, D(1))])[sku].unit_price == D(80)
        with pytest.raises(Invalid) as refused:
            quote_lines(ctx, buyer, [Wanted(sku, D(1))])
        assert refused.value.errors[0].code == "product.not_found"
        assert catalog.price_tiers(ctx, sku, buyer_id=buyer) == []


def test_setting_prices_replaces_the_tiers_of_what_is_named(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    opened = price(sku, V_L1)
    catalog.set_prices(selling, opened.id, [catalog.NewPrice(sku, D(5), D(77))])
    assert [(tier.min_qty, tier.price) for tier in catalog.price_tiers(selling, sku)] == [(D(5), D(77))]
    with selling.as_tenant(buyer, "buyer") as ctx:
        (row,) = catalog.find_listings(ctx, catalog.Search("6205")).rows
        assert (row.public_price, row.own_price) == (D(77), D(77))


def test_the_first_price_may_change_without_the_other_tiers(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    opened = price(sku, V_L1)
    assert catalog.set_first_prices(selling, opened.id, {sku: D(101)}) == 1
    assert catalog.set_first_prices(selling, opened.id, {sku: D(101)}) == 0
    assert [tier.price for tier in catalog.price_tiers(selling, sku)] == [D(101), D(95), D(90)]


def test_prices_of_foreign_goods_and_lists_are_refused(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    opened = price(sku, V_L1)
    with pytest.raises(NotFound):
        catalog.set_prices(selling, opened.id, [catalog.NewPrice(uuid7(), D(1), D(1))])
    with selling.as_tenant(buyer, "buyer") as ctx, pytest.raises(NotFound):
        catalog.set_prices(ctx, opened.id, [catalog.NewPrice(sku, D(1), D(1))])
    with pytest.raises(Invalid):
        catalog.set_prices(selling, opened.id, [catalog.NewPrice(sku, D(1), D("-1"))])


def test_a_component_moves_price_and_amount_together(
    selling: Context, sku: UUID, buyer: UUID, price: SetTiers
) -> None:
    price(sku, V_L1)
    (line,) = quote_lines(selling, buyer, [Wanted(sku, D(10))])
    dearer = line.adjusted(catalog.Component("spot", None, D(0), D("2.50"), "cutting"))
    assert (dearer.unit_price, dearer.amounts.gross) == (D("97.5"), D("975.00"))
    with pytest.raises(Invalid):
        line.adjusted(catalog.Component("spot", None, D(0), D(-96), "rebate"))


def test_a_buyer_learns_the_units_of_listed_goods(selling: Context, buyer: UUID, steel: Row) -> None:
    bundle = catalog.Conversion("bundle", D("2.003328"), "theoretical")
    sku = catalog.add_product(selling, steel(conversions=(bundle,))).id
    with selling.as_tenant(buyer, "buyer") as ctx:
        assert catalog.units_of(ctx, sku, "t") == ["t", "kg", "g"]
    catalog.publish_products(selling, [sku])
    with selling.as_tenant(buyer, "buyer") as ctx:
        assert catalog.units_of(ctx, sku, "t") == ["t", "bundle", "kg", "g"]

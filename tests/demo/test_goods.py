"""The catalogue is as large as promised, says nothing twice, and weighs what the standards say."""

from collections import Counter
from dataclasses import fields, is_dataclass
from decimal import Decimal
from itertools import pairwise

import pytest

from core.demo.goods import Catalogue, Sku, catalogue, scaled


@pytest.fixture(scope="module")
def goods() -> Catalogue:
    return catalogue()


@pytest.fixture(scope="module")
def by_code(goods: Catalogue) -> dict[str, Sku]:
    return {sku.code: sku for sku in goods.skus}


def values(thing: object) -> list[object]:
    """Every leaf value inside a value."""
    if is_dataclass(thing):
        return [leaf for field in fields(thing) for leaf in values(getattr(thing, field.name))]
    if isinstance(thing, tuple):
        return [leaf for part in thing for leaf in values(part)]
    if isinstance(thing, dict):
        return [leaf for part in thing.values() for leaf in values(part)]
    return [thing]


def test_there_are_more_than_2400_articles_in_seven_families(goods: Catalogue) -> None:
    assert len(goods.skus) >= 2400
    assert len(goods.families) == 7
    assert all(len(family) >= 150 for family in goods.families.values())


def test_the_same_seed_gives_the_same_catalogue_and_another_seed_other_prices(goods: Catalogue) -> None:
    assert catalogue() == goods
    other = catalogue(8)
    assert [sku.code for sku in other.skus] == [sku.code for sku in goods.skus]
    assert [sku.price for sku in other.skus] != [sku.price for sku in goods.skus]


def test_no_code_and_no_name_occurs_twice(goods: Catalogue) -> None:
    assert max(Counter(sku.code for sku in goods.skus).values()) == 1
    assert max(Counter((sku.name_zh, sku.spec) for sku in goods.skus).values()) == 1
    assert max(Counter((sku.name_en, sku.spec) for sku in goods.skus).values()) == 1


def test_codes_are_plain_and_short_and_english_names_are_english(goods: Catalogue) -> None:
    for sku in goods.skus:
        assert set(sku.code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
        assert len(sku.code) <= 30
        assert sku.name_en.isascii() and sku.part_no.isascii()
        assert not sku.name_zh.isascii()
        assert sku.search_words


def test_nothing_in_an_article_is_a_float(goods: Catalogue) -> None:
    for sku in goods.skus:
        assert all(isinstance(value, str | Decimal) for value in values(sku))


def test_every_article_hangs_on_a_leaf_and_answers_only_what_it_asks(goods: Catalogue) -> None:
    categories = {category.key: category for category in goods.categories}
    assert len(categories) == len(goods.categories)
    parents = {category.parent for category in goods.categories}
    for sku in goods.skus:
        assert sku.category not in parents
        asked = {attribute.key: attribute for attribute in categories[sku.category].attributes}
        assert set(sku.attributes) <= set(asked)
        for key, value in sku.attributes.items():
            assert isinstance(value, Decimal) == (asked[key].type == "number"), key
            assert asked[key].type != "enum" or value in asked[key].choices, (sku.code, key, value)


def test_parents_come_before_their_children(goods: Catalogue) -> None:
    seen = {""}
    for category in goods.categories:
        assert category.parent in seen
        seen.add(category.key)


def test_prices_are_whole_fen_and_fall_with_the_quantity(goods: Catalogue) -> None:
    for sku in goods.skus:
        assert sku.price > 0 and sku.weight_kg > 0 and sku.on_hand >= 0
        assert sku.tiers[0][1] == sku.price
        for (few, dear), (many, cheap) in pairwise(sku.tiers):
            assert few < many and dear > cheap
        assert all(price == price.quantize(Decimal("0.01")) for _, price in sku.tiers)


def test_every_unit_is_known(goods: Catalogue) -> None:
    known = {"t", "pcs", "kpcs", "m", "bundle", "roll"}
    for sku in goods.skus:
        assert {sku.base_uom, *(conversion.uom for conversion in sku.conversions)} <= known
        assert all(conversion.factor == round(conversion.factor, 6) for conversion in sku.conversions)


def test_a_category_knows_its_way_from_the_root(goods: Catalogue) -> None:
    assert goods.path("rebar") == "steel/long/rebar"
    assert goods.path("steel") == "steel"


def test_some_articles_are_sold_out_and_most_are_not(goods: Catalogue) -> None:
    gone = sum(1 for sku in goods.skus if not sku.on_hand)
    assert 0.02 < gone / len(goods.skus) < 0.12


def test_a_branch_holds_what_hangs_below_it(goods: Catalogue) -> None:
    assert len(list(goods.under("bearing"))) == len(goods.family("bearings"))
    assert {sku.category for sku in goods.under("long")} == {"rebar", "rod", "round"}
    with pytest.raises(KeyError):
        goods.sku("NO-SUCH")


@pytest.mark.parametrize(
    ("code", "measures"),
    [
        ("BRG-6204-2RS", {"bore": 20, "outside": 47, "width": 14}),
        ("BRG-6308", {"bore": 40, "outside": 90, "width": 23}),
        ("BRG-6000-ZZ", {"bore": 10, "outside": 26, "width": 8}),
        ("BRG-61804", {"bore": 20, "outside": 32, "width": 7}),
        ("BRG-6206-2RS-C3", {"bore": 30, "outside": 62, "width": 16}),
        ("BRG-NU205", {"bore": 25, "outside": 52, "width": 15}),
        ("BRG-30206", {"bore": 30, "outside": 62, "width": Decimal("17.25")}),
        ("RB-HRB400E-25-12M", {"diameter": 25, "kg_per_m": Decimal("3.85"), "kg_per_piece": Decimal("46.2")}),
        ("HXB-M12X60-8.8-ZN", {"across_flats": 18, "pitch": Decimal("1.75"), "length": 60}),
        ("HXB-M10X50-10.9-BK", {"across_flats": 16}),
        ("HXN-M16-8-ZN", {"across_flats": 24}),
        ("WSH-M12-200HV-ZN", {"outside": 24, "thickness": Decimal("2.5")}),
        ("VL-Z41H-16C-DN50", {"face_to_face": 250, "dn": 50, "pn": 16}),
        ("VL-J41H-16C-DN50", {"face_to_face": 230}),
        ("VL-D371X-16Q-DN100", {"face_to_face": 52}),
        ("HB-Q235B-HW200X200-12M", {"web": 8, "flange": 12, "kg_per_m": Decimal("49.9")}),
        ("CH-Q235B-10-6M", {"kg_per_m": 10}),
        ("AN-Q235B-50X5-6M", {"kg_per_m": Decimal("3.77")}),
        ("HRC-Q235B-4750-1500", {"kg_per_m": Decimal("55.931")}),
        ("PL-Q345R-20000-2000-8000", {"kg_per_piece": 2512}),
        ("CB-YJV-4X25", {"section": 25, "resistance": Decimal("0.727")}),
    ],
)
def test_an_article_has_the_measures_of_its_standard(
    by_code: dict[str, Sku], code: str, measures: dict[str, int | Decimal]
) -> None:
    attributes = by_code[code].attributes
    assert {key: attributes[key] for key in measures} == measures


def test_valves_without_a_known_length_state_none(by_code: dict[str, Sku]) -> None:
    assert "face_to_face" not in by_code["VL-Q41F-16C-DN50"].attributes


def test_a_scaled_catalogue_is_ten_times_as_large_and_still_says_nothing_twice(goods: Catalogue) -> None:
    codes = [sku.code for sku in scaled(goods, 10)]
    assert len(codes) == len(set(codes)) == 10 * len(goods.skus)
    assert max(map(len, codes)) <= 40


def test_five_hundred_copies_of_an_article_have_five_hundred_codes(goods: Catalogue) -> None:
    one = Catalogue(goods.categories, {"rebar": goods.family("rebar")[:1]})
    copies = list(scaled(one, 500))
    assert len({sku.code for sku in copies}) == 500
    assert all(sku.tiers[0][1] == sku.price for sku in copies)


def test_copies_come_one_by_one(goods: Catalogue) -> None:
    endless = scaled(goods, 1_000_000)
    assert next(endless) == goods.skus[0]


def test_a_factor_below_one_is_refused(goods: Catalogue) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        next(scaled(goods, 0))

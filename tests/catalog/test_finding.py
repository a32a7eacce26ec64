"""Buyers find goods in Chinese, in English and by part number; pages and facets hold together."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest

from core import catalog
from core.catalog import Search, find_listings
from core.db import count_statements
from core.kernel import Context

D = Decimal
Row = Callable[..., catalog.ProductRow]


@pytest.fixture
def assortment(selling: Context, shelves: None, bearing: Row, steel: Row, buyer: UUID) -> dict[str, UUID]:
    rows = [
        bearing("6205-2RS1", part_no="SKF 6205-2RS1"),
        bearing("6205-2Z", attributes={"bore": D(25), "seal": "ZZ"}),
        bearing("62050", name_zh="滚子", name_en="Roller"),
        steel("HRB400E-12"),
        steel("HRB400E-14", spec="Φ14×12m"),
        steel("VALVE-1", name_zh="闸阀", name_en="Gate valve", base_uom="pcs"),
    ]
    ids = catalog.upsert_products(selling, rows).ids
    catalog.publish_products(selling, ids.values())
    return ids


@pytest.mark.parametrize(
    ("q", "codes"),
    [
        ("轴承", ["6205-2RS1", "6205-2Z", "62050"]),
        ("沟球轴承 25×52", ["6205-2RS1", "6205-2Z", "62050"]),
        ("deep groove", ["6205-2RS1", "6205-2Z", "62050"]),
        ("6205", ["6205-2RS1", "6205-2Z", "62050"]),
        ("62052rs1", ["6205-2RS1"]),
        ("skf 6205 2rs1", ["6205-2RS1"]),
        ("6205-2z", ["6205-2Z"]),
        ("hrb400e", ["HRB400E-12", "HRB400E-14"]),
        ("钢筋 14", ["HRB400E-14"]),
        ("阀", ["VALVE-1"]),
        ("闸", ["VALVE-1"]),
        ("GATE", ["VALVE-1"]),
        ("没有的东西", []),
        ("!!!", []),
    ],
)
def test_the_words_find_the_goods(
    selling: Context, assortment: dict[str, UUID], q: str, codes: list[str]
) -> None:
    assert sorted(row.code for row in find_listings(selling, Search(q)).rows) == codes


def test_the_very_part_number_stands_first(selling: Context, assortment: dict[str, UUID]) -> None:
    found = find_listings(selling, Search("62050"))
    assert (found.rows[0].code, found.rows[0].exact) == ("62050", True)


def test_a_part_number_of_many_sellers_goods_is_found_once_each(
    selling: Context, shelves: None, bearing: Row
) -> None:
    rows = [bearing(f"S{number:02}", part_no="6205") for number in range(23)] + [bearing("62051")]
    catalog.publish_products(selling, catalog.upsert_products(selling, rows).ids.values())
    seen, after = [], None
    while True:
        page = find_listings(selling, Search("6205", after=after, limit=3))
        seen += [row.code for row in page.rows]
        if page.next is None:
            break
        after = page.next
    assert len(seen) == 24
    assert set(seen) == {row.code for row in rows}
    assert all(code.startswith("S") for code in seen[:20])


@pytest.mark.parametrize("sort", ["code", "price", "-price"])
def test_pages_follow_each_other_without_gap_or_repeat(
    selling: Context, assortment: dict[str, UUID], sort: str
) -> None:
    prices = catalog.public_list(selling)
    some = list(assortment.values())[:4]
    catalog.set_prices(
        selling, prices.id, [catalog.NewPrice(sku, D(1), D(n % 2 + 1)) for n, sku in enumerate(some)]
    )
    seen, after = [], None
    while True:
        page = find_listings(selling, Search(sort=sort, after=after, limit=2))
        seen += [row.code for row in page.rows]
        if page.next is None:
            break
        after = page.next
    whole = [row.code for row in find_listings(selling, Search(sort=sort, limit=50)).rows]
    assert seen == whole
    assert sorted(seen) == sorted(assortment)


def test_facets_count_by_shelf_and_seller_and_narrow_the_result(
    selling: Context, assortment: dict[str, UUID], buyer: UUID, tenant: UUID, steel: Row
) -> None:
    with selling.as_tenant(buyer, "seller") as ctx:
        other = catalog.add_product(ctx, steel("HRB500E-20"))
        catalog.publish_products(ctx, [other.id])
    everything = find_listings(selling, Search())
    assert everything.total == 7
    assert [(shelf.value, shelf.hits) for shelf in everything.shelves] == [("bearing/ball", 3)]
    assert {facet.name_zh: facet.hits for facet in everything.sellers} == {
        "江南钢材有限公司": 6,
        "北方机械有限公司": 1,
    }
    assert find_listings(selling, Search(shelf="bearing")).total == 3
    assert find_listings(selling, Search(shelf="bear")).total == 0
    narrowed = find_listings(selling, Search(seller=buyer))
    assert [row.code for row in narrowed.rows] == ["HRB500E-20"]
    assert len(narrowed.sellers) == 2


def test_a_page_takes_the_same_statements_for_one_row_and_for_many(
    selling: Context, assortment: dict[str, UUID]
) -> None:
    counts = []
    for limit in (1, 50):
        with count_statements() as seen:
            find_listings(selling, Search(limit=limit))
        counts.append(len(seen))
    assert counts == [2, 2]


def test_odd_characters_do_no_harm(selling: Context, assortment: dict[str, UUID]) -> None:
    for q in ("'; DROP TABLE x --", "a:*|b & !c <-> (", "%_\\", "\\' OR 1=1", "𠮷野家", "１２"):
        find_listings(selling, Search(q, shelf="%_\\'"))


def test_own_products_are_found_by_words_and_state(selling: Context, assortment: dict[str, UUID]) -> None:
    from core.catalog.finding import OwnSearch, find_products

    catalog.withdraw_products(selling, [assortment["6205-2Z"]])
    found = find_products(selling, OwnSearch("轴承", status="active"))
    assert [row.product.code for row in found.rows] == ["6205-2RS1", "62050"]
    assert found.counts == {"active": 2, "withdrawn": 1}
    first = find_products(selling, OwnSearch(limit=4))
    rest = find_products(selling, OwnSearch(limit=4, after=first.next))
    assert len({row.product.code for row in (*first.rows, *rest.rows)}) == 6
    assert rest.next is None

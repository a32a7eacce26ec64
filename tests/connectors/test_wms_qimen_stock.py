"""Stock of a Qimen warehouse as it flows in: page by page, batch by batch, item by item."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from connectors.wms.qimen import connector
from connectors.wms.qimen.simulator import Simulator, server
from connectors.wms.qimen.system import Qimen
from connectors.wms.shelves import by_page
from tests.connectors.wms_house import linked
from tongshang.connect import FixSettings, SkipRecord, StockIn


@pytest.fixture
def warehouse() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def stocked(warehouse, **changes):
    with linked(connector(), warehouse, **changes) as link:
        stream = link.stream("stock")
        return [
            (page.position, [stream.to_core(row) for row in page.rows]) for page in stream.pull(None, None)
        ]


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
def test_stock_comes_page_by_page_and_every_item_once(warehouse, count):
    warehouse.world.stock = {f"I-{no:04}": Decimal(no) for no in range(count)}
    rows = [row for _, page in stocked(warehouse) for row in page]
    assert [(row.material, row.quantity) for row in rows] == sorted(warehouse.world.stock.items())
    assert {(row.warehouse, row.unit) for row in rows} == {("WH01", "pcs")}


@pytest.mark.parametrize("most", [30, 50])
def test_a_warehouse_that_gives_shorter_pages_than_asked_for_is_read_to_its_end(warehouse, monkeypatch, most):
    monkeypatch.setattr(server, "MOST_ROWS", most)
    warehouse.world.stock = {f"I-{no:04}": Decimal(no) for no in range(120)}
    pages = stocked(warehouse)
    assert [row.material for _, page in pages for row in page] == sorted(warehouse.world.stock)
    with linked(connector(), warehouse) as link:
        rest = [row["item"] for page in link.stream("stock").pull(None, pages[1][0]) for row in page.rows]
    assert rest[-1] == "I-0119"


def test_a_stopped_stock_run_goes_on_and_misses_nothing(warehouse):
    warehouse.world.stock = {f"I-{no:04}": Decimal(no) for no in range(250)}
    with linked(connector(), warehouse) as link:
        stream = link.stream("stock")
        first = next(stream.pull(None, None))
        rest = [row for page in stream.pull(None, first.position) for row in page.rows]
    seen = {row["item"] for row in (*first.rows, *rest)}
    assert seen == set(warehouse.world.stock)


def test_batches_of_an_item_are_added_up_exactly_also_across_pages(warehouse):
    def row(item: str, quantity: str, free: str = "1") -> dict[str, str]:
        return {"item": item, "warehouse": "WH01", "quantity": quantity, "free": free}

    rows = [row("A", "0.1"), row("A", "9", ""), row("A", "0.2"), row("B", "1"), row("B", "2"), row("C", "3")]
    with linked(connector(), warehouse) as link:
        stream = link.stream("stock")
        for size in (1, 2, 3, 6, 7):

            def fetch(page: int, size: int = size) -> tuple[list[dict[str, str]], bool]:
                return rows[(page - 1) * size : page * size], page * size <= len(rows)

            pages = list(by_page(fetch, None))
            found = [stream.to_core(one) for page in pages for one in page.rows]
            assert [(s.material, s.quantity) for s in found] == [("A", Decimal("0.3")), ("B", 3), ("C", 3)]


@pytest.mark.parametrize("quantity", ["", "x", "-1", "NaN", "1 x"])
def test_a_row_that_is_no_stock_is_left_out_with_its_item(warehouse, quantity):
    row = {"item": "A", "warehouse": "", "quantity": quantity, "free": "1"}
    with linked(connector(), warehouse) as link, pytest.raises(SkipRecord) as skipped:
        link.stream("stock").to_core(row)
    assert skipped.value.field == "A"


def test_stock_can_be_asked_item_by_item(warehouse):
    warehouse.world.stock = {"A": Decimal(3), "B": Decimal(4), "C": Decimal(5)}
    pages = stocked(warehouse, stock_by="inventory", items="A, C,D")
    assert pages == [
        (
            "3",
            [
                StockIn("A@WH01", "A", "WH01", "pcs", Decimal(3)),
                StockIn("C@WH01", "C", "WH01", "pcs", Decimal(5)),
            ],
        )
    ]
    with pytest.raises(FixSettings):
        stocked(warehouse, stock_by="inventory")


def test_a_warehouse_never_sets_our_stock():
    assert Qimen.stock_counts is False

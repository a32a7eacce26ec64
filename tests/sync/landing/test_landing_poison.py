"""One record that nobody can use: it is listed, the rest of its page lands, and the run comes to its end."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from core.catalog import Product
from core.stock import StockLevel, Warehouse
from core.sync import ExternalRef, PartnerIn, ProductIn, StockIn, SyncIssue, SyncTerm, UnitIn
from tests.sync.landing.test_landing_runs import TENANT, Yard, yard  # noqa: F401

D = Decimal
ENDLESS = "".join(Random(1).choices("0123456789abcdef", k=9000))  # no index holds it
GOODS = tuple(ProductIn(f"{no}", f"B{no}", f"螺栓 {no}", "pcs") for no in range(1, 8))


def stock(quantity: str, material: str = "B1", warehouse: str = "W1", id: str = "S") -> StockIn:
    return StockIn(id, material, warehouse, "pcs", D(quantity))


@pytest.fixture
def counting(yard: Yard) -> Yard:  # noqa: F811
    """A yard whose stock counts, with a few products."""
    yard.counter.stock_counts = True  # type: ignore[misc]
    assert yard.run("products", *GOODS).state == "done"
    return yard


def listed(yard: Yard) -> list[tuple[str, str]]:  # noqa: F811
    return [(each.external_id, each.code) for each in yard.rows(SyncIssue)]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (stock("-1"), "sync.quantity"),  # an ERP may allow it, a shelf does not
        (stock("5", warehouse=""), "sync.unusable"),
        (stock("5", warehouse="W\x00"), "sync.unusable"),
        (stock("5", warehouse="仓" * 2000), "sync.unusable"),
    ],
)
def test_stock_that_cannot_be_kept_stops_no_other(counting: Yard, bad: StockIn, code: str) -> None:
    good = [stock(f"{no}", f"B{no}", id=f"G{no}") for no in range(2, 8)]
    run = counting.run("stock", *good[:3], bad, *good[3:])
    assert (run.state, run.read, run.stored, run.skipped) == ("done", 7, 6, 1)
    assert listed(counting) == [("S", code)]
    with counting.app.system(TENANT, "test") as ctx:
        assert sorted(ctx.session.scalars(select(StockLevel.on_hand))) == [2, 3, 4, 5, 6, 7]
    assert [row.code for row in counting.rows(Warehouse)] == ["W1"]


@pytest.mark.parametrize(
    "bad", [PartnerIn("9", "C9", "有\x00", ""), PartnerIn(ENDLESS, "C9", "长", ""), UnitIn("9", "\x00", "")]
)
def test_a_name_no_database_takes_stops_no_other(yard: Yard, bad: Any) -> None:  # noqa: F811
    run = yard.run("partners", PartnerIn("1", "C1", "甲", "", active=False), bad, UnitIn("2", "Pcs", "个"))
    assert (run.state, run.stored, run.skipped) == ("done", 2, 1)
    ((id, code),) = listed(yard)
    assert bad.external_id.startswith(id) and id and code == "sync.unusable"
    assert sorted(row.external_id for row in yard.rows(SyncTerm)) == ["1", "2"]


def test_a_record_with_signs_no_database_takes_is_listed_without_them(yard: Yard) -> None:  # noqa: F811
    original = yard.counter.stream

    def stream(key: str) -> Any:
        made = original(key)
        made.pull = lambda cursor, position, pull=made.pull: (
            type(page)(tuple({**row, "note": "a\x00b\ud800", "k\x00": None} for row in page.rows), "0", "1")
            for page in pull(cursor, position)
        )
        return made

    yard.counter.stream = stream  # type: ignore[method-assign]
    run = yard.run("products", ProductIn("1\x00", "B1", "", "pcs"), GOODS[1])
    assert (run.state, run.stored, run.skipped) == ("done", 1, 1)
    (issue,) = yard.rows(SyncIssue)
    assert (issue.external_id, issue.record["note"]) == ("1", "ab?")


def test_a_row_that_its_connector_trips_over_is_listed(yard: Yard) -> None:  # noqa: F811
    original = yard.counter.stream

    def stream(key: str) -> Any:
        made = original(key)
        to_core = made.to_core

        def tripping(row: Any) -> Any:
            return to_core({} if row["at"] == 1 else row)

        made.to_core = tripping
        return made

    yard.counter.stream = stream  # type: ignore[method-assign]
    run = yard.run("products", *GOODS[:3])
    assert (run.state, run.read, run.stored, run.skipped) == ("done", 3, 2, 1)
    (issue,) = yard.rows(SyncIssue)
    assert (issue.code, issue.said, issue.record) == ("sync.connector_error", "KeyError: 'at'", {"at": "1"})


def test_a_material_that_was_numbered_anew_within_a_page_is_known_by_its_last_number(yard: Yard) -> None:  # noqa: F811
    run = yard.run(
        "products", ProductIn("1", "OLD", "螺栓", "pcs"), GOODS[1], ProductIn("1", "NEW", "螺栓", "pcs")
    )
    assert run.state == "done"
    codes = {row.id: row.code for row in yard.rows(Product)}
    known = {codes[row.local_id]: row.external_id for row in yard.rows(ExternalRef)}
    assert known["NEW"] == "1" and known["B2"] == "2" and "OLD" not in known


@pytest.mark.slow
def test_a_page_may_have_any_number_of_rows(yard: Yard) -> None:  # noqa: F811
    """As of a service that knows no pages: no statement takes more than 65535 values."""
    run = yard.run("partners", *(PartnerIn(f"{no}", "", "", f"C{no}", active=False) for no in range(66_000)))
    assert (run.state, run.stored, run.skipped) == ("done", 66_000, 0)

"""Who asks for a run while one is under way gets another one; a run that is wrong by now does not have the last word."""

from typing import Any

import pytest

from core.catalog import Product
from core.sync import (
    NewConnection,
    Page,
    ProductIn,
    SyncRun,
    SyncStream,
    check_connection,
    schedule,
    sync_now,
)
from core.sync.mapping.unmapped import _read_again
from core.sync.model import ErpConnection
from core.sync.outcome import Rejected, RetryLater, SyncError
from core.sync.service import CHECK, change_connection
from tests.sync.landing.test_landing_runs import TENANT, Yard, yard  # noqa: F401

GOODS = [ProductIn(f"{no}", f"B{no}", "螺栓", "pcs") for no in range(3)]


@pytest.fixture
def quiet(yard: Yard) -> Yard:  # noqa: F811
    """A yard whose first check is done."""
    while claimed := yard.puller.claim():
        yard.puller.run(claimed)
    return yard


def act(yard: Yard, verb: Any, *args: Any) -> None:  # noqa: F811
    with yard.app.system(TENANT, "test") as ctx:
        verb(ctx, *args)


def stream(yard: Yard, key: str = "products") -> SyncStream:  # noqa: F811
    return next(row for row in yard.rows(SyncStream) if row.key == key)


def test_a_run_that_is_asked_for_during_another_one_comes_behind_it(quiet: Yard) -> None:
    act(quiet, sync_now, quiet.connection_id, "products")
    first = quiet.puller.claim()
    assert first is not None
    act(quiet, sync_now, quiet.connection_id, "products")
    assert quiet.puller.claim() is None  # not at once
    assert quiet.puller.run(first) == "done"
    second = quiet.puller.claim()
    assert second is not None and quiet.puller.run(second) == "done"
    assert quiet.puller.claim() is None
    assert (stream(quiet).wanted_by, stream(quiet).next_at) == ("", None)
    assert quiet.counter.closed == 2  # each link gives up what it holds


def test_a_schedule_that_ends_during_a_run_stays_ended(quiet: Yard) -> None:
    act(quiet, schedule, quiet.connection_id, "products", 30)
    claimed = quiet.puller.claim()
    act(quiet, schedule, quiet.connection_id, "products", None)
    assert claimed is not None and quiet.puller.run(claimed) == "done"
    assert (stream(quiet).next_at, stream(quiet).wanted_by, quiet.puller.claim()) == (None, "", None)


def test_settings_that_change_during_a_check_are_checked_too(quiet: Yard) -> None:
    act(quiet, check_connection, quiet.connection_id)
    old = quiet.puller.claim()
    (connection,) = quiet.rows(ErpConnection)
    given = NewConnection("仓库", "https://wms.example.com", "200", {})
    act(quiet, change_connection, quiet.counter, quiet.connection_id, connection.version, given)
    assert old is not None and quiet.puller.run(old) == "done"
    new = quiet.puller.claim()
    assert new is not None and (new.key, new.access.organisation) == (CHECK, "200")


def test_a_run_by_hand_that_fails_is_tried_again_twice(quiet: Yard) -> None:
    def broken(cursor: Any, position: Any) -> Any:
        raise KeyError("rows")

    original = quiet.counter.stream
    quiet.counter.stream = lambda key: _with(original(key), pull=broken)  # type: ignore[method-assign]
    act(quiet, sync_now, quiet.connection_id, "products")
    for failures in (1, 2, 3):
        claimed = quiet.puller.claim()
        assert claimed is not None, failures
        assert quiet.puller.run(claimed) == "failed"
        with quiet.app.system(TENANT, "test") as ctx:
            ctx.session.connection().exec_driver_sql(
                "UPDATE ts.sync_stream SET next_at = next_at - interval '1 hour'"
            )
    assert quiet.puller.claim() is None
    assert {row.trigger for row in quiet.rows(SyncRun)} == {"test"}


def _with(made: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def test_a_stream_that_is_to_be_read_again_is_taken_from_the_run_under_way(quiet: Yard) -> None:
    """Its end would put the place behind what was left out for a value that is mapped now."""
    quiet.run("products", GOODS[0])
    assert stream(quiet).cursor == "1"
    act(quiet, sync_now, quiet.connection_id, "products")
    before = quiet.puller.claim()
    act(quiet, _read_again, quiet.connection_id, {"products"})
    quiet.counter.told["products"] = GOODS
    assert before is not None and quiet.puller.run(before) == "lost"
    assert stream(quiet).cursor is None
    after = quiet.puller.claim()
    assert after is not None and (after.cursor, after.position) == (None, None)
    assert quiet.puller.run(after) == "done"
    assert sorted(row.code for row in quiet.rows(Product)) == ["B0", "B1", "B2"]


class Strange(Exception):
    """What no connector was told to raise."""


def test_whatever_a_connector_raises_ends_the_run(quiet: Yard) -> None:
    def broken(cursor: Any, position: Any) -> Any:
        raise Strange("<fault/>\nsecond line")

    original = quiet.counter.stream
    quiet.counter.stream = lambda key: _with(original(key), pull=broken)  # type: ignore[method-assign]
    run = quiet.run("products")
    assert (run.state, run.said) == ("failed", "Strange: <fault/>")
    quiet.counter.check = lambda access, http: broken(access, http)  # type: ignore[method-assign]
    act(quiet, check_connection, quiet.connection_id)
    checking = quiet.puller.claim()
    assert checking is not None and quiet.puller.run(checking) == "failed"
    (connection,) = quiet.rows(ErpConnection)
    assert [each["said"] for each in connection.checked["steps"]] == ["Strange: <fault/>"]


@pytest.mark.parametrize(("error", "tried"), [(Rejected, ["P", "P", "P", None]), (RetryLater, ["P"] * 4)])
def test_a_place_that_is_refused_again_and_again_is_given_up(
    quiet: Yard, error: type[SyncError], tried: list[str | None]
) -> None:
    """As when the mark of the next page has expired there. A system that is away keeps the place."""
    asked: list[str | None] = []

    def stale(cursor: Any, position: str | None) -> Any:
        asked.append(position)
        if position == "P":
            raise error("rest.refused", "no such page")
        yield Page((), "P", "1")

    original = quiet.counter.stream
    quiet.counter.stream = lambda key: _with(original(key), pull=stale)  # type: ignore[method-assign]
    with quiet.app.system(TENANT, "test") as ctx:
        ctx.session.connection().exec_driver_sql("UPDATE ts.sync_stream SET position = 'P'")
    act(quiet, schedule, quiet.connection_id, "products", 30)
    for _ in tried:
        claimed = quiet.puller.claim()
        assert claimed is not None
        quiet.puller.run(claimed)
        with quiet.app.system(TENANT, "test") as ctx:
            ctx.session.connection().exec_driver_sql(
                "UPDATE ts.sync_stream SET next_at = next_at - interval '1 hour'"
            )
    assert asked == tried


def test_what_others_refer_to_is_read_first_when_a_connection_begins(quiet: Yard) -> None:
    """Else prices and counts of products that are not there yet would be left out."""
    for key in ("stock", "products", "partners"):
        act(quiet, schedule, quiet.connection_id, key, 30)
    first, second = quiet.puller.claim(), quiet.puller.claim()
    assert first is not None and second is not None and {first.key, second.key} == {"products", "partners"}
    assert quiet.puller.claim() is None  # until both are through
    quiet.puller.run(first)
    assert quiet.puller.claim() is None
    quiet.puller.run(second)
    third = quiet.puller.claim()
    assert third is not None and third.key == "stock"
    quiet.puller.run(third)
    for key in ("stock", "products"):
        act(quiet, sync_now, quiet.connection_id, key)
    assert {each.key for each in (quiet.puller.claim(), quiet.puller.claim()) if each} == {
        "stock",
        "products",
    }


def test_a_run_by_hand_reads_everything_where_records_were_left_out(quiet: Yard) -> None:
    """What a price or a payment lacked may be here by now; it comes again only when it changes there."""
    asked: list[str | None] = []
    original = quiet.counter.stream

    def stream_of(key: str) -> Any:
        made = original(key)
        return _with(
            made, pull=lambda cursor, position, pull=made.pull: asked.append(cursor) or pull(cursor, position)
        )

    quiet.counter.stream = stream_of  # type: ignore[method-assign]
    strange = ProductIn("9", "", "没有编码", "pcs")
    for rows in ([GOODS[0]], [GOODS[0]], [GOODS[0], strange], [GOODS[0], strange], [GOODS[0]], [GOODS[0]]):
        assert quiet.run("products", *rows).state == "done"
    assert asked == [None, "1", "1", None, None, "1"]
    quiet.run("products", strange)
    act(quiet, schedule, quiet.connection_id, "products", 30)
    claimed = quiet.puller.claim()
    assert claimed is not None and claimed.cursor == "1"

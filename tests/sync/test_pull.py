"""Streams in: paged, gone on with after a stop, listed where a row cannot be used."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from connectors.kingdee import streams as kingdee_streams
from core.catalog import Product, ProductRow, upsert_products
from core.stock import StockLevel, Warehouse
from core.sync import (
    ErpConnection,
    SyncIssue,
    SyncRun,
    SyncStream,
    cancel_run,
    check_connection,
    reading,
    schedule,
    sync_now,
)


def run(house, key):
    """Ask for a stream and let the worker do all that is due."""
    with house.app.system(house.seller, "test") as ctx:
        if key == "check":
            check_connection(ctx, house.connection_id)
        else:
            sync_now(ctx, house.connection_id, key)
    ended = []
    puller = house.puller()
    while claimed := puller.claim():
        ended.append((claimed.key, puller.run(claimed)))
    return dict(ended)


def rows(house, model):
    with house.app.system(house.seller, "test") as ctx:
        return list(ctx.session.scalars(select(model)))


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(kingdee_streams.Materials.__init__, "__defaults__", (10,))
    monkeypatch.setattr(kingdee_streams.Stocks.__init__, "__defaults__", (10,))


def many(house, count=34):
    house.kingdee.world.merge(
        {"materials": [{"number": f"M{n:03}", "name": f"螺栓 {n}", "unit": "Pcs"} for n in range(count)]}
    )


def test_products_come_in_page_by_page_and_only_changes_come_again(house, small_pages):
    many(house)
    assert run(house, "products")["products"] == "done"
    assert len(rows(house, Product)) == 36
    (first,) = rows(house, SyncRun)
    assert (first.read, first.stored, first.skipped, first.state) == (36, 36, 0, "done")
    (stream,) = [row for row in rows(house, SyncStream) if row.key == "products"]
    assert stream.cursor and stream.position is None
    house.sql("UPDATE ts.sync_stream SET cursor = '2999-01-01T00:00:00.000' WHERE key = 'products'")
    run(house, "products")
    assert sorted(row.read for row in rows(house, SyncRun)) == [0, 36]


def test_a_run_that_breaks_goes_on_behind_its_last_page(house, small_pages):
    many(house)
    house.sql("UPDATE ts.sync_stream SET next_at = NULL WHERE key = 'check'")
    house.kingdee.faults.set([{"match": "ExecuteBillQuery", "mode": "drop_before"}])
    assert run(house, "products")["products"] == "failed"
    house.kingdee.faults.set([])
    with house.app.system(house.seller, "test") as ctx:
        sync_now(ctx, house.connection_id, "products")
    puller = house.puller()
    claimed = puller.claim()
    original = kingdee_streams.Materials.pull

    def one_page(self, cursor, position):
        yield next(original(self, cursor, position))
        house.kingdee.faults.set([{"match": "ExecuteBillQuery", "mode": "cut_body"}])
        yield from original(self, cursor, "0")

    kingdee_streams.Materials.pull = one_page
    try:
        assert puller.run(claimed) == "failed"
    finally:
        kingdee_streams.Materials.pull = original
        house.kingdee.faults.set([])
    assert len(rows(house, Product)) == 10
    assert run(house, "products")["products"] == "done"
    assert max(rows(house, SyncRun), key=lambda row: row.started_at).read == 26  # those behind the first page
    assert len(rows(house, Product)) == 36


def test_the_erp_changes_what_it_owns_and_leaves_what_the_portal_added(house):
    with house.app.system(house.seller, "test") as ctx:
        upsert_products(
            ctx, [ProductRow("BRG-6204", "旧名", name_en="Deep groove ball bearing", base_uom="pcs")]
        )
    run(house, "products")
    product = next(row for row in rows(house, Product) if row.code == "BRG-6204")
    assert (product.name_zh, product.name_en) == ("深沟球轴承 6204", "Deep groove ball bearing")


def test_a_row_that_cannot_be_used_is_listed_with_its_reason(house):
    with house.app.system(house.seller, "test") as ctx:
        upsert_products(ctx, [ProductRow("BRG-6204", "轴承", base_uom="kg")])
    house.kingdee.world.merge(
        {"units": [{"number": "桶"}], "materials": [{"number": "OIL", "name": "油", "unit": "桶"}]}
    )
    run(house, "products")
    found = {issue.external_id: (issue.code, issue.said) for issue in rows(house, SyncIssue)}
    assert found["OIL"][0] == "kingdee.unit_unknown"
    assert ("sync.unit_conflict", "kg / pcs") in found.values()
    assert [(row.read, row.skipped) for row in rows(house, SyncRun)] == [(3, 2)]


def test_stock_is_set_to_what_lies_there_lots_added_up(house, small_pages):
    run(house, "products")
    house.kingdee.world.merge(
        {
            "stock": [
                {"material": "BRG-6204", "quantity": 300, "lot": "A"},
                {"material": "BRG-6204", "quantity": 200, "lot": "B"},
                {"material": "BRG-6204", "quantity": 7, "lot": "C", "status": "KCZT02_SYS"},
                {"material": "BRG-6204", "quantity": 5, "warehouse": "CK002"},
                {"material": "RB-HRB400E-16", "quantity": "62.5"},
            ]
        }
    )
    assert run(house, "stock")["stock"] == "done"
    places = {place.id: place.code for place in rows(house, Warehouse)}
    goods = {product.id: product.code for product in rows(house, Product)}
    levels = {
        (goods[row.product_id], places[row.warehouse_id]): row.on_hand for row in rows(house, StockLevel)
    }
    assert levels == {
        ("BRG-6204", "CK001"): Decimal(500),
        ("BRG-6204", "CK002"): Decimal(5),
        ("RB-HRB400E-16", "CK001"): Decimal("62.5"),
    }
    house.kingdee.world.merge({"stock": [{"material": "BRG-6204", "quantity": 100, "lot": "A"}]})
    run(house, "stock")
    assert Decimal(300) in {row.on_hand for row in rows(house, StockLevel)}


def test_a_cancelled_run_stops_after_its_page_and_the_next_goes_on(house, small_pages):
    many(house)
    with house.app.system(house.seller, "test") as ctx:
        sync_now(ctx, house.connection_id, "products")
    puller = house.puller()
    house.sql("UPDATE ts.sync_stream SET next_at = NULL WHERE key = 'check'")
    claimed = puller.claim()
    original = puller._begin

    def begin_then_cancel(pull):
        run_id = original(pull)
        with house.app.system(house.seller, "test") as ctx:
            cancel_run(ctx, run_id)
        return run_id

    puller._begin = begin_then_cancel
    assert puller.run(claimed) == "cancelled"
    assert len(rows(house, Product)) == 10
    run(house, "products")
    assert len(rows(house, Product)) == 36


def test_a_material_renumbered_there_moves_its_id_to_the_new_product(house):
    run(house, "products")
    known = house.kingdee.store.by_number("BD_MATERIAL", "BRG-6204")
    known.number = "BRG-6204-NEW"
    known.stamp()
    house.kingdee.store.put(known)
    assert run(house, "products")["products"] == "done"
    found = dict(house.sql("SELECT external_number, external_id FROM ts.external_ref WHERE kind = 'product'"))
    assert found["BRG-6204-NEW"] == str(known.id) and "BRG-6204" not in found


def test_a_stream_runs_on_its_schedule(house):
    house.sql("UPDATE ts.sync_stream SET next_at = NULL WHERE key = 'check'")
    assert house.puller().claim() is None
    with house.app.system(house.seller, "test") as ctx:
        schedule(ctx, house.connection_id, "products", 30)
    claimed = house.puller().claim()
    assert house.puller().claim() is None
    assert house.puller().run(claimed) == "done"
    assert house.sql("SELECT next_at > ts.clock() FROM ts.sync_stream WHERE key = 'products'") == [(True,)]


def test_a_puller_that_slept_past_its_lease_stores_nothing(house):
    with house.app.system(house.seller, "test") as ctx:
        sync_now(ctx, house.connection_id, "products")
    house.sql("UPDATE ts.sync_stream SET next_at = NULL WHERE key = 'check'")
    puller = house.puller()
    claimed = puller.claim()
    house.sql("UPDATE ts.sync_stream SET attempt = attempt + 1 WHERE key = 'products'")
    assert puller.run(claimed) == "lost"
    assert rows(house, Product) == []


def test_a_check_goes_step_by_step_to_the_first_record(house):
    assert run(house, "check")["check"] == "done"
    (connection,) = rows(house, ErpConnection)
    assert connection.checked["ok"] is True
    steps = {step["name"]: step["said"] for step in connection.checked["steps"]}
    assert list(steps) == ["address", "dns", "tcp", "service", "login", "organisation", "read"]
    assert steps["organisation"] == "华东联钢贸易有限公司"


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ("base_url = 'http://10.9.9.9/k3cloud'", "address"),
        ("base_url = 'http://127.0.0.1:1/k3cloud'", "tcp"),
        ('settings = settings || \'{"acct_id": "other"}\'', "service"),
        ('settings = settings || \'{"username": "nobody"}\'', "login"),
        ("organisation = ''", "organisation"),
    ],
)
def test_a_check_names_the_step_that_fails(house, change, failing):
    house.sql(f"UPDATE ts.erp_connection SET {change}")
    plain = house.rules
    from core.sync import OutboundRule

    house.rules = lambda: [*plain(), OutboundRule.parse("127.0.0.1:1")]
    assert run(house, "check")["check"] == "failed"
    (connection,) = rows(house, ErpConnection)
    *passed, last = connection.checked["steps"]
    assert (last["name"], last["ok"]) == (failing, False)
    assert all(step["ok"] for step in passed)


def test_a_run_knows_how_many_rows_come_where_the_other_system_says_so(house, small_pages, monkeypatch):
    many(house)
    original = kingdee_streams.Materials.pull

    def counted(self, cursor, position):
        for page in original(self, cursor, position):
            object.__setattr__(page, "total", 36)
            yield page

    monkeypatch.setattr(kingdee_streams.Materials, "pull", counted)
    run(house, "products")
    (row,) = rows(house, SyncRun)
    assert (row.read, row.total) == (36, 36)


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("read", "total", "after", "state", "told"),
    [
        (6412, 18960, 128.24, "running", (33, 50, 250)),
        (0, 18960, 10, "running", (0, None, None)),
        (5, 18960, 0.2, "running", (0, None, None)),
        (100, 100, 10, "running", (99, 10, 0)),
        (101, 100, 10, "running", (None, 10, None)),
        (100, None, 10, "running", (None, 10, None)),
        (0, 0, 10, "running", (None, None, None)),
        (100, 200, 10, "cancelled", (None, 10, None)),
    ],
)
def test_progress_says_no_more_than_is_known(read, total, after, state, told):
    over = state != "running"
    end = NOON + timedelta(seconds=after)
    row = SyncRun(state=state, read=read, total=total, started_at=NOON, ended_at=end if over else None)
    found = reading.progress(row, NOON + timedelta(days=1) if over else end)
    assert (found.percent, found.per_second and round(found.per_second), found.seconds_left) == told

"""Streams of the new kinds through the worker: a run of them, what is said once, and who lands what."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.db import Database
from core.stock import StockLevel
from core.sync import (
    Connector,
    NewConnection,
    Page,
    PartnerIn,
    ProductIn,
    Puller,
    Registry,
    Step,
    StockIn,
    Stream,
    SyncIssue,
    SyncRun,
    connect,
    sync_now,
)
from core.tenancy import register_enterprise
from tests.conftest import make_unit

TENANT = UUID("01990000-0000-7000-8000-0000000000b1")


class Told(Stream):
    """Hands out what the test put into the connector."""

    every = timedelta(hours=1)

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        yield Page(tuple({"at": at} for at in range(len(self.rows))), "0", "1")

    def to_core(self, row: Any) -> Any:
        return self.rows[row["at"]]


class Products(Told):
    key, title = "products", "Products"


class Partners(Told):
    key, title = "partners", "Partners"


class Stock(Told):
    key, title = "stock", "Stock"


class Counter(Connector):
    """A warehouse that reports its stock and is not the one that counts."""

    key = "counter"
    title = "Counter"
    summary = "Reports"
    settings = ()
    streams = (Products, Partners, Stock)
    unique_reference = True
    can_look_up = True
    settle = timedelta(seconds=1)
    stock_counts = False

    def __init__(self) -> None:
        self.told: dict[str, list[Any]] = {}
        self.closed = 0

    def open(self, access: Any, http: Any) -> Any:
        return self

    def stream(self, key: str) -> Stream:
        return next(each for each in self.streams if each.key == key)(self.told.get(key, []))

    def close(self) -> None:
        self.closed += 1

    def check(self, access: Any, http: Any) -> Iterator[Step]:
        yield Step("read", True, "")


class Yard:
    """An enterprise wired to the counter."""

    def __init__(self, app: Database, worker: Database) -> None:
        self.app, self.counter = make_unit(app), Counter()
        self.puller = Puller(make_unit(worker), Registry([self.counter]), lambda: [])
        with self.app.system(TENANT, "test") as ctx:
            register_enterprise(ctx, name="华东联钢", uscc="91310000MA1FL4XY7W", kind="trader")
            given = NewConnection("仓库", "https://wms.example.com", "", {})
            self.connection_id = connect(ctx, self.counter, given).id

    def run(self, key: str, *items: Any) -> SyncRun:
        self.counter.told[key] = list(items)
        with self.app.system(TENANT, "test") as ctx:
            sync_now(ctx, self.connection_id, key)
        while claimed := self.puller.claim():
            self.puller.run(claimed)
        return self.rows(SyncRun)[-1]

    def rows(self, model: Any) -> list[Any]:
        with self.app.system(TENANT, "test") as ctx:
            return list(ctx.session.scalars(select(model).order_by(model.id)))


@pytest.fixture
def yard(fresh_db: Database, worker_db: Database) -> Yard:
    return Yard(fresh_db, worker_db)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (PartnerIn("7", "C7", "陌生人", "91350100M000100Y43"), "sync.partner_unknown"),
        (StockIn("7", "NONE", "W1", "pcs", Decimal(5)), "sync.product_unknown"),
    ],
)
def test_what_is_left_out_is_said_once_however_often_it_is_read(yard: Yard, record: Any, code: str) -> None:
    runs = [yard.run("partners", record) for _ in range(3)]
    assert [(run.state, run.stored, run.skipped) for run in runs] == [("done", 0, 1)] * 3
    assert [(each.code, each.run_id) for each in yard.rows(SyncIssue)] == [(code, runs[0].id)]


def test_stock_that_is_only_reported_is_compared_and_said_again_when_it_says_something_else(
    yard: Yard,
) -> None:
    yard.run("products", ProductIn("1", "B1", "螺栓", "pcs"))
    for quantity in ("5", "5", "6"):
        yard.run("stock", StockIn("1", "B1", "W1", "pcs", Decimal(quantity)))
    said = [each.said for each in yard.rows(SyncIssue)]
    assert said == ["W1: 0 / 5 pcs", "W1: 0 / 6 pcs"]
    with yard.app.system(TENANT, "test") as ctx:
        assert ctx.session.scalars(select(StockLevel)).all() == []


def test_what_lands_is_in_the_trail_in_the_name_of_the_connection(yard: Yard) -> None:
    yard.run("products", ProductIn("1", "B1", "螺栓", "pcs"))
    actors = {
        (each.actor_kind, each.actor_name) for each in yard.rows(AuditEntry) if "product" in each.action
    }
    assert actors == {("connector", "仓库")}

"""REST through the real engine: the fault matrix, batches, late answers, and the drill."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.generic.rest.client import Client
from connectors.generic.rest.simulator import Simulator, settings_for
from connectors.generic.rest.simulator.books import item
from connectors.generic.rest.system import Rest
from core.db import Database
from core.sync import replay
from tests.conftest import make_unit
from tests.connectors.generic_house import (
    House,
    more_items,
)
from tests.sync.draining import drain
from tongshang.connect import (
    OutboundRule,
)


@pytest.fixture
def erp() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def house(fresh_db: Database, worker_db: Database, erp: Simulator, monkeypatch) -> House:
    monkeypatch.setattr("connectors.generic.rest.client.PATIENCE", (0.4, 0.4))
    rules = [OutboundRule.parse(f"127.0.0.1:{erp.port}")]
    plain = Client.__post_init__

    def hasty(self):
        plain(self)
        self.timeout = (0.4, 0.4)

    monkeypatch.setattr(Client, "__post_init__", hasty)
    units = make_unit(fresh_db), make_unit(worker_db)
    return House(*units, Rest(), erp.url, settings_for(), lambda: rules)


def live(erp) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for order in erp.books.orders:
        found.setdefault(order["ref"], []).append(order)
    return found


MATRIX = {
    "timeout before commit": {"mode": "timeout_before", "seconds": 0.7, "times": 1},
    "timeout after commit": {"mode": "timeout_after", "seconds": 0.7, "times": 1},
    "502": {"mode": "status_500_after", "times": 1},
    "duplicate": {"mode": "done_twice", "times": 1},
    "locked": {"mode": "locked", "times": 2},
    "bad charset": {"mode": "bad_charset", "times": 1},
    "slow": {"mode": "slow", "seconds": 0.9, "times": 1},
}


@pytest.mark.parametrize("act", ["create", "change", "void"])
@pytest.mark.parametrize("trouble", MATRIX)
def test_one_document_whatever_breaks(house, erp, trouble, act):
    """V-ER1: the fault matrix for orders made, changed and cancelled."""
    if act == "create":
        erp.faults.set([{"match": act, **MATRIX[trouble]}])
        house.order("SO-1")
    else:
        id = house.order("SO-1")
        assert house.push(house.engine()) == ["done"]
        erp.faults.set([{"match": act, **MATRIX[trouble]}])
        house.change(id) if act == "change" else house.wish(id, "cancel", 4)
    assert house.push(house.engine())[-1] == "done"
    (order,) = live(erp)["SO-1"]
    assert order["state"] == ("void" if act == "void" else "approved")
    assert order["money"]["total"] == Decimal("11586.00" if act == "change" else "12316.00")
    assert erp.faults.as_json()[0]["hits"] >= 1


def test_of_a_batch_one_is_refused_and_only_that_one_waits_for_a_person(house, erp):
    """V-ER1, partial batch: each order stands by itself, and the refused one passes when it is replayed."""
    for no in (1, 2, 3):
        house.order(f"SO-{no}")
    erp.faults.set([{"match": {"operation": "create", "number": "SO-2"}, "mode": "refused_200", "times": 1}])
    house.push(house.engine())
    assert [state for *_, state in house.states()] == ["done", "failed", "done"]
    ((said,),) = house.sql("SELECT cause_text FROM ts.sync_document WHERE state = 'failed'")
    assert "信用额度不足" in said
    with house.app.system(house.seller, "test") as ctx:
        replay(ctx, house.connection_id)
    house.push(house.engine())
    assert {state for *_, state in house.states()} == {"done"}
    assert {ref: len(found) for ref, found in live(erp).items()} == {"SO-1": 1, "SO-2": 1, "SO-3": 1}


def test_an_order_that_is_found_late_is_not_sent_twice(house, erp):
    erp.books.lag = 0.3
    house.order("SO-1")
    engine = house.engine(settle=timedelta(seconds=0.5))
    (task,) = engine.claim()
    assert engine.run(task) == "unknown"
    threading.Event().wait(0.6)
    (task,) = engine.claim()
    assert engine.run(task) == "done"
    engine.close()
    assert len(erp.books.orders) == 1


def test_products_and_stock_come_in_through_the_puller(house, erp):
    more_items(erp, 120)
    erp.books.merge({"items": [item(900, "", "没有编码", "PCE"), item(901, "M900", "奇怪单位", "打")]})
    assert house.pull("products") == "done"
    assert house.pull("stock") == "done"
    runs = house.sql("SELECT stream, read, stored, skipped FROM ts.sync_run ORDER BY started_at")
    assert runs == [("products", 122, 120, 2), ("stock", 2, 2, 0)]
    assert house.sql("SELECT code FROM ts.sync_issue ORDER BY code") == [
        ("generic.field_missing",),
        ("generic.unit_unknown",),
    ]


DRILL = (
    "drop_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "status_500_after",
    "html_200",
    "cut_body",
)
OWN = ("locked", "busy", "done_twice", "bad_charset")


def drill(house, erp, count: int, probability: float) -> None:
    """Two workers push `count` orders at once while every kind of trouble falls on the calls."""
    share = probability / (len(DRILL) + len(OWN))
    erp.faults.set([{"mode": mode, "probability": share, "seconds": 0.6} for mode in (*DRILL, *OWN)])
    for number in range(count):
        house.order(f"SO-{number:04}", bearings=str(number + 1))
    drain(house)


def proof(house, erp, count: int) -> int:
    """One document for every order, or a reason; nothing twice, nothing without an order. How many are done."""
    rows = house.sql("SELECT reference, state, cause, cause_text, remote_id FROM ts.sync_document")
    assert len(rows) == count
    orders = live(erp)
    assert all(len(found) == 1 for found in orders.values())
    for reference, state, cause, said, remote_id in rows:
        if state == "done":
            assert str(orders[reference][0]["docId"]) == remote_id
        else:
            assert state == "held" and cause and said, (reference, state)
    assert set(orders) <= {reference for reference, *_ in rows}
    return sum(state == "done" for _, state, *_ in rows)


def test_orders_through_a_misbehaving_service_become_one_document_each(house, erp):
    drill(house, erp, 12, 0.35)
    assert proof(house, erp, 12) >= 10


@pytest.mark.slow
def test_two_hundred_orders_through_a_service_that_breaks_half_of_its_calls(house, erp):
    drill(house, erp, 200, 0.53)
    assert proof(house, erp, 200) >= 150

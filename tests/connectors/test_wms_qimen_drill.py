"""A Qimen warehouse behind the real engine: the matrix of faults, and a drill."""

from collections.abc import Iterator

import pytest

from connectors.wms.qimen import connector
from connectors.wms.qimen.simulator import Simulator
from tests.conftest import make_unit
from tests.connectors.wms_house import WarehouseHouse, drill, hasty


@pytest.fixture
def warehouse() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def silent() -> Iterator[Simulator]:
    """A warehouse whose look-ups show no quantities."""
    with Simulator(tells_plan=False) as simulator:
        yield simulator


@pytest.fixture
def house(fresh_db, worker_db, warehouse) -> WarehouseHouse:
    return WarehouseHouse(make_unit(fresh_db), make_unit(worker_db), connector(), warehouse)


def test_an_order_goes_from_the_platform_to_the_warehouse_in_its_units(house, warehouse):
    house.order("SO-1")
    assert house.push(house.engine()) == ["done"]
    assert [(line.item, line.planned) for line in warehouse.world.orders["SO-1"].lines] == [
        ("BRG-6204", 120),
        ("RB-HRB400E-16", 2000),
    ]
    ((_, _, state, cause, _, remote),) = house.documents()
    assert (state, cause, remote) == ("done", None, "W000001")


MATRIX = {
    "timeout before commit": {"mode": "timeout_before", "times": 1, "seconds": 0.5},
    "timeout after commit": {"mode": "timeout_after", "times": 1, "seconds": 0.5},
    "502": {"mode": "status_500_after", "times": 1},
    "duplicate": None,
    "bad charset": {"mode": "bad_charset", "times": 1},
    "slow": {"mode": "slow", "times": 1, "seconds": 0.15},
    "busy": {"mode": "busy", "times": 1},
    "look-up lag": {"mode": "look_up_lag", "times": 1, "seconds": 0.05},
}


@pytest.mark.parametrize("intent", ["create", "cancel", "change"])
@pytest.mark.parametrize("trouble", MATRIX)
def test_orders_and_warehouse_agree_after_every_kind_of_trouble(
    house, warehouse, monkeypatch, trouble, intent
):
    """V-ER1. A change there is a cancellation and a new order."""
    hasty(monkeypatch)
    id = house.order("SO-1")
    if intent != "create":
        assert house.push(house.engine()) == ["done"]
        house.wish(id, intent, 4, "100" if intent == "change" else "")
    operation = {"create": "stockout.create", "cancel": "order.cancel", "change": "stockout.create"}[intent]
    if MATRIX[trouble] is None:  # the same wish is written twice, and the warehouse is told twice
        house.wish(id, intent, 3 if intent == "create" else 4)
    else:
        warehouse.faults.set([{"match": operation, **MATRIX[trouble]}])
    states = house.push(house.engine())
    assert states[-1] == "done", house.documents()
    living = {code: held for code, held in warehouse.world.orders.items() if held.status != "CANCELED"}
    if intent == "cancel":
        assert living == {}
    else:
        ((code, held),) = living.items()
        assert code == ("SO-1" if intent == "create" else "SO-1_v2")
        assert held.lines[0].planned == (120 if intent == "create" else 100)
    assert all(state == "done" for _, _, state, *_ in house.documents())


@pytest.mark.parametrize("intent", ["create", "cancel", "change"])
@pytest.mark.parametrize(
    "trouble", ["timeout before commit", "timeout after commit", "502", "busy", "look-up lag"]
)
def test_they_agree_also_where_only_the_code_proves_an_order(
    fresh_db, worker_db, silent, monkeypatch, trouble, intent
):
    hasty(monkeypatch)
    house = WarehouseHouse(make_unit(fresh_db), make_unit(worker_db), connector(), silent, proof="code")
    id = house.order("SO-1")
    if intent != "create":
        assert house.push(house.engine()) == ["done"]
        house.wish(id, intent, 4, "100" if intent == "change" else "")
    operation = "order.cancel" if intent == "cancel" else "stockout.create"
    silent.faults.set([{"match": operation, **MATRIX[trouble]}])
    assert house.push(house.engine())[-1] == "done", house.documents()
    living = {
        code: held.lines[0].planned for code, held in silent.world.orders.items() if held.status == "ACCEPT"
    }
    assert living == {"create": {"SO-1_v3": 120}, "change": {"SO-1_v4": 100}, "cancel": {}}[intent]


def proof(house, warehouse, count: int) -> int:
    """One order for every order, or a reason; nothing twice, nothing without an order. How many are done."""
    rows = house.documents()
    assert len(rows) == count
    assert set(warehouse.world.orders) <= {reference for reference, *_ in rows}
    for reference, _, state, cause, said, remote in rows:
        if state == "done":
            held = warehouse.world.orders[reference]
            assert (held.id, held.lines[0].planned) == (remote, int(reference.removeprefix("SO-")) + 1)
        else:
            assert state == "held" and cause and said, (reference, state)
    return sum(state == "done" for _, _, state, *_ in rows)


MORE = ("busy", "bad_charset", "look_up_lag")


def test_orders_through_a_misbehaving_warehouse_become_one_order_each(house, warehouse, monkeypatch):
    hasty(monkeypatch)
    drill(house, 12, 0.35, MORE)
    assert proof(house, warehouse, 12) >= 10


@pytest.mark.slow
def test_two_hundred_orders_through_a_warehouse_that_breaks_half_of_its_calls(house, warehouse, monkeypatch):
    hasty(monkeypatch)
    drill(house, 200, 0.53, MORE)
    proof(house, warehouse, 200)

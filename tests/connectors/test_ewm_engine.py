"""From an order here to goods that left the warehouse and back, behind the real engine, in spite of trouble."""

from collections.abc import Iterator

import pytest

from connectors.sap.ewm.simulator import Warehouse
from connectors.sap.ewm.system import SapEwm
from core.fulfilment import ShipmentLine
from core.kernel import Actor, uuid7
from core.sync import ErpConnection
from core.sync.documents import order_out
from core.sync.landing import grants_of
from core.sync.store import store
from tests.conftest import make_unit
from tests.connectors.test_ewm_link import http_to
from tests.connectors.wms_house import WarehouseHouse
from tests.fulfilment.trading import new_trade
from tongshang.connect import Access, Trace


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with Warehouse() as made:
        made.world.warehouse = "WH01"
        yield made


@pytest.fixture
def house(fresh_db, worker_db, warehouse) -> WarehouseHouse:
    return WarehouseHouse(make_unit(fresh_db), make_unit(worker_db), SapEwm(), warehouse)


def sell(warehouse, number, count="120"):
    return warehouse.world.sell(number, {"10": ("BRG-6204", count, "PC"), "20": ("RB-HRB400E-16", "2", "TO")})


TROUBLE = ["drop_before", "drop_after", "status_500_after", "cut_body", "html_200", "locked", "csrf_expired"]


@pytest.mark.parametrize("intent", ["create", "change", "cancel"])
@pytest.mark.parametrize("mode", TROUBLE)
def test_orders_and_deliveries_agree_after_every_kind_of_trouble(house, warehouse, mode, intent):
    sell(warehouse, "SO-1")
    id = house.order("SO-1")
    if intent != "create":
        house.push(house.engine())
        house.wish(id, intent, 4, "100" if intent == "change" else "")
    warehouse.faults.set([{"match": what, "mode": mode, "times": 1} for what in ("create", "delete")])
    house.push(house.engine())
    assert {row[2] for row in house.documents()} <= {"done", "superseded"}
    held = [[str(row[2]) for row in each.items.values()] for each in warehouse.world.deliveries.values()]
    assert held == {"create": [["120", "2"]], "change": [["100", "2"]], "cancel": []}[intent]


def test_an_order_waits_for_s4_and_goes_when_it_is_there(house, warehouse):
    house.order("SO-1")
    engine = house.engine()
    for task in engine.claim():
        engine.run(task)
    ((_, _, state, cause, _, _),) = house.documents()
    assert (state, cause) == ("new", "ewm.order_missing")
    sell(warehouse, "SO-1")
    house.later(600)
    house.push(engine)
    assert house.documents()[0][2] == "done" and len(warehouse.world.deliveries) == 1


def test_goods_that_left_land_on_the_order_once(make_ctx, tenant, other_tenant, warehouse):
    trade = new_trade(make_ctx, tenant, other_tenant)
    trade.set_up({"RB12": 1000, "RB16": 1000})
    trade.order({"RB12": 100, "RB16": 50})
    ctx, connection = trade.ctx, uuid7()
    row = {"connector": "sap_ewm", "name": "EWM", "base_url": "https://s4.example.com", "secrets": "{}"}
    ctx.session.add(ErpConnection(id=connection, tenant_id=ctx.tenant_id, **row))
    ctx.session.flush()
    facts = order_out(ctx, trade.now, 1)
    items = {str(line.no * 10): (line.material, str(line.quantity), "TO") for line in facts.lines}
    warehouse.world.sell(facts.reference, items)
    values = SapEwm().demo_values()
    access = Access(warehouse.url, "WH01", dict(values), {"password": values["password"]})
    with http_to(warehouse) as http:
        link = SapEwm().open(access, http)
        link.trace, link.before_write = Trace(), lambda: None
        found = link.send(link.bill(facts, lambda *_: None), None)
        warehouse.world.issue(found.number)
        stream = link.stream("deliveries")
        told = [stream.to_core(row) for page in stream.pull(None, None) for row in page.rows]
    ctx.actor, ctx.grants, ctx.everything = Actor("connector", connection, "EWM"), grants_of(told), False
    for _ in range(2):
        assert store(ctx, connection, [({}, item) for item in told], stock_counts=False) == (1, [])
    assert sorted(
        ctx.session.scalars(ShipmentLine.__table__.select().with_only_columns(ShipmentLine.quantity))
    ) == [50, 100]

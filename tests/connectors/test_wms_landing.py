"""From an order here to goods shipped there and back: what the warehouse confirms lands on the order, once."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from connectors.wms import flux, qimen
from connectors.wms.flux.simulator import Simulator as FluxSimulator
from connectors.wms.qimen.simulator import Simulator as QimenSimulator
from core.fulfilment import ShipmentLine
from core.kernel import Actor, uuid7
from core.sync import ErpConnection
from core.sync.documents import order_out
from core.sync.landing import grants_of
from core.sync.store import store
from tests.connectors.wms_house import access, act, linked, nobody, portal
from tests.fulfilment.trading import new_trade

D = Decimal
UNITS = {"item_units": "RB16=kg", "unit": "t", "fractions": "1"}
ADDRESS = "江苏省苏州市吴江区八坼街道 1 号"


@pytest.fixture
def trade(make_ctx, tenant, other_tenant):
    """100 t and 50 t ordered; the warehouse counts the second in kilograms."""
    made = new_trade(make_ctx, tenant, other_tenant)
    made.set_up({"RB12": D(1000), "RB16": D(1000)})
    made.order({"RB12": D(100), "RB16": D(50)})
    return made


@pytest.mark.parametrize(
    ("connector", "simulator"),
    [(qimen.connector(), QimenSimulator), (flux.connector(), FluxSimulator)],
    ids=["qimen", "flux"],
)
def test_what_the_warehouse_ships_lands_on_the_order_once(trade, connector, simulator):
    ctx, order = trade.ctx, trade.now
    connection = uuid7()
    row = {"connector": connector.key, "name": "仓库", "base_url": "https://wms.example.com", "secrets": "{}"}
    ctx.session.add(ErpConnection(id=connection, tenant_id=ctx.tenant_id, **row))
    ctx.session.flush()
    order.ship_to = order.ship_to or ADDRESS
    facts = order_out(ctx, order, 1)
    with simulator() as warehouse:
        with linked(connector, warehouse, **UNITS) as link:
            link.send(link.bill(facts, nobody), None)
        told = []

        def hear(push):
            told.append(connector.hear(access(connector, warehouse, **UNITS), push))
            return told[-1]

        with portal(hear) as (url, keys):
            part = {str(facts.lines[0].no): "30", str(facts.lines[1].no): "5500"}
            assert act(warehouse, "confirm", code=facts.reference, url=url, quantities=part, pause=0.01)[
                "taken"
            ]
            assert act(warehouse, "confirm", code=facts.reference, url=url, pause=0.01)["taken"]
    assert len(keys) == 3 and len(set(keys)) == 2  # the first one was repeated, because the portal was busy
    ctx.actor = Actor("connector", connection, "仓库")
    for (
        heard
    ) in told:  # the repeated one too: the inbox would not let it through, and it must do no harm if it did
        ctx.grants, ctx.everything = grants_of(heard.records), False
        stored, left = store(ctx, connection, [({}, record) for record in heard.records], stock_counts=False)
        assert (stored, left) == (1, [])
    found = ctx.session.execute(select(ShipmentLine.order_line_id, ShipmentLine.quantity)).all()
    assert sorted(quantity for _, quantity in found) == [D("5.5"), D("30"), D("44.5"), D("70")]

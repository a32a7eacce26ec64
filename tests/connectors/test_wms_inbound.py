"""Inbound orders: goods announced to the buyer's warehouse, made once, taken back, and counted in under their own name."""

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from connectors.wms import flux, qimen, signing, xmltext
from connectors.wms.flux.simulator import Simulator as FluxSimulator
from connectors.wms.pushing import Sending
from connectors.wms.qimen.simulator import Simulator as QimenSimulator
from connectors.wms.qimen.simulator.world import Order
from core.fulfilment import ShipmentLine
from core.kernel import Actor, uuid7
from core.sync import ErpConnection
from core.sync.documents import wish
from core.sync.facts import shipment_out
from core.sync.landing import grants_of
from core.sync.store import store
from tests.conftest import make_unit
from tests.connectors.wms_house import WarehouseHouse, access, act, linked, nobody, portal, pushed
from tests.fulfilment.trading import new_trade
from tongshang.connect import GoodsOut, LineOut, MovedLine, PushRefused, Rejected, Uncertain, differences

D = Decimal


def goods(reference: str = "SH-1-ABCD", *quantities: str, **changes: object) -> GoodsOut:
    """An announcement of bearings, of one order's second line and another one's first."""
    lines = tuple(
        LineOut(no, uuid7(), "BRG-6204", "轴承", "pcs", D(count), D("0.13"), D(100), "SO-1-ABCD", 3 - no)
        for no, count in enumerate(quantities or ("120", "30"), 1)
    )
    told: dict[str, object] = {
        "kind": "inbound_order",
        "object_id": uuid7(),
        "reference": reference,
        "version": 1,
        "partner_id": uuid7(),
        "partner_name": "江南钢材 <有限> 公司",
        "partner_code": "91310000MA1FL4XY7W",
        "order_reference": "SO-1-ABCD",
        "currency": "CNY",
        "total": D(200),
        "moved_on": date(2026, 11, 23),
        "carrier": "中远",
        "waybill": "WB-1",
        "note": "",
        "lines": lines,
    }
    return GoodsOut(**(told | changes))  # type: ignore[arg-type]


@pytest.fixture
def warehouse():
    with QimenSimulator() as simulator:
        yield simulator


@pytest.fixture
def filing(warehouse):
    with linked(qimen.connector(), warehouse) as link:
        yield link.filing("inbound_order")


def sent(filing, document=None):
    bill = filing.bill(document or goods(), nobody)
    return bill, filing.send(bill, filing.find(bill.reference))


def held(warehouse, code: str = "SH-1-ABCD") -> Order:
    return warehouse.world.orders[code]


def test_an_announcement_is_made_once_and_found_by_its_reference(warehouse, filing):
    assert filing.find("SH-1-ABCD") is None
    bill, found = sent(filing)
    assert not differences(bill, found) and found.finished
    order = held(warehouse)
    assert (order.kind, order.type) == ("entryorder", "CGRK")
    assert [(line.no, line.item, line.planned) for line in order.lines] == [
        ("1", "BRG-6204", 120),
        ("2", "BRG-6204", 30),
    ]
    assert sent(filing)[1] == found and len(warehouse.world.orders) == 1


def test_orders_and_announcements_are_kept_apart(warehouse):
    with linked(qimen.connector(), warehouse) as link:
        sent(link.filing("inbound_order"))
        assert link.find("SH-1-ABCD") is None
        assert link.filing("sales_order") is link
        with pytest.raises(KeyError):
            link.filing("receipt")


def test_an_announcement_is_taken_back_until_work_has_begun(warehouse, filing):
    _, found = sent(filing)
    assert filing.cancel(found).cancelled and held(warehouse).status == "CANCELED"
    assert filing.find("SH-1-ABCD") is None
    _, again = sent(filing)
    assert again.number == "SH-1-ABCD_v2"
    warehouse.world.pick(again.number)
    with pytest.raises(Rejected):
        filing.cancel(again)


@pytest.mark.parametrize("mode", ["drop_after", "status_500_after", "cut_body"])
def test_a_lost_answer_is_looked_up_and_nothing_is_announced_twice(warehouse, filing, mode):
    bill = filing.bill(goods(), nobody)
    warehouse.faults.set([{"match": "entryorder.create", "mode": mode, "times": 1}])
    with pytest.raises(Uncertain):
        filing.send(bill, None)
    found = filing.find(bill.reference)
    assert found and not differences(bill, found) and len(warehouse.world.orders) == 1


def test_the_mapped_number_of_the_seller_goes_along_else_his_code(filing):
    assert filing.bill(goods(), nobody).body["supplier"] == "91310000MA1FL4XY7W"
    known = filing.bill(goods(), lambda kind, id: "V-7" if kind == "supplier" else None)
    assert known.body["supplier"] == "V-7"
    with pytest.raises(Rejected) as refused:
        filing.bill(goods("SH-2", "1.5"), nobody)
    assert refused.value.code == "qimen.fraction"


def test_what_is_counted_in_comes_back_under_the_announcement(warehouse, filing):
    sent(filing)
    connector = qimen.connector()
    method, inside = warehouse._receive({"code": "SH-1-ABCD", "quantities": {"1": "118"}}, "")
    body = xmltext.document(xmltext.tag("request", inside))
    heard = connector.hear(access(connector, warehouse), pushed(warehouse.signed(method, body, "http://x")))
    (receipt,) = heard.records
    assert receipt.reference == "SH-1-ABCD" and receipt.lines == (MovedLine(1, "BRG-6204", D(118), "pcs"),)
    assert warehouse.world.stock["BRG-6204"] == 118


# -- FLUX


@pytest.fixture(params=["form", "json"])
def flux_house(request):
    gateway = request.param
    with FluxSimulator(gateway=gateway) as made, linked(flux.connector(), made, gateway=gateway) as link:
        yield made, link, gateway


def test_flux_takes_an_announcement_replaces_it_while_it_is_open_and_cancels_it(flux_house):
    simulator, link, _ = flux_house
    filing = link.filing("inbound_order")
    assert filing.find("SH-1-ABCD") is None
    _, found = sent(filing)
    order = simulator.world.orders["SH-1-ABCD"]
    assert (order.kind, order.type, [(line.sku, line.ordered) for line in order.lines]) == (
        "asn",
        "PO",
        [("BRG-6204", 120), ("BRG-6204", 30)],
    )
    assert link.find("SH-1-ABCD") is None  # orders out are kept apart
    sent(filing, goods("SH-1-ABCD", "100"))
    assert [line.ordered for line in order.lines] == [100] and len(simulator.world.orders) == 1
    assert filing.cancel(found).cancelled and order.status == "90"


def test_flux_refuses_what_it_works_on_and_a_lost_answer_is_uncertain(flux_house):
    simulator, link, _ = flux_house
    filing = link.filing("inbound_order")
    bill = filing.bill(goods(), nobody)
    simulator.faults.set([{"match": "put_asn", "mode": "drop_after", "times": 1}])
    with pytest.raises(Uncertain):
        filing.send(bill, None)
    found = filing.find("SH-1-ABCD")
    assert found and filing.send(bill, found).number == "SH-1-ABCD"
    simulator.world.allocate("SH-1-ABCD")
    with pytest.raises(Rejected):
        filing.send(bill, found)
    with pytest.raises(Rejected):
        filing.cancel(found)


def test_flux_tells_what_it_counted_in_under_the_announcement(flux_house):
    simulator, link, gateway = flux_house
    sent(link.filing("inbound_order"))
    connector = flux.connector()
    method, inside = simulator._receive({"code": "SH-1-ABCD", "quantities": {"2": "29"}}, "")
    push = pushed(simulator.signed(method, inside, "http://x"))
    (receipt,) = connector.hear(access(connector, simulator, gateway=gateway), push).records
    assert receipt.reference == "SH-1-ABCD" and receipt.lines == (MovedLine(2, "BRG-6204", D(29), "pcs"),)


# -- the whole way


@pytest.mark.parametrize(
    ("connector", "simulator"),
    [(qimen.connector(), QimenSimulator), (flux.connector(), FluxSimulator)],
    ids=["qimen", "flux"],
)
def test_what_the_warehouse_takes_in_lands_on_the_shipment_it_was_told_of(
    make_ctx, tenant, other_tenant, connector, simulator
):
    trade = new_trade(make_ctx, tenant, other_tenant)
    trade.set_up({"RB12": D(1000), "RB16": D(1000)})
    trade.order({"RB12": D(100), "RB16": D(50)})
    trade.ship("60", "0")
    shipment = trade.ship("10", "20")
    with trade.buyer() as ctx, simulator() as warehouse:
        id = uuid7()
        row = {
            "connector": connector.key,
            "name": "仓库",
            "base_url": "https://wms.example.com",
            "secrets": "{}",
        }
        ctx.session.add(ErpConnection(id=id, tenant_id=ctx.tenant_id, **row))
        ctx.session.flush()
        facts = shipment_out(ctx, shipment.id)
        units = {"unit": "t", "fractions": "1"}
        with linked(connector, warehouse, **units) as link:
            filing = link.filing("inbound_order")
            filing.send(filing.bill(facts, nobody), None)
        told = []

        def hear(push):
            told.append(connector.hear(access(connector, warehouse, **units), push))
            return told[-1]

        with portal(hear) as (url, _):
            counts = {"1": "9", "2": "20"}
            act(warehouse, "receive", code=facts.reference, url=url, quantities=counts, pause=0.01)
        kept = ctx.actor, ctx.grants, ctx.everything
        ctx.actor = Actor("connector", id, "仓库")
        for heard in told:  # the portal was busy at the first one, so it came twice
            ctx.grants, ctx.everything = grants_of(heard.records), False
            assert store(ctx, id, [({}, one) for one in heard.records], stock_counts=False) == (1, [])
        ctx.actor, ctx.grants, ctx.everything = kept
        found = ctx.session.execute(select(ShipmentLine.quantity, ShipmentLine.received)).all()
    assert sorted(tuple(row) for row in found) == [(D(10), D(9)), (D(20), D(20)), (D(60), D(0))]


def test_the_engine_announces_what_was_shipped_and_only_where_it_was_asked_for(
    fresh_db, worker_db, warehouse
):
    house = WarehouseHouse(make_unit(fresh_db), make_unit(worker_db), qimen.connector(), warehouse)
    announced = goods()
    with house.app.system(house.seller, "test") as ctx:
        assert wish(ctx, "inbound_order", announced.object_id, "create", 1, lambda: announced) == 0
        ctx.session.execute(update(ErpConnection).values(documents=["inbound_order"]))
        assert wish(ctx, "inbound_order", announced.object_id, "create", 1, lambda: announced) == 1
    warehouse.faults.set([{"match": "entryorder.create", "mode": "drop_after", "times": 1}])
    house.push(house.engine())
    assert [row[2] for row in house.documents()] == ["done"] and len(warehouse.world.orders) == 1


# -- moves that were damaged on their way, though signed well


@pytest.mark.parametrize("name", ["qimen", "flux"])
def test_mutated_reports_of_moves_are_refused_or_read_and_never_break(name):
    dice = random.Random(9)
    made = qimen.connector() if name == "qimen" else flux.connector()
    simulator = (QimenSimulator if name == "qimen" else FluxSimulator)()
    with simulator as warehouse:
        method, inside = warehouse._change({"item": "BRG-6204", "quantity": "-2.5"}, "")
        if name == "qimen":
            whole = xmltext.document(xmltext.tag("request", inside))
        else:
            whole = json.dumps({"data": {"orderinfo": [inside]}}, ensure_ascii=False).encode()
        told = access(made, warehouse, gateway="json") if name == "flux" else access(made, warehouse)
        for _ in range(800):
            body = bytearray(whole)
            for _ in range(dice.randint(1, 4)):
                body[dice.randrange(len(body))] = dice.choice(b'<>"{}[]:,.-019eEN \x00\xff')
            try:
                heard = made.hear(told, pushed(_signed(warehouse, name, method, bytes(body))))
            except PushRefused:
                continue
            assert all(move.quantity and move.quantity.is_finite() for move in heard.records)


def _signed(warehouse, name, method, body):
    if name == "qimen":
        return warehouse.signed(method, body, "http://x")
    text = body.decode("utf-8", "replace")
    fields = {
        "method": method,
        "apptoken": warehouse.account.app_token,
        "appkey": warehouse.account.app_key,
        "timestamp": signing.stamp(datetime.now(UTC)),
        "sign": signing.flux(text, warehouse.account.secret, warehouse.variant),
    }
    return Sending(f"http://x?{urlencode(fields)}", text.encode(), "application/json")

"""A Qimen warehouse: orders out through every kind of trouble, stock in, and what the warehouse sends by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.wms import xmltext
from connectors.wms.qimen import connector
from connectors.wms.qimen.simulator import Order, Simulator, server
from connectors.wms.qimen.simulator.world import Line
from connectors.wms.qimen.system import NOBODY, Qimen
from core.sync.conformance import ConnectorConformance
from tests.connectors.wms_house import (
    access,
    hasty,
    linked,
    nobody,
    order,
)
from tongshang.connect import (
    FixSettings,
    Found,
    LeaseLost,
    OutboundRule,
    Rejected,
    RetryLater,
    Uncertain,
    differences,
    session,
)


class TestQimen(ConnectorConformance):
    connector = Qimen


@pytest.fixture
def warehouse() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def sent(link, made=None, found: Found | None = None) -> Found:
    return link.send(link.bill(made or order(), nobody), found)


# -- orders out


@pytest.mark.parametrize("document", ["stockout", "deliveryorder"])
def test_an_order_arrives_as_it_was_sent(warehouse, document):
    with linked(connector(), warehouse, document=document) as link:
        bill = link.bill(order(), nobody)
        found = link.send(bill, None)
        assert differences(bill, found) == []
        assert (found.number, found.remote_id, found.status) == ("SO-1", "W000001", "ACCEPT")
    held = warehouse.world.orders["SO-1"]
    assert (held.kind, held.type) == (document, "B2BCK" if document == "stockout" else "JYCK")
    assert [(line.no, line.item, line.planned) for line in held.lines] == [
        ("1", "BRG-6204", Decimal(120)),
        ("2", "BRG-6204", Decimal(30)),
    ]


@pytest.mark.parametrize("sign", ["both", "tail"])
@pytest.mark.parametrize("methods", ["full", "short"])
def test_both_signatures_and_both_ways_to_name_methods_are_spoken(sign, methods):
    with (
        Simulator(both_ends=sign == "both") as warehouse,
        linked(connector(), warehouse, sign=sign, methods=methods) as link,
    ):
        assert sent(link).number == "SO-1"


def test_another_signature_than_the_warehouses_asks_for_settings(warehouse):
    with linked(connector(), warehouse, sign="tail") as link, pytest.raises(FixSettings) as refused:
        sent(link)
    assert refused.value.code == "qimen.signature"
    assert warehouse.world.orders == {}


def test_an_order_that_is_there_already_is_found_and_not_made_twice(warehouse):
    with linked(connector(), warehouse) as link:
        first = sent(link)
        assert sent(link) == first
        assert link.find("SO-1") == first
        assert link.find("SO-2") is None
    assert list(warehouse.world.orders) == ["SO-1"]


def test_a_change_cancels_the_order_and_makes_another(warehouse):
    with linked(connector(), warehouse) as link:
        first = sent(link)
        changed = sent(link, order("SO-1", "100"), first)
        again = sent(link, order("SO-1", "90"), changed)
        assert [changed.number, again.number] == ["SO-1_v2", "SO-1_v3"]
        assert link.find("SO-1") == again
    states = {code: held.status for code, held in warehouse.world.orders.items()}
    assert states == {"SO-1": "CANCELED", "SO-1_v2": "CANCELED", "SO-1_v3": "ACCEPT"}


def test_a_change_that_stopped_after_the_cancellation_goes_on_under_the_next_code(warehouse):
    with linked(connector(), warehouse) as link:
        first = sent(link)
        warehouse.faults.set([{"match": "stockout.create", "mode": "drop_before", "times": 1}])
        with pytest.raises(Uncertain):
            sent(link, order("SO-1", "100"), first)
        assert link.find("SO-1") is None
        assert sent(link, order("SO-1", "100")).number == "SO-1_v2"


def test_an_order_in_work_is_neither_changed_nor_cancelled(warehouse):
    with linked(connector(), warehouse) as link:
        first = sent(link)
        warehouse.world.pick("SO-1")
        for act in (lambda: sent(link, order("SO-1", "100"), first), lambda: link.cancel(first)):
            with pytest.raises(Rejected, match="ORDER_IN_WORK"):
                act()
    assert list(warehouse.world.orders) == ["SO-1"]


def test_an_order_that_the_warehouse_refused_is_told_as_cancelled(warehouse):
    with linked(connector(), warehouse) as link:
        sent(link)
        warehouse.world.orders["SO-1"].status = "REJECT"
        found = link.find("SO-1")
        assert found is not None and found.cancelled and found.status == "REJECT"


def test_more_lines_than_a_page_of_the_look_up_come_back_whole(warehouse):
    many = order("SO-1", *[str(count) for count in range(1, 232)])
    with linked(connector(), warehouse) as link:
        bill = link.bill(many, nobody)
        assert differences(bill, link.send(bill, None)) == []
    assert warehouse.calls["stockout.query"] == 3


def test_a_look_up_without_planned_quantities_proves_nothing_and_says_so():
    with Simulator(tells_plan=False) as warehouse, linked(connector(), warehouse) as link:
        with pytest.raises(Uncertain) as unclear:
            sent(link)
        assert unclear.value.code == "qimen.plan_missing"
        with pytest.raises(FixSettings):
            link.find("SO-1")
        warehouse.world.create(Order("", "SH-1", "CGRK", "WH01", "entryorder", [Line("1", "A", Decimal(1))]))
        with pytest.raises(Rejected, match="qimen.plan_missing"):  # stops no order out
            link.filing("inbound_order").find("SH-1")


def test_where_look_ups_show_no_quantities_the_code_tells_the_version():
    with Simulator(tells_plan=False) as warehouse, linked(connector(), warehouse, proof="code") as link:
        bill = link.bill(order(version=3), nobody)
        first = link.send(bill, None)
        assert (first.number, differences(bill, first)) == ("SO-1_v3", [])
        assert link.send(bill, None) == first == link.find("SO-1")
        later = link.bill(order("SO-1", "100", version=4), nobody)
        assert differences(later, first) == ["partner: SO-1_v4 → SO-1_v3"]
        changed = link.send(later, first)
        assert (changed.number, differences(later, changed)) == ("SO-1_v4", [])
        assert link.find("SO-1") == changed
        with pytest.raises(Rejected) as refused:
            link.send(bill, None)  # the older version, which was cancelled
        assert refused.value.code == "qimen.cancelled_there"
        with pytest.raises(Rejected):
            link.bill(order(version=31), nobody)
    states = {code: held.status for code, held in warehouse.world.orders.items()}
    assert states == {"SO-1_v3": "CANCELED", "SO-1_v4": "ACCEPT"}


def test_a_look_up_by_version_needs_no_memory():
    with Simulator(tells_plan=False) as warehouse:
        with linked(connector(), warehouse, proof="code") as link:
            sent(link, order(version=7))
        with linked(connector(), warehouse, proof="code") as fresh:
            found = fresh.find("SO-1")
            assert found is not None and found.number == "SO-1_v7"
            assert fresh.cancel(found).cancelled
            assert fresh.find("SO-1") is None


@pytest.mark.parametrize(
    ("changes", "made", "code"),
    [
        ({}, order("SO-1", "1.5"), "qimen.fraction"),
        ({"unit": "kg"}, order(), "qimen.unit_missing"),
        ({"factors": "pcs/kg=abc", "unit": "kg"}, order(), "qimen.unit_missing"),
        ({}, order(ship_to=""), "qimen.address_missing"),
    ],
)
def test_what_has_no_counterpart_is_refused_before_anything_is_sent(warehouse, changes, made, code):
    with linked(connector(), warehouse, **changes) as link, pytest.raises(Rejected) as refused:
        link.bill(made, nobody)
    assert refused.value.code == code


def test_units_and_items_are_the_warehouses_own(warehouse):
    with linked(connector(), warehouse, item_units="BRG-6204=box", factors="pcs/box=0.5") as link:
        bill = link.bill(order("SO-1", "120"), lambda kind, _: None)
        assert [(line.material, line.quantity, line.unit) for line in bill.lines] == [("BRG-6204", 60, "box")]
        bill = link.bill(order("SO-1", "120"), lambda kind, _: "ITEM-9" if kind == "product" else None)
        assert bill.lines[0].material == "ITEM-9"


def test_fields_a_site_wants_stand_on_every_order_and_cannot_break_it(warehouse):
    told = "shopNick=<通商>\nbad name=x\ndeliveryOrderCode=other\n</a>=1"
    with linked(connector(), warehouse, constants=told) as link:
        text = link.mapping.create(link.bill(order(), nobody), "SO-1", datetime.now(UTC))
    head = xmltext.read(f"<request>{text}</request>".encode()).find("deliveryOrder")
    assert xmltext.said(head, "shopNick") == "<通商>"
    assert [one.text for one in head.findall("deliveryOrderCode")] == ["SO-1"]
    assert len(head) == 9


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("江苏省无锡市新吴区长江路 8 号", ("江苏省", "无锡市", "新吴区")),
        ("上海市浦东新区世纪大道 1 号", ("上海市", "上海市", "浦东新区")),
        ("吴江厂区收货点", ("", "", "")),
    ],
)
def test_an_address_is_split_where_it_says_so_itself(warehouse, address, place):
    with linked(connector(), warehouse) as link:
        bill = link.bill(order(ship_to=address), nobody)
        text = link.mapping.create(bill, "SO-1", datetime.now(UTC))
    root = xmltext.read(f"<request>{text}</request>".encode())
    receiver = root.find("deliveryOrder/receiverInfo")
    assert tuple(xmltext.said(receiver, name) for name in ("province", "city", "area")) == place
    assert xmltext.said(receiver, "detailAddress") == address


# -- answers sorted by remedy


@pytest.mark.parametrize(
    ("mode", "committed"),
    [
        ("drop_before", 0),
        ("drop_after", 1),
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("status_500_after", 1),
        ("html_200", 1),
        ("bad_charset", 1),
        ("cut_body", 1),
        ("busy", 0),
        ("look_up_lag", 1),
    ],
)
def test_a_write_without_a_clear_answer_is_uncertain(warehouse, monkeypatch, mode, committed):
    hasty(monkeypatch)
    warehouse.faults.set([{"match": "stockout.create", "mode": mode, "times": 1, "seconds": 0.5}])
    with linked(connector(), warehouse) as link, pytest.raises(Uncertain):
        sent(link)
    assert len(warehouse.world.orders) == committed


@pytest.mark.parametrize(
    "mode", ["drop_before", "status_500_after", "html_200", "cut_body", "bad_charset", "busy"]
)
def test_a_read_without_a_clear_answer_may_be_repeated(warehouse, mode):
    warehouse.faults.set([{"mode": mode, "times": 1}])
    with linked(connector(), warehouse) as link:
        with pytest.raises(RetryLater):
            link.find("SO-1")
        assert link.find("SO-1") is None


def test_codes_are_sorted_by_the_table_of_the_connection(warehouse):
    warehouse.world.known_items = {"OTHER"}
    with linked(connector(), warehouse) as link, pytest.raises(Rejected, match="S12"):
        sent(link)
    with linked(connector(), warehouse, codes="S12=later") as link, pytest.raises(RetryLater):
        sent(link)


def test_a_look_up_that_fails_with_an_unknown_code_is_not_taken_for_absence(warehouse):
    with linked(connector(), warehouse, codes="ORDER_NOT_EXIST=nothing") as link:
        link.client.remedies = {}
        with pytest.raises(Rejected) as refused:
            link.find("SO-1")
    assert refused.value.code == "qimen.code_unknown"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<response><flag>maybe</flag></response>",
        b"<other><flag>success</flag></other>",
        b"<response><flag>success</flag>",
        b"\xff\xfe",
        b'<!DOCTYPE r [<!ENTITY a "success">]><response><flag>&a;</flag></response>',
    ],
)
def test_an_answer_that_says_neither_yes_nor_no_is_uncertain_for_a_write(warehouse, body):
    with linked(connector(), warehouse) as link:
        with pytest.raises(Uncertain):
            link.client._read(body, True)
        with pytest.raises(RetryLater):
            link.client._read(body, False)


def test_a_refusal_of_the_router_is_told_apart(warehouse):
    body = b"<error_response><code>25</code><sub_code>isv.sign-check-failure</sub_code></error_response>"
    with linked(connector(), warehouse) as link, pytest.raises(FixSettings):
        link.client._read(body, True)


def test_nothing_is_written_once_the_lease_is_lost(warehouse):
    def gone() -> None:
        raise LeaseLost

    with linked(connector(), warehouse) as link:
        link.before_write = gone
        with pytest.raises(LeaseLost):
            sent(link)
    assert warehouse.world.orders == {}


def test_no_secret_and_no_telephone_reaches_the_trace(warehouse):
    with linked(connector(), warehouse) as link:
        sent(link)
        text = "".join(e.url + e.request + e.response for e in link.trace.exchanges)
    assert warehouse.account.secret not in text and "13800000000" not in text and "sign=•••" in text
    assert "SO-1" in text


def test_a_check_names_the_step_that_fails(warehouse):
    warehouse.world.stock["BRG-6204"] = Decimal(5)
    http = session([OutboundRule.parse(f"127.0.0.1:{warehouse.port}")])
    made = connector()
    steps = list(made.check(access(made, warehouse), http))
    assert [step.name for step in steps] == ["address", "dns", "tcp", "organisation", "login", "read"]
    assert all(step.ok for step in steps) and steps[-1].said == "BRG-6204"
    steps = list(made.check(access(made, warehouse, secret="wrong"), http))
    assert (steps[-1].name, steps[-1].ok) == ("login", False)
    assert "qimen.signature" in steps[-1].said
    assert NOBODY not in warehouse.world.orders
    http.close()


def test_a_check_leaves_off_what_the_warehouse_does_not_do(warehouse, monkeypatch):
    http = session([OutboundRule.parse(f"127.0.0.1:{warehouse.port}")])
    made = connector()
    last = list(made.check(access(made, warehouse, stock_by="inventory"), http))[-1]
    assert last.ok and last.without == ("stock",) and "qimen.items_missing" in last.said
    monkeypatch.delitem(server.HEADS, "entryorder")
    last = list(made.check(access(made, warehouse), http))[-1]
    http.close()
    assert last.ok and last.without == ("inbound_order",) and "inbound_order: qimen." in last.said


def test_what_the_router_says_of_the_way_to_the_warehouse_proves_nothing(warehouse):
    timed_out = (
        b"<error_response><code>15</code><msg>Remote service error</msg>"
        b"<sub_code>isp.remote-service-timeout</sub_code></error_response>"
    )
    with linked(connector(), warehouse) as link:
        for write, kind in ((True, Uncertain), (False, RetryLater)):
            with pytest.raises(kind):
                link.client._read(timed_out, write)
        for code, kind in (
            (b"accesscontrol.limited-by-app-access-count", RetryLater),
            (b"isv.missing-parameter", Rejected),
        ):
            with pytest.raises(kind):
                link.client._read(timed_out.replace(b"isp.remote-service-timeout", code), True)

"""A FLUX warehouse: orders out over both gateways and through every kind of trouble, and stock in."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from connectors.wms.flux import connector, wire
from connectors.wms.flux.simulator import Simulator
from connectors.wms.flux.system import NOBODY, Flux
from core.sync.conformance import ConnectorConformance
from tests.conftest import make_unit
from tests.connectors.wms_house import WarehouseHouse, access, drill, hasty, linked, nobody, order
from tongshang.connect import (
    FixSettings,
    Found,
    LeaseLost,
    OutboundRule,
    Rejected,
    RetryLater,
    Uncertain,
    session,
)


class TestFlux(ConnectorConformance):
    connector = Flux


@pytest.fixture
def warehouse() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def sent(link, made=None, found: Found | None = None) -> Found:
    return link.send(link.bill(made or order(), nobody), found)


# -- orders out


@pytest.mark.parametrize("gateway", ["form", "json"])
@pytest.mark.parametrize("sign", ["base64", "upper", "twice"])
def test_an_order_arrives_over_both_gateways_under_every_variant_of_the_signature(gateway, sign):
    with (
        Simulator(variant=sign) as warehouse,
        linked(connector(), warehouse, gateway=gateway, sign=sign) as link,
    ):
        found = sent(link)
        assert (found.number, found.remote_id, found.status) == ("SO-1", "X00000001", "00")
        assert link.find("SO-1") == found
        assert link.find("SO-2") is None
        assert link.cancel(found).cancelled
    held = warehouse.world.orders["SO-1"]
    assert [(line.no, line.sku, line.ordered) for line in held.lines] == [
        ("1", "BRG-6204", 120),
        ("2", "BRG-6204", 30),
    ]


@pytest.mark.parametrize(("told", "spoken"), [("base64", "upper"), ("upper", "twice"), ("twice", "base64")])
def test_another_variant_of_the_signature_asks_for_settings(told, spoken):
    with (
        Simulator(variant=spoken) as warehouse,
        linked(connector(), warehouse, sign=told) as link,
        pytest.raises(FixSettings) as refused,
    ):
        sent(link)
    assert refused.value.code == "flux.signature"
    assert warehouse.world.orders == {}


def test_sending_again_replaces_an_order_until_it_is_in_work(warehouse):
    with linked(connector(), warehouse) as link:
        first = sent(link)
        changed = sent(link, order("SO-1", "100"), first)
        assert changed == first and not changed.finished
        held = warehouse.world.orders["SO-1"]
        assert ([line.ordered for line in held.lines], held.puts) == ([100], 2)
        warehouse.world.allocate("SO-1")
        with pytest.raises(Rejected) as refused:
            sent(link, order("SO-1", "90"), first)
        assert refused.value.code == "flux.in_work"
        with pytest.raises(Rejected):
            link.cancel(first)
    assert [line.ordered for line in warehouse.world.orders["SO-1"].lines] == [100]


def test_an_order_in_work_that_nobody_looked_for_is_to_be_looked_up(warehouse):
    with linked(connector(), warehouse) as link:
        sent(link)
        warehouse.world.allocate("SO-1")
        with pytest.raises(Uncertain) as unclear:
            sent(link)
    assert unclear.value.code == "flux.exists"


def test_a_partly_done_call_counts_by_the_row_of_the_order(warehouse):
    warehouse.faults.set([{"match": "put", "mode": "partial_rows", "times": 1}])
    with linked(connector(), warehouse) as link:
        with pytest.raises(Uncertain):
            sent(link)
        assert warehouse.world.orders == {}
        assert sent(link).number == "SO-1"


def response(flag: str, code: str, rows: str = '""') -> bytes:
    told = f'{{"returnCode":"{code}","returnDesc":"x","returnFlag":"{flag}","resultInfo":{rows}}}'
    return f'{{"Response":{{"return":{told}}}}}'.encode()


OWN = '[{"OrderNo":"SO-1","errorcode":"%s"}]'
OTHER = '[{"OrderNo":"SO-2","errorcode":"S003"}]'


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (response("1", "0000"), None),
        (response("2", "0000", OWN % "0000"), None),
        (response("1", "0000", OTHER), None),
        (response("1", "0000", OWN % "S003"), Rejected),
        (response("2", "0001", OWN % "S003"), Rejected),
        (response("2", "0001", OTHER), Uncertain),
        (response("0", "S001"), FixSettings),
        (response("0", "S002"), Uncertain),
        (response("0", "0001", OWN % "S002"), Uncertain),
        (response("0", "0001"), Rejected),
        (response("9", ""), Uncertain),
        (response("1", "0001"), Uncertain),
        (b"", Uncertain),
        (b"[]", Uncertain),
        (b'{"Response":{}}', Uncertain),
        (b'{"Response":{"return":', Uncertain),
        (b'{"Response":{"return":{"returnFlag":NaN}}}', Uncertain),
        (b"[" * 50_000, Uncertain),
        ('{"Response":"成功"}'.encode("gb18030"), Uncertain),
    ],
)
def test_answers_are_sorted_by_flag_code_and_row(warehouse, content, error):
    with linked(connector(), warehouse) as link:
        if error is None:
            assert link.client._read(content, "SO-1", True)
        else:
            with pytest.raises(error):
                link.client._read(content, "SO-1", True)


def test_codes_and_methods_are_those_of_the_connection(warehouse):
    with linked(connector(), warehouse, codes="S001=later") as link, pytest.raises(RetryLater):
        link.client._read(response("0", "S001"), "SO-1", True)
    with linked(connector(), warehouse, methods="put=putOther") as link, pytest.raises(Rejected):
        sent(link)
    with (
        linked(connector(), warehouse, methods="state=queryOther") as link,
        pytest.raises(Rejected) as refused,
    ):
        link.find("SO-1")
    assert refused.value.code == "flux.code_unknown"


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
    warehouse.faults.set([{"match": "put", "mode": mode, "times": 1, "seconds": 0.5}])
    with linked(connector(), warehouse) as link, pytest.raises(Uncertain):
        sent(link)
    assert len(warehouse.world.orders) == committed


@pytest.mark.parametrize("mode", ["drop_before", "status_500_after", "html_200", "cut_body", "bad_charset"])
def test_a_read_without_a_clear_answer_may_be_repeated(warehouse, mode):
    warehouse.faults.set([{"mode": mode, "times": 1}])
    with linked(connector(), warehouse) as link:
        with pytest.raises(RetryLater):
            link.find("SO-1")
        assert link.find("SO-1") is None


@pytest.mark.parametrize(
    ("changes", "made", "code"),
    [
        ({}, order("SO-1", "1.5"), "flux.fraction"),
        ({"unit": "kg"}, order(), "flux.unit_missing"),
        ({}, order(ship_to=""), "flux.address_missing"),
    ],
)
def test_what_has_no_counterpart_is_refused_before_anything_is_sent(warehouse, changes, made, code):
    with linked(connector(), warehouse, **changes) as link, pytest.raises(Rejected) as refused:
        link.bill(made, nobody)
    assert refused.value.code == code


def test_nothing_is_written_once_the_lease_is_lost(warehouse):
    def gone() -> None:
        raise LeaseLost

    with linked(connector(), warehouse) as link:
        link.before_write = gone
        with pytest.raises(LeaseLost):
            sent(link)
    assert warehouse.world.orders == {}


@pytest.mark.parametrize("gateway", ["form", "json"])
def test_no_secret_and_no_telephone_reaches_the_trace(warehouse, gateway):
    with linked(connector(), warehouse, gateway=gateway) as link:
        sent(link)
        text = "".join(e.url + e.request + e.response for e in link.trace.exchanges)
    secrets = (warehouse.account.secret, warehouse.account.app_token, "13800000000")
    assert [secret for secret in secrets if secret in text] == []
    assert "SO-1" in text and "sign=•••" in text


def test_a_check_names_the_step_that_fails(warehouse):
    warehouse.world.stock["BRG-6204"] = [Decimal(5)]
    http = session([OutboundRule.parse(f"127.0.0.1:{warehouse.port}")])
    made = connector()
    steps = list(made.check(access(made, warehouse), http))
    assert [step.name for step in steps] == ["address", "dns", "tcp", "organisation", "login", "read"]
    assert all(step.ok for step in steps) and steps[-1].said == "BRG-6204"
    for changes, name, code in (
        ({"secret": "wrong"}, "login", "flux.signature"),
        ({"codes": "S9=nonsense"}, "organisation", "flux.codes_wrong"),
    ):
        last = list(made.check(access(made, warehouse, **changes), http))[-1]
        assert (last.name, last.ok) == (name, False) and code in last.said
    assert NOBODY not in warehouse.world.orders
    last = list(made.check(access(made, warehouse, methods="state_asn=nothing"), http))[-1]
    assert last.ok and last.without == ("inbound_order",) and "flux.code_unknown" in last.said
    last = list(made.check(access(made, warehouse, methods="stock=nothing"), http))[-1]
    assert last.ok and last.without == ("stock",)
    http.close()


def test_an_answer_that_says_no_and_yes_proves_nothing(warehouse):
    with linked(connector(), warehouse) as link:
        for write, kind in ((True, Uncertain), (False, RetryLater)):
            with pytest.raises(kind):
                link.client._read(response("0", "0000"), "SO-1", write)


# -- stock in


@pytest.mark.parametrize("gateway", ["form", "json"])
def test_stock_comes_page_by_page_with_its_lots_added_up(warehouse, gateway):
    lots = {f"I-{no:04}": [Decimal(no), Decimal("0.5")] for no in range(120)}
    warehouse.world.stock = dict(lots)
    with linked(connector(), warehouse, gateway=gateway, item_units="I-0003=kg") as link:
        stream = link.stream("stock")
        rows = [stream.to_core(row) for page in stream.pull(None, None) for row in page.rows]
    assert [(row.material, row.quantity) for row in rows] == [
        (sku, sum(two)) for sku, two in sorted(lots.items())
    ]
    assert {row.material: row.unit for row in rows}["I-0003"] == "kg"


# -- JSON, without a server


def test_names_are_read_in_any_case_and_numbers_exactly():
    value = wire.read('{"OrderNo":"A","Qty":0.10,"ITEM":{"sku":1}}')
    assert value == {"orderno": "A", "qty": Decimal("0.10"), "item": {"sku": 1}}
    assert (wire.said(value, "qty"), wire.rows(value, "item"), wire.rows(value, "none")) == (
        "0.10",
        [{"sku": 1}],
        [],
    )


@pytest.mark.parametrize(
    "text", [b"{", b"\xff", b'{"a":Infinity}', b"[" * 30 + b"]" * 30, b'{"a":1' + b"0" * 5000 + b"}"]
)
def test_json_that_nobody_wants_is_unreadable(text):
    with pytest.raises(wire.Unreadable):
        wire.read(text)


# -- through the engine


@pytest.fixture
def house(fresh_db, worker_db, warehouse) -> WarehouseHouse:
    return WarehouseHouse(make_unit(fresh_db), make_unit(worker_db), connector(), warehouse)


MATRIX = {
    "timeout before commit": {"mode": "timeout_before", "times": 1, "seconds": 0.5},
    "timeout after commit": {"mode": "timeout_after", "times": 1, "seconds": 0.5},
    "502": {"mode": "status_500_after", "times": 1},
    "partial batch": {"mode": "partial_rows", "times": 1},
    "bad charset": {"mode": "bad_charset", "times": 1},
    "busy": {"mode": "busy", "times": 1},
}


@pytest.mark.parametrize("intent", ["create", "change", "cancel"])
@pytest.mark.parametrize("trouble", MATRIX)
def test_orders_and_warehouse_agree_after_every_kind_of_trouble(
    house, warehouse, monkeypatch, trouble, intent
):
    """V-ER1. A change there is the same number sent again."""
    hasty(monkeypatch)
    id = house.order("SO-1")
    if intent != "create":
        assert house.push(house.engine()) == ["done"]
        house.wish(id, intent, 4, "100" if intent == "change" else "")
    warehouse.faults.set([{"match": "cancel" if intent == "cancel" else "put", **MATRIX[trouble]}])
    assert house.push(house.engine())[-1] == "done", house.documents()
    (held,) = warehouse.world.orders.values()
    expected = {"create": ("00", 120), "change": ("00", 100), "cancel": ("90", 120)}[intent]
    assert (held.status, held.lines[0].ordered) == expected
    assert held.lines[1].ordered == 2000  # two tons, counted in kilograms


def test_a_change_of_an_order_in_work_waits_for_a_person(house, warehouse):
    id = house.order("SO-1")
    house.push(house.engine())
    warehouse.world.allocate("SO-1")
    house.wish(id, "change", 4, "100")
    assert house.push(house.engine())[-1] == "held"
    assert house.documents()[-1][3] == "flux.in_work"
    assert warehouse.world.orders["SO-1"].lines[0].ordered == 120


def proof(house, warehouse, count: int) -> int:
    """One order for every order, or a reason; nothing twice, nothing without an order. How many are done."""
    rows = house.documents()
    assert len(rows) == count
    assert set(warehouse.world.orders) <= {reference for reference, *_ in rows}
    for reference, _, state, cause, said, remote in rows:
        if state == "done":
            held = warehouse.world.orders[reference]
            expected = (remote, int(reference.removeprefix("SO-")) + 1)
            assert (held.id, held.lines[0].ordered) == expected
        else:
            assert state == "held" and cause and said, (reference, state)
    return sum(state == "done" for _, _, state, *_ in rows)


MORE = ("busy", "bad_charset", "look_up_lag", "partial_rows")


def test_orders_through_a_misbehaving_warehouse_become_one_order_each(house, warehouse, monkeypatch):
    hasty(monkeypatch)
    drill(house, 12, 0.35, MORE)
    assert proof(house, warehouse, 12) >= 10


@pytest.mark.slow
def test_two_hundred_orders_through_a_warehouse_that_breaks_half_of_its_calls(house, warehouse, monkeypatch):
    hasty(monkeypatch)
    drill(house, 200, 0.53, MORE)
    proof(house, warehouse, 200)

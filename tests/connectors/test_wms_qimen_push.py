"""What a Qimen warehouse sends by itself: heard when it is signed and fresh, refused in its own XML when not."""

import random
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from connectors.wms import xmltext
from connectors.wms.pushing import Sending
from connectors.wms.qimen import connector
from connectors.wms.qimen.simulator import Simulator
from connectors.wms.signing import CHINA
from tests.connectors.wms_house import access, act, linked, nobody, order, portal, pushed
from tongshang.connect import DeliveryIn, Found, MovedLine, PushRefused, ReceiptIn, StockIn, StockMoveIn


@pytest.fixture
def warehouse() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def sent(link, made=None, found: Found | None = None) -> Found:
    return link.send(link.bill(made or order(), nobody), found)


def confirmation(warehouse, **given) -> Sending:
    """A confirmation of SO-1 as it goes out."""
    method, inside = warehouse._confirm({"code": "SO-1", **given}, "")
    body = xmltext.document(xmltext.tag("request", inside))
    return warehouse.signed(method, body, "http://portal.test/hear")


@pytest.fixture
def shipped(warehouse) -> Simulator:
    with linked(connector(), warehouse) as link:
        sent(link)
    return warehouse


def heard(warehouse, push, **changes):
    made = connector()
    return made.hear(access(made, warehouse, **changes), push)


def flag_of(answer) -> tuple[str, str]:
    root = xmltext.read(answer.body)
    return xmltext.said(root, "flag"), xmltext.said(root, "code")


def test_a_shipment_becomes_a_delivery_of_our_order(shipped):
    told = heard(shipped, pushed(confirmation(shipped, quantities={"1": "100"})))
    assert told.key == "stockout.confirm:W000001-1"
    assert told.kind == "stockout.confirm"
    (delivery,) = told.records
    assert delivery == DeliveryIn(
        external_id=told.key,
        number="W000001",
        reference="SO-1",
        day=datetime.now(CHINA).date(),
        lines=(MovedLine(1, "BRG-6204", Decimal(100), "pcs"),),
        carrier="顺丰速运",
        tracking="SF0000011",
    )
    assert flag_of(told.answer) == ("success", "0")
    rest = heard(shipped, pushed(confirmation(shipped)))
    assert rest.key != told.key
    assert [(line.line, line.quantity) for line in rest.records[0].lines] == [(1, 20), (2, 30)]


def test_a_delivery_of_a_changed_order_is_one_of_our_order(warehouse):
    with linked(connector(), warehouse) as link:
        sent(link, order("SO-1", "5"), sent(link))
    method, inside = warehouse._confirm({"code": "SO-1_v2"}, "")
    push = pushed(warehouse.signed(method, xmltext.document(xmltext.tag("request", inside)), "http://x"))
    assert heard(warehouse, push).records[0].reference == "SO-1"


def signed(warehouse, method: str, inside: str) -> Sending:
    return warehouse.signed(method, xmltext.document(xmltext.tag("request", inside)), "http://portal.test/")


def test_a_receipt_a_count_and_a_change_are_told_apart(warehouse):
    receipt = heard(
        warehouse,
        pushed(
            signed(warehouse, *warehouse._receive({"code": "PO-1", "item": "BRG-6204", "quantity": "7"}, ""))
        ),
    )
    assert isinstance(receipt.records[0], ReceiptIn)
    assert receipt.records[0].lines == (MovedLine(1, "BRG-6204", Decimal(7), "pcs"),)
    count = heard(
        warehouse, pushed(signed(warehouse, *warehouse._count({"item": "BRG-6204", "quantity": "9"}, "")))
    )
    stock, found = count.records
    assert stock == StockIn("BRG-6204@WH01", "BRG-6204", "WH01", "pcs", Decimal(9))
    assert (found.quantity, found.reason) == (9, "inventory.report") and found.reference.startswith("PD")
    change = heard(
        warehouse, pushed(signed(warehouse, *warehouse._change({"item": "BRG-6204", "quantity": "-2"}, "")))
    )
    (move,) = change.records
    assert change.key.startswith("stockchange.report:M")
    assert isinstance(move, StockMoveIn)
    assert (move.material, move.warehouse, move.unit, move.quantity) == (
        "BRG-6204",
        "WH01",
        "pcs",
        Decimal(-2),
    )
    assert move.reference.startswith("YD") and move.day == datetime.now(CHINA).date()


def test_moves_of_one_report_are_told_apart_and_only_those_of_good_stock(warehouse):
    rows = [
        ("BRG-6204", "ZP", "-2", "盘亏"),
        ("BRG-6204", "ZP", "-1", ""),
        ("BRG-6204", "CC", "3", ""),
        ("RB", "", "0", ""),
    ]
    items = "".join(
        f"<item><itemCode>{item}</itemCode><inventoryType>{kind}</inventoryType><quantity>{count}</quantity>"
        f"<outBizCode>M7</outBizCode><orderType>{type}</orderType></item>"
        for item, kind, count, type in rows
    )
    told = heard(warehouse, pushed(signed(warehouse, "stockchange.report", f"<items>{items}</items>")))
    assert [(each.external_id, each.quantity, each.reason) for each in told.records] == [
        ("M7:BRG-6204", -2, "盘亏"),
        ("M7:BRG-6204#2", -1, "stockchange.report"),
    ]


def test_changes_that_come_again_in_other_company_are_another_push(warehouse):
    def told(*names: str) -> str:
        items = "".join(
            f"<item><itemCode>{name}</itemCode><quantity>-1</quantity><outBizCode>{name}</outBizCode></item>" for name in names
        )
        return f"<items>{items}</items>"

    first, both, again = (
        heard(warehouse, pushed(signed(warehouse, "stockchange.report", told(*names))))
        for names in (["M1"], ["M1", "M2"], ["M1", "M2"])
    )
    assert first.key == "stockchange.report:M1" != both.key == again.key
    assert [each.external_id for each in both.records] == ["M1:M1", "M2:M2"]


def test_a_repeated_push_has_the_same_key_and_one_without_a_name_gets_one(shipped):
    sending = confirmation(shipped)
    assert heard(shipped, pushed(sending)).key == heard(shipped, pushed(sending)).key
    inside = (
        "<deliveryOrder><deliveryOrderCode>SO-1</deliveryOrderCode><status>DELIVERED</status></deliveryOrder>"
    )
    nameless = heard(shipped, pushed(signed(shipped, "stockout.confirm", inside)))
    assert nameless.key.startswith("stockout.confirm:SO-1:DELIVERED:") and nameless.records == ()
    other = heard(shipped, pushed(signed(shipped, "stockout.confirm", inside + "<remark>x</remark>")))
    assert other.key != nameless.key


@pytest.mark.parametrize("part", ["body", "method", "timestamp", "customerId", "sign", "app_key"])
def test_a_push_that_was_touched_is_refused(shipped, part):
    push = pushed(confirmation(shipped))
    if part == "body":
        body = push.body.replace(b">30<", b">31<")
        assert body != push.body
        touched = pushed(Sending("http://x/?" + urlencode(push.query), body, "text/xml"))
    else:
        value = "2026-11-22 00:00:00" if part == "timestamp" else push.query[part] + "x"
        touched = pushed(
            Sending("http://x/?" + urlencode({**push.query, part: value}), push.body, "text/xml")
        )
    with pytest.raises(PushRefused) as refused:
        heard(shipped, touched)
    assert refused.value.code == "qimen.push_signature"
    assert flag_of(refused.value.answer) == ("failure", "S04") and refused.value.answer.status == 200


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_push_that_is_played_again_later_is_refused(shipped, minutes):
    sending = confirmation(shipped)
    assert heard(shipped, pushed(sending)).records
    with pytest.raises(PushRefused) as refused:
        heard(shipped, pushed(sending, at=datetime.now(UTC) + timedelta(minutes=minutes)))
    assert refused.value.code == "qimen.push_clock"


def test_without_a_secret_nothing_is_heard(shipped):
    sending = confirmation(shipped)
    with pytest.raises(PushRefused):
        heard(shipped, pushed(sending), secret="")


HOSTILE = [
    b'<!DOCTYPE request [<!ENTITY x SYSTEM "file:///etc/passwd">]><request><a>&x;</a></request>',
    b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><request>&b;</request>',
    b"<request>" + b"<a>" * 40 + b"</a>" * 40 + b"</request>",
    b"<request>" + b"<a/>" * 200_001 + b"</request>",
    b'<?xml version="1.0" encoding="gb18030"?><request/>',
    "<request>货</request>".encode("gb18030"),
    b"<request>&unknown;</request>",
    b"<request><deliveryOrder></request>",
    b"<other/>",
    b"",
    b"<request/>",
    b"<request><deliveryOrder><deliveryOrderCode>SO-1</deliveryOrderCode></deliveryOrder><orderLines><orderLine>"
    b"<itemCode>A</itemCode><actualQty>NaN</actualQty></orderLine></orderLines></request>",
    b"<request><deliveryOrder><deliveryOrderCode>SO-1</deliveryOrderCode></deliveryOrder><orderLines><orderLine>"
    b"<itemCode>A</itemCode><actualQty>-1</actualQty></orderLine></orderLines></request>",
    b"<request><deliveryOrder><deliveryOrderCode>SO-1</deliveryOrderCode></deliveryOrder><orderLines><orderLine>"
    b"<itemCode>A</itemCode><actualQty>1e999999</actualQty></orderLine></orderLines></request>",
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_xml_is_refused_even_when_it_is_signed_well(warehouse, body):
    with pytest.raises(PushRefused) as refused:
        heard(warehouse, pushed(warehouse.signed("stockout.confirm", body, "http://x")))
    assert refused.value.code == "qimen.unreadable"
    assert flag_of(refused.value.answer) == ("failure", "S03")


def test_a_method_that_nobody_knows_is_refused_and_a_mere_notice_is_taken(warehouse):
    with pytest.raises(PushRefused):
        heard(warehouse, pushed(signed(warehouse, "order.steal", "")))
    assert heard(warehouse, pushed(signed(warehouse, "orderprocess.report", ""))).records == ()


def test_mutated_pushes_are_refused_one_and_all(shipped):
    dice, sending = random.Random(7), confirmation(shipped)
    for _ in range(2000):
        body = bytearray(sending.body)
        for _ in range(dice.randint(1, 4)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        if bytes(body) == sending.body:
            continue
        with pytest.raises(PushRefused):
            heard(shipped, pushed(Sending(sending.url, bytes(body), sending.content_type)))
        resigned = shipped.signed("stockout.confirm", bytes(body), "http://x")
        try:
            told = heard(shipped, pushed(resigned))
        except PushRefused:
            continue
        assert all(line.quantity > 0 for record in told.records for line in getattr(record, "lines", ()))


def test_a_day_in_china_is_not_a_day_in_greenwich(shipped):
    sending = confirmation(shipped)
    body = sending.body.decode()
    start = body.index("<orderConfirmTime>")
    end = body.index("</orderConfirmTime>")
    body = body[:start] + "<orderConfirmTime>2026-11-23 01:00:00" + body[end:]
    push = pushed(shipped.signed("stockout.confirm", body.encode(), "http://x"))
    assert heard(shipped, push).records[0].day == date(2026, 11, 23)


# -- pushes over a real socket


@pytest.mark.parametrize(
    ("mode", "calls", "taken"),
    [
        ("", 2, True),
        ("duplicate_push", 3, True),
        ("push_twice", 2, True),
        ("clock_skew", 3, False),
        ("wrong_sign", 3, False),
    ],
)
def test_the_warehouse_repeats_until_it_hears_a_success(shipped, mode, calls, taken):
    if mode:
        shipped.faults.set([{"match": "confirm", "mode": mode, "times": 1}])
    with portal(lambda push: heard(shipped, push)) as (url, keys):
        told = act(shipped, "confirm", code="SO-1", url=url, tries=3, pause=0.01)
    assert (told["taken"], len(told["heard"])) == (taken, calls)
    assert set(keys) == {"stockout.confirm:W000001-1" if taken else "refused"}
    assert shipped.world.orders["SO-1"].status == "DELIVERED"


def test_the_simulator_shows_what_it_holds(shipped):
    shipped.world.stock["BRG-6204"] = Decimal(5)
    with urllib.request.urlopen(shipped.admin, timeout=5) as answer:
        page = answer.read().decode()
    assert "SO-1" in page and "BRG-6204" in page and "look_up_lag" in page


def test_a_practice_warehouse_cannot_be_turned_against_an_inner_network(shipped):
    told = act(shipped, "confirm", code="SO-1", url="http://10.0.0.1/hear", tries=1)
    assert told["taken"] is False
    assert [one["status"] for one in told["heard"]] == [0] and "not public" in told["heard"][0]["body"]

"""What a FLUX warehouse sends by itself: heard when it is signed and fresh, refused in its own JSON when not."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode

import pytest

from connectors.wms import signing
from connectors.wms.flux import connector
from connectors.wms.flux.simulator import Simulator
from connectors.wms.pushing import Sending
from tests.connectors.wms_house import access, act, linked, nobody, order, portal, pushed
from tongshang.connect import DeliveryIn, MovedLine, PushRefused, ReceiptIn, StockIn, StockMoveIn

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(params=["form", "json"])
def shipped(request) -> Iterator[Simulator]:
    """A warehouse that holds SO-1 and pushes through one of the gateways."""
    with Simulator(gateway=request.param) as simulator:
        with linked(connector(), simulator) as link:
            link.send(link.bill(order(), nobody), None)
        yield simulator


def heard(warehouse, push, **changes):
    made = connector()
    return made.hear(access(made, warehouse, gateway=warehouse.gateway, **changes), push)


def confirmation(warehouse, **given) -> Sending:
    """A confirmation of SO-1 as it goes out."""
    return warehouse.signed(*warehouse._confirm({"code": "SO-1", **given}, ""), "http://portal.test/hear")


def told(answer) -> tuple[str, str]:
    inside = json.loads(answer.body)["Response"]["return"]
    return inside["returnFlag"], inside["returnCode"]


def resigned(warehouse, text: str, method: str = "confirmSOData", **changes: str) -> Sending:
    """Any text, signed well."""
    fields = {
        "method": method,
        "timestamp": signing.stamp(datetime.now(UTC)),
        "sign": signing.flux(text, warehouse.account.secret),
    } | changes
    if warehouse.gateway == "form":
        return Sending("http://x", urlencode({**fields, "data": text}).encode(), FORM)
    return Sending(f"http://x?{urlencode(fields)}", text.encode(), "application/json")


def test_a_shipment_becomes_a_delivery_of_our_order(shipped):
    first = heard(shipped, pushed(confirmation(shipped, quantities={"1": "100"})))
    (delivery,) = first.records
    assert delivery == DeliveryIn(
        external_id=delivery.external_id,
        number="X00000001",
        reference="SO-1",
        day=datetime.now(signing.CHINA).date(),
        lines=(MovedLine(1, "BRG-6204", Decimal(100), "pcs"),),
        carrier="顺丰速运",
        tracking="SF00000001",
    )
    assert delivery.external_id.startswith("X00000001:")
    assert (first.kind, told(first.answer)) == ("confirmsodata", ("1", "0000"))
    rest = heard(shipped, pushed(confirmation(shipped)))
    assert rest.key != first.key and rest.records[0].external_id != delivery.external_id
    assert [(line.line, line.quantity) for line in rest.records[0].lines] == [(1, 20), (2, 30)]


def test_the_same_news_under_a_new_time_has_the_same_key(shipped):
    """The signature does not cover the time: what is played again must not count again."""
    method, told_order = shipped._confirm({"code": "SO-1"}, "")
    one = heard(shipped, pushed(shipped.signed(method, told_order, "http://x")))
    turned = dict(reversed(list(told_order.items())))
    two = heard(shipped, pushed(shipped.signed(method, turned, "http://x")))
    assert one.key == two.key
    assert one.records == two.records


@pytest.mark.parametrize("variant", ["base64", "upper", "twice"])
def test_every_variant_of_the_signature_is_heard(variant):
    for gateway in ("form", "json"):
        with Simulator(variant=variant, gateway=gateway) as warehouse:
            with linked(connector(), warehouse, sign=variant) as link:
                link.send(link.bill(order(), nobody), None)
            assert heard(warehouse, pushed(confirmation(warehouse)), sign=variant).records


def test_a_receipt_counts_when_it_is_over_and_a_count_only_when_it_tells_the_whole(shipped):
    def receipt(status: str):
        given = {"code": "PO-1", "item": "BRG-6204", "quantity": "7", "status": status}
        return heard(shipped, pushed(shipped.signed(*shipped._receive(given, ""), "http://x")))

    assert receipt("30").records == ()
    (over,) = receipt("40").records
    assert isinstance(over, ReceiptIn) and over.reference == "PO-1"
    assert over.lines == (MovedLine(1, "BRG-6204", Decimal(7), "pcs"),)
    for total, records in (
        ("", ()),
        ("1", (StockIn("BRG-6204@WH01", "BRG-6204", "WH01", "pcs", Decimal(9)),)),
    ):
        shipped.world.stock["BRG-6204"] = [Decimal(9)]
        given = {"item": "BRG-6204", "quantity": "9", "total": total}
        assert (
            heard(shipped, pushed(shipped.signed(*shipped._count(given, ""), "http://x"))).records == records
        )


def test_a_correction_is_a_move_and_its_repetition_has_the_same_name(shipped):
    method, inside = shipped._change({"item": "BRG-6204", "quantity": "-2"}, "")
    one, two = (heard(shipped, pushed(shipped.signed(method, inside, "http://x"))) for _ in range(2))
    (move,) = one.records
    assert isinstance(move, StockMoveIn) and two.records == one.records and one.key == two.key
    assert (move.material, move.warehouse, move.quantity, move.reason) == ("BRG-6204", "WH01", -2, "盘亏")
    assert (
        move.reference.startswith("ADJ")
        and move.external_id == f"confirminvadddata:{move.reference}:BRG-6204"
    )


def test_lots_of_one_item_are_moves_of_their_own_and_defective_goods_none(shipped):
    rows = [
        {"itemCode": "A", "quantity": "-2"},
        {"itemCode": "A", "quantity": "1"},
        {"itemCode": "A", "quantity": "5", "inventoryType": "CC"},
        {"itemCode": "B", "qty": "70"},  # what lies there, no change
    ]
    told = heard(shipped, pushed(shipped.signed("inventoryReport", {"items": {"item": rows}}, "http://x")))
    first, second = told.records
    assert (first.quantity, second.quantity, second.external_id) == (-2, 1, f"{first.external_id}#2")


@pytest.mark.parametrize("part", ["data", "sign", "appkey", "apptoken"])
def test_a_push_that_was_touched_is_refused(shipped, part):
    sending = confirmation(shipped)
    if shipped.gateway == "form":
        fields = dict(parse_qsl(sending.body.decode()))
        fields[part] = fields[part].replace("30", "31") if part == "data" else fields[part] + "x"
        touched = pushed(Sending("http://x", urlencode(fields).encode(), FORM))
    else:
        push = pushed(sending)
        query = dict(push.query) if part == "data" else {**push.query, part: push.query[part] + "x"}
        body = push.body.replace(b"30", b"31") if part == "data" else push.body
        touched = pushed(Sending(f"http://x?{urlencode(query)}", body, "application/json"))
    with pytest.raises(PushRefused) as refused:
        heard(shipped, touched)
    assert refused.value.code == "flux.push_signature"
    assert told(refused.value.answer) == ("0", "S001")


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_push_of_another_hour_is_refused(shipped, minutes):
    with pytest.raises(PushRefused) as refused:
        heard(shipped, pushed(confirmation(shipped), at=datetime.now(UTC) + timedelta(minutes=minutes)))
    assert refused.value.code == "flux.push_clock"


def test_without_a_secret_or_without_a_time_nothing_is_heard(shipped):
    for push, changes in (
        (pushed(confirmation(shipped)), {"secret": ""}),
        (pushed(resigned(shipped, '{"orderinfo":{"OMSOrderNo":"A"}}', timestamp="")), {}),
    ):
        with pytest.raises(PushRefused):
            heard(shipped, push, **changes)


ITEM = '{"orderinfo":[{"OMSOrderNo":"SO-1","item":[{"SKU":"A","LineNo":"1","QtyShipped":%s}]}]}'


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        "[" * 100_000,
        '{"a":' * 30 + "1" + "}" * 30,
        '{"orderinfo":[{}]}',
        ITEM % '"-1"',
        ITEM % '"1e999999"',
        ITEM % "NaN",
        ITEM % '"一百"',
        '{"orderinfo":[{"OMSOrderNo":"SO-1","item":[{"QtyShipped":"1"}]}]}',
    ],
)
def test_data_that_cannot_be_read_is_refused_even_when_it_is_signed_well(shipped, text):
    with pytest.raises(PushRefused) as refused:
        heard(shipped, pushed(resigned(shipped, text)))
    assert refused.value.code == "flux.unreadable"
    assert told(refused.value.answer) == ("0", "S003")


def test_a_state_is_taken_without_effect_and_an_unknown_method_is_refused(shipped):
    text = '{"orderinfo":[{"OrderNo":"SO-1","Status":"40"}]}'
    assert heard(shipped, pushed(resigned(shipped, text, "confirmSOStatus"))).records == ()
    with pytest.raises(PushRefused) as refused:
        heard(shipped, pushed(resigned(shipped, text, "stealSOData")))
    assert refused.value.code == "flux.unknown_method"


def test_mutated_data_is_refused_or_read_and_never_breaks(shipped):
    dice = random.Random(11)
    push = pushed(confirmation(shipped))
    text = dict(parse_qsl(push.body.decode()))["data"] if shipped.gateway == "form" else push.body.decode()
    for _ in range(1500):
        letters = list(text)
        for _ in range(dice.randint(1, 4)):
            letters[dice.randrange(len(letters))] = chr(
                dice.choice([34, 44, 48, 57, 91, 92, 123, 125, 0, 0x4E00])
            )
        try:
            found = heard(shipped, pushed(resigned(shipped, "".join(letters))))
        except PushRefused:
            continue
        assert all(line.quantity > 0 for record in found.records for line in record.lines)


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
        found = act(shipped, "confirm", code="SO-1", url=url, tries=3, pause=0.01)
    assert (found["taken"], len(found["heard"])) == (taken, calls)
    assert len(set(keys)) == 1 and ("refused" in keys) is not taken

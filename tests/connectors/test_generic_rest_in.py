"""REST, the way in: every style of paging, every kind of record, and webhooks."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.generic.rest import wire
from connectors.generic.rest.simulator import DEMO, Simulator, settings_for
from connectors.generic.rest.streams import _newest
from connectors.generic.rest.system import Rest
from tests.connectors.generic_house import BUYER_CODE, access_of, more_items, rest_links
from tongshang.connect import (
    FixSettings,
    Heard,
    Push,
    PushRefused,
    SkipRecord,
)
from tongshang.simulate import Call, Practice, Reply


@pytest.fixture
def erp() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def link_of(erp: Simulator):
    with rest_links(erp) as make:
        yield make


@pytest.mark.parametrize("paging", ["page", "offset", "next", "cursor"])
def test_all_records_come_by_every_style_of_paging_and_a_stop_loses_none(erp, link_of, paging):
    more_items(erp, 137)
    stream = link_of(settings_for(paging=paging)).stream("products")
    pages = list(stream.pull(None, None))
    codes = [stream.to_core(row).code for page in pages for row in page.rows]
    assert len(codes) == 137 and len(set(codes)) == 137 and len(pages) == 3
    assert pages[-1].cursor == "2026-11-21T08:59:00" and {page.total for page in pages} == {137}
    again = stream.pull(None, pages[0].position)
    assert [row["no"] for page in again for row in page.rows] == codes[50:]


def test_only_what_changed_comes_again_with_an_overlap(erp, link_of):
    more_items(erp, 60)
    stream = link_of().stream("products")
    rows = [row["updated"] for page in stream.pull("2026-11-21T08:50:00", None) for row in page.rows]
    assert len(rows) == 15 and min(rows) == "2026-11-21T08:45:00"


@pytest.mark.parametrize("place", ["data.list", "data", "nowhere", "'many'"])
def test_a_count_that_is_no_number_tells_nothing(erp, link_of, place):
    told = settings_for() | {"read_stock": f"path=/stock, list=data.list, count={place}, material=item"}
    assert [page.total for page in link_of(told).stream("stock").pull(None, None)] == [None]


def test_a_service_that_ignores_the_page_is_found_out(erp, link_of):
    with pytest.raises(FixSettings, match="same one"):
        list(link_of(page_name="seite").stream("products").pull(None, None))


def test_a_next_link_to_another_server_is_not_followed(erp, link_of):
    client = link_of(settings_for(paging="next")).client
    for link in (
        "http://evil.example.com/x",
        "//evil.example.com",
        "http://127.0.0.1:1/api",
        "ftp://127.0.0.1",
    ):
        with pytest.raises(FixSettings, match="next_elsewhere"):
            client.next_url(link, client.url("/items"))
    assert client.next_url("/api/items?offset=50", client.url("/items")).endswith("/api/items?offset=50")


def test_every_kind_of_record_is_understood(erp, link_of):
    rows = [{"no": 1, "item": "BRG-6204", "qty": "60", "uom": "PCE"}]
    paper = {
        "docId": 9,
        "docNo": "P-9",
        "ref": "SO-1",
        "date": "2026-12-01 10:00",
        "money": "RMB",
        "sum": "12316",
    }
    erp.books.merge(
        {
            "shipments": [{**paper, "rows": rows, "by": "顺丰", "waybill": "SF1"}],
            "goods-in": [{**paper, "rows": rows}],
            "invoices": [paper],
            "payments": [paper],
        }
    )
    link = link_of()
    told = {}
    for kind in Rest.streams:
        stream = link.stream(kind.key)
        told[kind.key] = [stream.to_core(row) for page in stream.pull(None, None) for row in page.rows]
    (delivery,) = told["deliveries"]
    assert (delivery.reference, delivery.day, delivery.tracking) == ("SO-1", date(2026, 12, 1), "SF1")
    assert delivery.lines[0].quantity == Decimal(60) and delivery.lines[0].unit == "pcs"
    assert told["invoices"][0].total == told["payments"][0].amount == Decimal(12316)
    assert told["receipts"][0].lines[0].line == 1
    assert told["prices"][0].price == Decimal("36.50") and told["prices"][0].currency == "CNY"
    assert told["stock"][1].quantity == Decimal("61.5") and told["partners"][0].code == BUYER_CODE
    assert [each.unit for each in told["products"]] == ["pcs", "t"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"item": "", "house": "A", "uom": "PCE", "qty": "1"}, "generic.field_missing"),
        ({"item": "X", "house": "A", "uom": "XYZ", "qty": "1"}, "generic.unit_unknown"),
        ({"item": "X", "house": "A", "uom": "PCE", "qty": "1,200"}, "generic.unreadable_value"),
        ({"item": "X", "house": "A", "uom": "PCE", "qty": "NaN"}, "generic.unreadable_value"),
        ({"item": "X", "house": "A", "uom": "PCE", "qty": "1e999"}, "generic.unreadable_value"),
        ({"item": ["X"], "house": "A", "uom": "PCE", "qty": "1"}, "generic.unreadable_value"),
    ],
)
def test_a_record_that_cannot_be_used_is_left_out_with_its_reason(erp, link_of, row, code):
    with pytest.raises(SkipRecord) as skipped:
        link_of().stream("stock").to_core(row)
    assert skipped.value.code == code and skipped.value.message


def test_a_stream_without_a_path_says_so(link_of):
    with pytest.raises(FixSettings, match="read_products"):
        list(link_of(read_products="code=no").stream("products").pull(None, None))


def _push(erp, body: bytes, *, at=None, method="POST", **wrong) -> Push:
    headers = {name.lower(): value for name, value in erp.hook_headers(body, **wrong).items()}
    return Push(method, "", {}, headers, body, at or datetime.now(UTC))


HOOK = wire.encode(
    {"event": "stock.changed", "items": [{"item": "X", "house": "A", "uom": "PCE", "qty": "5"}]}
)


def _hear(erp, push, **more):
    return Rest().hear(access_of(Rest(), erp.url, settings_for() | more), push)


def test_a_signed_call_is_heard_and_answered_in_json(erp):
    heard = _hear(erp, _push(erp, HOOK.encode()))
    assert (heard.kind, heard.records[0].quantity) == ("stock", Decimal(5))
    assert heard.key.startswith("evt-")
    assert wire.read(heard.answer.body) == {"ok": True, "kind": "stock", "records": 1}
    assert _hear(erp, _push(erp, HOOK.encode())).key == heard.key


@pytest.mark.parametrize(
    ("code", "body", "wrong"),
    [
        ("rest.hook_signature", HOOK, {"secret": "nonsense"}),
        ("rest.hook_clock", HOOK, {"age": 900}),
        ("rest.hook_clock", HOOK, {"age": -900}),
        ("rest.hook_method", HOOK, {"method": "GET"}),
        ("rest.hook_unreadable", "{", {}),
        ("rest.hook_unreadable", "[" * 200 + "]" * 200, {}),
        ("rest.hook_unreadable", '{"event":"stock.changed"}', {}),
        ("rest.hook_unreadable", '{"event":"stock.changed","items":[{"item":1e999999999}]}', {}),
        ("rest.hook_kind", '{"event":"order.eaten","items":[]}', {}),
        ("rest.hook_kind", "null", {}),
        ("rest.hook_records", '{"event":"stock.changed","items":[{"item":"X"}]}', {}),
        ("rest.hook_records", '{"event":"stock.changed","items":[7]}', {}),
    ],
)
def test_a_call_that_cannot_be_trusted_or_read_is_refused_in_json(erp, code, body, wrong):
    with pytest.raises(PushRefused) as refused:
        _hear(erp, _push(erp, body.encode(), **wrong))
    assert refused.value.code == code
    assert refused.value.answer.status >= 400
    assert wire.read(refused.value.answer.body)["error"] == code


def test_a_changed_body_has_a_wrong_signature_and_no_secret_hears_nobody(erp):
    push = _push(erp, HOOK.encode())
    changed = Push("POST", "", {}, push.headers, push.body.replace(b"5", b"9"), push.at)
    for told, code in ((settings_for(), "rest.hook_signature"), ({"way": "none"}, "rest.hook_closed")):
        with pytest.raises(PushRefused) as refused:
            Rest().hear(access_of(Rest(), erp.url, told), changed)
        assert refused.value.code == code


def test_a_webhook_travels_from_the_service_to_us_and_back(erp):
    class Door(Practice):
        def answer(self, call: Call) -> Reply:
            push = Push(
                call.method, "", call.query, call.headers, call.body, datetime.fromtimestamp(call.at, UTC)
            )
            try:
                heard.append(_hear(erp, push))
            except PushRefused as refused:
                return Reply(refused.answer.body, refused.answer.status)
            return Reply(heard[-1].answer.body)

    heard: list[Heard] = []
    with Door() as door:
        asked = {"url": f"{door.url}/hook", "event": "item.changed"}
        assert erp.admin_act("hook", asked)["status"] == 200
        assert erp.admin_act("hook", asked | {"wrong": {"secret": "nonsense"}})["status"] == 401
        items = [{"item": "", "uom": "?"}]
        refused = erp.admin_act("hook", asked | {"event": "stock.changed", "items": items})
    assert [record.code for record in heard[0].records] == ["BRG-6204", "RB-HRB400E-16"]
    assert refused["status"] == 422 and "generic.field_missing" in refused["answer"]


def test_our_own_shape_is_heard_without_any_mapping(erp):
    body = b'{"kind":"payments","records":[{"number":"P1","reference":"SO-1","day":"20261201","currency":"CNY","amount":5}]}'
    heard = Rest().hear(access_of(Rest(), erp.url, {"hook_secret": DEMO.hook_secret}), _push(erp, body))
    assert heard.records[0].amount == Decimal(5) and heard.records[0].day == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("marks", "newest"),
    [
        (["2026-11-20T08:00:00", "2026-11-21T08:00:00", "unknown", ""], "2026-11-21T08:00:00"),
        (["999", "1000"], "1000"),
        (["v9", "v10"], "v9"),
        (["", ""], None),
    ],
)
def test_the_newest_mark_is_no_word_among_moments_and_counts_numbers(marks, newest):
    """A cursor that became a word would ask for what changed since `unknown`, and nothing ever would."""
    assert _newest(marks) == newest

"""REST: every way to sign in, every odd answer by its remedy, and what no setting may do."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from connectors.generic.rest import wire
from connectors.generic.rest.simulator import DEMO, Account, Simulator, settings_for
from connectors.generic.rest.system import Rest
from core.sync.conformance import ConnectorConformance
from tests.connectors.generic_house import (
    BUYER_CODE,
    access_of,
    filed,
    nobody_known,
    order_out,
    rest_links,
)
from tongshang.connect import (
    Ambiguous,
    FixSettings,
    LeaseLost,
    OutboundRule,
    Rejected,
    RetryLater,
    Uncertain,
    session,
)
from tongshang.simulate import Reply


class TestRest(ConnectorConformance):
    connector = Rest


@pytest.fixture
def erp() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def link_of(erp: Simulator):
    with rest_links(erp) as make:
        yield make


@pytest.mark.parametrize("way", ["none", "basic", "bearer", "api_key", "hmac"])
def test_an_order_is_filed_changed_and_cancelled_by_every_way_to_sign_in(erp, link_of, way):
    erp.account = Account(way=way)
    link = link_of()
    assert link.find("SO-1") is None
    found = filed(link)
    assert (found.number, found.finished, found.total) == ("XD2611-00001", True, Decimal("12316.00"))
    assert found.partner == BUYER_CODE
    changed = link.send(link.bill(order_out(version=4, bearings="100"), nobody_known), found)
    assert (changed.total, changed.lines[0].quantity) == (Decimal("11586.00"), Decimal(100))
    link.find("SO-1")
    assert link.cancel(changed).cancelled
    assert len(erp.books.orders) == 1


@pytest.mark.parametrize(
    ("way", "wrong"),
    [
        ("bearer", {"token": "nonsense"}),
        ("basic", {"password": "nonsense"}),
        ("api_key", {"token": "nonsense"}),
        ("hmac", {"sign_secret": "nonsense"}),
    ],
)
def test_wrong_credentials_ask_for_settings(erp, link_of, way, wrong):
    erp.account = Account(way=way)
    with pytest.raises(FixSettings):
        link_of(**wrong).find("SO-1")


def test_a_missing_secret_is_named_before_anything_is_called():
    with pytest.raises(FixSettings, match="token"):
        Rest().open(access_of(Rest(), "https://erp.example.com", {"way": "bearer"}), session())


def test_the_order_travels_in_the_documented_shape_with_exact_numbers(erp, link_of):
    link = link_of()
    filed(link)
    sent = wire.read(next(e.request for e in link.client.trace.exchanges if e.operation == "create").encode())
    assert sent["total"] == "12316.00" and sent["lines"][0]["price"] == "36.500000"
    assert list(sent) == [
        *("reference", "version", "organisation", "ordered_on", "delivery_on", "partner", "partner_name"),
        *("partner_code", "buyer_po", "ship_to", "note", "currency", "total", "lines"),
    ]
    assert sent["lines"][1] == {
        "line": 2,
        "material": "RB-HRB400E-16",
        "name": "螺纹钢 HRB400E Φ16",
        "unit": "TNE",
        "quantity": "2",
        "price": "3968.000000",
        "tax_rate": "0.13",
        "amount": "7936.00",
    }


def test_secrets_never_stand_in_a_trace(erp, link_of):
    link = link_of()
    filed(link)
    shown = "".join(f"{e.url}{e.request}{e.response}" for e in link.client.trace.exchanges)
    assert "SO-1" in shown and DEMO.token not in shown


WRITE = [
    ("drop_before", Uncertain, 0),
    ("drop_after", Uncertain, 1),
    ("timeout_before", Uncertain, 0),
    ("timeout_after", Uncertain, 1),
    ("status_500_after", Uncertain, 1),
    ("html_200", Uncertain, 1),
    ("cut_body", Uncertain, 1),
    ("bad_charset", Uncertain, 1),
    ("locked", RetryLater, 0),
    ("too_many", RetryLater, 0),
    ("busy", RetryLater, 0),
    ("refused_200", Rejected, 0),
]


@pytest.mark.parametrize(("mode", "error", "there"), WRITE)
def test_every_odd_answer_to_a_write_has_its_remedy(erp, link_of, mode, error, there):
    erp.faults.set([{"match": "create", "mode": mode, "times": 1, "seconds": 0.8}])
    with pytest.raises(error):
        filed(link_of())
    assert len(erp.books.orders) == there


@pytest.mark.parametrize(
    "mode",
    [
        "drop_before",
        "drop_after",
        "timeout_before",
        "status_500_after",
        "html_200",
        "cut_body",
        "bad_charset",
    ],
)
def test_a_read_without_a_readable_answer_may_be_repeated(erp, link_of, mode):
    erp.faults.set([{"match": "find", "mode": mode, "times": 1, "seconds": 0.8}])
    link = link_of()
    with pytest.raises(RetryLater):
        link.find("SO-1")
    assert link.find("SO-1") is None


def test_nothing_is_written_once_the_lease_is_over(erp, link_of):
    link = link_of()

    def over():
        raise LeaseLost

    link.before_write = over
    with pytest.raises(LeaseLost):
        filed(link)
    assert erp.books.orders == []


def test_a_search_that_answers_other_documents_proves_nothing(erp, link_of):
    filed(link_of(), order_out(reference="SO-7"))
    wrong = link_of(find_path="/orders?ref=SO-7&really={reference}")
    with pytest.raises(FixSettings, match="proves nothing"):
        wrong.find("SO-1")


def test_two_live_documents_of_one_reference_are_for_a_person(erp, link_of):
    link = link_of()
    filed(link)
    link.client.access = access_of(Rest(), erp.url, settings_for() | {"idempotency_header": "-"})
    with pytest.raises(Ambiguous, match="XD2611-00001, XD2611-00002"):
        filed(link)
    with pytest.raises(Ambiguous):
        link.find("SO-1")
    erp.books.void("1")
    assert link.find("SO-1").number == "XD2611-00002"


def test_a_write_with_a_name_is_done_once_however_often_it_comes(erp, link_of):
    erp.faults.set([{"match": "create", "mode": "done_twice", "times": 1}])
    assert filed(link_of()).number == "XD2611-00001"
    assert len(erp.books.orders) == 1


def test_what_the_answer_does_not_tell_is_not_compared(erp, link_of):
    told = settings_for()
    told["answer"] += ", lines=-, total=-, partner=-, currency=-"
    link = link_of(told)
    bill = link.bill(order_out(), nobody_known)
    assert (bill.partner, bill.currency, bill.total, bill.lines) == ("", "", Decimal(0), ())
    assert len(bill.body["lines"]) == 2
    assert link.send(bill, None).lines == ()


@pytest.mark.parametrize("reference", ["../orders/9", "SO 1/2?x=1&y#z", "订单-1", "a%2Fb"])
def test_a_reference_is_one_piece_of_a_path(erp, link_of, reference):
    link = link_of()
    assert filed(link, order_out(reference=reference)).number
    assert erp.books.orders[0]["ref"] == reference
    assert link.find(reference).number == "XD2611-00001"
    path = link_of(find_path="/orders/{reference}").orders._url("find", {"reference": reference})
    assert path.removeprefix(f"{erp.url}/orders/").count("/") == 0


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example.com/x",
        "http://evil.example.com/",
        "orders",
        "/../admin",
        "/a/%2e%2e/b",
        "/a/.%2E/b",
        "/x#y",
        "/{secret}",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(link_of, path):
    with pytest.raises(FixSettings, match="rest.path"):
        link_of(find_path=path).find("SO-1")


@pytest.mark.parametrize("header", ["Host=evil", "Content-Length=1", "authorization=Bearer x", "Cookie=a"])
def test_headers_that_belong_to_the_connection_cannot_be_set(link_of, header):
    with pytest.raises(FixSettings, match="rest.header"):
        link_of(headers=header).find("SO-1")


@pytest.mark.parametrize("setting", ["api_key_header", "sign_header", "stamp_header", "idempotency_header"])
@pytest.mark.parametrize("header", ["Host", "transfer-encoding", " Content-Length"])
def test_a_setting_that_names_a_header_cannot_name_one_of_those_either(erp, link_of, setting, header):
    link = link_of({**settings_for(erp.account), "way": "hmac", "sign_secret": "s3cr3t", "username": "us", setting: header})
    with pytest.raises(FixSettings, match="rest.header"):
        filed(link) if setting == "idempotency_header" else link.find("SO-1")
    assert erp.books.orders == []


@pytest.mark.parametrize("token", ["geheim\nX-Evil: 1", "令牌 geheim"])
def test_a_secret_that_no_header_can_carry_asks_for_settings_and_is_not_told(link_of, token):
    link = link_of(token=token)
    with pytest.raises(FixSettings, match="http.header") as refused:
        link.find("SO-1")
    (call,) = link.client.trace.exchanges
    assert "geheim" not in f"{refused.value}{call}" and refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"currency": "JPY"}, "generic.currency_missing"),
        ({"partner_code": ""}, "generic.partner_missing"),
    ],
)
def test_what_has_no_counterpart_is_refused_before_it_is_sent(erp, link_of, change, code):
    from dataclasses import replace

    told = settings_for() | {"currencies": "CNY=RMB"}
    link = link_of(told)
    link.orders.shape.currencies.pop("JPY")
    with pytest.raises(Rejected) as refused:
        link.bill(replace(order_out(), **change), nobody_known)
    assert refused.value.code == code and not erp.calls


def test_a_draft_is_released_by_a_call_of_its_own_also_when_the_first_one_was_lost(erp, link_of):
    erp.books.drafts = True
    link = link_of(confirm_path="/orders/{id}/release")
    erp.faults.set([{"match": "release", "mode": "drop_before", "times": 1}])
    bill = link.bill(order_out(), nobody_known)
    with pytest.raises(Uncertain):
        link.send(bill, None)
    found = link.find("SO-1")
    assert (found.status, found.finished) == ("draft", False)
    assert link.send(bill, found).status == "approved"
    assert (len(erp.books.orders), erp.calls["create orders"]) == (1, 1)


def test_a_service_that_says_404_for_what_is_not_there_is_believed_only_if_told_so(erp, link_of):
    answer = settings_for()["answer"].replace("list=data.orders", "list=data")
    told = {"find_path": "/orders/{reference}", "answer": answer}
    with pytest.raises(FixSettings, match="404"):
        link_of(**told).find("SO-1")
    link = link_of(**told, missing="404")
    assert link.find("SO/1 ?") is None
    assert filed(link, order_out(reference="SO/1 ?")).number == "XD2611-00001"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"code": 0}', b'{"code": 0, "data": {}}'])
def test_an_answer_without_the_list_it_should_have_is_no_proof_of_nothing(erp, link_of, monkeypatch, body):
    """Something in between answered; whoever takes that for nothing has the order sent twice."""
    link = link_of()
    filed(link)
    monkeypatch.setattr(Simulator, "answer", lambda self, call: Reply(body))
    with pytest.raises(RetryLater, match="unreadable"):
        link.find("SO-1")
    with pytest.raises(RetryLater, match="unreadable"):
        list(link.stream("products").pull(None, None))


def test_where_the_answer_itself_is_the_list_none_is_nothing(erp, link_of, monkeypatch):
    link = link_of(answer=settings_for()["answer"].replace("list=data.orders", "list=-"), ok_field="")
    for body in (b"", b"{}", b"[]"):
        monkeypatch.setattr(Simulator, "answer", lambda self, call, body=body: Reply(body))
        assert link.find("SO-1") is None


def test_that_404_means_none_is_said_of_orders_and_hides_no_wrong_path_of_records(erp, link_of):
    link = link_of(missing="404", read_products="path=/itmes, list=data.list, code=no, name=title, unit=uom")
    with pytest.raises(FixSettings, match="404"):
        list(link.stream("products").pull(None, None))


def test_numbers_may_travel_as_json_numbers_and_stay_exact(erp, link_of):
    link = link_of(numbers="number")
    filed(link)
    sent = next(e.request for e in link.client.trace.exchanges if e.operation == "create")
    assert '"total":12316.00' in sent and '"price":36.500000' in sent


def test_the_check_goes_from_the_address_to_the_first_record(erp):
    http = session([OutboundRule.parse(f"127.0.0.1:{erp.port}")])
    steps = list(Rest().check(access_of(Rest(), erp.url, settings_for()), http))
    assert [(step.name, step.ok) for step in steps] == [
        (name, True) for name in ("address", "dns", "tcp", "find", "read")
    ]
    wrong = access_of(Rest(), erp.url, settings_for() | {"token": "nonsense"})
    assert [(step.name, step.ok) for step in Rest().check(wrong, http)][-1] == ("find", False)
    http.close()

"""The SOAP side: logins in every overload, sessions, and every odd answer by remedy."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.kingdee.eas.envelope import Unreadable, read
from connectors.kingdee.eas.session import Account
from connectors.kingdee.eas.simulator import DEMO, Simulator
from connectors.kingdee.eas.simulator.axis import XML, fault
from connectors.kingdee.eas.text import NoVerdict, encode, number
from connectors.kingdee.eas.text import read as verdict
from connectors.kingdee.eas.wsdl import Part
from connectors.kingdee.eas.wsdls import LOGINS, facade_wsdl
from tests.connectors.eas_house import BASE, FACADE, link_to, nobody, order
from tongshang.connect import (
    FixSettings,
    LeaseLost,
    OutboundRule,
    Rejected,
    RetryLater,
    SyncError,
    Trace,
    Uncertain,
    session,
)
from tongshang.simulate import Call, Reply

WRITE, READ = "importBill", "queryBill"


@pytest.fixture
def eas():
    with Simulator() as simulator:
        simulator.books.merge(BASE)
        yield simulator


# -- login and session


@pytest.mark.parametrize("overload", range(len(LOGINS)))
def test_a_login_works_with_whichever_overload_survived_and_whatever_host_the_wsdl_names(eas, overload):
    eas.overload = overload
    http = session([OutboundRule.parse(f"127.0.0.1:{eas.port}")])
    text = http.get(f"{eas.url}/ormrpc/services/EASLogin?wsdl").text
    link = link_to(eas, login_wsdl=text)
    assert len(link.facade.session.service.parts("login")) == len(LOGINS[overload][1])
    assert link.find("TS-1") is None


ACCOUNT = Account("u", "p", "eas", "db", "L2", 1, "BaseDB")


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (
            ["userName", "password", "slnName", "dcName", "language", "dbType"],
            ["u", "p", "eas", "db", "L2", 1],
        ),
        (["in0", "in1", "in2", "in3", "in4", "in5", "in6"], ["u", "p", "eas", "db", "L2", 1, "BaseDB"]),
        (
            ["dcName", "userName", "password", "slnName", "language", "dbType"],
            ["db", "u", "p", "eas", "L2", 1],
        ),
    ],
)
def test_arguments_go_by_name_where_names_are_known_and_by_place_where_not(names, values):
    parts = tuple(Part(name, isinstance(value, int)) for name, value in zip(names, values, strict=True))
    assert ACCOUNT.arguments(parts) == values


@pytest.mark.parametrize(
    "parts",
    [
        tuple(Part(f"in{at}", False) for at in range(5)),
        tuple(Part(f"in{at}", False) for at in range(9)),
        tuple(Part(f"in{at}", False) for at in range(6)),  # the database as text
    ],
)
def test_a_login_of_another_shape_asks_for_another_wsdl(parts):
    with pytest.raises(FixSettings) as refused:
        ACCOUNT.arguments(parts)
    assert refused.value.code == "eas.signature"


@pytest.mark.parametrize(
    "told", [{"password": "wrong"}, {"username": "nobody"}, {"data_centre": "OTHER"}, {"solution": "x"}]
)
def test_a_login_without_a_session_in_its_answer_asks_for_settings(eas, told):
    with pytest.raises(FixSettings) as refused:
        link_to(eas, **told).find("TS-1")
    assert refused.value.code == "eas.login_refused"
    assert eas.calls["login EASLogin"] == 1


def test_a_lost_session_is_opened_again_once_and_the_write_done_once(eas):
    link = link_to(eas)
    link.find("TS-1")
    eas.desk.lose()
    link.facade.take_in(link.bill(order(), nobody).body)
    assert len(eas.books.orders) == 1
    assert eas.calls["login EASLogin"] == 2


def test_a_session_that_is_lost_every_time_asks_for_settings_after_two_tries(eas):
    eas.faults.set([{"mode": "session_lost", "match": READ}])
    with pytest.raises(FixSettings) as refused:
        link_to(eas).find("TS-1")
    assert refused.value.code == "eas.session_lost"
    assert eas.calls[f"{READ} {FACADE}"] == 2


def test_where_a_session_carried_calls_before_losing_it_twice_is_a_matter_of_time(eas):
    link = link_to(eas)
    link.find("TS-1")
    eas.faults.set([{"mode": "session_lost", "match": READ}])
    with pytest.raises(RetryLater, match="eas.session_lost"):
        link.find("TS-1")


@pytest.mark.parametrize(
    "said",
    [
        "could not open Hibernate Session for transaction; timed out",
        "java.sql.SQLException: session expired",
        "数据库会话超时",
    ],
)
def test_a_session_of_the_database_lost_in_the_middle_of_a_write_is_no_login_lost(eas, monkeypatch, said):
    plain, imported = eas._answered, []

    def broken(call: Call, lag: float = 0.0) -> Reply:
        answered = plain(call, lag)
        if b"importBill" not in call.body:
            return answered
        imported.append(call)
        return Reply(fault("Server.userException", said).encode(), 500, content_type=XML)

    monkeypatch.setattr(eas, "_answered", broken)
    link = link_to(eas)
    with pytest.raises(Uncertain):
        link.facade.take_in(link.bill(order(), nobody).body)
    assert len(imported) == len(eas.books.orders) == 1


def test_data_that_speaks_of_sessions_is_not_a_lost_session(eas):
    eas.books.merge({"materials": [{"number": "S-1", "name": "会话已失效 session invalid id href"}]})
    link = link_to(eas)
    (row,) = [row for row in link.facade.listed("materials", {"afterNumber": "RB-Z", "limit": 5})]
    assert row["name"].startswith("会话已失效")
    assert eas.calls["login EASLogin"] == 1


# -- answers by remedy


def written(eas: Simulator, mode: str, **fault: object) -> tuple[type[SyncError], str, int]:
    """What an import under a fault raised, and how many orders stand there then."""
    link = link_to(eas, timeout=(0.4, 0.4))
    bill = link.bill(order(), nobody).body
    eas.faults.set([{"match": WRITE, "mode": mode, "times": 1, "seconds": 0.6, **fault}])
    with pytest.raises(SyncError) as raised:
        link.facade.take_in(bill)
    eas.faults.set([])
    return type(raised.value), raised.value.code, len(eas.books.orders)


@pytest.mark.parametrize(
    ("mode", "committed"),
    [
        ("drop_before", 0),
        ("drop_after", 1),
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("status_500_after", 1),
        ("html_200", 1),
        ("html_500", 1),
        ("soap_fault", 1),
        ("cut_body", 1),
        ("bad_charset", 1),
        ("duplicate", 1),
    ],
)
def test_a_write_without_a_clear_answer_is_uncertain(eas, mode, committed):
    kind, _, there = written(eas, mode)
    assert (kind, there) == (Uncertain, committed)


@pytest.mark.parametrize(("mode", "code"), [("locked", "eas.locked"), ("busy", "eas.busy")])
def test_a_busy_server_is_asked_again_later(eas, mode, code):
    assert written(eas, mode) == (RetryLater, code, 0)


@pytest.mark.parametrize(
    "mode",
    ["drop_before", "timeout_before", "status_500_after", "html_200", "html_500", "soap_fault", "cut_body"],
)
def test_a_read_without_a_clear_answer_may_be_repeated(eas, mode):
    link = link_to(eas, timeout=(0.4, 0.4))
    link.find("TS-1")
    eas.faults.set([{"match": READ, "mode": mode, "times": 1, "seconds": 0.6}])
    with pytest.raises(RetryLater):
        link.find("TS-1")
    assert link.find("TS-1") is None


def test_an_answer_in_gbk_that_says_so_is_read(eas):
    link = link_to(eas)
    eas.faults.set([{"mode": "gbk_answer"}])
    rows = link.facade.listed("materials", {"afterNumber": "", "limit": 5})
    assert rows[0]["name"] == "深沟球轴承 6204"


def test_gbk_told_by_http_alone_is_read_too():
    text = '<?xml version="1.0"?><a>轴承</a>'.encode("gb18030")
    assert read(text, "text/xml; charset=GB2312").text == "轴承"
    with pytest.raises(Unreadable):
        read(text, "text/xml; charset=utf-8")


def test_a_server_that_refuses_connections_was_not_reached():
    with Simulator() as eas:
        link = link_to(eas)
    with pytest.raises(RetryLater) as later:
        link.find("TS-1")
    assert later.value.code == "unreachable.tcp"


def test_an_address_nobody_opened_asks_for_settings(eas):
    link = link_to(eas)
    link.wire.http = session([])
    with pytest.raises(FixSettings) as refused:
        link.find("TS-1")
    assert refused.value.code == "outbound.blocked"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"facade_path": "/ormrpc/services/WSNothing"}, "http.not_found"),
        ({"operations": "query=askBill"}, "eas.operation_missing"),
        ({"operations": "query=importBill\nimport=queryBill"}, "eas.validation"),
        (
            {"facade_wsdl": facade_wsdl().replace('name="param"', 'name="param" type="xsd:int" x="')},
            "eas.wsdl_unusable",
        ),
        (
            {"facade_wsdl": facade_wsdl().replace("queryBill", "askBill"), "operations": "query=askBill"},
            "eas.operation_missing",
        ),
        ({"login_wsdl": facade_wsdl()}, "eas.operation_missing"),
    ],
)
def test_a_facade_that_is_not_as_told_is_named(eas, told, code):
    with pytest.raises((FixSettings, Rejected)) as refused:
        link_to(eas, **told).find("TS-1")
    assert refused.value.code == code


def test_nothing_is_written_once_the_lease_is_lost(eas):
    link = link_to(eas)

    def gone() -> None:
        raise LeaseLost

    bill = link.bill(order(), nobody).body
    link.before_write = gone
    with pytest.raises(LeaseLost):
        link.facade.take_in(bill)
    assert eas.books.orders == {}


def test_no_secret_reaches_the_trace(eas):
    link = link_to(eas)
    link.trace = Trace(keep=50)
    link.send(link.bill(order(note="联系 13812345678"), nobody), None)
    opened = eas.desk.ids
    eas.desk.lose()
    link.find("TS-1")
    text = "".join(each.request + each.response + each.url for each in link.trace.exchanges)
    assert [one for one in (DEMO.password, "13812345678", *opened, *eas.desk.ids) if one in text] == []
    assert "TS-1" in text and "login" in [each.operation for each in link.trace.exchanges]


# -- texts


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ('{"success":true}', True),
        ('{"success":"true","status":"success"}', True),
        ('\ufeff{"isSuccess":true}', True),
        ('[{"flag":"success"}]', True),
        ('{"success":false,"errorCode":"X"}', False),
        ('{"state":"error"}', False),
        ('{"result":"failure"}', False),
    ],
)
def test_a_verdict_is_read_under_its_customary_names(text, ok):
    assert verdict(text).ok is ok


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "null",
        "true",
        "{}",
        "[]",
        '{"success":null}',
        '{"success":1}',
        '{"status":"0"}',
        '{"success":true,"status":"error"}',
        '{"message":"保存成功"}',
        '[{"success":true},{"success":true}]',
        '{"success":true',
        '{"success":true,"n":NaN}',
        "<success>true</success>",
        "[" * 100_000,
        None,
        7,
    ],
)
def test_a_text_that_does_not_say_yes_in_so_many_words_is_no_yes(text):
    with pytest.raises(NoVerdict):
        verdict(text)


def test_numbers_travel_exactly_and_text_without_a_code_page():
    assert encode({"b": Decimal("36.50"), "a": ["吨", None, True]}) == '{"b":36.50,"a":["\\u5428",null,true]}'
    with pytest.raises(TypeError):
        encode({"price": 36.5})
    assert verdict('{"success":true,"data":[{"n":1.10}]}').rows[0]["n"] == Decimal("1.10")
    for wrong in (True, None, "", "x", "NaN", [1], 1.5):
        with pytest.raises(ValueError):
            number(wrong)

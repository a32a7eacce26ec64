"""Calls over SOAP: every odd answer sorted by remedy, BAPIRET2, logins, values, and words for all of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.sap.soap import values, xml
from connectors.sap.soap.returns import RETRIABLE, messages, refusal
from connectors.sap.soap.simulator import DEMO_VALUES, Simulator, envelope
from tests.connectors.sap_soap_house import BASE, Desk, nobody, order
from tongshang.connect import FixSettings, LeaseLost, Rejected, RetryLater, Uncertain, differences

CREATE, READ = "Z_TS_SALESORDER_CREATE", "Z_TS_SALESORDER_READ"


@pytest.fixture
def sap():
    with Simulator() as simulator:
        simulator.world.merge(BASE)
        yield simulator


@pytest.fixture
def desk(sap):
    made = Desk(sap)
    yield made
    made.close()


def orders(sap):
    return sap.state()["orders"]


# -- answers


@pytest.mark.parametrize(
    ("mode", "committed"),
    [
        ("drop_before", 0),
        ("drop_after", 1),
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("status_500_after", 1),
        ("html_500", 1),
        ("html_200", 1),
        ("cut_body", 1),
        ("bad_charset", 1),
        ("empty", 1),
        ("soap_fault_busy", 0),
    ],
)
def test_a_write_without_a_readable_answer_is_uncertain(sap, desk, mode, committed):
    sap.faults.set([{"match": CREATE, "mode": mode, "times": 1, "seconds": 0.5}])
    link = desk.link(patience=0.3)
    with pytest.raises(Uncertain):
        link.send(link.bill(order(), nobody), None)
    assert len(orders(sap)) == committed


@pytest.mark.parametrize(
    "mode",
    ["drop_before", "timeout_before", "html_500", "html_200", "cut_body", "bad_charset", "soap_fault_busy"],
)
def test_a_read_without_a_readable_answer_may_be_repeated(sap, desk, mode):
    sap.faults.set([{"match": READ, "mode": mode, "times": 1, "seconds": 0.5}])
    link = desk.link(patience=0.3)
    with pytest.raises(RetryLater):
        link.find("SO-1")
    assert link.find("SO-1") is None


def test_fields_that_no_wsdl_knows_do_not_lose_the_document(sap, desk):
    sap.faults.set([{"mode": "extra_element"}])
    link = desk.link()
    bill = link.bill(order(), nobody)
    assert differences(bill, link.send(bill, None)) == []


def test_an_exception_of_the_function_is_a_refusal_only_when_it_rolls_back(sap, desk):
    sap.faults.set([{"match": CREATE, "mode": "exception"}])
    link = desk.link()
    with pytest.raises(Rejected, match="NOT_AUTHORIZED_NOW"):
        link.send(link.bill(order(), nobody), None)
    link = desk.link(rolls_back="")
    with pytest.raises(Uncertain):
        link.send(link.bill(order(), nobody), None)


@pytest.mark.parametrize("blames_us", [True, False])
def test_an_exception_is_one_whoever_the_fault_blames(desk, blames_us):
    told = envelope.fault("Exception caused in RFC-Function", client=blames_us, exception="LATE")
    fault = xml.soap_body(xml.parse(told))
    client = desk.link(rolls_back="").client
    assert type(client.fault(fault, write=True)) is Uncertain
    assert type(client.fault(fault, write=False)) is Rejected
    assert type(desk.link().client.fault(fault, write=True)) is Rejected


def test_nothing_is_written_once_the_lease_is_lost(sap, desk):
    link = desk.link()
    bill = link.bill(order(), nobody)

    def gone():
        raise LeaseLost

    link.before_write = gone
    with pytest.raises(LeaseLost):
        link.send(bill, None)
    assert orders(sap) == []
    assert link.find("SO-1") is None  # reading needs no lease


def test_no_secret_reaches_the_trace(sap, desk):
    link = desk.link(password=DEMO_VALUES["password"])
    link.send(link.bill(order(note=f"联系 13812345678 {DEMO_VALUES['password']}"), nobody), None)
    text = "".join(one.request + one.response + one.url for one in desk.trace.exchanges)
    assert DEMO_VALUES["password"] not in text and "13812345678" not in text and "Basic" not in text
    assert "SO-1" in text and {one.operation for one in desk.trace.exchanges} >= {CREATE, READ}


def test_a_value_the_wsdl_cannot_carry_is_refused_before_anything_leaves(sap, desk):
    link = desk.link(names="item.text=GROSS_PRICE")
    with pytest.raises(Rejected) as refused:
        link.send(link.bill(order(), lambda kind, _: "217" if kind == "partner" else None), None)
    assert refused.value.code == "sap.parameter_unfit"
    assert list(sap.calls.last) == []


def test_a_mistake_of_ours_after_sending_is_not_taken_for_a_refusal(sap, desk):
    link = desk.link()
    bill = link.bill(order(), nobody)

    def wrong(*_):
        raise TypeError("ours")

    link.trace = wrong
    with pytest.raises(Uncertain, match="ours"):
        link.send(bill, None)
    assert len(orders(sap)) == 1


def test_a_token_is_fetched_once_and_once_more_when_it_is_refused(sap, desk):
    oauth = {key: str(value) for key, value in sap.logins().items() if key != "password"} | {
        "way": "oauth",
        "password": "",
    }
    link = desk.link(**oauth)
    bill = link.bill(order(), nobody)
    link.send(bill, None)
    assert sap.calls["TOKEN"] == 1
    sap.admin_act("expire", {})
    link.send(link.bill(order("SO-2"), nobody), None)
    assert sap.calls["TOKEN"] == 2 and [one["reference"] for one in orders(sap)] == ["SO-1", "SO-2"]
    fetched = [one.response for one in desk.trace.exchanges if one.operation == "token"]
    assert fetched == ["a token for 3600 s"] * 2
    text = "".join(one.request + one.response for one in desk.trace.exchanges)
    assert "token-" not in text and oauth["client_secret"] not in text


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"client_secret": "wrong"}, "sap.token_refused"),
        ({"client_id": ""}, "sap.credentials_missing"),
        ({"way": "certificate"}, "http.forbidden"),
        ({"way": "basic", "username": ""}, "sap.credentials_missing"),
    ],
)
def test_a_login_that_lacks_something_asks_for_settings(sap, desk, more, code):
    oauth = {key: str(value) for key, value in sap.logins().items()} | {"way": "oauth"}
    with pytest.raises(FixSettings) as refused:
        desk.link(**(oauth | more)).find("SO-1")
    assert refused.value.code == code


def test_a_token_endpoint_that_breaks_off_is_asked_again_later(sap, desk):
    sap.faults.set(
        [
            {"match": "TOKEN", "mode": "html_200", "times": 1},
            {"match": "TOKEN", "mode": "drop_before", "times": 1},
        ]
    )
    oauth = {key: str(value) for key, value in sap.logins().items()} | {"way": "oauth"}
    link = desk.link(**oauth)
    for _ in range(2):
        with pytest.raises(RetryLater) as later:
            link.find("SO-1")
        assert later.value.code == "sap.token"
    assert link.find("SO-1") is None


def test_a_server_that_is_not_there_is_not_sent_to(sap, desk):
    link = desk.link()
    bill = link.bill(order(), nobody)
    sap.stop()
    with pytest.raises(RetryLater) as later:
        link.send(bill, None)
    assert later.value.code == "unreachable.tcp"


# -- BAPIRET2


def row(kind, id="V1", number="311", message="text"):
    return {"TYPE": kind, "ID": id, "NUMBER": number, "MESSAGE": message}


@pytest.mark.parametrize(
    ("rows", "rolls_back", "error", "code"),
    [
        ([row("S")], True, None, ""),
        ([row("W"), row("I"), row("S")], True, None, ""),
        ([], True, None, ""),
        ([row("S"), row("E", number="382")], True, Rejected, "sap.refused"),
        ([row("A", "00", "1")], True, Rejected, "sap.refused"),
        ([row("E", "MC", "601"), row("E", "V4", "219")], True, RetryLater, "sap.locked"),
        ([row("E")], False, Uncertain, "sap.refused_without_rollback"),
        ([row("E", "MC", "601")], False, Uncertain, "sap.refused_without_rollback"),
    ],
)
def test_what_rows_mean(rows, rolls_back, error, code):
    found = refusal(messages(rows), RETRIABLE, rolls_back=rolls_back, write=True)
    assert (type(found) if found else None) is error
    assert not found or found.code == code


def test_one_structure_is_a_table_of_one_and_an_initial_one_says_nothing():
    assert [str(one) for one in messages(row("E", "V1", "7", "no"))] == ["V1 007 no"]
    assert messages({"TYPE": "", "ID": "", "NUMBER": "000", "MESSAGE": ""}) == []
    assert messages("") == []
    with pytest.raises(xml.Unreadable):
        messages([row("X")])
    with pytest.raises(xml.Unreadable):
        messages(["text"])


def test_which_messages_heal_is_the_sites_own_table(sap, desk):
    sap.faults.set([{"match": CREATE, "mode": "locked"}])
    link = desk.link()
    with pytest.raises(RetryLater, match="MC 601"):
        link.send(link.bill(order(), nobody), None)
    link = desk.link(retry_messages="MC 601=no")
    with pytest.raises(Rejected, match="MC 601"):
        link.send(link.bill(order(), nobody), None)
    assert orders(sap) == []


# -- values


@pytest.mark.parametrize(
    ("text", "told"),
    [("36.50", "36.50"), ("36.50-", "-36.50"), ("-1", "-1"), ("", "0"), ("0005", "5"), (" 7 ", "7")],
)
def test_numbers_as_sap_writes_them(text, told):
    assert values.number(text) == Decimal(told)


@pytest.mark.parametrize("text", ["1,5", "1e5", "NaN", "Infinity", "--1", "1_0", "１", "x"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="no decimal number"):
        values.number(text)


def test_keys_and_days():
    assert values.padded("217", 10) == "0000000217" and values.padded("BRG-1", 18) == "BRG-1"
    assert values.bare("0000000217") == "217" and values.bare("00A") == "00A" and values.bare("000") == "0"
    assert values.day("0000-00-00") is None and values.day("00000000") is None
    assert values.day("20261205") == values.day("2026-12-05")


# -- xml


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"<a>" * 100 + b"</a>" * 100, "deeper"),
        (b'<!DOCTYPE a SYSTEM "x"><a/>', "DTD"),
        (b'<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>', "DTD"),
        (b"<a>&x;</a>", "x"),
        (b"<a><b></a>", "tag"),
        ("<?xml version='1.0' encoding='utf-8'?><a>通商</a>".encode("gb18030"), "encod|UTF|Input"),
    ],
)
def test_xml_is_read_whole_or_refused(body, why):
    with pytest.raises(xml.Unreadable, match=why):
        xml.parse(body)


# -- words


def test_every_setting_and_every_cause_is_said_in_chinese_and_causes_in_english():
    import re

    from connectors.sap.idoc.system import SapIdoc
    from connectors.sap.soap.system import SapBulk, SapSoap
    from core.web.i18n import CHINESE, ENGLISH, Words

    home = Path(xml.__file__).parent
    told = Words.load([home / "words", home.parent / "idoc" / "words"])
    shown = set()
    for kind in (SapSoap, SapBulk, SapIdoc):
        shown |= {kind.title, kind.summary}
        for each in kind.settings:
            shown |= {each.title, each.hint, *(name for _, name in each.choices)} - {""}
    assert sorted(text for text in shown if not told.knows(CHINESE, text)) == []
    source = "".join(
        path.read_text() for folder in (home, home.parent / "idoc") for path in folder.glob("*.py")
    )
    codes = set(re.findall(r'"(sap\.[a-z_]+)"', source)) | {"sap.locked", "sap.busy"}
    assert len(codes) > 40
    missing = [
        (c, way) for c in sorted(codes) for way in (CHINESE, ENGLISH) if not told.knows(way, f"cause.{c}")
    ]
    assert missing == []

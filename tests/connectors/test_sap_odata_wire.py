"""What travels between us and SAP: dates, decimals, lists, errors and batches in every form, and mutated ones."""

import contextlib
import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.sap.odata import multipart, wire
from connectors.sap.odata.mapping import ORDERS
from tests.connectors import sap_house
from tongshang.connect import SyncError

gateway, client_of = sap_house.gateway, sap_house.client_of


# -- bytes


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("/Date(1763769600000)/", datetime(2025, 11, 22, tzinfo=UTC)),
        ("/Date(1763769600000+0000)/", datetime(2025, 11, 22, tzinfo=UTC)),
        ("/Date(1763769600000+0480)/", datetime(2025, 11, 22, tzinfo=UTC)),
        ("/Date(-62135596800000)/", None),  # the initial date, 1 January of the year 1
        ("2025-11-22T00:00:00Z", datetime(2025, 11, 22, tzinfo=UTC)),
        ("2025-11-22", datetime(2025, 11, 22, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_dates_in_every_form(told, expected):
    assert wire.moment({"D": told}, "D") == expected


def test_a_moment_with_an_offset_keeps_its_wall_day():
    assert wire.day({"D": "/Date(1763823600000+0480)/"}, "D") == date(2025, 11, 22)
    assert wire.day({"D": "/Date(1763830800000+0480)/"}, "D") == date(2025, 11, 23)
    assert wire.ticks(date(2026, 12, 5)) == "/Date(1796428800000)/"


@pytest.mark.parametrize("told", ["5", "5.000", 5, Decimal("5.0"), " 5 ", "5.00000000000000"])
def test_decimals_are_the_same_however_they_are_written(told):
    assert wire.number({"Q": told}, "Q") == 5


@pytest.mark.parametrize("told", ["5,0", "five", True, [], {}, "NaN", "Infinity", "1E999"])
def test_what_is_no_number_is_not_taken_for_one(told):
    with pytest.raises(wire.Unreadable):
        wire.number({"Q": told}, "Q")


def test_null_and_empty_text_are_the_same():
    assert wire.text({"A": None, "B": ""}, "A") == wire.text({"B": ""}, "B") == wire.text({}, "C") == ""
    assert wire.number({"A": None}, "A") == wire.number({}, "A") == 0


def test_counts_as_text_or_number_and_lists_of_both_versions():
    assert wire.rows({"d": {"results": [], "__count": "33"}}).count == 33
    assert wire.rows({"d": {"results": [], "__count": 33}}).count == 33
    assert wire.rows({"value": [{}], "@odata.count": 1, "@odata.nextLink": "x"}) == wire.Rows(({},), 1, "x")
    assert wire.rows({"d": [{"a": 1}]}).entities == ({"a": 1},)


@pytest.mark.parametrize(
    "value", [None, [], {}, {"d": 5}, {"d": {}}, {"value": {}}, {"d": {"results": [1]}}, "x"]
)
def test_what_holds_no_list_is_no_empty_list(value):
    with pytest.raises(wire.Unreadable):
        wire.rows(value)


def test_what_was_not_expanded_is_not_taken_for_empty():
    with pytest.raises(wire.Unreadable):
        wire.many({"to_Item": {"__deferred": {"uri": "x"}}}, "to_Item")


def test_errors_of_both_versions_in_json_and_xml():
    inner = {"errordetails": [{"message": {"value": "second"}, "severity": "error", "target": "Material"}]}
    two = {"error": {"code": "V1/302", "message": {"lang": "zh", "value": "first"}, "innererror": inner}}
    found = wire.complaint(json.dumps(two).encode())
    assert found == wire.Complaint("V1/302", "first; second", "Material", ("V1/302",))
    details = [
        {"message": "worse", "code": "V4/115"},
        {"message": "by the way", "code": "V1/1", "severity": "info"},
    ]
    four = {"error": {"code": "X/1", "message": "bad", "target": "F", "details": details}}
    found = wire.complaint(json.dumps(four).encode())
    assert found == wire.Complaint("X/1", "bad; worse", "F", ("X/1", "V4/115"))
    xml = b'<?xml version="1.0"?><error xmlns="urn:m"><code>005056</code><message>kaputt</message></error>'
    assert wire.complaint(xml) == wire.Complaint("005056", "kaputt", codes=("005056",))
    assert wire.complaint(b"<html><body>error</body></html>") is None
    assert wire.complaint(b"") is None


def test_xml_errors_with_a_document_type_are_not_read():
    bomb = b'<!DOCTYPE e [<!ENTITY a "x">]><error><code>1</code><message>&a;</message></error>'
    assert wire.complaint(bomb) is None


def test_messages_of_a_header():
    inner = {"code": "V4/115", "message": "twice", "severity": "warning"}
    one = {"code": "V1/311", "message": "saved", "severity": "info", "details": [inner]}
    assert wire.messages(json.dumps(one)) == ["info V1/311: saved", "warning V4/115: twice"]
    assert wire.messages("") == [] and wire.messages("nonsense") == ["nonsense"]


def test_floats_never_leave():
    with pytest.raises(TypeError):
        wire.encode({"Q": 0.1})
    assert wire.encode({"Q": Decimal("120.00"), "名": ["深"]}) == '{"Q":"120","\\u540d":["深"]}'


# -- multipart


def test_a_batch_is_written_as_the_protocol_wants():
    change = multipart.Request("PATCH", "A(1)", {"If-Match": "*"}, b"{}")
    text = multipart.encode([multipart.Request("GET", "A?$top=1"), [change]], "b").decode()
    assert text.count("\n") == text.count("\r\n")
    assert "GET A?$top=1 HTTP/1.1\r\n\r\n\r\n--b\r\n" in text
    assert (
        "Content-ID: 1\r\n\r\nPATCH A(1) HTTP/1.1\r\nIf-Match: *\r\nContent-Length: 2\r\n\r\n{}\r\n--b_2--"
        in text
    )
    assert text.endswith("--b--\r\n")


ANSWER = (
    b"--A\r\nContent-Type: multipart/mixed; boundary=B\r\nContent-Length: 9\r\n\r\n"
    b"--B\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n\r\n--B--\r\n"
    b"\r\n--A\r\nContent-Type: application/http\r\ncontent-transfer-encoding: binary\r\n\r\n"
    b'HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"error":"--A"}\r\n--A--\r\n'
)


def test_the_answer_of_a_batch_is_taken_apart():
    done, refused = multipart.decode(ANSWER.replace(b"14", b"15"), "multipart/mixed; boundary=A")
    assert [part.status for part in done] == [204]
    assert (refused[0].status, refused[0].body) == (400, b'{"error":"--A"}')


@pytest.mark.parametrize("cut", range(0, len(ANSWER) - 4, 23))
def test_a_batch_answer_that_breaks_off_is_torn(cut):
    with pytest.raises(multipart.Torn):
        multipart.decode(ANSWER[:cut], "multipart/mixed; boundary=A")


# -- mutated answers


def mutate(dice, body):
    """The body with some bytes changed, left out or doubled."""
    made = bytearray(body)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(made)) if made else 0
        act = dice.randrange(4)
        if act == 0 and made:
            made[at] = dice.randrange(256)
        elif act == 1:
            del made[at : at + dice.randint(1, 40)]
        elif act == 2:
            made[at:at] = made[at : at + dice.randint(1, 40)]
        else:
            made[at:at] = dice.choice(
                [b'"', b"{", b"]", b"null", b"<", b"\xff", b"-", b"9999", b"\x00", b"e9"]
            )
    return bytes(made)


def survive(client, gateway, count):
    """`count` mutated answers: each one is a document, or an error by remedy; never a crash."""
    from connectors.sap.odata.link import SapLink
    from connectors.sap.odata.mapping import SiteMapping

    link = SapLink(client, SiteMapping(sap_house.access_to(gateway)))
    bill = link.bill(sap_house.order_out("TS-1"), sap_house.nothing_known)
    link.send(bill, None)
    (row,) = client.page(ORDERS, "A_SalesOrder", {"$expand": "to_Item,to_Item/to_PricingElement"}).entities
    body = wire.encode({"d": {"results": [row]}}).encode()
    batch = ANSWER.replace(b"14", b"15")
    dice, read = random.Random(4), 0
    for _ in range(count):
        try:
            for entity in wire.rows(wire.read(mutate(dice, body))).entities:
                link._found(entity)
            read += 1
        except (wire.Unreadable, SyncError):
            pass
        wire.complaint(mutate(dice, body))
        with contextlib.suppress(multipart.Torn):
            multipart.decode(mutate(dice, batch), "multipart/mixed; boundary=A")
    assert 0 < read < count


def test_mutated_answers_crash_nothing(gateway, client_of):
    survive(client_of(), gateway, 500)


@pytest.mark.slow
def test_ten_thousand_mutated_answers_crash_nothing(gateway, client_of):
    survive(client_of(), gateway, 10_000)

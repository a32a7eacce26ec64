"""WSDLs and answers that mean harm, and answers that were mutated on their way: never a crash, never taken for a yes."""

from __future__ import annotations

import random

import pytest
import requests

from connectors.kingdee.eas.envelope import MOST_ELEMENTS, Unreadable, answer, read
from connectors.kingdee.eas.simulator import Simulator
from connectors.kingdee.eas.soap import Service, Wire
from connectors.kingdee.eas.wsdls import facade_wsdl, login_wsdl
from tests.connectors.eas_house import BASE, link_to, nobody, order
from tongshang.connect import FixSettings, OutboundRule, RetryLater, SyncError, session

WRITE, READ = "importBill", "queryBill"


@pytest.fixture
def eas():
    with Simulator() as simulator:
        simulator.books.merge(BASE)
        yield simulator


HEAD = '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
IMPORT = (
    '<wsdl:types><xsd:schema targetNamespace="urn:x"><xsd:import namespace="urn:y" schemaLocation="{}"/>'
    "</xsd:schema></wsdl:types>"
)
HOSTILE = {
    "entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + HEAD + "</wsdl:definitions>",
    "laughs": '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + HEAD + "&b;</wsdl:definitions>",
    "doctype": "<!DOCTYPE wsdl:definitions>" + HEAD + "</wsdl:definitions>",
    "import": HEAD + '<wsdl:import namespace="urn:x" location="{url}/import"/></wsdl:definitions>',
    "schema": HEAD + IMPORT.format("{url}/schema") + "</wsdl:definitions>",
    "file": HEAD + IMPORT.format("/etc/passwd") + "</wsdl:definitions>",
    "include": HEAD
    + IMPORT.replace("xsd:import", "xsd:include").format("{url}/include")
    + "</wsdl:definitions>",
    "xml space": login_wsdl().replace('type="soapenc:string"', 'type="xml:lang"', 1),
    "doubling groups": login_wsdl().replace(
        "<complexType",
        '<group name="a"><sequence><group ref="b"/><group ref="b"/></sequence></group><complexType',
    ),
    "doubling unions": login_wsdl().replace(
        "<complexType", '<simpleType name="a"><union memberTypes="b b"/></simpleType><complexType'
    ),
    "a bean to send": login_wsdl().replace(
        'name="userName" type="soapenc:string"', 'name="userName" type="tns1:WSContext"'
    ),
    "html": "<html><body>EAS</body></html>",
    "no xml": "EASLogin",
    "empty": "<wsdl:definitions xmlns:wsdl='http://schemas.xmlsoap.org/wsdl/'/>",
    "deep": "<a>" * 200 + "</a>" * 200,
    "long": "<!--" + "x" * 1_000_001 + "-->" + login_wsdl(),
    "nul": login_wsdl().replace("logout", "log\x00out"),
    "half": login_wsdl()[:2000],
    "missing message": login_wsdl().replace(
        '<wsdl:message name="loginRequest', '<wsdl:message name="Request'
    ),
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_wsdl_that_means_harm_is_not_used_and_calls_nobody(eas, harm):
    wire = Wire(session([OutboundRule.parse(f"127.0.0.1:{eas.port}")]))
    text = HOSTILE[harm].replace("{url}", eas.url)
    with pytest.raises(FixSettings) as refused:
        Service(wire, text, eas.url).parts("login")
    assert refused.value.code in ("eas.wsdl_unusable", "eas.operation_missing")
    assert list(eas.calls.last) == []


def test_the_encoding_schema_is_never_fetched(eas, monkeypatch):
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a WSDL is read without the network")

    monkeypatch.setattr(requests.Session, "request", no_network)
    wire = Wire(session())
    with_location = login_wsdl().replace(
        '<import namespace="http://schemas.xmlsoap.org/soap/encoding/"/>',
        '<import namespace="http://schemas.xmlsoap.org/soap/encoding/" '
        'schemaLocation="http://schemas.xmlsoap.org/soap/encoding/"/>',
    )
    in_gbk = "\ufeff" + login_wsdl().replace('encoding="UTF-8"', 'encoding="GBK"').replace(
        "WSContext", "WSContext轴"
    )
    for text in (login_wsdl(), facade_wsdl(), with_location, in_gbk):
        assert Service(wire, text, "http://x").parts("login" if "WSContext" in text else READ)


def soap(body: str) -> str:
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<e:Body>{body}</e:Body></e:Envelope>"
    )


SAID = "<n:queryBillResponse xmlns:n='urn:x'><r>{}</r></n:queryBillResponse>"
DOUBLING = "".join(
    f'<multiRef id="id{at}"><a href="#id{at + 1}"/><b href="#id{at + 1}"/></multiRef>' for at in range(40)
)
BAD_ANSWERS = {
    "doctype": '<!DOCTYPE a [<!ENTITY x "y">]>' + soap(SAID.format("&x;")),
    "file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + soap(SAID.format("&x;")),
    "ring": soap(SAID.format('<x href="#id0"/>') + '<multiRef id="id0"><y href="#id0"/></multiRef>'),
    "two in a ring": soap(
        SAID.format('<x href="#a"/>')
        + '<multiRef id="a"><y href="#b"/></multiRef><multiRef id="b"><y href="#a"/></multiRef>'
    ),
    "doubling": soap(SAID.format('<x href="#id0"/>') + DOUBLING + '<multiRef id="id40">1</multiRef>'),
    "nowhere": soap(SAID.format('<x href="#id7"/>')),
    "elsewhere": soap(SAID.format('<x href="http://example.test/a"/>')),
    "twice the same id": soap(SAID.format("1") + '<multiRef id="a"/><multiRef id="a"/>'),
    "another call": soap("<n:cancelBillResponse xmlns:n='urn:x'><r>{}</r></n:cancelBillResponse>"),
    "two answers": soap(SAID.format("1") + SAID.format("2")),
    "no body": soap("").replace("<e:Body></e:Body>", ""),
    "empty body": soap(""),
    "no envelope": "<a/>",
    "too deep": soap("<a>" * 70 + "</a>" * 70),
    "half": soap(SAID.format("1"))[:-30],
    "nothing": "",
}


@pytest.mark.parametrize("harm", BAD_ANSWERS)
def test_an_answer_that_means_harm_is_not_read(harm):
    with pytest.raises(Unreadable):
        answer(read(BAD_ANSWERS[harm].encode()), READ)


def test_references_are_counted_as_they_unfold():
    wide = "".join(f'<x href="#id{at % 3}"/>' for at in range(MOST_ELEMENTS // 10))
    many = "".join(f'<multiRef id="id{at}">{"<y/>" * 20}</multiRef>' for at in range(3))
    with pytest.raises(Unreadable, match="unfold"):
        answer(read(soap(SAID.format(wide) + many).encode()), READ)
    answer(read(soap(SAID.format('<x href="#id0"/>') + many).encode()), READ)


# -- mutated envelopes


class Canned(requests.Session):
    """Answers every call with the bytes it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.status = b"", 200

    def post(self, url, data=None, json=None, **told):  # type: ignore[no-untyped-def, override]
        response = requests.Response()
        response.status_code, response._content = self.status, self.body
        response.headers["Content-Type"] = "text/xml; charset=utf-8"
        return response


def recorded(eas: Simulator) -> dict[str, bytes]:
    """True answers of a look-up and of an import, as they came over the wire."""
    link = link_to(eas)
    kept: dict[str, bytes] = {}
    post = link.wire.http.post

    def listening(url, **told):  # type: ignore[no-untyped-def]
        response = post(url, **told)
        kept[link.wire._operation] = response.content
        return response

    link.wire.http.post = listening  # type: ignore[method-assign]
    link.send(link.bill(order(), nobody), None)
    return kept


def mutated(body: bytes, dice: random.Random) -> bytes:
    """A few bytes dropped, doubled, flipped or replaced; or a tag, a digit or a word changed."""
    found = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        at, size = dice.randrange(len(found)), dice.randint(1, 12)
        act = dice.randrange(6)
        if act == 0:
            del found[at : at + size]
        elif act == 1:
            found[at:at] = found[at : at + size]
        elif act == 2:
            found[at] ^= 1 << dice.randrange(8)
        elif act == 3:
            found[at : at + size] = dice.randbytes(size)
        elif act == 4:
            found[at:at] = dice.choice(
                [b"<!DOCTYPE a>", b"&x;", b"</a>", b"\x00", b'"', b"false", b'href="#id0" ']
            )
        else:
            end = dice.randrange(len(found))
            found[min(at, end) : max(at, end)] = b""
        if not found:
            return b""
    return bytes(found)


def fuzz(eas: Simulator, count: int) -> None:
    """Whatever comes back: a SyncError, or the very yes that was in the answer before."""
    kept = recorded(eas)
    wire = Wire(Canned())
    link = link_to(eas)
    link.facade.session._id = "s"
    link.wire = link.facade.service.wire = wire
    bill = link.bill(order(), lambda kind, _: "C0217" if kind == "partner" else None)
    dice = random.Random(4)
    read_back = accepted = 0
    for at in range(count):
        http = wire.http
        assert isinstance(http, Canned)
        operation = (READ, WRITE)[at % 2]
        http.body, http.status = mutated(kept[operation], dice), dice.choice([200, 200, 200, 500])
        try:
            if operation == READ:
                found = link.find("TS-1")
                # Bytes can change inside a value; then it must show: as another document, never as ours.
                assert found is None or found.number == "TS-1"
                if found is None:
                    assert b'"data":[]' in http.body, http.body
                read_back += 1
            else:
                link.facade.take_in(bill.body)
                assert b'"success":true' in http.body, http.body
                accepted += 1
        except SyncError as error:
            assert error.code and error.message
            assert operation == READ or not isinstance(error, RetryLater), error
    assert 0 < read_back < count / 2 and 0 < accepted < count / 2


def test_two_thousand_mutated_answers_are_never_a_crash_and_never_taken_for_a_yes(eas):
    fuzz(eas, 2000)


@pytest.mark.slow
def test_ten_thousand_mutated_answers_are_never_a_crash_and_never_taken_for_a_yes(eas):
    fuzz(eas, 10_000)

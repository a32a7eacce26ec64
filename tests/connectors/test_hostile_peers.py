"""Every connector against a server that tells back all it was sent, and against settings that want to lead elsewhere."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.response import HTTPResponse

from core.sync import Connector
from core.sync.outcome import MISTAKES, covered
from core.sync.registry import connectors
from tests.connectors.generic_house import access_of, order_out
from tongshang.connect import Access, NotSent, SyncError, Trace, session

BASE = "https://erp.example.com"  # no path behind the host: whatever is hung on without a / becomes a part of it
TOKENS = "https://idp.example.com/token"
HOSTS = {"erp.example.com", "idp.example.com"}
CONNECTORS = [each for each in connectors() if each.key != "files"]  # files go over SSH, which has tests of its own
Answer = tuple[int, str, dict[str, str]]


def fault(said: str) -> str:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    told = f"<faultcode>soap:Client</faultcode><faultstring>{escape(said)}</faultstring>"
    return f'<soap:Envelope xmlns:soap="{soap}"><soap:Body><soap:Fault>{told}</soap:Fault></soap:Body></soap:Envelope>'


def spoken(said: str) -> str:
    """A refusal in the JSON of every one of them at once."""
    status = {"IsSuccess": False, "MsgCode": 9, "Errors": [{"Message": said, "FieldName": "x"}]}
    flux = {"return": {"returnFlag": "0", "returnCode": "1", "returnDesc": said}}
    odata = {"code": "x", "message": {"value": said}}
    more = {"state": False, "status": False, "errorCode": "9", "access_token": "a-token-of-theirs-77", "expires_in": 300}
    return json.dumps({"message": said, "error": odata, "Result": {"ResponseStatus": status}, "Response": flux} | more)


ECHOES: dict[str, Callable[[str], Answer]] = {
    "page": lambda said: (200, said, {"Content-Type": "text/plain"}),
    "json": lambda said: (200, spoken(said), {"Content-Type": "application/json"}),
    "refusal": lambda said: (400, spoken(said), {"Content-Type": "application/json"}),
    "failure": lambda said: (500, spoken(said), {"Content-Type": "application/json"}),
    "fault": lambda said: (500, fault(said), {"Content-Type": "text/xml"}),
    "xml": lambda said: (200, f"<response><flag>failure</flag><message>{escape(said)}</message></response>", {}),
    "elsewhere": lambda said: (302, "", {"Location": f"https://evil.example.com/?{said}".replace("\n", " ")}),
}


class Echo(BaseAdapter):
    """Answers with the call it got, and remembers where it went."""

    def __init__(self, form: Callable[[str], Answer], *, bodies: bool) -> None:
        super().__init__()
        self.form, self.bodies, self.went = form, bodies, list[str]()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.went.append(str(request.url))
        body = request.body or b""
        text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
        text = text if self.bodies else ""
        heads = [f"{name}: {told if isinstance(told, str) else told.decode()}" for name, told in request.headers.items()]
        status, said, headers = self.form("\n".join([f"{request.method} {request.url}", *heads, "", text]))
        made = requests.Response()
        made.status_code, made.url, made.request = status, str(request.url), request
        made.headers = CaseInsensitiveDict(headers)
        made.raw = HTTPResponse(body=b"", preload_content=False)
        made._content, made._content_consumed = said.encode(), True  # type: ignore[attr-defined]
        return made

    def close(self) -> None:
        """Nothing is open."""


def wired(
    connector: Connector, form: Callable[[str], Answer], *, bodies: bool = True, **more: str
) -> tuple[Access, requests.Session, Echo]:
    """Settings of the simulator, every secret with something of its own in it, and a line to the echo."""
    told = dict(connector.demo_values()) | more
    known = {each.key: each for each in connector.settings}
    for key, setting in known.items():
        if setting.kind == "secret":
            told.setdefault(key, f"geheim-{key}-9")
    for key, value in (("token_url", TOKENS), ("username", "tom"), ("client_id", "us")):
        if key in known:
            told[key] = told.get(key) or value
    http, echo = session(), Echo(form, bodies=bodies)
    for scheme in ("https://", "http://"):
        http.mount(scheme, echo)
    return access_of(connector, BASE, told), http, echo


def tried(connector: Connector, access: Access, http: requests.Session) -> Iterator[tuple[str, str]]:
    """(what was done, what a person sees of it) of a check, of an order, of every stream, and of each call."""
    trace = Trace(keep=200)
    try:
        for step in connector.check(access, http):
            yield f"check {step.name}", step.said
        link = connector.open(access, http)
    except (SyncError, NotSent) as error:
        yield "open", str(error)
        return
    link.trace, link.before_write = trace, lambda: None
    acts: dict[str, Callable[[], Any]] = {
        "find": lambda: link.find("SO-1"),
        "send": lambda: link.send(link.bill(order_out(), lambda _kind, _id: "X1"), None),
    }
    for kind in connector.streams:
        acts[kind.key] = lambda key=kind.key: next(iter(link.stream(key).pull(None, None)), None)
    for name, act in acts.items():
        try:
            act()
        except SyncError as error:
            yield name, f"{error} {error.message} {error.field}"
    for each in trace.exchanges:
        yield f"call {each.operation}", f"{each.url} {each.request} {each.response}"


def ways(connector: Connector) -> list[dict[str, str]]:
    """Every way to sign in."""
    for setting in connector.settings:
        if setting.key == "way":
            return [{"way": value} for value, _title in setting.choices]
    return [{}]


@pytest.mark.parametrize("bodies", [True, False], ids=["whole", "heads"])
@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda each: each.key)
def test_nothing_that_signs_us_in_is_shown_by_a_server_that_tells_back_what_it_got(
    connector: Connector, echo: str, bodies: bool
) -> None:
    """In the calls that are kept; and in messages, which are the server's own words, what stood in address and headers."""
    seen = 0
    for way in ways(connector):
        access, http, line = wired(connector, ECHOES[echo], bodies=bodies, **way)
        secrets = {secret for secret in access.secrets.values() if len(secret) > 3}
        users = [access[key] for key in ("username", "client_id") if access[key]]
        pairs = {base64.b64encode(f"{user}:{each}".encode()).decode() for user in users for each in secrets}
        for what, shown in tried(connector, access, http):
            seen += 1
            if bodies and not what.startswith("call "):
                continue
            assert not [each for each in secrets | pairs if each in shown], (way, what)
        assert {urlsplit(each).hostname for each in line.went} <= HOSTS
    assert seen


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda each: each.key)
def test_a_secret_of_two_lines_is_not_told_by_the_header_that_cannot_carry_it(connector: Connector) -> None:
    """Pasted with the end of its line in the middle, say; what Python says of such a header quotes its value."""
    secrets = {each.key: "geheim\nX-Evil: 1" for each in connector.settings if each.kind == "secret"}
    for way in ways(connector):
        access, http, line = wired(connector, ECHOES["page"], bodies=False, **secrets, **way)
        for what, shown in tried(connector, access, http):
            assert "geheim" not in shown, (way, what)
        assert {urlsplit(each).hostname for each in line.went} <= HOSTS


PLACES = ("//evil.example.net/x", ".evil.example.net/x", "@evil.example.net/x")
MORE_PLACES = (
    "https://evil.example.net/x",
    ":80@evil.example.net/x",
    "\\\\evil.example.net\\x",
    "/\\evil.example.net/x",
    "/../../x",
    "\t//evil.example.net/x",
)


@pytest.mark.parametrize("place", [*PLACES, *(pytest.param(each, marks=pytest.mark.slow) for each in MORE_PLACES)])
@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda each: each.key)
def test_no_setting_but_an_address_says_to_which_host_a_call_goes(connector: Connector, place: str) -> None:
    """An address is told from other settings by its `://`; whoever changes one must show the second factor."""
    for setting in connector.settings:
        if setting.kind not in ("text", "pairs", "number") or setting.key == "token_url":
            continue
        for value in (place, *(f"{name}={place}" for name in ("path", "create", "find", "save") if setting.kind == "pairs")):
            access, http, line = wired(connector, ECHOES["json"], way=ways(connector)[0].get("way", ""))
            access = replace(access, settings={**access.settings, setting.key: value})
            with suppress(*MISTAKES, requests.RequestException):  # nobody would save it; what counts is where it led
                list(tried(connector, access, http))
            went = {urlsplit(each).hostname for each in line.went}
            assert went <= HOSTS, (setting.key, value)


def test_what_is_covered_and_what_is_left() -> None:
    shown: Mapping[str, str] = {
        '"Authorization": "Basic dXNlcjpwYXNz", "x": 1': '"Authorization": "•••", "x": 1',
        "Cookie: SID=abc; b=c\nHost: erp": "Cookie: •••\nHost: erp",
        "GET /x?a=1&access_token=abc&b=2": "GET /x?a=1&access_token=•••&b=2",
        "the token Bearer eyJhbGciOiJIUzI1NiJ9.e30 has expired": "the token Bearer ••• has expired",
        "Basic information about SO-1; Authorization required": "Basic information about SO-1; Authorization required",
        '{"authorization": {"level": 1}}': '{"authorization": {"level": 1}}',
    }
    for text, expected in shown.items():
        assert covered(text) == expected

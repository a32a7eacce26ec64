"""One SOAP exchange through the guarded session, and every way it can go wrong sorted by remedy.

A write that may have reached the server and has no readable answer raises `Uncertain`. zeep builds the request and
reads the answer; in between the bytes pass here, where they are checked before zeep sees them. A fault says that the
server failed somewhere in the call: for a write that is `Uncertain`, unless it is known to come before the work.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import requests

from connectors.kingdee.eas.envelope import Unreadable, answer, read
from connectors.kingdee.eas.wsdl import Description, Part, Unusable, nothing_else
from tongshang.connect import (
    Asked,
    Exchange,
    FixSettings,
    SyncError,
    call,
    perhaps,
    slow_down,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

BUSY = timedelta(seconds=5)
PATIENCE = (10.0, 25.0)  # seconds to connect, to read
HIDDEN = "•••"

SESSION_TEXT = re.compile(r"(<(?:\w+:)?(?:sessionId|SessionId|password)\b[^>]*>)[^<]*(<)")
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
LOST = re.compile(
    r"(session|会话).{0,40}(invalid|expired|timed? ?out|not exist|失效|过期|超时|不存在|无效)"
    r"|(invalid|expired).{0,20}session",
    re.IGNORECASE | re.DOTALL,
)
WITHIN = re.compile(r"hibernate|jdbc|sql|ORA-\d|transaction|数据库|事务", re.IGNORECASE)
"""Sessions and time-outs of the database, in the middle of the work: no sign that the call was refused at the door."""


class SessionLost(FixSettings):
    """The server does not know our session: it refused before doing anything."""


class Wire:
    """What zeep takes for its transport: the guarded session, never a file, never a URL of a WSDL."""

    cache = None

    def __init__(self, http: requests.Session, timeout: tuple[float, float] = PATIENCE) -> None:
        self.http = http
        self.timeout = timeout
        self.trace: Callable[[Exchange], None] = lambda _: None
        self.before_write: Callable[[], None] = lambda: None
        self.secrets: set[str] = set()
        self._one = threading.RLock()  # a Description is not made for several threads at once
        self._operation, self._write, self._sent = "", False, False

    def load(self, url: str) -> bytes:
        return nothing_else(url)

    def get(self, address: str, params: Any, headers: Any) -> requests.Response:
        raise Unusable(f"a call by GET is not made: {address}")

    def call(
        self,
        described: Description,
        operation: str,
        url: str,
        values: Sequence[str | int],
        headers: Sequence[_Element] = (),
        *,
        write: bool,
    ) -> Any:
        """The value of one call. Raises SyncError."""
        from lxml import etree
        from zeep.exceptions import Error, Fault

        unclear = perhaps(write)
        with self._one:
            self._operation, self._write, self._sent = operation, write, False
            try:
                return described.call(operation, url, values, headers)
            except Fault as fault:
                raise _refused(fault, unclear) from None
            except (
                Error,
                etree.LxmlError,
                LookupError,
                TypeError,
                ValueError,
                AttributeError,
                ArithmeticError,
                RuntimeError,
            ) as error:
                said = f"{operation}: {type(error).__name__}: {error}"[:300]
                if not self._sent:
                    raise FixSettings("eas.signature", said) from error
                raise unclear("eas.unreadable", said) from error

    def post_xml(self, address: str, envelope: _Element, headers: dict[str, str]) -> requests.Response:
        """Send one envelope; the answer is checked and handed on as plain UTF-8. Raises SyncError."""
        from lxml import etree

        message = etree.tostring(envelope, encoding="utf-8", xml_declaration=True)
        unclear = perhaps(self._write)
        if self._write:
            self.before_write()
        self._sent = True
        asked = Asked(self._operation, address, message.decode("utf-8"), self.hide)
        send = partial(self.http.post, address, data=message, headers=headers, timeout=self.timeout)
        response = call(send, asked, self.trace, unclear)
        kind = response.headers.get("Content-Type", "")
        try:
            root = read(response.content, kind)
            answer(root, self._operation)
        except Unreadable as error:
            _http_error(response, unclear)
            raise unclear("eas.unreadable", f"{self._operation}: {error}") from None
        if response.status_code not in (200, 500):
            _http_error(response, unclear)
        response._content = etree.tostring(root, encoding="utf-8", xml_declaration=True)
        response.headers["Content-Type"] = "text/xml; charset=utf-8"
        return response

    def hide(self, text: str) -> str:
        """The text without passwords, session ids and mobile numbers."""
        from xml.sax.saxutils import escape

        for secret in self.secrets:
            if secret:
                text = text.replace(escape(secret), HIDDEN).replace(secret, HIDDEN)
        return MOBILE.sub(HIDDEN, SESSION_TEXT.sub(rf"\1{HIDDEN}\2", text))


class Service:
    """One SOAP service: its WSDL as text, and the address it is asked at. Calls nobody until it is called."""

    def __init__(self, wire: Wire, text: str, url: str) -> None:
        self.wire, self.url, self._text = wire, url, text
        self._described: Description | None = None

    @property
    def described(self) -> Description:
        """Raises FixSettings when the WSDL cannot be used."""
        if self._described is None:
            try:
                self._described = Description(self._text, self.wire)
            except Unusable as error:
                raise FixSettings("eas.wsdl_unusable", str(error)) from error
        return self._described

    def parts(self, operation: str) -> tuple[Part, ...]:
        try:
            return self.described.parts(operation)
        except Unusable as error:
            raise FixSettings("eas.operation_missing", str(error)) from error

    def call(
        self, operation: str, values: Sequence[str | int], headers: Sequence[_Element] = (), *, write: bool
    ) -> Any:
        return self.wire.call(self.described, operation, self.url, values, headers, write=write)


def _refused(fault: Any, unclear: type[SyncError]) -> SyncError:
    """What a fault asks for. Axis names what was wrong before the work in its code; the rest came in the middle."""
    code, message = str(fault.code or "").rpartition(":")[2], str(fault.message or "no reason given")
    if code.startswith("Client"):
        return FixSettings("eas.operation_missing", message)
    if code == "Server.NoService":
        return FixSettings("eas.service_missing", message)
    if code.startswith("Server") and LOST.search(message) and not WITHIN.search(message):
        return SessionLost("eas.session_lost", message)
    return unclear("eas.fault", f"{code}: {message}"[:500])


def _http_error(response: requests.Response, unclear: type[SyncError]) -> None:
    status = response.status_code
    if status in (401, 403):
        raise FixSettings("http.forbidden", f"the server answered {status}")
    if status == 404:
        raise FixSettings(
            "http.not_found", "no web service at this address: is it host and port of the EAS server?"
        )
    if 300 <= status < 400:
        wanted = response.headers.get("Location")
        raise FixSettings("http.redirected", f"the server wants another address: {wanted}")
    if status == 429:
        raise slow_down(response, BUSY)
    if status != 200:
        raise unclear("http.status", f"the server answered {status}")

"""One call to somebody's REST service, and its answer sorted into a value or a remedy.

A write that may have arrived and has no readable answer is `Uncertain`; nothing is repeated here.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import requests

from connectors.generic.rest import wire
from connectors.generic.values import NOT_TOLD, hidden, listed, pick, text
from tongshang.connect import (
    Access,
    Asked,
    Exchange,
    FixSettings,
    Rejected,
    RetryLater,
    SyncError,
    Uncertain,
    call,
    perhaps,
    slow_down,
)

PATIENCE = (10.0, 25.0)  # seconds to connect, to read
BUSY = timedelta(seconds=5)
OURS = {
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "content-type",
    "authorization",
    "cookie",
}
"""Headers that a setting may not name: they decide where a call goes and where it ends."""
MESSAGES = ("message", "msg", "error.message", "error", "detail", "title", "errors.0.message", "data.message")


@dataclass(frozen=True)
class Ask:
    """One call. `key` names a write, so that a server may know it again; `seeks` says that nothing may be there to answer."""

    operation: str
    method: str
    url: str
    write: bool = False
    body: Any = None
    key: str = ""
    seeks: bool = False


@dataclass
class Client:
    """Calls under one address with one way to sign in."""

    http: requests.Session
    access: Access
    trace: Callable[[Exchange], None] = lambda _: None
    before_write: Callable[[], None] = lambda: None
    seconds: Callable[[], float] = time.time
    timeout: tuple[float, float] = PATIENCE
    _origin: tuple[str, str, int | None] = field(init=False)

    def __post_init__(self) -> None:
        base = urlsplit(self.access.base_url)
        self._origin = (base.scheme, base.hostname or "", base.port)

    def url(self, path: str) -> str:
        """A path of the settings under the address. Raises FixSettings for one that leads elsewhere."""
        if not path.startswith("/") or path.startswith("//") or "\\" in path or "#" in path:
            raise FixSettings(
                "rest.path", f"{path!r}: a path begins with a single / and stays on this server"
            )
        if any(unquote(part) in (".", "..") for part in path.partition("?")[0].split("/")):
            raise FixSettings("rest.path", f"{path!r} climbs out of the address")
        return self.access.base_url.rstrip("/") + path

    def next_url(self, link: str, now: str) -> str:
        """Where a link of an answer leads; raises FixSettings when that is another server."""
        found = urljoin(now, link)
        where = urlsplit(found)
        try:
            origin = (where.scheme, where.hostname or "", where.port)
        except ValueError:
            origin = ("", "", None)
        if origin != self._origin or where.username:
            raise FixSettings("rest.next_elsewhere", f"the next page is on another server: {link[:200]}")
        return found

    def call(self, ask: Ask) -> Any:
        """The JSON of the answer, None for an empty one, an empty list where nothing is there to answer.

        Every way it can go wrong is raised by its remedy.
        """
        unclear = perhaps(ask.write)
        as_text = self.access["numbers"] != "number"
        body = b"" if ask.body is None else wire.encode(ask.body, as_text=as_text).encode()
        headers = self._headers(ask, body)
        if ask.write:
            self.before_write()
        asked = Asked(ask.operation, f"{ask.method} {ask.url}", body.decode(), self._hide)
        send = partial(
            self.http.request, ask.method, ask.url, data=body or None, headers=headers, timeout=self.timeout
        )
        response = call(send, asked, self.trace, unclear)
        return self._value(ask, response, unclear)

    # -- the answer

    def _value(self, ask: Ask, response: requests.Response, unclear: type[SyncError]) -> Any:
        try:
            value = wire.read(response.content)
        except wire.Unreadable as error:
            self._status(ask, response, None, unclear)
            raise unclear("rest.unreadable", str(error)) from None
        gone = response.status_code == 404 and ask.seeks and isinstance(value, dict)
        if gone and self.access["missing"] == "404":
            return []
        self._status(ask, response, value, unclear)
        name = self.access["ok_field"]
        if not name or value is None:
            return value
        code = text(pick(value, name)) if not isinstance(pick(value, name), dict | list) else ""
        if code.lower() in listed(self.access["ok_values"]):
            return value
        if not code:
            raise unclear("rest.unreadable", f"the answer says neither yes nor no: no {name} in it")
        if code.lower() in listed(self.access["missing_values"]) and ask.seeks:
            return []
        raise self._refusal(code, f"{code}: {self._hide(_said(value))}")

    def _refusal(self, code: str, said: str) -> SyncError:
        if code.lower() in listed(self.access["busy_values"]):
            return RetryLater("rest.busy", said, after=BUSY)
        if code.lower() in listed(self.access["exists_values"]):
            return Uncertain("rest.exists", said)
        return Rejected("rest.refused", said)

    def _status(self, ask: Ask, response: requests.Response, value: Any, unclear: type[SyncError]) -> None:
        """Raise what an HTTP status other than success asks for."""
        status = response.status_code
        if 200 <= status < 300:
            return
        said = f"the server answered {status}: {self._hide(_said(value))}"
        if status in (401, 403):
            raise FixSettings("http.forbidden", said)
        if status in (404, 405, 501) and (status != 404 or value is None or not ask.write):
            raise FixSettings("http.not_found", f"{ask.method} {urlsplit(ask.url).path}: {said}")
        if 300 <= status < 400:
            where = response.headers.get("Location", "")[:200]
            raise FixSettings("http.redirected", f"the server wants another address: {where}")
        if status in (423, 425, 429):
            after = slow_down(response, BUSY).after
            raise RetryLater("http.too_many" if status != 423 else "rest.locked", said, after=after)
        if status == 409 and ask.write:
            raise Uncertain("rest.exists", said)
        if 400 <= status < 500 and status not in (408, 499) and value is not None:
            raise Rejected("rest.refused", said)
        raise unclear("http.status", said)

    # -- the call

    def _headers(self, ask: Ask, body: bytes) -> dict[str, str]:
        told = self.access
        headers = {"Accept": "application/json"}
        for line in told["headers"].replace(",", "\n").splitlines():
            name, equals, value = line.partition("=")
            if equals and name.strip():
                headers[_free(name)] = value.strip()
        if body:
            headers["Content-Type"] = "application/json; charset=utf-8"
        name_header = told["idempotency_header"]
        if ask.key and name_header and name_header != NOT_TOLD:
            headers[_free(name_header)] = ask.key
        way = told["way"] or "none"
        if way == "basic":
            pair = f"{told['username']}:{told['password']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        elif way == "bearer":
            headers["Authorization"] = f"Bearer {told['token']}"
        elif way == "api_key":
            headers[_free(told["api_key_header"] or "X-Api-Key")] = told["token"]
        elif way == "hmac":
            stamp = str(int(self.seconds()))
            where = urlsplit(ask.url)
            asked = where.path + (f"?{where.query}" if where.query else "")
            parts = [stamp.encode(), ask.method.encode(), asked.encode(), body]
            if told["sign_over"] == "body":
                parts = [stamp.encode(), body]
            headers[_free(told["stamp_header"] or "X-Timestamp")] = stamp
            headers[_free(told["sign_header"] or "X-Signature")] = wire.sign(
                told["sign_secret"], parts, told["sign_form"]
            )
            if told["username"]:
                headers[_free(told["api_key_header"] or "X-Api-Key")] = told["username"]
        return headers

    def _hide(self, shown: str) -> str:
        secrets = list(self.access.secrets.values())
        return hidden(shown, [*secrets, *(wire.encode(secret)[1:-1] for secret in secrets)])


def _free(name: str) -> str:
    """A name of a header that a setting tells; raises FixSettings for one of ours."""
    if name.strip().lower() in OURS:
        raise FixSettings("rest.header", f"{name.strip()} is set by the connection itself")
    return name.strip()


def _said(value: Any) -> str:
    """The other system's own words, wherever it keeps them."""
    for path in MESSAGES:
        found = pick(value, path)
        if isinstance(found, str) and found.strip():
            return found.strip()[:500]
    return wire.encode(value)[:300] if value is not None else "no reason given"

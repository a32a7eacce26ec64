"""Trouble on our own side of the wire: what a network, a proxy or a tired server does to one call, done to it on purpose.

The other system needs no part in it, so the same catalogue is rehearsed against a simulator and against the test system of
a customer: the call is really made (or really not), and what comes back is what a bad day would bring back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.response import HTTPResponse

from core.sync.outbound import Unreachable

PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Sign in again</form></body></html>"


class Killed(BaseException):
    """The worker dies here, between the call and writing down what came of it."""


class Trouble:
    """One kind of trouble for one write, the `at`-th. `hit` says whether it fell; reads pass untouched."""

    def __init__(self, kind: str, seconds: float, at: int = 1) -> None:
        self.kind, self.seconds, self.at = kind, seconds, at
        self.armed, self.hit = False, False
        self.calls = self.writes = 0

    def about_to_write(self) -> None:
        """The connector says that its next call changes something there."""
        self.writes += 1
        if not self.hit and self.writes >= self.at:
            self.armed = True

    def befall(self, send: Callable[[], requests.Response], request: requests.PreparedRequest) -> requests.Response:
        """Make a call, or not, and answer what the trouble leaves of it."""
        self.calls += 1
        if not self.armed:
            return send()
        self.armed, self.hit = False, True
        return ACTS[self.kind](send, request, self.seconds)


class Troubled(BaseAdapter):
    """A guarded adapter with trouble in front of it."""

    def __init__(self, guard: HTTPAdapter, trouble: Trouble) -> None:
        super().__init__()
        self.guard, self.trouble = guard, trouble

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        return self.trouble.befall(lambda: self.guard.send(request, *args, **options), request)

    def close(self) -> None:
        self.guard.close()


def install(http: requests.Session, trouble: Trouble) -> requests.Session:
    """Put trouble in front of every guarded adapter of a session."""
    for scheme, guard in list(http.adapters.items()):
        assert isinstance(guard, HTTPAdapter)
        http.mount(scheme, Troubled(guard, trouble))
    return http


Act = Callable[[Callable[[], requests.Response], requests.PreparedRequest, float], requests.Response]


def _refused(_send: Any, request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    raise Unreachable(str(request.url).split("/")[2], "tcp", "Connection refused")


def _cut_before(_send: Any, request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    raise requests.ConnectionError("Connection reset by peer", request=request)


def _cut_after(send: Any, request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    send()
    raise requests.ConnectionError("Connection reset by peer", request=request)


def _silent_before(_send: Any, request: requests.PreparedRequest, seconds: float) -> requests.Response:
    time.sleep(seconds)
    raise requests.ReadTimeout("Read timed out", request=request)


def _silent_after(send: Any, request: requests.PreparedRequest, seconds: float) -> requests.Response:
    send()
    time.sleep(seconds)
    raise requests.ReadTimeout("Read timed out", request=request)


def _gateway(send: Any, request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    return _answer(send(), request, 502, PAGE, "text/html")


def _page(send: Any, request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    return _answer(send(), request, 200, LOGIN, "text/html; charset=utf-8")


def _half(send: Any, request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    found = send()
    return _answer(found, request, found.status_code, found.content[: len(found.content) // 2])


def _garbled(send: Any, request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    found = send()
    return _answer(found, request, found.status_code, "已保存：".encode("gb18030") + found.content[1:])


def _empty(send: Any, request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    return _answer(send(), request, 200, b"")


def _late(send: Any, request: requests.PreparedRequest, seconds: float) -> requests.Response:
    found: requests.Response = send()
    time.sleep(seconds)
    return found


def _killed(send: Any, _request: requests.PreparedRequest, _seconds: float) -> requests.Response:
    send()
    raise Killed


ACTS: dict[str, Act] = {
    "refused": _refused,
    "cut_before": _cut_before,
    "cut_after": _cut_after,
    "silent_before": _silent_before,
    "silent_after": _silent_after,
    "gateway": _gateway,
    "page": _page,
    "half": _half,
    "garbled": _garbled,
    "empty": _empty,
    "late": _late,
    "killed": _killed,
}


def _answer(
    found: requests.Response,
    request: requests.PreparedRequest,
    status: int,
    body: bytes,
    kind: str | None = None,
) -> requests.Response:
    """Another answer in the place of the one that came."""
    made = requests.Response()
    made.status_code, made.url, made.request = status, str(request.url), request
    made.headers = requests.structures.CaseInsensitiveDict(found.headers if kind is None else {"Content-Type": kind})
    made.headers.pop("Content-Length", None)
    made.raw = HTTPResponse(body=b"", headers=dict(made.headers), status=status, preload_content=False)
    made.encoding = requests.utils.get_encoding_from_headers(made.headers)
    made._content, made._content_consumed = body, True  # type: ignore[attr-defined]
    return made

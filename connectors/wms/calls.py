"""One call of a warehouse over HTTP, and every way it can end without an answer, sorted by remedy.

A write that may have arrived and has no readable answer is `Uncertain`; nothing is repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import ClassVar
from urllib.parse import quote_plus

import requests

from tongshang.connect import (
    Asked,
    Exchange,
    FixSettings,
    SyncError,
    call,
    perhaps,
    slow_down,
)

BUSY = timedelta(seconds=30)
HIDDEN = "•••"
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
SIGN = re.compile(r"(?<![A-Za-z_])((?:sign|apptoken)=)[^&\s]+", re.IGNORECASE)


class Caller:
    """Makes calls for one connection. Calls may come from one thread at a time."""

    patience: ClassVar[tuple[float, float]] = (10.0, 25.0)  # seconds to connect, to read

    def __init__(self, http: requests.Session, secrets: Iterable[str]) -> None:
        self.http = http
        self.secrets = tuple(secret for secret in secrets if secret)
        self.trace: Callable[[Exchange], None] = lambda _: None
        self.before_write: Callable[[], None] = lambda: None

    def post(
        self,
        operation: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        write: bool,
        shown: str | None = None,
    ) -> bytes:
        """The body of an answer with status 200. `shown` stands in the trace instead of a body nobody can read."""
        unclear = perhaps(write)
        if write:
            self.before_write()
        text = body.decode("utf-8", "replace") if shown is None else shown
        send = partial(self.http.post, url, data=body, headers=dict(headers), timeout=self.patience)
        response = call(send, Asked(operation, url, text, self._hide), self.trace, unclear)
        _refuse(response, unclear)
        return response.content

    def _hide(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN).replace(quote_plus(secret), HIDDEN)
        return MOBILE.sub(HIDDEN, SIGN.sub(rf"\1{HIDDEN}", text))


def _refuse(response: requests.Response, unclear: type[SyncError]) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (401, 403):
        raise FixSettings("http.forbidden", f"the server answered {status}")
    if status == 404:
        raise FixSettings("http.not_found", "nothing answers at this address")
    if 300 <= status < 400:
        raise FixSettings(
            "http.redirected", f"the server wants another address: {response.headers.get('Location')}"
        )
    if status == 429:
        raise slow_down(response, BUSY)
    raise unclear("http.status", f"the server answered {status}")

"""One call of a warehouse over HTTP, and every way it can end without an answer, sorted by remedy.

A write that may have arrived and has no readable answer is `Uncertain`; nothing is repeated here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import ClassVar
from urllib.parse import quote_plus

import requests

from tongshang.connect import (
    Blocked,
    Exchange,
    FixSettings,
    NotSent,
    RetryLater,
    SyncError,
    Uncertain,
    Unreachable,
)

BUSY = timedelta(seconds=30)
HIDDEN = "•••"
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
SIGN = re.compile(r"(?<![A-Za-z_])((?:sign|apptoken)=)[^&\s]+", re.IGNORECASE)
SHOWN = 20_000  # characters of an exchange that are kept


def perhaps(write: bool) -> type[SyncError]:
    """What an unclear end of a call means: nobody knows, or read again later."""
    return Uncertain if write else RetryLater


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
        began, note = time.monotonic(), ""
        response: requests.Response | None = None
        try:
            response = self.http.post(url, data=body, headers=dict(headers), timeout=self.patience)
        except Blocked as error:
            note = str(error)
            raise FixSettings("outbound.blocked", note) from error
        except Unreachable as error:
            note = str(error)
            if "CERTIFICATE_VERIFY_FAILED" in note:
                raise FixSettings("unreachable.certificate", note) from error
            raise RetryLater(f"unreachable.{error.stage}", note) from error
        except NotSent as error:
            note = str(error)
            raise RetryLater("unreachable", note) from error
        except requests.Timeout as error:
            note = str(error)
            raise unclear("http.timeout", "no answer in time") from error
        except requests.RequestException as error:
            note = str(error)
            raise unclear("http.broken_off", "the connection broke off before a whole answer") from error
        finally:
            text = body.decode("utf-8", "replace") if shown is None else shown
            self.trace(self._exchange(operation, url, text, response, note, began))
        _refuse(response, unclear)
        return response.content

    def _exchange(
        self,
        operation: str,
        url: str,
        text: str,
        response: requests.Response | None,
        note: str,
        began: float,
    ) -> Exchange:
        answer = response.content.decode("utf-8", "replace") if response is not None else note
        return Exchange(
            operation=operation,
            url=self._hide(url),
            request=self._hide(text[:SHOWN]),
            status=response.status_code if response is not None else None,
            response=self._hide(answer[:SHOWN]),
            milliseconds=int((time.monotonic() - began) * 1000),
        )

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
        wait = response.headers.get("Retry-After", "")
        after = timedelta(seconds=int(wait)) if wait.isdigit() else BUSY
        raise RetryLater("http.too_many", "the server asks for fewer calls", after=after)
    raise unclear("http.status", f"the server answered {status}")

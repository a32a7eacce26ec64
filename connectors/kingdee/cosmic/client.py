"""One application at a Cosmic server: the two steps to a token, one refresh when it is refused, calls by path.

A write that may have reached the server and has no readable answer raises `Uncertain`. A refused token proves that
the call was not executed, so the client asks for a new one once and sends once more.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import requests

from connectors.kingdee.cosmic import wire
from tongshang.connect import (
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
TOKEN_SECONDS = 100 * 60.0  # a token lives two hours
BUSY = timedelta(seconds=5)
HIDDEN = "•••"

TOKENS = re.compile(r'("(?:app_token|apptoken|access_token|appSecret|appSecuret)"\s*:\s*)"[^"]*"')
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
TOKEN_REFUSED = re.compile(r"(?i)^(401|.*token.*)$")


class TokenRefused(FixSettings):
    """The server does not take our token: it refused before doing anything."""


@dataclass(frozen=True)
class Account:
    """Where the server is, and as whom we come."""

    base_url: str  # often ends in /ierp
    app_id: str
    app_secret: str = field(repr=False)
    tenant: str
    account: str  # accountId: the data centre
    user: str
    user_type: str = "UserName"  # Mobile, Email or UserName


class Client:
    """Calls of one account. They may come from several threads."""

    def __init__(
        self,
        http: requests.Session,
        account: Account,
        codes: Mapping[str, str],
        timeout: tuple[float, float] = PATIENCE,
    ) -> None:
        self.http, self.account, self.timeout = http, account, timeout
        self.trace: Callable[[Exchange], None] = lambda _: None
        self.before_write: Callable[[], None] = lambda: None
        self._ours = {theirs.lower(): ours for ours, theirs in codes.items() if theirs}
        self._token, self._until = "", 0.0
        self._let_in = False  # whether a token of ours ever carried a call
        self._signing_in = threading.RLock()

    # -- calls

    def query(self, path: str, condition: Mapping[str, Any], size: int = 20) -> tuple[Mapping[str, Any], ...]:
        said = self.call(path, {"data": condition, "pageSize": size, "pageNo": 1}, write=False)
        try:
            return wire.rows_of(said)
        except wire.Unreadable as error:
            raise RetryLater("cosmic.unreadable", f"{path}: {error}") from None

    def write(self, path: str, document: Mapping[str, Any]) -> None:
        """Save or carry on one document; one a call."""
        said = self.call(path, {"data": [document]}, write=True)
        self._taken(path, said)

    def operate(self, path: str, which: Mapping[str, Any]) -> None:
        """Submit, audit, un-audit or void the document that `which` names."""
        said = self.call(path, {"data": which}, write=True)
        self._taken(path, said)

    @staticmethod
    def _taken(path: str, said: wire.Said) -> None:
        try:
            refused = wire.written(said)
        except wire.Unreadable as error:
            raise Uncertain("cosmic.unreadable", f"{path}: {error}") from None
        if refused:
            raise Rejected("cosmic.refused", refused)

    def call(self, path: str, body: Mapping[str, Any], *, write: bool) -> wire.Said:
        lost = ""
        for _ in range(2):
            token = self.token()
            try:
                said = self._said(path, body, {"access_token": token}, write=write)
                if not said.ok:
                    raise self._refused(said, write)
                self._let_in = True
                return said
            except TokenRefused as error:
                lost = error.message
                self._forget(token)
        # Where calls were let in before, the settings are right: it was lost in between, as by a restart, and that passes.
        kind = RetryLater if self._let_in else FixSettings
        raise kind("cosmic.token_refused", f"{lost}: refused again right after a new one")

    def _refused(self, said: wire.Said, write: bool) -> SyncError:
        word = self._ours.get(said.code.lower(), "")
        told = f"{said.code}: {said.message}"
        if TOKEN_REFUSED.match(said.code):
            return TokenRefused("cosmic.token_refused", told)
        if word in ("locked", "busy"):
            return RetryLater(f"cosmic.{word}", told, after=BUSY)
        if word in ("duplicate", "exception"):
            return (Uncertain if write else RetryLater)(f"cosmic.{word}", told)
        if word == "permission":
            return FixSettings("cosmic.permission", told)
        return Rejected("cosmic.refused", told) if write else RetryLater("cosmic.refused", told)

    # -- the token

    def token(self) -> str:
        """An access token; asks for one when there is none or it is near its end. Raises SyncError."""
        with self._signing_in:
            if not self._token or time.monotonic() > self._until:
                told = self.account
                where = {"tenantid": told.tenant, "accountId": told.account}
                first = self._sign_in(
                    "api/getAppToken.do",
                    # Older versions read the key with its spelling mistake, newer ones without: both go.
                    {"appId": told.app_id, "appSecret": told.app_secret, "appSecuret": told.app_secret}
                    | where
                    | {"language": "zh_CN"},
                    "app_token",
                )
                asked = {"user": told.user, "apptoken": first, **where, "usertype": told.user_type}
                self._token = self._sign_in("api/login.do", asked, "access_token")
                self._until = time.monotonic() + TOKEN_SECONDS
            return self._token

    def _sign_in(self, path: str, body: Mapping[str, Any], key: str) -> str:
        said = self._said(path, body, {}, write=False)
        token = said.data.get(key) if isinstance(said.data, dict) else None
        if said.ok and isinstance(token, str) and token:
            return token
        if not said.ok and self._ours.get(said.code.lower()) in ("locked", "busy", "exception"):
            raise self._refused(said, write=False)
        inner = said.data if isinstance(said.data, dict) else {}
        told = str(inner.get("error_desc") or said.message)
        raise FixSettings("cosmic.login_refused", f"{path}: {told}")

    def _forget(self, token: str) -> None:
        with self._signing_in:
            if self._token == token:  # another thread may have a new one already
                self._token = ""

    # -- one exchange

    def _said(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str], *, write: bool
    ) -> wire.Said:
        unclear = perhaps(write)
        url = f"{self.account.base_url.rstrip('/')}/{path.lstrip('/')}"
        text = wire.encode(body)
        if write:
            self.before_write()
        told = {"Content-Type": "application/json", **headers}
        send = partial(self.http.post, url, data=text, headers=told, timeout=self.timeout)
        response = call(send, Asked(path.rpartition("/")[2], url, text, self._hide), self.trace, unclear)
        if response.status_code != 200:
            raise _http_error(response, unclear)
        try:
            return wire.read(response.content)
        except wire.Unreadable as error:
            raise unclear("cosmic.unreadable", f"{path}: {error}") from None

    def _hide(self, text: str) -> str:
        for secret in (self.account.app_secret, self._token):
            if secret:
                text = text.replace(wire.encode(secret)[1:-1], HIDDEN)
        return MOBILE.sub(HIDDEN, TOKENS.sub(rf'\1"{HIDDEN}"', text))


def _http_error(response: requests.Response, unclear: type[SyncError]) -> SyncError:
    status = response.status_code
    if status == 401:
        return TokenRefused("cosmic.token_refused", "the server answered 401")
    if status == 403:
        return FixSettings("http.forbidden", "the server answered 403")
    if status == 404:
        return FixSettings(
            "http.not_found", "no such API at this address: does the URL end as the browser's, in /ierp?"
        )
    if 300 <= status < 400:
        wanted = response.headers.get("Location")
        return FixSettings("http.redirected", f"the server wants another address: {wanted}")
    if status == 429:
        return slow_down(response, BUSY)
    return unclear("http.status", f"the server answered {status}")

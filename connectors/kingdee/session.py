"""One session with a K/3 Cloud server: signed or after a login, and every answer sorted into value or remedy.

A write that may have reached the server and has no readable answer raises `Uncertain`; it is never
repeated here. The one exception to "never repeat" is the message that the session is lost: it proves that
the call was not executed, so the session signs in again once and sends once more.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import requests

from connectors.kingdee import wire
from connectors.kingdee.signature import login_sign, signed_headers
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

FORM_SERVICE = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService."
LOGIN_SERVICE = "Kingdee.BOS.WebApi.ServicesStub.AuthService."

LOGIN_OK = 1
BUSY = timedelta(seconds=5)
PATIENCE = (10.0, 25.0)  # seconds to connect, to read
HIDDEN = "•••"

SESSION_FIELDS = re.compile(r'("(?:KDSVCSessionId|SessionId|UserToken|AccessToken)"\s*:\s*)"[^"]*"')
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")

# MsgCode -> (code of ours, error): what a refused call asks for; 4 and 6 in `refusal`.
REMEDIES: dict[int, tuple[str, type[SyncError]]] = {
    2: ("kingdee.no_permission", FixSettings),
    7: ("kingdee.licence", FixSettings),
    15: ("kingdee.admin_forbidden", FixSettings),
    13: ("kingdee.locked", RetryLater),
    14: ("kingdee.call_limit", RetryLater),
    3: ("kingdee.operation_missing", Rejected),
    5: ("kingdee.form_missing", Rejected),
    8: ("kingdee.parameter", Rejected),
    9: ("kingdee.field_missing", Rejected),
    10: ("kingdee.no_data", Rejected),
    11: ("kingdee.validation", Rejected),
    12: ("kingdee.not_operable", Rejected),
}


def refusal(status: wire.Status, write: bool) -> SyncError:
    """What a refused call asks for."""
    if status.code in (wire.EXCEPTION, wire.DATABASE):
        # The server failed in the middle: rolled back most likely, but only a look can tell.
        kind = Uncertain if write else RetryLater
        return kind(
            "kingdee.exception" if status.code == wire.EXCEPTION else "kingdee.database", status.message
        )
    code, remedy = REMEDIES.get(status.code, ("kingdee.refused", Rejected))
    if remedy is RetryLater:
        return RetryLater(code, status.message, after=BUSY)
    return remedy(code, status.message, field=status.field)


@dataclass(frozen=True)
class Account:
    """Where the data centre is and as whom we come."""

    base_url: str  # http(s)://host/k3cloud
    acct_id: str
    username: str
    lcid: int = 2052
    org: str = "0"  # number of the organisation to work in, zeros in front and all; 0 is the user's own

    def url(self, service: str) -> str:
        return f"{self.base_url.rstrip('/')}/{service}.common.kdsvc"


@dataclass(frozen=True)
class SignedHeaders:
    """A third-party application that signs every call; no login."""

    app_id: str
    app_secret: str


@dataclass(frozen=True)
class LoginBySign:
    """A third-party application that signs in once by a signature."""

    app_id: str
    app_secret: str


@dataclass(frozen=True)
class LoginBySecret:
    """A third-party application that signs in once with its secret, where a server knows no signatures yet."""

    app_id: str
    app_secret: str


@dataclass(frozen=True)
class Password:
    """A user who signs in with a password."""

    password: str


Credentials = SignedHeaders | LoginBySign | LoginBySecret | Password


class Session:
    """One account in one data centre. Calls may come from several threads."""

    def __init__(
        self,
        http: requests.Session,
        account: Account,
        credentials: Credentials,
        *,
        trace: Callable[[Exchange], None] = lambda _: None,
        before_write: Callable[[], None] = lambda: None,
        seconds: Callable[[], float] = time.time,
        timeout: tuple[float, float] = PATIENCE,
    ) -> None:
        self.http = http
        self.account = account
        self.credentials = credentials
        self.trace = trace
        self.before_write = before_write
        self.seconds = seconds
        self.timeout = timeout
        self._sid = ""
        self._let_in = False  # whether a call of ours was ever answered
        self._signing_in = threading.Lock()

    def sign_in(self) -> None:
        """Sign in now (password and sign ways); signed headers need no login and return at once."""
        if isinstance(self.credentials, SignedHeaders) or self._sid:
            return
        with self._signing_in:
            if self._sid:
                return
            verb, parameters = self._login_call()
            value = self.answer(LOGIN_SERVICE + verb, {"parameters": parameters}, write=False)
            if not isinstance(value, dict) or value.get("LoginResultType") != LOGIN_OK:
                raise self._not_let_in(value)
            sid = str(value.get("KDSVCSessionId") or "")
            if not sid:
                raise RetryLater("kingdee.login", "signed in, but the answer carries no session")
            self._sid = sid

    def _login_call(self) -> tuple[str, list[Any]]:
        account, how = self.account, self.credentials
        if isinstance(how, Password):
            return "ValidateUser", [account.acct_id, account.username, how.password, account.lcid]
        if isinstance(how, LoginBySecret):
            told = [account.acct_id, account.username, how.app_id, how.app_secret, account.lcid]
            return "LoginByAppSecret", told
        assert isinstance(how, LoginBySign)
        now = int(self.seconds())
        sign = login_sign(account.acct_id, account.username, how.app_id, how.app_secret, now)
        return "LoginBySign", [account.acct_id, account.username, how.app_id, now, sign, account.lcid]

    @staticmethod
    def _not_let_in(value: Any) -> SyncError:
        """Why a login came to nothing: a server that is busy or failed is tried again, everything else is for a person."""
        status = wire.status_of(value)
        if status is None:
            told = value if isinstance(value, dict) else {}
            if "LoginResultType" not in told:
                return RetryLater("kingdee.login", "the login answered neither yes nor no")
            said = str(told.get("Message") or f"LoginResultType {told['LoginResultType']}")
            return FixSettings("kingdee.login_refused", said)
        refused = refusal(status, write=False)
        return refused if isinstance(refused, RetryLater) else FixSettings("kingdee.login_refused", status.message)

    def _forget(self, sid: str) -> None:
        with self._signing_in:
            if self._sid == sid:  # another thread may have signed in again already
                self._sid = ""
                self.http.cookies.clear()

    # -- one call

    def call(self, service: str, body: Mapping[str, Any], *, write: bool, partly: bool = False) -> Any:
        """The answer's value; a refusal is raised by its remedy, except one of documents where `partly` is asked for."""
        lost = ""
        for _ in range(2):
            self.sign_in()
            sid = self._sid
            value = self.answer(service, body, write=write)
            status = wire.status_of(value)
            if status is None or status.ok or (partly and status.entities):
                self._let_in = True
                return value
            if not status.session_lost:
                refused = refusal(status, write)
                if partly and isinstance(refused, Rejected):
                    return value
                raise refused
            lost = status.message
            self._forget(sid)
        # Where calls were let in before, the settings are right: it was lost in between, as by a restart, and that passes.
        if self._let_in:
            raise RetryLater("kingdee.session_lost", f"{lost}: lost again right after it was renewed")
        raise FixSettings("kingdee.session_lost", lost)

    def answer(self, service: str, body: Mapping[str, Any], *, write: bool) -> Any:
        """The value of one HTTP exchange; every way it can go wrong is raised by its remedy."""
        unclear = perhaps(write)
        url = self.account.url(service)
        text = wire.encode(body)
        if write:
            self.before_write()
        name = service.removeprefix(FORM_SERVICE).rpartition(".")[2]
        send = partial(self.http.post, url, data=text, headers=self._headers(url), timeout=self.timeout)
        response = call(send, Asked(name, url, text, self._hide), self.trace, unclear)
        self._http_error(response, unclear)
        try:
            return wire.read(response.content)
        except wire.Refusal as error:
            raise unclear("kingdee.response_error", str(error)) from None
        except wire.Unreadable as error:
            raise unclear("kingdee.unreadable", str(error)) from None

    @staticmethod
    def _http_error(response: requests.Response, unclear: type[SyncError]) -> None:
        status = response.status_code
        if status in (200, 206):
            return
        if status in (401, 403):
            raise FixSettings("http.forbidden", f"the server answered {status}")
        if status == 404:
            raise FixSettings("http.not_found", "no WebAPI at this address: does the URL end in /k3cloud?")
        if 300 <= status < 400:
            raise FixSettings(
                "http.redirected", f"the server wants another address: {response.headers.get('Location')}"
            )
        if status == 429:
            raise slow_down(response, BUSY)
        raise unclear("http.status", f"the server answered {status}")

    def _headers(self, url: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept-Charset": "utf-8"}
        if isinstance(self.credentials, SignedHeaders):
            who = self.account
            headers |= signed_headers(
                url,
                acct_id=who.acct_id,
                username=who.username,
                app_id=self.credentials.app_id,
                app_secret=self.credentials.app_secret,
                lcid=who.lcid,
                org=who.org,
                seconds=int(self.seconds()),
            )
        if self._sid:
            headers["kdservice-sessionid"] = self._sid
        return headers

    def _hide(self, text: str) -> str:
        how = self.credentials
        secrets = [how.password] if isinstance(how, Password) else [how.app_secret]
        if isinstance(how, LoginBySign):
            text = re.sub(r"\b[0-9a-f]{64}\b", HIDDEN, text)
        for secret in [*secrets, self._sid]:
            if secret:
                text = text.replace(secret, HIDDEN).replace(wire.encode(secret)[1:-1], HIDDEN)
        return MOBILE.sub(HIDDEN, SESSION_FIELDS.sub(rf'\1"{HIDDEN}"', text))

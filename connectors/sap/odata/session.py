"""One session with one SAP system: signing in, the CSRF token and its cookies, and one exchange after the other.

A write that may have reached the system and has no clear answer raises `Uncertain`; it is never repeated here. Two refusals
prove that nothing was executed, and only these are followed by one renewal and one repetition: 403 with
`x-csrf-token: Required`, and 401 when we came with an OAuth token.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import quote, urlencode

import requests

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import Service, System
from connectors.sap.odata.refusals import refusal, told_by
from connectors.sap.odata.signin import Basic, ClientCredentials, Credentials, Token, basic
from tongshang.connect import (
    Asked,
    Exchange,
    FixSettings,
    Rejected,
    RetryLater,
    SyncError,
    call,
    perhaps,
)

PATIENCE = (10.0, 25.0)  # seconds to connect, to read
HIDDEN = "•••"
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
TOKENS = re.compile(r'("(?:access_token|refresh_token|id_token|client_secret)"\s*:\s*)"[^"]*"')


class Session:
    """One user in one system. Calls may come from several threads; cookies live in the session handed to us."""

    def __init__(
        self,
        http: requests.Session,
        system: System,
        credentials: Credentials,
        *,
        trace: Callable[[Exchange], None] = lambda _: None,
        before_write: Callable[[], None] = lambda: None,
        timeout: tuple[float, float] = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.http, self.system, self.credentials = http, system, credentials
        self.trace, self.before_write, self.timeout = trace, before_write, timeout
        self.token = Token(self._ask_for_token, clock)
        self._csrf: dict[str, str] = {}
        self._fetching = threading.Lock()

    # -- calls

    def call(
        self,
        service: Service,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        write: bool,
        operation: str,
    ) -> requests.Response:
        """One call with a status from 200 to 299; every other end is raised by its remedy."""
        csrf = self.csrf(service) if write else ""
        renewed = False
        while True:
            response = self._signed(service, method, url, body, headers or {}, write, operation, csrf)
            required = response.headers.get("x-csrf-token", "").lower() == "required"
            if response.status_code == 403 and required and write:
                if renewed:
                    raise refused_again(response)
                csrf, renewed = self.csrf(service, stale=csrf), True
                continue
            if not 200 <= response.status_code < 300:
                raise refusal(response, write)
            return response

    def csrf(self, service: Service, stale: str | None = None) -> str:
        """The CSRF token of a service, with its cookies in the jar. Empty for a service that asks for none.

        Some systems answer HEAD only with a slash at the end, some only without, and some only GET.
        """
        with self._fetching:
            held = self._csrf.get(service.path)
            if held is not None and held != stale:
                return held
            if stale is not None:
                self.http.cookies.clear()  # a dead session's cookie would bind the new token to it
            last: requests.Response | None = None
            broken = False
            for method, slash in (("HEAD", "/"), ("HEAD", ""), ("GET", "/")):
                if broken and method == "HEAD":
                    continue
                last = self._fetched(service, method, slash)
                broken = last is None
                token = last.headers.get("x-csrf-token", "") if last is not None else ""
                if last is not None and last.status_code < 400 and token and token.lower() != "required":
                    self._csrf[service.path] = token
                    return token
            assert last is not None  # GET answers or raises
            if not 200 <= last.status_code < 300:
                raise _of_the_service(refusal(last, write=False), "sap.service_missing")
            try:
                wire.read(last.content)
            except wire.Unreadable as error:
                raise RetryLater("sap.unreadable", str(error)) from None
            self._csrf[service.path] = ""
            return ""

    def _fetched(self, service: Service, method: str, slash: str) -> requests.Response | None:
        """One try at the token; None for a HEAD whose answer breaks off, as it does behind some proxies.

        A refused login ends it: asking again and again would lock the user.
        """
        url = self.system.url(service, "").replace(f"{service.path}/", f"{service.path}{slash}", 1)
        try:
            response = self._signed(service, method, url, b"", {"x-csrf-token": "Fetch"}, False, "csrf", "")
        except RetryLater as error:
            if method == "HEAD" and error.code == "http.broken_off":
                return None
            raise
        if response.status_code == 401:
            raise refusal(response, write=False)
        return response

    def _signed(
        self,
        service: Service,
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        write: bool,
        operation: str,
        csrf: str,
    ) -> requests.Response:
        """One call with our name on it; an OAuth token that is refused is replaced once."""
        told = {"Accept": "application/json", "sap-language": self.system.language}
        if service.version == 4:
            told["Accept-Language"] = self.system.language.lower()
            told["Accept"] = "application/json;IEEE754Compatible=true"
        told |= headers
        if csrf:
            told["x-csrf-token"] = csrf
        if isinstance(self.credentials, Basic):
            told["Authorization"] = basic(self.credentials.user, self.credentials.password)
        if not isinstance(self.credentials, ClientCredentials):
            return self._send(method, url, body, told, write, operation)
        token = self.token()
        response = self._send(
            method, url, body, told | {"Authorization": f"Bearer {token}"}, write, operation
        )
        if response.status_code == 401:
            token = self.token(stale=token)
            told["Authorization"] = f"Bearer {token}"
            response = self._send(method, url, body, told, write, operation)
        return response

    def _ask_for_token(self) -> tuple[str, float]:
        how = self.credentials
        assert isinstance(how, ClientCredentials)
        form = {"grant_type": "client_credentials"} | ({"scope": how.scope} if how.scope else {})
        headers = {
            "Authorization": basic(quote(how.client_id, safe=""), quote(how.client_secret, safe="")),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        response = self._send("POST", how.token_url, urlencode(form).encode(), headers, False, "token")
        if response.status_code in (400, 401, 403):
            raise FixSettings("sap.token_refused", _first_words(response) or "the client is not known")
        if response.status_code != 200:
            raise _of_the_service(refusal(response, write=False), "sap.token_refused")
        try:
            told = wire.read(response.content)
            return str(told["access_token"]), float(told.get("expires_in") or 600)
        except (wire.Unreadable, KeyError, TypeError, ValueError, AttributeError):
            raise RetryLater("sap.token", "the answer of the token endpoint carries no token") from None

    def _send(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], write: bool, operation: str
    ) -> requests.Response:
        """One exchange over the wire, shown to `trace` however it ends."""
        unclear = perhaps(write)
        if write:
            self.before_write()
        shown = f"{method} {body.decode('utf-8', 'replace')}".strip()
        send = partial(
            self.http.request,
            method,
            url,
            data=body or None,
            headers=dict(headers),
            timeout=self.timeout,
            allow_redirects=False,
        )
        return call(send, Asked(operation, url, shown, self._hide, _with_messages), self.trace, unclear)

    def _hide(self, text: str) -> str:
        how = self.credentials
        secrets = [self.token.held, *self._csrf.values()]
        secrets += [how.password] if isinstance(how, Basic) else []
        secrets += [how.client_secret] if isinstance(how, ClientCredentials) else []
        for secret in filter(None, secrets):
            text = text.replace(secret, HIDDEN).replace(quote(secret, safe=""), HIDDEN)
        return MOBILE.sub(HIDDEN, TOKENS.sub(rf'\1"{HIDDEN}"', text))


def _with_messages(response: requests.Response) -> str:
    """An answer as a person reads it, what SAP says in its headers first."""
    said = [f"sap-message: {line}" for line in told_by(response)]
    return "\n".join([*said, response.content.decode("utf-8", "replace")])


def refused_again(response: requests.Response) -> SyncError:
    """A new token refused at once, so nothing was executed. Without a cookie it can never work; with one, the session was
    lost in between, as by a restart, and that passes."""
    if "Cookie" not in response.request.headers:
        return FixSettings(
            "sap.csrf", "the CSRF token is refused again, and SAP's cookies do not get through"
        )
    return RetryLater("sap.session_lost", "the CSRF token is refused again: the session was lost in between")


def _of_the_service(error: SyncError, code: str) -> SyncError:
    """What is refused before any document was named is no refusal of the document that waits behind it."""
    return FixSettings(code, error.message) if isinstance(error, Rejected) else error


def _first_words(response: requests.Response) -> str:
    try:
        told = wire.read(response.content)
    except wire.Unreadable:
        return ""
    said = told.get("error_description") or told.get("error") if isinstance(told, dict) else ""
    return str(said or "")[:200]

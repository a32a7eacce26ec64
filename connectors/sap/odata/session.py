"""One session with one SAP system: signing in, the CSRF token and its cookies, and every answer sorted into value or remedy.

A write that may have reached the system and has no clear answer raises `Uncertain`; it is never repeated here. Two refusals
prove that nothing was executed, and only these are followed by one renewal and one repetition: 403 with
`x-csrf-token: Required`, and 401 when we came with an OAuth token.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, unquote, urlencode, urlsplit

import requests

from connectors.sap.odata import wire
from connectors.sap.odata.signin import Basic, Certificate, ClientCredentials, Credentials, Token, basic
from tongshang.connect import (
    Blocked,
    Exchange,
    FixSettings,
    NotSent,
    Rejected,
    RetryLater,
    Stop,
    SyncError,
    Uncertain,
    Unreachable,
)

V2_ROOT = "/sap/opu/odata/sap/"
V4_ROOT = "/sap/opu/odata4/sap/"
PATIENCE = (10.0, 25.0)  # seconds to connect, to read
BUSY = timedelta(seconds=5)
HIDDEN = "•••"
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
TOKENS = re.compile(r'("(?:access_token|refresh_token|id_token|client_secret)"\s*:\s*)"[^"]*"')
SHOWN = 20_000  # characters of a body that are kept for people
NO_SERVICE = "/IWFND/MED/"  # the gateway's own messages about services that are not there or not active
# How SAP says, in the languages our customers sign on with, that somebody else holds the document or the table.
LOCKED = re.compile(
    r"currently being (processed|edited|used)|is (currently )?locked|locked by|gesperrt"
    r"|正被|正由|正在(被|由)?.{0,20}(处理|编辑|使用)|被.{0,20}锁定|已锁定",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class System:
    """Where the system is and as what we come. `client` is the SAP client (mandant), empty for the default one."""

    base_url: str
    client: str = ""
    language: str = "ZH"

    @property
    def root(self) -> str:
        """The address without the path of OData, should somebody have typed it along."""
        return self.base_url.split("/sap/opu/odata", 1)[0].rstrip("/")


@dataclass(frozen=True)
class Service:
    """One OData service: its path below the root, and its version of the protocol."""

    path: str
    version: int = 2

    @property
    def name(self) -> str:
        return self.path.strip("/").split("/")[-2 if self.version == 4 else -1]


def v2(name: str) -> Service:
    return Service(V2_ROOT + name)


def v4(group: str, name: str, number: str = "0001") -> Service:
    return Service(f"{V4_ROOT}{group}/srvd_a2x/sap/{name}/{number}", 4)


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

    # -- addresses

    def url(self, service: Service, path: str, query: Mapping[str, str] | None = None) -> str:
        """The address of a path inside a service; the SAP client always goes along."""
        told = dict(query or {})
        if self.system.client:
            told["sap-client"] = self.system.client
        asked = "?" + urlencode(told, quote_via=quote, safe="$'(),:/*") if told else ""
        return f"{self.system.root}{service.path}/{path}{asked}"

    def followed(self, service: Service, link: str) -> str:
        """A link the server gave, on the address we know: it may name a host that exists only inside its network.

        Only path and query count, and only below the root of the service; anything else raises Stop.
        """
        parts = urlsplit(link)
        path = parts.path
        if not parts.netloc and not path.startswith("/"):
            path = f"{service.path}/{path}"
        at = path.find(service.path + "/")
        inner = path[at + len(service.path) + 1 :]
        if at < 0 or any(step in (".", "..") for step in re.split(r"[/\\]", unquote(inner))):
            raise Stop(
                "sap.next_link", f"the rest is said to be at {link[:200]}, which is outside the service"
            )
        asked = parts.query
        if self.system.client and "sap-client=" not in asked:
            asked += f"{'&' if asked else ''}sap-client={self.system.client}"
        return f"{self.system.root}{service.path}/{inner}" + (f"?{asked}" if asked else "")

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
                    raise FixSettings("sap.csrf", "the CSRF token is refused again: do cookies get through?")
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
                raise refusal(last, write=False)
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
        url = self.url(service, "").replace(f"{service.path}/", f"{service.path}{slash}", 1)
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
            raise refusal(response, write=False)
        try:
            told = wire.read(response.content)
            return str(told["access_token"]), float(told.get("expires_in") or 600)
        except (wire.Unreadable, KeyError, TypeError, ValueError, AttributeError):
            raise RetryLater("sap.token", "the answer of the token endpoint carries no token") from None

    def _send(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], write: bool, operation: str
    ) -> requests.Response:
        """One exchange over the wire, shown to `trace` however it ends."""
        perhaps = Uncertain if write else RetryLater
        if write:
            self.before_write()
        began = time.monotonic()
        response: requests.Response | None = None
        note = ""
        try:
            response = self.http.request(
                method,
                url,
                data=body or None,
                headers=dict(headers),
                timeout=self.timeout,
                allow_redirects=False,
            )
            return response
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
            raise perhaps("http.timeout", "no answer in time") from error
        except requests.RequestException as error:
            note = str(error)
            raise perhaps("http.broken_off", "the connection broke off before a whole answer") from error
        finally:
            self.trace(self._exchange(operation, method, url, body, response, note, began))

    def _exchange(
        self,
        operation: str,
        method: str,
        url: str,
        body: bytes,
        response: requests.Response | None,
        note: str,
        began: float,
    ) -> Exchange:
        answer = note
        if response is not None:
            said = [f"sap-message: {line}" for line in told_by(response)]
            answer = "\n".join([*said, response.content.decode("utf-8", "replace")])
        return Exchange(
            operation=operation,
            url=url,
            request=self._hide(f"{method} {body.decode('utf-8', 'replace')}".strip()[:SHOWN]),
            status=response.status_code if response is not None else None,
            response=self._hide(answer[:SHOWN]),
            milliseconds=int((time.monotonic() - began) * 1000),
        )

    def _hide(self, text: str) -> str:
        how = self.credentials
        secrets = [self.token.held, *self._csrf.values()]
        secrets += [how.password] if isinstance(how, Basic) else []
        secrets += [how.client_secret] if isinstance(how, ClientCredentials) else []
        for secret in filter(None, secrets):
            text = text.replace(secret, HIDDEN).replace(quote(secret, safe=""), HIDDEN)
        return MOBILE.sub(HIDDEN, TOKENS.sub(rf'\1"{HIDDEN}"', text))


def told_by(response: requests.Response) -> list[str]:
    """The messages that came in a header beside the answer, such as the warning that an order is incomplete."""
    return [
        line
        for name in ("sap-message", "sap-messages")
        for line in wire.messages(response.headers.get(name, ""))
    ]


def refusal(response: requests.Response, write: bool) -> SyncError:
    """The error a status other than 2xx stands for."""
    return sorted_error(response.status_code, response.headers, response.content, write)


def sorted_error(status: int, headers: Mapping[str, str], body: bytes, write: bool) -> SyncError:
    """What a refused call, or a refused part of a batch, asks for; names of `headers` in any case the mapping finds."""
    told = wire.complaint(body)
    said = f"{told.code} {told.message}".strip() if told else f"the server answered {status}"
    if status == 401:
        return FixSettings("sap.login_refused", said)
    if told and told.code.startswith(NO_SERVICE):
        return FixSettings("sap.service_missing", said)
    if status == 403:
        return FixSettings("sap.no_permission", said)
    if 300 <= status < 400:
        where = headers.get("location") or headers.get("Location") or "another address"
        return FixSettings("http.redirected", f"the server sends us to {where[:200]}")
    if status == 429:
        return RetryLater("http.too_many", "the server asks for fewer calls", after=_after(headers))
    if status == 423 or (400 <= status < 500 and told and LOCKED.search(told.message)):
        return RetryLater("sap.locked", said, after=BUSY)
    if status in (409, 412):
        return RetryLater("sap.changed_meanwhile", said)
    if status == 404 and not told:
        return FixSettings(
            "sap.service_missing", "no such service: is it activated, and is the address right?"
        )
    if status in (404, 410):
        return Rejected("sap.not_found", said)
    if 400 <= status < 500 and (told or status in (405, 406, 411, 413, 414, 415, 428, 431)):
        return Rejected("sap.refused", said, field=told.target if told else "")
    if status == 503 and (headers.get("retry-after") or headers.get("Retry-After")):
        return RetryLater("sap.unavailable", said, after=_after(headers))
    # A failure in the middle, or a page of something in between: rolled back most likely, but only a look can tell.
    perhaps = Uncertain if write else RetryLater
    return perhaps("sap.exception" if told else "http.status", said)


def _after(headers: Mapping[str, str]) -> timedelta:
    wait = headers.get("retry-after") or headers.get("Retry-After") or ""
    return timedelta(seconds=min(int(wait), 3600)) if wait.isdecimal() else BUSY


def _first_words(response: requests.Response) -> str:
    try:
        told = wire.read(response.content)
    except wire.Unreadable:
        return ""
    said = told.get("error_description") or told.get("error") if isinstance(told, dict) else ""
    return str(said or "")[:200]


__all__ = ["Certificate", "Service", "Session", "System", "refusal", "sorted_error", "told_by", "v2", "v4"]

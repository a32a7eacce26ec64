"""Who may call: users, OAuth tokens, and sessions whose cookies a CSRF token is bound to."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, unquote

from connectors.sap.odata.simulator.world import Demo
from tongshang.simulate import Call, Reply

SID = "TSP"
TOKEN_PATH = "/sap/bc/sec/oauth2/token"
LOGON = (
    "<!DOCTYPE html><html><head><meta charset='utf-8'><title>登录失败</title></head>"
    "<body><h1>Logon failed</h1><p>Anmeldung fehlgeschlagen / 登录失败</p></body></html>"
)


class Desk:
    """Lets callers in and remembers their sessions."""

    def __init__(self, demo: Demo, session_seconds: float = 1800, token_seconds: float = 3600) -> None:
        self.demo, self.session_seconds, self.token_seconds = demo, session_seconds, token_seconds
        self.cookie = f"SAP_SESSIONID_{SID}_{demo.client}"
        self.sticky = f"sap-XSRF_{SID}_{demo.client}"
        self._sessions: dict[str, tuple[str, float]] = {}  # session -> (CSRF token, end)
        self._tokens: dict[str, float] = {}
        self._lock = threading.Lock()

    def who(self, call: Call) -> str:
        """The user of a call, empty when nobody we know."""
        way, _, told = call.headers.get("authorization", "").partition(" ")
        if way.lower() == "basic":
            try:
                user, _, password = base64.b64decode(told).decode().partition(":")
            except ValueError:
                return ""
            return user if (user, password) == (self.demo.user, self.demo.password) else ""
        if way.lower() == "bearer":
            with self._lock:
                return "OAUTH_CLIENT" if self._tokens.get(told, 0) > time.monotonic() else ""
        return ""

    def token(self, call: Call) -> Reply:
        """The token endpoint: client credentials only."""
        form = {name: values[-1] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
        way, _, told = call.headers.get("authorization", "").partition(" ")
        try:
            id, _, secret = base64.b64decode(told).decode().partition(":") if way == "Basic" else ("", "", "")
        except ValueError:
            id = secret = ""
        if (unquote(id), unquote(secret)) != (self.demo.client_id, self.demo.client_secret):
            return Reply(b'{"error":"invalid_client","error_description":"Client unknown"}', 401)
        if form.get("grant_type") != "client_credentials":
            return Reply(b'{"error":"unsupported_grant_type"}', 400)
        made = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens[made] = time.monotonic() + self.token_seconds
        return Reply(
            f'{{"access_token":"{made}","token_type":"Bearer","expires_in":"{int(self.token_seconds)}"}}'.encode()
        )

    def expire_tokens(self) -> None:
        with self._lock:
            self._tokens.clear()

    # -- sessions

    def handed_out(self, call: Call) -> dict[str, str | tuple[str, ...]]:
        """Headers that answer `x-csrf-token: fetch`: the token and, for a new session, its cookies."""
        with self._lock:
            id = self._session(call)
            if id:
                return {"x-csrf-token": self._sessions[id][0]}
            id, token = secrets.token_hex(16), secrets.token_urlsafe(18)
            self._sessions[id] = (token, time.monotonic() + self.session_seconds)
        cookies = (f"{self.cookie}={id}; path=/; HttpOnly", f"{self.sticky}={token[:16]}; path=/; HttpOnly")
        return {"x-csrf-token": token, "Set-Cookie": cookies}

    def protected(self, call: Call) -> bool:
        """Whether a write carries the token of its own session, and that session's cookies."""
        with self._lock:
            id = self._session(call)
            given = call.headers.get("x-csrf-token", "")
            return bool(id) and given == self._sessions[id][0] and self.sticky in _cookies(call.headers)

    def lose(self) -> None:
        """Forget every session, as after a restart."""
        with self._lock:
            self._sessions.clear()

    def expire_csrf(self) -> None:
        """Give every session another token."""
        with self._lock:
            for id, (_, end) in self._sessions.items():
                self._sessions[id] = (secrets.token_urlsafe(18), end)

    @property
    def count(self) -> int:
        return len(self._sessions)

    def _session(self, call: Call) -> str:
        id = _cookies(call.headers).get(self.cookie, "")
        token, end = self._sessions.get(id, ("", 0.0))
        return id if token and end > time.monotonic() else ""


def _cookies(headers: Mapping[str, str]) -> dict[str, str]:
    try:
        return {name: one.value for name, one in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def logon_failed() -> Reply:
    return Reply(
        LOGON.encode(),
        401,
        {"WWW-Authenticate": 'Basic realm="SAP NetWeaver Application Server [TSP/100]"'},
        "text/html; charset=utf-8",
    )


def csrf_required() -> Reply:
    said = b"CSRF token validation failed"
    return Reply(said, 403, {"x-csrf-token": "Required"}, "text/plain; charset=utf-8")

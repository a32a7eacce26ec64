"""The edge: limits on what comes in, headers on what goes out, one shape for every failure."""

import ipaddress
import logging
import platform as machine
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request
from flask.sessions import NullSession, SessionInterface
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from core.kernel import Refused, Unavailable
from core.web.flash import save_flash
from core.web.page import error_page
from core.web.platform import platform
from core.web.problem import Rejected, problem, wants_json
from core.web.visit import close_visit, trace_id

log = logging.getLogger("tongshang.web")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
ALWAYS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
NOT_KEPT = (("Cache-Control", "no-store"), ("Vary", "Cookie, HX-Request"))
ENCRYPTED = (("Strict-Transport-Security", "max-age=31536000"),)
JSON_LIMIT, FILE_LIMIT = 1 << 20, 20 << 20
SAID = frozenset({400, 404, 405, 406, 408, 413, 414, 415, 422, 429, 431, 500, 503})
"""Statuses with a sentence of their own (`http.404`); the others are told like 400 or 500."""


def install(app: Flask) -> None:
    """Wire limits, headers and error pages into an application."""
    hops = app.extensions["ts"].config.proxy_hops
    if hops:  # only as many proxies as the operator stated may speak for the caller
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.config["MAX_CONTENT_LENGTH"] = FILE_LIMIT
    app.config["MAX_FORM_PARTS"] = 1000
    app.session_interface = _NoSession()
    app.before_request(_limits)
    app.after_request(_headers)
    app.after_request(save_flash)
    app.teardown_request(close_visit)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


class _NoSession(SessionInterface):
    """Who is signed in stands in our own rows: Flask's session cookie is neither read nor written, and writing fails."""

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self.make_null_session(app)


def _limits() -> None:
    trace_id()
    config = platform().config
    if not answers_to(request.host, config.host, config.allowed_hosts) and request.path != "/healthz":
        raise Rejected(400, "http.host_unknown", host=request.host[:100])
    most = platform().bodies.get(request.endpoint or "")
    if most is not None:
        request.max_content_length = most
    limit = most or (JSON_LIMIT if wants_json() else FILE_LIMIT)
    if (request.content_length or 0) > limit:
        raise Rejected(413, "input.too_large", limit=limit)
    if "\x00" in request.path or "%00" in request.path or b"%00" in request.query_string:
        raise Rejected(400, "text.nul")


@lru_cache(maxsize=256)
def answers_to(asked: str, bound: str, allowed: tuple[str, ...]) -> bool:
    """Whether we answer to the name a request asks for, so that nobody can make our links point elsewhere.

    Without a list: loopback, the bound address, and where we are bound to every address any of the machine's, by number
    or by its own name. A foreign name that leads to us is not ours.
    """
    try:
        name = (urlsplit(f"//{asked}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if allowed:
        return name in {each.lower() for each in allowed}
    if name in {"localhost", bound.lower()}:
        return True
    try:
        number = ipaddress.ip_address(name)
    except ValueError:
        return bound in {"0.0.0.0", "::"} and name == _own_name()
    return number.is_loopback or bound in {"0.0.0.0", "::"}


@cache
def _own_name() -> str:
    return machine.node().lower()


def _headers(response: Response) -> Response:
    headers, asked = response.headers, request._get_current_object()  # type: ignore[attr-defined]
    said = {name.lower() for name, _ in headers}
    wanted = _wanted(asked.is_secure, asked.path.startswith("/static/"))
    headers.extend([pair for name, pair in wanted if name not in said])
    headers.add("X-Trace-Id", trace_id())
    return response


@cache
def _wanted(secure: bool, static: bool) -> tuple[tuple[str, tuple[str, str]], ...]:
    """What an answer says unless its view said otherwise, by name in lower case."""
    pairs = (*ALWAYS, *(ENCRYPTED if secure else ()), *(() if static else NOT_KEPT))
    return tuple((pair[0].lower(), pair) for pair in pairs)


def _refused(refused: Refused) -> Any:
    if wants_json():
        return problem(refused)
    return error_page(refused.status, refused)


def _http(wrong: HTTPException) -> Any:
    status = wrong.code or 500
    if status in (301, 302, 303, 307, 308):
        return wrong
    said = status if status in SAID else 500 if status >= 500 else 400
    return _refused(Rejected(status, f"http.{said}"))


def _unexpected(wrong: Exception) -> Any:
    if _lost_database(wrong):
        log.warning("database away: %s", wrong)
        return _refused(Unavailable("platform.database_away"))
    log.exception("unexpected failure, trace %s", g.get("trace_id"))
    return _refused(Rejected(500, "platform.failed", trace_id=trace_id()))


def _lost_database(wrong: Exception) -> bool:
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    if isinstance(wrong, PoolTimeout):
        return True
    if not isinstance(wrong, DBAPIError):
        return False
    state = getattr(wrong.orig, "sqlstate", None) or ""
    # gone, restarting, out of room, or a statement past its time: nothing was changed, trying again is right
    return wrong.connection_invalidated or state[:2] in {"08", "53", "57"} or state in {"55P03", ""}


__all__ = ["POLICY", "install"]

"""The edge: limits on what comes in, headers on what goes out, one shape for every failure."""

import logging
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from core.kernel import Refused, Unavailable
from core.web.flash import save_flash
from core.web.page import error_page
from core.web.problem import Rejected, problem, wants_json
from core.web.visit import close_visit, trace_id

log = logging.getLogger("tongshang.web")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
JSON_LIMIT, FILE_LIMIT = 1 << 20, 20 << 20
SAID = frozenset({400, 404, 405, 406, 408, 413, 414, 415, 422, 429, 431, 500, 503})
"""Statuses with a sentence of their own (`http.404`); the others are told like 400 or 500."""


def install(app: Flask) -> None:
    """Wire limits, headers and error pages into an application."""
    app.config["MAX_CONTENT_LENGTH"] = FILE_LIMIT
    app.config["MAX_FORM_PARTS"] = 1000
    app.before_request(_limits)
    app.after_request(_headers)
    app.after_request(save_flash)
    app.teardown_request(close_visit)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _limits() -> None:
    trace_id()
    if wants_json() and (request.content_length or 0) > JSON_LIMIT:
        raise Rejected(413, "input.too_large", limit=JSON_LIMIT)
    if "\x00" in request.path or "%00" in request.full_path:
        raise Rejected(400, "text.nul")


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers["X-Trace-Id"] = trace_id()
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if not request.path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Vary", "Cookie, HX-Request")
    return response


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

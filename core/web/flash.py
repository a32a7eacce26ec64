"""A word to the next page: one signed, short-lived cookie, so a redirect can still say what happened."""

from typing import Any

from flask import Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer

COOKIE = "ts_flash"


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.extensions["ts"].config.secret_key, salt="flash")


def flash(text: str, tone: str = "ok") -> None:
    """Show `text` once on the next page. `tone` is ok, warn, bad or acc."""
    g.setdefault("flash_out", []).append([text, tone])


def take_flash() -> list[tuple[str, str]]:
    """The words waiting for this page; reading them clears them."""
    g.flash_taken = True
    waiting: list[Any] = []
    if raw := request.cookies.get(COOKIE):
        try:
            waiting = _signer().loads(raw)
        except BadSignature:
            waiting = []
    fresh, g.flash_out = g.get("flash_out", []), []
    return [(text, tone) for text, tone in [*waiting, *fresh]]


def save_flash(response: Response) -> Response:
    """after_request: keep what was flashed for the next page, drop what was shown."""
    if out := g.get("flash_out"):
        response.set_cookie(COOKIE, _signer().dumps(out), max_age=120, httponly=True, samesite="Lax", secure=request.is_secure)
    elif g.get("flash_taken") and COOKIE in request.cookies:
        response.delete_cookie(COOKIE)
    return response

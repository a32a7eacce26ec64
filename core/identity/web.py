"""Identity at the edge: the session cookie, flask-login over our own sessions, and the company switcher.

Everything that knows flask-login is here, so it can be replaced without a search.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, g, request
from flask_login import LoginManager  # type: ignore[import-untyped]

from core.identity.principal import Principal, principal_from_cookie
from core.kernel import Context
from core.web import platform
from core.web.page import Company

_PLAIN = "ts_session"
_SECURE = (
    "__Host-ts_session"  # browsers take it only over https, for this host alone, and let nobody else set it
)

Lister = Callable[[Context], tuple[Company, ...]]
_listers: list[Lister] = []


def install(app: Flask) -> None:
    """Give the application flask-login's `current_user`. Sessions are our rows, so its own protection stays off."""
    manager = LoginManager()
    manager.session_protection = None
    manager.request_loader(_loaded)
    manager.init_app(app)


def cookie_name() -> str:
    return _SECURE if request.is_secure else _PLAIN


def shown_token() -> str | None:
    """The token this browser shows, of a full or a pending session."""
    return request.cookies.get(cookie_name())


def by_cookie(session: Any) -> Principal | None:
    """Who this browser's session belongs to, None when it is signed in nowhere."""
    return principal_from_cookie(session, shown_token(), request.remote_addr)


def keep_token(response: Response, token: str) -> Response:
    """Hand the browser a token until it is closed; the server ends it earlier."""
    response.set_cookie(
        cookie_name(),
        token,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure or not may_use_http(),
        path="/",
    )
    return response


def drop_token(response: Response) -> Response:
    response.delete_cookie(cookie_name(), path="/", httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def may_use_http() -> bool:
    """Whether a password may travel to us as it is: over https, from this machine, or because the operator said so."""
    if request.is_secure or platform().config.insecure_http:
        return True
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def companies(ctx: Context) -> tuple[Company, ...]:
    """The enterprises of the person by name, for the switcher; the room that knows names lends the list."""
    return _listers[-1](ctx) if _listers else ()


def list_companies(lister: Lister) -> None:
    """Lend the list of a person's enterprises. Called once, while the application is wired."""
    _listers[:] = [lister]


def _loaded(_request: Request) -> Principal | None:
    found: Principal | None = g.get("principal")
    return found

"""A form is ours when the browser says it comes from our own pages and it carries the session's token."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, request

from core.web.problem import Rejected


def csrf_token(principal: Any | None) -> str:
    """The token of a session (or of nobody, before sign-in): an HMAC, so nothing needs storing."""
    session = getattr(getattr(principal, "actor", None), "session_id", None) or "nobody"
    secret = current_app.extensions["ts"].config.secret_key
    return hmac.new(secret, f"csrf:{session}".encode(), hashlib.sha256).hexdigest()[:40]


def check_csrf(*readers: Any | None) -> None:
    """Refuse a cookie-authenticated change that another site could have sent. `readers`: whose token is good here."""
    site = request.headers.get("Sec-Fetch-Site")
    if site not in (None, "same-origin", "none"):
        raise Rejected(403, "csrf.foreign_site")
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise Rejected(403, "csrf.foreign_site")
    given = request.form.get("_csrf") or request.headers.get("X-CSRFToken", "")
    if not any(hmac.compare_digest(given.encode(), csrf_token(reader).encode()) for reader in readers):
        raise Rejected(403, "csrf.token_wrong")

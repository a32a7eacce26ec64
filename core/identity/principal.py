"""Who a request comes from: one statement turns a token into a person (or key), an enterprise and what they may do."""

import hashlib
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from core.db.straight import rows
from core.kernel import Actor

SESSION_MARK = "tss_"  # starts every session token
KEY_MARK = "tsk_"  # starts every API key

_BY_SESSION = (
    "SELECT tenant_id, person_id, name, session_id, second_factor_at, grants, moment, locale, theme, density, login, roles,"
    " has_second_factor FROM auth.enter_by_session(%s)"
)
_BY_KEY = "SELECT tenant_id, key_id, name, person_id, grants, moment, locale FROM auth.enter_by_key(%s, %s)"


@dataclass(frozen=True)
class Principal:
    """An authenticated actor of one enterprise, as of `now` (the database's clock).

    `grants` maps a permission to its amount limit in the enterprise's currency, None for no limit.
    `key_id` is set for an API key, `token_hash` is the sha256 of the credential that was shown.
    The last four members are what flask-login asks of a user.
    """

    tenant_id: UUID
    actor: Actor
    grants: Mapping[str, Decimal | None]
    now: datetime
    locale: str = "zh-CN"
    theme: str = "auto"
    density: str = "comfortable"
    login: str = ""
    roles: tuple[str, ...] = ()
    has_second_factor: bool = False
    key_id: UUID | None = None
    token_hash: bytes = field(default=b"", repr=False)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        return str(self.actor.id)


def new_token() -> str:
    """A session token: 256 random bits."""
    return SESSION_MARK + secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    """What the database keeps of a token. Plain sha256 is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


@lru_cache(maxsize=1024)
def address(remote: str | None) -> str:
    """An IP address in one spelling, empty when there is none; IPv4 inside IPv6 becomes IPv4."""
    try:
        found = ipaddress.ip_address((remote or "").split("%")[0])
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def principal_from_cookie(session: Any, token: str | None, remote: str | None = None) -> Principal | None:
    """The person behind a session token, None when it does not open anything any more.

    Validates, notes the visit (once a minute) and points the open transaction at the session's enterprise.
    """
    if not token or not token.startswith(SESSION_MARK) or len(token) > 100:
        return None
    digest = hashed(token)
    found = rows(session, _BY_SESSION, (digest,))
    if not found:
        return None
    tenant_id, person_id, name, session_id, second_factor_at, grants, moment, *shown = found[0]
    locale, theme, density, login, roles, has_second_factor = shown
    session.info["tenant_id"] = tenant_id
    return Principal(
        tenant_id=tenant_id,
        actor=Actor("person", person_id, name, person_id, session_id, second_factor_at),
        grants=grants_from(grants),
        now=moment,
        locale=locale,
        theme=theme,
        density=density,
        login=login,
        roles=tuple(roles),
        has_second_factor=has_second_factor,
        token_hash=digest,
    )


def principal_from_key(session: Any, header: str | None, remote: str | None) -> Principal | None:
    """The principal of an `Authorization: Bearer ...` header: an API key, or the session token of an API sign-in."""
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or len(token) > 100:
        return None
    if token.startswith(SESSION_MARK):
        return principal_from_cookie(session, token, remote)
    if not token.startswith(KEY_MARK):
        return None
    digest = hashed(token)
    found = rows(session, _BY_KEY, (digest, address(remote)))
    if not found:
        return None
    tenant_id, key_id, name, person_id, grants, moment, locale = found[0]
    session.info["tenant_id"] = tenant_id
    return Principal(
        tenant_id=tenant_id,
        actor=Actor("key", key_id, name, person_id),
        grants=grants_from(grants),
        now=moment,
        locale=locale,
        key_id=key_id,
        token_hash=digest,
    )


def grants_from(stored: Mapping[str, str | None]) -> dict[str, Decimal | None]:
    return {permission: None if limit is None else Decimal(limit) for permission, limit in stored.items()}

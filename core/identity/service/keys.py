"""API keys: made by a person for a program of the enterprise, shown once, limited to scopes, addresses and time."""

import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from core.identity.principal import KEY_MARK, hashed
from core.identity.service.account import require_fresh_second_factor
from core.identity.service.members import declared_permissions
from core.kernel import Context, Forbidden, Invalid, NotFound, uuid7


@dataclass(frozen=True)
class ApiKeyFacts:
    """A key as its enterprise sees it; the secret part is not among it. `state` is active, expired or revoked."""

    id: UUID
    prefix: str
    name: str
    scopes: tuple[str, ...]
    cidrs: tuple[str, ...]
    maker: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    state: str


@dataclass(frozen=True)
class NewApiKey:
    """`token` is the whole key for the `Authorization: Bearer` header; it is shown this once and kept nowhere."""

    id: UUID
    prefix: str
    token: str = field(repr=False)


def api_keys(ctx: Context) -> list[ApiKeyFacts]:
    """The keys of the enterprise, the living ones first."""
    ctx.require("key.view")
    rows = ctx.session.execute(text("SELECT * FROM auth.keys()"))
    return [
        ApiKeyFacts(
            id=row.key_id,
            prefix=f"{KEY_MARK}{row.prefix}",
            name=row.name,
            scopes=tuple(row.scopes),
            cidrs=tuple(row.cidrs),
            maker=row.maker,
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
            state=_state(row.revoked_at, row.expires_at, ctx.now),
        )
        for row in rows
    ]


def create_api_key(
    ctx: Context,
    name: str,
    scopes: Sequence[str],
    *,
    expires_at: datetime | None = None,
    cidrs: Sequence[str] = (),
    created_by: UUID | None = None,
) -> NewApiKey:
    """Make a key that may do what `scopes` (permission codes) say, never more than its maker may at that moment.

    `cidrs` limits where it may be used from, empty means anywhere. `created_by` is for seeding only. Raises Invalid.
    """
    ctx.require("key.manage")
    require_fresh_second_factor(ctx)
    if created_by is not None and not ctx.everything:
        raise Forbidden("permission.missing", permission="system")
    maker = created_by or ctx.actor.person_id
    if not name.strip():
        raise Invalid.one("name", "field.required")
    wanted = _scopes(ctx, scopes)
    nets = [_network(cidr) for cidr in cidrs]
    if expires_at is not None and expires_at <= ctx.now:
        raise Invalid.one("expires_at", "key.expires_in_past")
    prefix = secrets.token_hex(4)
    made = NewApiKey(uuid7(), f"{KEY_MARK}{prefix}", f"{KEY_MARK}{prefix}_{secrets.token_urlsafe(32)}")
    values = {
        "id": made.id,
        "prefix": prefix,
        "key": hashed(made.token),
        "name": name.strip(),
        "scopes": wanted,
        "cidrs": nets,
        "expires": expires_at,
        "by": maker,
    }
    created = text("SELECT auth.create_key(:id, :prefix, :key, :name, :scopes, :cidrs, :expires, :by)")
    if not ctx.session.scalar(created, values):
        raise NotFound("member.not_found")
    ctx.record("key.create", f"api_key:{made.id}", prefix=prefix, scopes=wanted)
    return made


def revoke_api_key(ctx: Context, key_id: UUID) -> None:
    """The key opens nothing from now on. Another enterprise's answers like a missing one."""
    ctx.require("key.manage")
    if not ctx.session.scalar(text("SELECT auth.revoke_key(:id)"), {"id": key_id}):
        raise NotFound("key.not_found")
    ctx.record("key.revoke", f"api_key:{key_id}")


def _scopes(ctx: Context, scopes: Sequence[str]) -> list[str]:
    wanted = sorted(set(scopes))
    if not wanted:
        raise Invalid.one("scopes", "key.needs_scope")
    known = {permission.code for permission in declared_permissions(ctx)}
    for scope in wanted:
        if scope not in known or not ctx.allows(scope):
            raise Invalid.one("scopes", "key.scope_not_held", scope=scope)
    return wanted


def _network(cidr: str) -> str:
    try:
        return str(ipaddress.ip_network(cidr.strip()))
    except ValueError:
        raise Invalid.one("cidrs", "key.not_a_network", network=cidr) from None


def _state(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else "active"

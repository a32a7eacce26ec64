"""When somebody cannot come in any more: a link for another password, and a lost authenticator taken away.

An administrator helps the members who work for no other enterprise; the operator helps everybody. Neither ever learns a
password, and a new password alone does not pass an authenticator: only the operator takes one away.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.identity.password import check_new_password, hash_password
from core.identity.principal import hashed, new_token
from core.identity.service.account import require_fresh_second_factor
from core.identity.service.members import member
from core.identity.service.signin import normalise_login
from core.identity.service.tries import TooManyTries, guarded_try, settle_try
from core.kernel import Conflict, Context, Forbidden, NotFound, uuid7

VALID = timedelta(days=1)
HOUR = 3600  # seconds in which five links may be made for one person


@dataclass(frozen=True)
class NewReset:
    """`token` goes into the link and is shown this once; the link dies at `expires_at` or with its first use."""

    id: UUID
    person_id: UUID
    name: str
    expires_at: datetime
    token: str = field(repr=False)


@dataclass(frozen=True)
class OpenReset:
    """What the holder of a link may see."""

    name: str
    login: str


@dataclass(frozen=True)
class Reset:
    """A link that was used: whose password it set, in whose trail that belongs, and how many sessions it ended."""

    person_id: UUID
    name: str
    tenant_id: UUID
    sessions_ended: int


@dataclass(frozen=True)
class Found:
    """A person as the operator finds them by their whole login. `enterprises` counts those they work for."""

    person_id: UUID
    name: str
    login: str
    has_second_factor: bool
    enterprises: int


def reset_member(ctx: Context, membership_id: UUID) -> NewReset:
    """A link for a member who works for this enterprise alone. A newer link replaces an open one.

    Raises Conflict `reset.elsewhere` when the person works for others too, `reset.own` for oneself, TooManyTries after
    five links within an hour.
    """
    ctx.require("member.manage")
    require_fresh_second_factor(ctx)
    found = member(ctx, membership_id)
    made = _new(ctx, found.person_id, found.name)
    sql = text("SELECT auth.reset_member(:id, :membership, :token, :by)")
    _settle(ctx.session.scalar(sql, {**_values(ctx, made), "membership": membership_id}))
    ctx.record("member.reset_password", f"person:{found.person_id}", expires_at=made.expires_at)
    return made


def find_person(ctx: Context, login: str) -> Found:
    """The person who signs in with exactly this e-mail address or phone number; for the operator only."""
    ctx.require("person.rescue")
    row = ctx.session.execute(
        text("SELECT * FROM auth.find_person(:login)"), {"login": normalise_login(login)}
    ).one_or_none()
    if row is None:
        raise NotFound("person.not_found")
    return Found(row.person_id, row.name, row.email or row.phone, row.has_second_factor, row.enterprises)


def reset_person(ctx: Context, login: str) -> NewReset:
    """A link for anybody, made by the operator. Raises as `reset_member`."""
    ctx.require("person.rescue")
    require_fresh_second_factor(ctx)
    found = find_person(ctx, login)
    made = _new(ctx, found.person_id, found.name)
    sql = text("SELECT auth.reset_person(:id, :person, :token, :by)")
    _settle(ctx.session.scalar(sql, {**_values(ctx, made), "person": found.person_id}))
    ctx.record("person.reset_password", f"person:{found.person_id}", expires_at=made.expires_at)
    return made


def forget_second_factor(ctx: Context, login: str) -> Found:
    """Take a lost authenticator and its recovery codes away, and end every session; for the operator only.

    Raises Conflict `person.no_second_factor` when there is none, `reset.own` for oneself.
    """
    ctx.require("person.rescue")
    require_fresh_second_factor(ctx)
    found = find_person(ctx, login)
    values = {"person": found.person_id, "by": ctx.actor.person_id}
    outcome = ctx.session.scalar(text("SELECT auth.forget_mfa(:person, :by)"), values)
    if outcome == "missing":
        raise Conflict("person.no_second_factor")
    _settle(outcome)
    ctx.record("person.forget_second_factor", f"person:{found.person_id}")
    return found


def read_reset(session: Any, token: str) -> OpenReset | None:
    """What a link opens; None when it is used, replaced or older than a day."""
    row = _open(session, token)
    return None if row is None else OpenReset(row.name, row.email or row.phone)


def use_reset(session: Any, token: str, password: str, *, remote: str | None = None) -> Reset:
    """Set the password the link is for; every session of the person ends. Nobody is signed in by it.

    Raises NotFound for a dead link, Invalid for a password that will not do, TooManyTries.
    """
    row = _open(session, token)
    if row is None:
        raise NotFound("reset.not_found")
    tried = guarded_try(session, f"reset:{row.person_id}", remote)
    check_new_password(password, row.name, row.email, row.phone)
    ended = session.scalar(
        text("SELECT auth.use_reset(:token, :hash)"), {"token": hashed(token), "hash": hash_password(password)}
    )
    if ended is None:
        raise NotFound("reset.not_found")
    settle_try(session, tried)
    return Reset(row.person_id, row.name, row.tenant_id, ended)


def _new(ctx: Context, person_id: UUID, name: str) -> NewReset:
    return NewReset(uuid7(), person_id, name, ctx.now + VALID, new_token())


def _values(ctx: Context, made: NewReset) -> dict[str, Any]:
    return {"id": made.id, "token": hashed(made.token), "by": ctx.actor.person_id}


def _open(session: Any, token: str) -> Any:
    if not token or len(token) > 100:
        return None
    found = session.execute(text("SELECT * FROM auth.find_reset(:token)"), {"token": hashed(token)})
    return found.one_or_none()


def _settle(outcome: str | None) -> None:
    if outcome == "missing":
        raise NotFound("person.not_found")
    if outcome == "operator_only":
        raise Forbidden("role.operator_only")
    if outcome == "elsewhere":
        raise Conflict("reset.elsewhere")
    if outcome == "own":
        raise Conflict("reset.own")
    if outcome == "too_many":
        raise TooManyTries("reset.too_many", minutes=HOUR // 60, retry_after=HOUR)

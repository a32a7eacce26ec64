"""One's own account: password, authenticator, sessions, language and look, and which enterprise one works for now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.identity.password import check_new_password, hash_password, verify_password
from core.identity.principal import hashed, new_token
from core.identity.service.signin import take_step
from core.identity.service.tries import guarded_try, settle_try
from core.identity.totp import (
    enrolment_uri,
    new_recovery_codes,
    new_secret,
    qr_svg,
    recovery_hash,
    seal,
    step_of,
    unseal,
)
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound

ISSUER = "通商 Tongshang"


@dataclass(frozen=True)
class Account:
    """A person's own account. `enrolling` while an authenticator is set up but not confirmed by a first code."""

    person_id: UUID
    name: str
    email: str | None
    phone: str | None
    locale: str
    theme: str
    density: str
    password_set_at: datetime
    has_second_factor: bool
    enrolling: bool
    recovery_codes_left: int


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator needs: the secret to type, the otpauth address, and its QR code as inline SVG."""

    secret: str
    uri: str
    qr: str


@dataclass(frozen=True)
class OpenSession:
    """A place where the person is signed in."""

    session_id: UUID
    tenant_id: UUID
    created_at: datetime
    last_seen_at: datetime
    ip: str
    agent: str
    current: bool


def require_fresh_second_factor(ctx: Context, minutes: int = 5) -> None:
    """Refuse unless the person showed the second factor within the last minutes. For payment, bank accounts, role grants.

    Keys and connectors cannot show one, so such acts are a person's. Timers and seeding (`everything`) pass.
    """
    if ctx.everything:
        return
    if ctx.actor.kind != "person":
        raise Forbidden("identity.needs_person")
    shown = ctx.actor.second_factor_at
    if shown is None or ctx.now - shown > timedelta(minutes=minutes):
        raise Forbidden("identity.step_up", minutes=minutes)


def account(ctx: Context) -> Account:
    """The account of the acting person."""
    row = _row(ctx)
    return Account(
        person_id=_person(ctx),
        name=row.name,
        email=row.email,
        phone=row.phone,
        locale=row.locale,
        theme=row.theme,
        density=row.density,
        password_set_at=row.password_set_at,
        has_second_factor=row.confirmed_at is not None,
        enrolling=row.secret is not None and row.confirmed_at is None,
        recovery_codes_left=row.codes_left,
    )


def step_up(ctx: Context, code: str) -> str:
    """Show the second factor again; answers the session's new token. Raises Invalid, TooManyTries."""
    ctx.require("account.own")
    _show_factor(ctx, code)
    token = _renew(ctx, confirmed=True)
    ctx.record("session.step_up", f"session:{ctx.actor.session_id}")
    return token


def change_password(ctx: Context, current: str, new: str) -> str:
    """Set another password; every other session of the person ends. Answers this session's new token."""
    ctx.require("account.own")
    row = _check_password(ctx, current, "current")
    check_new_password(new, row.name, row.email, row.phone, field="new")
    if verify_password(row.password_hash, new):
        raise Invalid.one("new", "password.same_again")
    values = {"person": _person(ctx), "old": row.password_hash, "new": hash_password(new)}
    if not ctx.session.scalar(text("SELECT auth.set_password(:person, :old, :new)"), values):
        raise Conflict("identity.changed_meanwhile")
    ended = _end_others(ctx)
    ctx.record("account.change_password", f"person:{_person(ctx)}", sessions_ended=ended)
    return _renew(ctx, confirmed=False)


def enroll_totp(ctx: Context, password: str) -> Enrolment:
    """Begin to set up an authenticator; it counts only after `confirm_totp`. Raises Conflict when one is already in use."""
    ctx.require("account.own")
    row = _check_password(ctx, password, "password")
    secret = new_secret()
    sealed = seal(secret, _person(ctx))
    if not ctx.session.scalar(
        text("SELECT auth.begin_mfa(:person, :secret)"), {"person": _person(ctx), "secret": sealed}
    ):
        raise Conflict("identity.already_enrolled")
    ctx.record("account.enroll_totp", f"person:{_person(ctx)}")
    return _enrolment(secret, row.email or row.phone)


def open_enrolment(ctx: Context) -> Enrolment | None:
    """The authenticator being set up, to show it again; None when none is."""
    row = _row(ctx)
    if row.secret is None or row.confirmed_at is not None:
        return None
    return _enrolment(unseal(row.secret, _person(ctx)), row.email or row.phone)


def confirm_totp(ctx: Context, code: str) -> tuple[str, list[str]]:
    """Finish with the first code. Answers this session's new token and the recovery codes, shown this once.

    Every other session of the person ends: they were opened without the second factor.
    """
    ctx.require("account.own")
    row = _row(ctx)
    if row.secret is None or row.confirmed_at is not None:
        raise Conflict("identity.not_enrolling")
    person_id = _person(ctx)
    tried = guarded_try(ctx.session, f"factor:{person_id}", ctx.remote)
    step = step_of(unseal(row.secret, person_id), code, ctx.now)
    codes = new_recovery_codes()
    hashes = [recovery_hash(person_id, one) for one in codes]
    confirm = text("SELECT auth.confirm_mfa(:person, :step, :codes)")
    if step is None or not ctx.session.scalar(confirm, {"person": person_id, "step": step, "codes": hashes}):
        raise Invalid.one("code", "identity.code_refused", remaining=tried.remaining)
    settle_try(ctx.session, tried)
    ended = _end_others(ctx)
    ctx.record("account.confirm_totp", f"person:{person_id}", sessions_ended=ended)
    return _renew(ctx, confirmed=True), codes


def renew_recovery_codes(ctx: Context) -> list[str]:
    """Ten new recovery codes; the old ones stop working."""
    ctx.require("account.own")
    require_fresh_second_factor(ctx)
    person_id = _person(ctx)
    codes = new_recovery_codes()
    hashes = [recovery_hash(person_id, one) for one in codes]
    ctx.session.execute(
        text("SELECT auth.replace_codes(:person, :codes)"), {"person": person_id, "codes": hashes}
    )
    ctx.record("account.renew_recovery_codes", f"person:{person_id}")
    return codes


def drop_totp(ctx: Context) -> str:
    """Remove the authenticator, shown once more just before. Every other session ends; answers this one's new token."""
    ctx.require("account.own")
    require_fresh_second_factor(ctx)
    if not ctx.session.scalar(text("SELECT auth.drop_mfa(:person)"), {"person": _person(ctx)}):
        raise Conflict("identity.not_enrolled")
    ended = _end_others(ctx)
    ctx.record("account.drop_totp", f"person:{_person(ctx)}", sessions_ended=ended)
    return _renew(ctx, confirmed=False)


def open_sessions(ctx: Context) -> list[OpenSession]:
    """Where the person is signed in now, the latest first."""
    rows = ctx.session.execute(text("SELECT * FROM auth.sessions_of(:person)"), {"person": _person(ctx)})
    return [
        OpenSession(
            row.session_id,
            row.tenant_id,
            row.created_at,
            row.last_seen_at,
            row.ip,
            row.agent,
            row.session_id == ctx.actor.session_id,
        )
        for row in rows
    ]


def revoke_session(ctx: Context, session_id: UUID) -> None:
    """End one of the person's own sessions. Somebody else's answers like a missing one."""
    ctx.require("account.own")
    if not _revoke(ctx, only=session_id, keep=None):
        raise NotFound("session.not_found")
    ctx.record("session.revoke", f"session:{session_id}")


def sign_out(ctx: Context) -> None:
    """End the session of this request."""
    if ctx.actor.session_id is not None:
        _revoke(ctx, only=ctx.actor.session_id, keep=None)
        ctx.record("session.close", f"session:{ctx.actor.session_id}")


def set_preferences(
    ctx: Context, *, locale: str | None = None, theme: str | None = None, density: str | None = None
) -> None:
    """Keep language and look with the person; None leaves a thing as it is."""
    ctx.require("account.own")
    for name, value, known in (
        ("locale", locale, ("zh-CN", "en")),
        ("theme", theme, ("auto", "light", "dark")),
        ("density", density, ("comfortable", "compact")),
    ):
        if value is not None and value not in known:
            raise Invalid.one(name, "choice.unknown")
    values = {"person": _person(ctx), "locale": locale, "theme": theme, "density": density}
    ctx.session.execute(text("SELECT auth.set_preferences(:person, :locale, :theme, :density)"), values)


def switch_enterprise(ctx: Context, tenant_id: UUID) -> str:
    """Work for another of one's enterprises from the next request on; answers the session's new token."""
    ctx.require("account.own")
    token = new_token()
    values = {"session": _session(ctx), "token": hashed(token), "tenant": tenant_id}
    if not ctx.session.scalar(text("SELECT auth.switch_session(:session, :token, :tenant)"), values):
        raise NotFound("enterprise.not_found")
    ctx.record("session.switch", f"session:{ctx.actor.session_id}")
    return token


def _person(ctx: Context) -> UUID:
    if ctx.actor.kind != "person" or ctx.actor.person_id is None:
        raise Forbidden("identity.needs_person")
    return ctx.actor.person_id


def _session(ctx: Context) -> UUID:
    if ctx.actor.session_id is None:
        raise Forbidden("identity.needs_person")
    return ctx.actor.session_id


def _row(ctx: Context) -> Any:
    row = ctx.session.execute(
        text("SELECT * FROM auth.account(:person)"), {"person": _person(ctx)}
    ).one_or_none()
    if row is None:
        raise NotFound("member.not_found")
    return row


def _check_password(ctx: Context, password: str, field: str) -> Any:
    row = _row(ctx)
    tried = guarded_try(ctx.session, f"password:{_person(ctx)}", ctx.remote)
    if not verify_password(row.password_hash, password):
        raise Invalid.one(field, "password.wrong", remaining=tried.remaining)
    settle_try(ctx.session, tried)
    return row


def _show_factor(ctx: Context, code: str) -> None:
    row = _row(ctx)
    if row.confirmed_at is None:
        raise Conflict("identity.not_enrolled")
    person_id = _person(ctx)
    tried = guarded_try(ctx.session, f"factor:{person_id}", ctx.remote)
    step = step_of(unseal(row.secret, person_id), code, ctx.now)
    if step is None or not take_step(ctx.session, person_id, step):
        raise Invalid.one("code", "identity.code_refused", remaining=tried.remaining)
    settle_try(ctx.session, tried)


def _renew(ctx: Context, *, confirmed: bool) -> str:
    token = new_token()
    values = {"session": _session(ctx), "token": hashed(token), "confirmed": confirmed}
    if not ctx.session.scalar(text("SELECT auth.renew_session(:session, :token, :confirmed)"), values):
        raise Conflict("identity.session_ended")
    return token


def _end_others(ctx: Context) -> int:
    return _revoke(ctx, only=None, keep=_session(ctx))


def _revoke(ctx: Context, *, only: UUID | None, keep: UUID | None) -> int:
    values = {"person": _person(ctx), "only": only, "keep": keep}
    return int(ctx.session.scalar(text("SELECT auth.revoke_sessions(:person, :only, :keep)"), values))


def _enrolment(secret: str, login: str) -> Enrolment:
    uri = enrolment_uri(secret, login, ISSUER)
    return Enrolment(secret, uri, qr_svg(uri))

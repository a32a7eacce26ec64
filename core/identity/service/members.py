"""The people of an enterprise: invite them, give them roles and amount limits, let them go."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.identity.password import check_new_password, hash_password, verify_password
from core.identity.principal import grants_from, hashed, new_token
from core.identity.roles import ROLES
from core.identity.service.account import require_fresh_second_factor
from core.identity.service.signin import SignedIn, normalise_login, open_session
from core.identity.service.tries import guarded_try, settle_try
from core.identity.totp import seal
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound, uuid7


@dataclass(frozen=True)
class Member:
    """A person of the enterprise. `limits` maps a permission to its amount limit; a permission not in it has none."""

    id: UUID
    person_id: UUID
    name: str
    email: str | None
    phone: str | None
    roles: tuple[str, ...]
    limits: Mapping[str, Decimal]
    joined_at: datetime
    last_seen_at: datetime | None
    has_second_factor: bool
    key_count: int


@dataclass(frozen=True)
class OpenInvitation:
    """Somebody who was invited and has not come yet."""

    id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class NewInvitation:
    """`token` goes into the link and is shown this once."""

    id: UUID
    token: str = field(repr=False)


@dataclass(frozen=True)
class Invited:
    """What the holder of an invitation link may see. `known` when the person already has an account here."""

    email: str
    name: str
    known: bool
    tenant_id: UUID


@dataclass(frozen=True)
class DeclaredPermission:
    """A permission as installed. `title` is an English sentence to be translated where it is shown."""

    code: str
    title: str
    limited: bool
    roles: tuple[str, ...]


def members(ctx: Context) -> list[Member]:
    """Everybody who works for the enterprise, by name."""
    ctx.require("member.view")
    rows = ctx.session.execute(text("SELECT * FROM auth.members()"))
    return [
        Member(
            id=row.membership_id,
            person_id=row.person_id,
            name=row.name,
            email=row.email,
            phone=row.phone,
            roles=tuple(row.roles),
            limits={code: limit for code, limit in grants_from(row.limits).items() if limit is not None},
            joined_at=row.joined_at,
            last_seen_at=row.last_seen_at,
            has_second_factor=row.has_second_factor,
            key_count=row.key_count,
        )
        for row in rows
    ]


def member(ctx: Context, membership_id: UUID) -> Member:
    """One of them; a member of another enterprise answers like a missing one."""
    for one in members(ctx):
        if one.id == membership_id:
            return one
    raise NotFound("member.not_found")


def invitations(ctx: Context) -> list[OpenInvitation]:
    ctx.require("member.view")
    rows = ctx.session.execute(text("SELECT * FROM auth.invitations()"))
    return [
        OpenInvitation(
            row.invitation_id, row.email, row.name, tuple(row.roles), row.created_at, row.expires_at
        )
        for row in rows
    ]


def declared_permissions(ctx: Context) -> list[DeclaredPermission]:
    """Every permission of the installation and the roles that hold it."""
    rows = ctx.session.execute(text("SELECT * FROM auth.permissions()"))
    return [DeclaredPermission(row.code, row.title, row.limited, tuple(row.roles)) for row in rows]


def assignable_roles(ctx: Context) -> dict[str, str]:
    """The roles this enterprise can give: operator roles only on the operator's own."""
    operator = bool(ctx.session.scalar(text("SELECT auth.is_operator()")))
    return {key: title for key, title in ROLES.items() if operator or not key.startswith("operator.")}


def invite_member(ctx: Context, email: str, name: str, roles: Sequence[str]) -> NewInvitation:
    """Make an invitation link for a week; a newer one for the same address replaces it."""
    ctx.require("member.manage")
    require_fresh_second_factor(ctx)
    wanted = _roles(roles)
    mail = normalise_login(email)
    if not re.fullmatch(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,190}\.[^@\s\x00]{1,60}", mail):
        raise Invalid.one("email", "email.not_an_address")
    if not name.strip():
        raise Invalid.one("name", "field.required")
    made = NewInvitation(uuid7(), new_token())
    values = {
        "id": made.id,
        "email": mail,
        "name": name.strip(),
        "roles": wanted,
        "token": hashed(made.token),
        "by": ctx.actor.person_id,
    }
    outcome = ctx.session.scalar(text("SELECT auth.invite(:id, :email, :name, :roles, :token, :by)"), values)
    if outcome == "member":
        raise Invalid.one("email", "member.already")
    _settle(outcome)
    ctx.record("member.invite", f"invitation:{made.id}", roles=wanted)
    return made


def withdraw_invitation(ctx: Context, invitation_id: UUID) -> None:
    """The link stops working."""
    ctx.require("member.manage")
    if not ctx.session.scalar(text("SELECT auth.withdraw_invitation(:id)"), {"id": invitation_id}):
        raise NotFound("invitation.not_found")
    ctx.record("member.withdraw_invitation", f"invitation:{invitation_id}")


def read_invitation(session: Any, token: str) -> Invited | None:
    """What a link opens; None when it is used, withdrawn, replaced or older than a week."""
    row = _invitation(session, token)
    return None if row is None else Invited(row.email, row.name, row.person_id is not None, row.tenant_id)


def accept_invitation(
    session: Any,
    token: str,
    password: str,
    *,
    name: str = "",
    locale: str = "zh-CN",
    remote: str | None = None,
    agent: str = "",
) -> SignedIn:
    """Become a member: with a new password, or with the password one already has. Signs the person in.

    Raises NotFound for a dead link, Invalid for a password that will not do.
    """
    row = _invitation(session, token)
    if row is None:
        raise NotFound("invitation.not_found")
    new_hash = None
    if row.person_id is not None:
        tried = guarded_try(session, f"password:{row.person_id}", remote)
        if not verify_password(row.password_hash, password):
            raise Invalid.one("password", "password.wrong", remaining=tried.remaining)
        settle_try(session, tried)
    else:
        check_new_password(password, name or row.name, row.email)
        new_hash = hash_password(password)
    values = {
        "token": hashed(token),
        "person": uuid7(),
        "name": name.strip() or row.name,
        "hash": new_hash,
        "locale": locale if locale in ("zh-CN", "en") else "zh-CN",
    }
    accepted = session.execute(
        text("SELECT * FROM auth.accept_invitation(:token, :person, :name, :hash, :locale)"), values
    ).one_or_none()
    if accepted is None:
        raise NotFound("invitation.not_found")
    needs_factor = (
        session.execute(text("SELECT * FROM auth.find_login(:login)"), {"login": row.email})
        .one()
        .has_second_factor
    )
    return open_session(session, accepted.person_id, needs_factor, remote, agent)


def set_roles(ctx: Context, membership_id: UUID, roles: Sequence[str]) -> None:
    """Give a member exactly these roles; they act from the member's next request on. The last administrator stays one."""
    ctx.require("member.manage")
    require_fresh_second_factor(ctx)
    wanted = _roles(roles)
    before = member(ctx, membership_id).roles
    _settle(
        ctx.session.scalar(text("SELECT auth.set_roles(:id, :roles)"), {"id": membership_id, "roles": wanted})
    )
    ctx.record("member.set_roles", f"membership:{membership_id}", before=sorted(before), after=wanted)


def set_limits(ctx: Context, membership_id: UUID, limits: Mapping[str, Decimal | None]) -> None:
    """Set amount limits (enterprise's currency) by permission; None takes a limit away, others stay as they are."""
    ctx.require("member.manage")
    require_fresh_second_factor(ctx)
    for permission, amount in limits.items():
        if amount is not None and (not amount.is_finite() or amount < 0):
            raise Invalid.one(f"limits.{permission}", "decimal.too_small")
        values = {"id": membership_id, "permission": permission, "amount": amount}
        outcome = ctx.session.scalar(text("SELECT auth.set_limit(:id, :permission, :amount)"), values)
        if outcome == "not_limited":
            raise Invalid.one(f"limits.{permission}", "permission.has_no_limit", permission=permission)
        _settle(outcome)
    shown = {permission: None if amount is None else str(amount) for permission, amount in limits.items()}
    ctx.record("member.set_limits", f"membership:{membership_id}", limits=shown)


def remove_member(ctx: Context, membership_id: UUID) -> None:
    """Let a member go: their sessions here end and the API keys they made stop. The last administrator stays."""
    ctx.require("member.manage")
    _settle(ctx.session.scalar(text("SELECT auth.remove_member(:id)"), {"id": membership_id}))
    ctx.record("member.remove", f"membership:{membership_id}")


def add_person(
    ctx: Context,
    *,
    name: str,
    email: str | None = None,
    phone: str | None = None,
    password: str,
    roles: Sequence[str],
    locale: str = "zh-CN",
    totp_secret: str | None = None,
) -> UUID:
    """A person with a password and a membership at once: for seeding and for the first administrator only.

    An e-mail that is known joins its person to this enterprise and leaves the password alone. Answers the person's id.
    """
    if not ctx.everything:
        raise Forbidden("permission.missing", permission="system")
    wanted = _roles(roles)
    mail = normalise_login(email) if email else None
    person_id = uuid7()
    values = {
        "person": person_id,
        "membership": uuid7(),
        "name": name,
        "email": mail,
        "phone": normalise_login(phone) if phone else None,
        "hash": hash_password(password),
        "roles": wanted,
        "locale": locale,
    }
    outcome = ctx.session.scalar(
        text("SELECT auth.add_person(:person, :membership, :name, :email, :phone, :hash, :roles, :locale)"),
        values,
    )
    if outcome == "taken":
        joined = ctx.session.scalar(text("SELECT auth.join_person(:membership, :email, :roles)"), values)
        if joined is None:
            raise Conflict("person.taken")
        person_id = joined
    else:
        _settle(outcome)
    if totp_secret:
        sealed = seal(totp_secret, person_id)
        ctx.session.execute(
            text("SELECT auth.begin_mfa(:person, :secret)"), {"person": person_id, "secret": sealed}
        )
        ctx.session.execute(text("SELECT auth.confirm_mfa(:person, 1, '{}'::bytea[])"), {"person": person_id})
    ctx.record("member.add", f"membership:{values['membership']}", roles=wanted)
    return person_id


def name_operator(ctx: Context) -> None:
    """Declare this enterprise the one that runs the platform; possible once. For setting up only."""
    if not ctx.everything:
        raise Forbidden("permission.missing", permission="system")
    if not ctx.session.scalar(text("SELECT auth.name_operator()")):
        raise Conflict("operator.named_already")
    ctx.record("operator.name", f"enterprise:{ctx.tenant_id}")


def is_operator(ctx: Context) -> bool:
    """Whether the acting enterprise runs the platform."""
    return bool(ctx.session.scalar(text("SELECT auth.is_operator()")))


def tenants_of(ctx: Context) -> list[UUID]:
    """The enterprises the acting person may switch to, the oldest membership first."""
    rows = ctx.session.execute(
        text("SELECT tenant_id FROM auth.tenants_of(:person)"), {"person": ctx.actor.person_id}
    )
    return [row.tenant_id for row in rows]


def _invitation(session: Any, token: str) -> Any:
    if len(token) > 100:
        return None
    return session.execute(
        text("SELECT * FROM auth.find_invitation(:token)"), {"token": hashed(token)}
    ).one_or_none()


def _roles(roles: Sequence[str]) -> list[str]:
    wanted = sorted(set(roles))
    if not wanted:
        raise Invalid.one("roles", "member.needs_role")
    for role in wanted:
        if role not in ROLES:
            raise Invalid.one("roles", "role.unknown", role=role)
    return wanted


def _settle(outcome: str | None) -> None:
    if outcome == "missing":
        raise NotFound("member.not_found")
    if outcome == "last_admin":
        raise Conflict("member.last_admin")
    if outcome == "operator_only":
        raise Forbidden("role.operator_only")

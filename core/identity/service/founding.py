"""The first administrator of an enterprise, invited by the operator: whoever comes later is invited from inside."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from core.identity.principal import hashed, new_token
from core.identity.service.account import require_fresh_second_factor
from core.identity.service.members import NewInvitation
from core.identity.service.signin import normalise_login
from core.kernel import Conflict, Context, Forbidden, Invalid, uuid7


@dataclass(frozen=True)
class Heads:
    """Who an enterprise has. `invited` is the address of an open invitation of an administrator."""

    members: int
    admins: int
    invited: str | None
    invited_until: datetime | None


def invite_first(ctx: Context, tenant_id: UUID, email: str, name: str) -> NewInvitation:
    """Invite the first administrator of another enterprise by a link for a week; a newer one replaces it.

    For the operator only, and only while the enterprise has no administrator (Conflict `enterprise.has_admin`).
    """
    ctx.require("enterprise.enter")
    require_fresh_second_factor(ctx)
    mail = normalise_login(email)
    if not re.fullmatch(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,190}\.[^@\s\x00]{1,60}", mail):
        raise Invalid.one("email", "email.not_an_address")
    if not name.strip():
        raise Invalid.one("admin", "field.required")
    made = NewInvitation(uuid7(), new_token())
    values = {"tenant": tenant_id, "id": made.id, "email": mail, "name": name.strip(), "by": ctx.actor.person_id}
    outcome = ctx.session.scalar(
        text("SELECT auth.invite_first(:tenant, :id, :email, :name, :token, :by)"),
        {**values, "token": hashed(made.token)},
    )
    if outcome == "operator_only":
        raise Forbidden("role.operator_only")
    if outcome == "has_admin":
        raise Conflict("enterprise.has_admin")
    ctx.record("enterprise.invite_admin", f"enterprise:{tenant_id}", invitation=made.id)
    return made


def heads(ctx: Context, tenant_ids: Sequence[UUID]) -> dict[UUID, Heads]:
    """Who each of the enterprises has, for the operator; for anybody else nothing."""
    rows = ctx.session.execute(text("SELECT * FROM auth.heads(:tenants)"), {"tenants": list(tenant_ids)})
    return {row.tenant_id: Heads(row.members, row.admins, row.invited, row.invited_until) for row in rows}


def operator_id(ctx: Context) -> UUID | None:
    """The enterprise that runs the platform; None before one is named."""
    found: UUID | None = ctx.session.scalar(text("SELECT auth.operator_id()"))
    return found

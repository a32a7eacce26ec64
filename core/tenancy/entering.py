"""The operator enters enterprises: the head of the licence, and whom to invite as the first administrator.

From there on an enterprise is its own: its administrator invites the others, and the operator only gives it its status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text, tuple_

from core import identity
from core.identity import Heads, require_fresh_second_factor
from core.kernel import Context, Forbidden, Invalid, uuid7
from core.tenancy.model import KINDS, EnterpriseCard
from core.tenancy.rows import needed
from core.tenancy.service import card
from core.tenancy.uscc import check_uscc

ENTERED = tuple(kind for kind in KINDS if kind != "operator")
"""What an enterprise can be entered as."""
NOBODY = Heads(0, 0, None, None)


@dataclass(frozen=True)
class Entered:
    """A new enterprise; `token` goes into the link of its first administrator and is shown this once."""

    id: UUID
    token: str


def enter_enterprise(
    ctx: Context,
    *,
    name: str,
    uscc: str,
    kind: str,
    email: str,
    admin: str,
    name_en: str | None = None,
    short_name: str | None = None,
) -> Entered:
    """Enter an enterprise as `applied` and invite its first administrator; for the operator only.

    Raises Invalid with the field that will not do; a code some enterprise bears is refused without saying whose it is.
    """
    ctx.require("enterprise.enter")
    require_fresh_second_factor(ctx)
    if kind not in ENTERED:
        raise Invalid.one("kind", "choice.unknown")
    made = uuid7()
    values: dict[str, Any] = {
        "id": made,
        "name": needed(name, "name"),
        "name_en": name_en,
        "short_name": short_name,
        "uscc": check_uscc(uscc),
        "kind": kind,
    }
    outcome = ctx.session.scalar(
        text("SELECT ts.enter_enterprise(:id, :name, :name_en, :short_name, :uscc, :kind)"), values
    )
    if outcome == "operator_only":
        raise Forbidden("role.operator_only")
    if outcome == "taken":
        raise Invalid.one("uscc", "uscc.taken")
    ctx.record("enterprise.enter", f"enterprise:{made}", kind=kind)
    return Entered(made, identity.invite_first(ctx, made, email, admin).token)


def invite_administrator(ctx: Context, tenant_id: UUID, email: str, admin: str) -> str:
    """Another link for the first administrator, while there is none; answers its token. Raises as `invite_first`."""
    ctx.require("enterprise.enter")
    return identity.invite_first(ctx, card(ctx, tenant_id).tenant_id, email, admin).token


def enterprises(
    ctx: Context, q: str = "", *, after: tuple[str, UUID] | None = None, limit: int = 50
) -> list[tuple[EnterpriseCard, Heads]]:
    """Every enterprise by name, whatever its status, with the people it has; for the operator."""
    ctx.require("enterprise.verify")
    query = select(EnterpriseCard).order_by(EnterpriseCard.name, EnterpriseCard.tenant_id).limit(limit)
    if plain := q.strip():
        pattern = "%" + plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        named = (EnterpriseCard.name, EnterpriseCard.name_en, EnterpriseCard.short_name)
        query = query.where(or_(*(each.ilike(pattern) for each in named), EnterpriseCard.uscc == plain.upper()))
    if after is not None:
        query = query.where(tuple_(EnterpriseCard.name, EnterpriseCard.tenant_id) > after)
    return _with_heads(ctx, ctx.session.scalars(query).all())


def entered(ctx: Context, tenant_id: UUID) -> tuple[EnterpriseCard, Heads]:
    """One of them."""
    ctx.require("enterprise.verify")
    return _with_heads(ctx, [card(ctx, tenant_id)])[0]


def _with_heads(ctx: Context, rows: Sequence[EnterpriseCard]) -> list[tuple[EnterpriseCard, Heads]]:
    if not identity.is_operator(ctx):
        raise Forbidden("role.operator_only")
    found = identity.heads(ctx, [row.tenant_id for row in rows])
    return [(row, found.get(row.tenant_id, NOBODY)) for row in rows]

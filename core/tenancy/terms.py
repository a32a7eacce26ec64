"""Partners: the terms an enterprise sets for another one, which the other one never sees."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.exc import IntegrityError

from core.kernel import Conflict, Context, Invalid, round2, uuid7
from core.tenancy.model import EnterpriseCard, PartnerRelation
from core.tenancy.rows import apply, same_version
from core.tenancy.service import card

_PARTNER = select(PartnerRelation).where(
    PartnerRelation.tenant_id == bindparam("tenant"), PartnerRelation.partner_id == bindparam("other")
)
TERMS = ("code", "price_group", "terms_days", "blocked", "note")


def partner(ctx: Context, other_id: UUID) -> PartnerRelation | None:
    """The acting enterprise's terms for another one; None when it has set none."""
    return ctx.session.scalar(_PARTNER, {"tenant": ctx.tenant_id, "other": other_id})


def partners(
    ctx: Context, words: str = "", *, after: tuple[str, UUID] | None = None, limit: int = 50
) -> list[tuple[PartnerRelation, EnterpriseCard]]:
    """The partners one has terms for, by name; `after` is the name and id of the last one seen. One statement."""
    ctx.require("partner.view")
    chosen = (
        select(PartnerRelation, EnterpriseCard)
        .join(EnterpriseCard, EnterpriseCard.tenant_id == PartnerRelation.partner_id)
        .where(PartnerRelation.tenant_id == ctx.tenant_id)
        .order_by(EnterpriseCard.name, EnterpriseCard.tenant_id)
        .limit(limit)
    )
    if plain := words.strip().lower():
        hit = [
            EnterpriseCard.name,
            EnterpriseCard.name_en,
            EnterpriseCard.short_name,
            PartnerRelation.code,
            EnterpriseCard.uscc,
        ]
        chosen = chosen.where(or_(*(func.strpos(func.lower(column), plain) > 0 for column in hit)))
    if after is not None:
        name, last = after
        chosen = chosen.where(
            or_(EnterpriseCard.name > name, (EnterpriseCard.name == name) & (EnterpriseCard.tenant_id > last))
        )
    return [(relation, shown) for relation, shown in ctx.session.execute(chosen)]


def set_partner(
    ctx: Context,
    partner_id: UUID,
    *,
    version: int | None = None,
    credit_limit: Decimal | None | str = "unchanged",
    **terms: Any,
) -> PartnerRelation:
    """Set terms for another enterprise (names of `TERMS`). A credit limit needs its own permission, up to its amount.

    Amounts in the own currency with two decimals; None takes the limit away. `version` 0 means: there is none yet.
    """
    changes_credit = not isinstance(credit_limit, str)
    if terms or not changes_credit:
        ctx.require("partner.edit")
    if partner_id == ctx.tenant_id:
        raise Invalid.one("partner_id", "partner.oneself")
    shown = card(ctx, partner_id)
    chosen = select(PartnerRelation).where(
        PartnerRelation.tenant_id == ctx.tenant_id, PartnerRelation.partner_id == shown.tenant_id
    )
    row = ctx.session.scalar(chosen.with_for_update().execution_options(populate_existing=True))
    same_version(row.version if row is not None else 0, version)
    if not isinstance(credit_limit, str):
        _check_limit(credit_limit)
        if row is None or row.credit_limit != credit_limit:
            if credit_limit is None:
                ctx.require("partner.credit")
            else:
                ctx.require("partner.credit", amount=credit_limit)
        terms["credit_limit"] = credit_limit
    days = terms.get("terms_days")
    if days is not None and not 0 <= days <= 365:
        raise Invalid.one("terms_days", "number.between", least=0, most=365)
    if "code" in terms:
        terms["code"] = (terms["code"] or "").strip() or None
    before = {name: getattr(row, name) for name in (*TERMS, "credit_limit")} if row is not None else {}
    try:
        with ctx.session.begin_nested():
            if row is None:
                row = PartnerRelation(
                    id=uuid7(), tenant_id=ctx.tenant_id, partner_id=partner_id, blocked=False
                )
                ctx.session.add(row)
            changed = apply(row, terms, (*TERMS, "credit_limit"))
    except IntegrityError as clash:
        if "tenant_id_code" in str(clash.orig):
            raise Invalid.one("code", "partner.code_taken") from None
        raise Conflict("version.changed") from None
    detail = {name: [before.get(name), getattr(row, name)] for name in changed if name != "note"}
    ctx.record("partner.set", row, partner=str(partner_id), changed=detail)
    return row


def _check_limit(limit: Decimal | None) -> None:
    if limit is None:
        return
    if not limit.is_finite() or limit < 0 or limit != round2(limit):
        raise Invalid.one("credit_limit", "partner.credit_limit")

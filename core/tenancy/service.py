"""The verbs of tenancy: register an enterprise, keep its details, set terms for partners."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.exc import IntegrityError

from core.identity import name_operator, require_fresh_second_factor
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound, round2, uuid7
from core.tenancy.model import KINDS, Address, Enterprise, EnterpriseCard, InvoiceDetails, PartnerRelation
from core.tenancy.uscc import check_uscc

T = TypeVar("T")

CARD = ("name", "name_en", "short_name")
DETAILS = (*CARD, "legal_representative", "contact", "phone", "website")
ADDRESS = ("label", "contact", "phone", "province", "city", "district", "street", "postcode", "is_default")
INVOICE = ("title", "registered_address", "phone", "bank", "bank_code", "account", "email")
TERMS = ("code", "price_group", "terms_days", "blocked", "note")


@dataclass(frozen=True)
class Choice:
    """An enterprise a person belongs to, for the switcher."""

    tenant_id: UUID
    name: str
    name_en: str | None
    short_name: str | None
    roles: tuple[str, ...]


def enterprise(ctx: Context, enterprise_id: UUID | None = None) -> Enterprise:
    """The acting enterprise's own row. Another one's id answers like a missing one."""
    found = ctx.session.scalar(select(Enterprise).where(Enterprise.tenant_id == ctx.tenant_id))
    if found is None or (enterprise_id is not None and found.id != enterprise_id):
        raise NotFound("enterprise.not_found")
    return found


def card(ctx: Context, tenant_id: UUID) -> EnterpriseCard:
    """What anybody may read about an enterprise."""
    found = ctx.session.get(EnterpriseCard, tenant_id)
    if found is None:
        raise NotFound("enterprise.not_found")
    return found


def cards(ctx: Context, tenant_ids: Sequence[UUID]) -> dict[UUID, EnterpriseCard]:
    """Several cards in one statement; an unknown id is simply missing from the answer."""
    if not tenant_ids:
        return {}
    rows = ctx.session.scalars(select(EnterpriseCard).where(EnterpriseCard.tenant_id.in_(set(tenant_ids))))
    return {row.tenant_id: row for row in rows}


def find_enterprises(ctx: Context, words: str, limit: int = 20) -> list[EnterpriseCard]:
    """Enterprises whose name or code contains the words; suspended and departed ones are left out."""
    ctx.require("partner.view")
    plain = words.strip()
    if not plain:
        return []
    pattern = "%" + plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = ctx.session.scalars(
        select(EnterpriseCard)
        .where(
            or_(
                EnterpriseCard.name.ilike(pattern),
                EnterpriseCard.name_en.ilike(pattern),
                EnterpriseCard.short_name.ilike(pattern),
                EnterpriseCard.uscc == plain.upper(),
            ),
            EnterpriseCard.status.in_(("applied", "verified")),
            EnterpriseCard.tenant_id != ctx.tenant_id,
        )
        .order_by(EnterpriseCard.name, EnterpriseCard.tenant_id)
        .limit(limit)
    )
    return list(rows)


def my_enterprises(ctx: Context) -> list[Choice]:
    """The enterprises the acting person may switch to; for a key only its own."""
    if ctx.actor.kind != "person":
        own = card(ctx, ctx.tenant_id)
        return [Choice(own.tenant_id, own.name, own.name_en, own.short_name, ())]
    rows = ctx.session.execute(
        text("SELECT * FROM ts.my_enterprises(:person)"), {"person": ctx.actor.person_id}
    )
    return [Choice(row.tenant_id, row.name, row.name_en, row.short_name, tuple(row.roles)) for row in rows]


def register_enterprise(
    ctx: Context,
    *,
    name: str,
    uscc: str,
    kind: str,
    name_en: str | None = None,
    short_name: str | None = None,
    **details: str | None,
) -> Enterprise:
    """Enter a new enterprise; the context stands on its future id. It begins as `applied`, the operator verifies it.

    For setting up only (`everything`). A code that some enterprise already bears is refused without saying whose it is.
    """
    if not ctx.everything:
        raise Forbidden("permission.missing", permission="system")
    if kind not in KINDS:
        raise Invalid.one("kind", "choice.unknown")
    code = check_uscc(uscc)
    row = Enterprise(
        id=ctx.tenant_id,
        tenant_id=ctx.tenant_id,
        name=_needed(name, "name"),
        name_en=name_en,
        short_name=short_name,
        uscc=code,
        kind=kind,
        status="applied",
        **details,
    )
    published = EnterpriseCard(
        tenant_id=ctx.tenant_id,
        name=row.name,
        name_en=name_en,
        short_name=short_name,
        uscc=code,
        kind=kind,
        status="applied",
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
            ctx.session.flush()
            ctx.session.add(published)
    except IntegrityError as clash:
        if "uq_enterprise_card_uscc" in str(clash.orig):
            raise Invalid.one("uscc", "uscc.taken") from None
        raise Conflict("enterprise.exists") from None
    if kind == "operator":
        name_operator(ctx)
    ctx.record("enterprise.register", row, kind=kind)
    return row


def edit_enterprise(ctx: Context, *, version: int | None = None, **changes: Any) -> Enterprise:
    """Change details of the own enterprise (names of `DETAILS`). The code, the kind and the status stay as they are."""
    ctx.require("enterprise.edit")
    row = _locked(
        ctx, select(Enterprise).where(Enterprise.tenant_id == ctx.tenant_id), "enterprise.not_found", version
    )
    if "name" in changes:
        changes["name"] = _needed(changes["name"], "name")
        details = ctx.session.get(InvoiceDetails, ctx.tenant_id)
        if row.status == "verified" and changes["name"] != row.name:
            raise Conflict("enterprise.verified_name")
        if details is not None and details.title != changes["name"]:
            raise Conflict("enterprise.name_on_invoices")
    changed = _apply(row, changes, DETAILS)
    if published := set(changed) & set(CARD):
        shown = card(ctx, ctx.tenant_id)
        for name in published:
            setattr(shown, name, getattr(row, name))
    ctx.session.flush()
    ctx.record("enterprise.edit", row, changed=changed)
    return row


def verify_enterprise(
    ctx: Context, tenant_id: UUID, *, until: date | None = None, status: str = "verified"
) -> None:
    """Give an enterprise its status: the operator's word, and only the operator's. Raises NotFound for everybody else."""
    ctx.require("enterprise.verify")
    if status not in ("applied", "verified", "suspended", "exited"):
        raise Invalid.one("status", "choice.unknown")
    ctx.session.flush()
    done = ctx.session.scalar(
        text("SELECT ts.set_enterprise_status(:tenant, :status, :until)"),
        {"tenant": tenant_id, "status": status, "until": until},
    )
    if not done:
        raise NotFound("enterprise.not_found")
    for known in list(ctx.session.identity_map.values()):
        if isinstance(known, Enterprise | EnterpriseCard):
            ctx.session.expire(known)
    ctx.record("enterprise.verify", f"enterprise:{tenant_id}", status=status, until=until)


def addresses(ctx: Context) -> list[Address]:
    """The own addresses, the default one first."""
    ctx.require("enterprise.view")
    rows = ctx.session.scalars(
        select(Address)
        .where(Address.tenant_id == ctx.tenant_id)
        .order_by(Address.is_default.desc(), Address.label, Address.id)
    )
    return list(rows)


def save_address(
    ctx: Context, address_id: UUID | None = None, *, version: int | None = None, **values: Any
) -> Address:
    """Add an address, or change one. There is exactly one default as long as there is any address."""
    ctx.require("enterprise.edit")
    others = list(
        ctx.session.scalars(
            select(Address).where(Address.tenant_id == ctx.tenant_id).order_by(Address.id).with_for_update()
        )
    )
    if address_id is None:
        row = Address(id=uuid7(), tenant_id=ctx.tenant_id, is_default=False)
        ctx.session.add(row)
    else:
        found = next((one for one in others if one.id == address_id), None)
        if found is None:
            raise NotFound("address.not_found")
        row = found
        _same_version(row.version, version)
        others.remove(row)
    for name in ("label", "contact", "phone", "province", "city", "street"):
        if name in values or address_id is None:
            values[name] = _needed(values.get(name), name)
    changed = _apply(row, values, ADDRESS)
    if row.is_default:
        for other in others:
            other.is_default = False
    elif not any(other.is_default for other in others):
        row.is_default = True
    ctx.session.flush()
    ctx.record("address.add" if address_id is None else "address.edit", row, changed=changed)
    return row


def remove_address(ctx: Context, address_id: UUID) -> None:
    """Take an address out; orders keep their own copy. The default passes to the next one."""
    ctx.require("enterprise.edit")
    rows = list(
        ctx.session.scalars(
            select(Address).where(Address.tenant_id == ctx.tenant_id).order_by(Address.id).with_for_update()
        )
    )
    gone = next((one for one in rows if one.id == address_id), None)
    if gone is None:
        raise NotFound("address.not_found")
    rows.remove(gone)
    ctx.session.delete(gone)
    if gone.is_default and rows:
        rows[0].is_default = True
    ctx.session.flush()
    ctx.record("address.remove", f"address:{address_id}")


def invoice_details(ctx: Context) -> InvoiceDetails | None:
    """开票信息 of the acting enterprise; None until they are entered."""
    found: InvoiceDetails | None = ctx.session.get(InvoiceDetails, ctx.tenant_id)
    return found


def set_invoice_details(ctx: Context, *, version: int | None = None, **values: Any) -> InvoiceDetails:
    """Enter or change them. The title must be the enterprise's registered name, the tax number is its code.

    It moves money, so the person shows the second factor just before.
    """
    ctx.require("enterprise.bank")
    require_fresh_second_factor(ctx)
    own = _locked(
        ctx, select(Enterprise).where(Enterprise.tenant_id == ctx.tenant_id), "enterprise.not_found", None
    )
    row = ctx.session.get(InvoiceDetails, ctx.tenant_id, with_for_update=True, populate_existing=True)
    _same_version(row.version if row is not None else 0, version)
    for name in ("title", "registered_address", "phone", "bank", "account"):
        if name in values or row is None:
            values[name] = _needed(values.get(name), name)
    if values.get("title", own.name) != own.name:
        raise Invalid.one("title", "invoice.title_differs", name=own.name)
    if values.get("bank_code") and not (len(values["bank_code"]) == 12 and values["bank_code"].isdecimal()):
        raise Invalid.one("bank_code", "invoice.bank_code")
    account = values.get("account")
    if account is not None:
        values["account"] = account.replace(" ", "").replace("-", "")
        if not (
            values["account"].isascii() and values["account"].isalnum() and 8 <= len(values["account"]) <= 32
        ):
            raise Invalid.one("account", "invoice.account")
    if row is None:
        row = InvoiceDetails(tenant_id=ctx.tenant_id, tax_no=own.uscc)
        ctx.session.add(row)
    changed = _apply(row, values, INVOICE)
    ctx.session.flush()
    ctx.record("enterprise.set_invoice_details", f"enterprise:{ctx.tenant_id}", changed=changed)
    return row


def partner(ctx: Context, other_id: UUID) -> PartnerRelation | None:
    """The acting enterprise's terms for another one; None when it has set none."""
    return ctx.session.scalar(
        select(PartnerRelation).where(
            PartnerRelation.tenant_id == ctx.tenant_id, PartnerRelation.partner_id == other_id
        )
    )


def partners(
    ctx: Context, words: str = "", *, after: tuple[str, UUID] | None = None, limit: int = 50
) -> list[tuple[PartnerRelation, EnterpriseCard]]:
    """The partners one has terms for, by name; `after` is the name and id of the last one seen. One statement."""
    ctx.require("partner.view")
    chosen: Select[tuple[PartnerRelation, EnterpriseCard]] = (
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
    _same_version(row.version if row is not None else 0, version)
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
            changed = _apply(row, terms, (*TERMS, "credit_limit"))
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


def _needed(value: Any, field: str) -> str:
    plain = value.strip() if isinstance(value, str) else ""
    if not plain:
        raise Invalid.one(field, "field.required")
    return plain


def _locked(ctx: Context, chosen: Select[tuple[T]], missing: str, version: int | None) -> T:
    row = ctx.session.scalar(chosen.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound(missing)
    _same_version(row.version, version)
    return row


def _same_version(current: int, wanted: int | None) -> None:
    if wanted is not None and wanted != current:
        raise Conflict("version.changed", version=current)


def _apply(row: Any, values: dict[str, Any], allowed: tuple[str, ...]) -> list[str]:
    """Set the given columns and answer the names of those that really changed."""
    if unknown := set(values) - set(allowed):
        raise TypeError(f"not to be changed here: {', '.join(sorted(unknown))}")
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return sorted(changed)

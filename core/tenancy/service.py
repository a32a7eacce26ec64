"""The verbs of an enterprise about itself: register, be verified, keep details, addresses and invoice details."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.exc import IntegrityError

from core.identity import name_operator, require_fresh_second_factor
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound, uuid7
from core.tenancy.model import KINDS, Address, Enterprise, EnterpriseCard, InvoiceDetails
from core.tenancy.rows import apply, locked, needed, same_version
from core.tenancy.uscc import check_uscc

CARD = ("name", "name_en", "short_name")
DETAILS = (*CARD, "legal_representative", "contact", "phone", "website")
ADDRESS = ("label", "contact", "phone", "province", "city", "district", "street", "postcode", "is_default")
INVOICE = ("title", "registered_address", "phone", "bank", "bank_code", "account", "email")


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
        name=needed(name, "name"),
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
    row = locked(
        ctx, select(Enterprise).where(Enterprise.tenant_id == ctx.tenant_id), "enterprise.not_found", version
    )
    if "name" in changes:
        changes["name"] = needed(changes["name"], "name")
        details = ctx.session.get(InvoiceDetails, ctx.tenant_id)
        if row.status == "verified" and changes["name"] != row.name:
            raise Conflict("enterprise.verified_name")
        if details is not None and details.title != changes["name"]:
            raise Conflict("enterprise.name_on_invoices")
    changed = apply(row, changes, DETAILS)
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
        same_version(row.version, version)
        others.remove(row)
    for name in ("label", "contact", "phone", "province", "city", "street"):
        if name in values or address_id is None:
            values[name] = needed(values.get(name), name)
    changed = apply(row, values, ADDRESS)
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
    own = locked(
        ctx, select(Enterprise).where(Enterprise.tenant_id == ctx.tenant_id), "enterprise.not_found", None
    )
    row = ctx.session.get(InvoiceDetails, ctx.tenant_id, with_for_update=True, populate_existing=True)
    same_version(row.version if row is not None else 0, version)
    for name in ("title", "registered_address", "phone", "bank", "account"):
        if name in values or row is None:
            values[name] = needed(values.get(name), name)
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
    changed = apply(row, values, INVOICE)
    ctx.session.flush()
    ctx.record("enterprise.set_invoice_details", f"enterprise:{ctx.tenant_id}", changed=changed)
    return row

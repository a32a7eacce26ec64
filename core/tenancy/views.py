"""The pages of an enterprise: its details, addresses, invoice details, how it trades, and its partners with their terms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from marshmallow import ValidationError

from core.kernel import Context, Invalid, NotFound
from core.tenancy import schema, service, settings
from core.tenancy.api import seen
from core.tenancy.model import Address, EnterpriseCard, InvoiceDetails
from core.web import NavEntry, Pages, Schema, flash, form, redirect, render
from core.web.i18n import ENGLISH, language, lazy
from core.web.i18n import gettext as _
from core.web.page import Crumb
from core.web.pager import cut
from core.web.problem import field_errors, sentence

pages = Pages("tenancy")
NAV = [
    NavEntry(
        key="partners", endpoint="tenancy.partners", icon="users", title=lazy("Partners"), group="trade",
        permission="partner.view", order=50,
    ),
    NavEntry(
        key="company", endpoint="tenancy.company", icon="bank", title=lazy("Company profile"), group="system",
        permission="enterprise.view", order=70,
    ),
]  # fmt: skip

Errors = dict[str, list[str]]
Values = dict[str, Any]
STATUS_TONES = {"applied": "warn", "verified": "ok", "suspended": "bad", "exited": ""}


@dataclass(frozen=True)
class AddressRow:
    """An address as one block."""

    label: str
    lines: str
    contact: str
    phone: str
    is_default: bool
    edit_url: str | None


@dataclass(frozen=True)
class CompanyPage:
    """Everything about the own enterprise. `may_*` say which forms are shown; `errors` belong to the form `wrong`.

    `details`, `invoice` and `trade` hold the fields' values as typed or as stored.
    """

    name: str
    name_en: str | None
    uscc: str
    kind: str
    status: tuple[str, str]
    verified_until: Any
    details: Values
    invoice: Values
    has_invoice: bool
    trade: Values
    currencies: tuple[tuple[str, str], ...]
    addresses: tuple[AddressRow, ...]
    may_edit: bool
    may_bank: bool
    may_settings: bool
    sees_settings: bool
    wrong: str = ""
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class AddressPage:
    """The form of one address; `remove_url` is None for a new one."""

    title: str
    values: Values
    save_url: str
    remove_url: str | None
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class PartnerRow:
    """A partner and the terms set for it."""

    name: str
    code: str | None
    uscc: str
    price_group: str | None
    credit_limit: Decimal | None
    terms_days: int | None
    blocked: bool
    url: str


@dataclass(frozen=True)
class PartnersPage:
    """`new_url` is None for those who may not set terms."""

    rows: tuple[PartnerRow, ...]
    q: str
    older: str | None
    new_url: str | None
    currency: str


@dataclass(frozen=True)
class FoundPage:
    """Enterprises found by name or code, to set terms for."""

    q: str
    rows: tuple[PartnerRow, ...]


@dataclass(frozen=True)
class PartnerPage:
    """The terms for one partner; `may_edit` and `may_credit` open the fields."""

    name: str
    uscc: str
    status: tuple[str, str]
    values: Values
    version: int
    save_url: str
    may_edit: bool
    may_credit: bool
    currency: str
    errors: Errors = field(default_factory=dict)


@pages.get("/company", permission="enterprise.view")
def company(ctx: Context) -> Response:
    return _company(ctx)


@pages.post("/company/details", permission="enterprise.edit")
def save_details(ctx: Context) -> Response:
    typed = form()
    errors = _mend(ctx, lambda: service.edit_enterprise(ctx, **_read(schema.DetailsBody(), typed)))
    if errors:
        return _company(ctx, "details", errors, typed)
    flash(_("Company details saved"))
    return redirect("tenancy.company")


@pages.post("/company/invoice", permission="enterprise.bank")
def save_invoice(ctx: Context) -> Response:
    typed = form()
    errors = _mend(ctx, lambda: service.set_invoice_details(ctx, **_read(schema.InvoiceBody(), typed)))
    if errors:
        return _company(ctx, "invoice", errors, typed)
    flash(_("Invoice details saved"))
    return redirect("tenancy.company")


@pages.post("/company/settings", permission="settings.edit")
def save_settings(ctx: Context) -> Response:
    typed = form()
    version = _version(typed)

    def save() -> None:
        values = _read(schema.SettingsForm(), typed, shares=("under_tol", "over_tol"))
        settings.set_trade_settings(ctx, version=version, **values)

    errors = _mend(ctx, save)
    if errors:
        return _company(ctx, "settings", errors, {**typed, "version": version})
    flash(_("Settings saved"))
    return redirect("tenancy.company")


@pages.get("/company/addresses/new", permission="enterprise.edit")
def new_address(ctx: Context) -> Response:
    return _address(_("New address"), {}, url_for("tenancy.add_address"), None, {})


@pages.post("/company/addresses/new", permission="enterprise.edit")
def add_address(ctx: Context) -> Response:
    typed = form()
    errors = _mend(ctx, lambda: service.save_address(ctx, **_address_values(typed)))
    if errors:
        return _address(_("New address"), typed, url_for("tenancy.add_address"), None, errors)
    flash(_("Address saved"))
    return redirect("tenancy.company")


@pages.get("/company/addresses/<uuid:address_id>", permission="enterprise.edit")
def edit_address(ctx: Context, address_id: UUID) -> Response:
    found = next((one for one in service.addresses(ctx) if one.id == address_id), None)
    if found is None:
        raise NotFound("address.not_found")
    values = {name: getattr(found, name) for name in (*service.ADDRESS, "version")}
    return _address(found.label, values, *_address_urls(address_id), {})


@pages.post("/company/addresses/<uuid:address_id>", permission="enterprise.edit")
def save_address(ctx: Context, address_id: UUID) -> Response:
    typed = form()
    version = _version(typed)
    errors = _mend(
        ctx, lambda: service.save_address(ctx, address_id, version=version, **_address_values(typed))
    )
    if errors:
        values = {**typed, "version": version}
        return _address(typed.get("label", ""), values, *_address_urls(address_id), errors)
    flash(_("Address saved"))
    return redirect("tenancy.company")


@pages.post("/company/addresses/<uuid:address_id>/remove", permission="enterprise.edit")
def remove_address(ctx: Context, address_id: UUID) -> Response:
    service.remove_address(ctx, address_id)
    flash(_("Address removed"))
    return redirect("tenancy.company")


@pages.get("/partners", permission="partner.view")
def partners(ctx: Context) -> Response:
    q = request.args.get("q", "")[:100].replace("\x00", "")
    found = service.partners(ctx, q, after=seen(request.args.get("after")), limit=51)
    page = cut(found, 50, lambda row: (row[1].name, row[1].tenant_id))
    rows = tuple(
        PartnerRow(
            name=_name(card),
            code=relation.code,
            uscc=card.uscc,
            price_group=relation.price_group,
            credit_limit=relation.credit_limit,
            terms_days=relation.terms_days,
            blocked=relation.blocked,
            url=url_for("tenancy.partner", partner_id=card.tenant_id),
        )
        for relation, card in page.rows
    )
    older = url_for("tenancy.partners", q=q or None, after=page.next) if page.next else None
    new_url = url_for("tenancy.find_partner") if ctx.allows("partner.edit") else None
    return render(
        "tenancy/partners.html", PartnersPage(rows, q, older, new_url, settings.trade_settings(ctx).currency)
    )


@pages.get("/partners/find", permission="partner.edit")
def find_partner(ctx: Context) -> Response:
    q = request.args.get("q", "")[:100].replace("\x00", "")
    rows = tuple(
        PartnerRow(
            name=_name(card),
            code=None,
            uscc=card.uscc,
            price_group=None,
            credit_limit=None,
            terms_days=None,
            blocked=False,
            url=url_for("tenancy.partner", partner_id=card.tenant_id),
        )
        for card in service.find_enterprises(ctx, q)
    )
    return render("tenancy/find.html", FoundPage(q, rows), crumbs=_crumbs(_("Find a partner")))


@pages.get("/partners/<uuid:partner_id>", permission="partner.view")
def partner(ctx: Context, partner_id: UUID) -> Response:
    return _partner(ctx, partner_id)


@pages.post("/partners/<uuid:partner_id>", permission="partner.view")
def save_partner(ctx: Context, partner_id: UUID) -> Response:
    typed = form()

    def save() -> None:
        values = _read(schema.PartnerForm(), typed, checks=("blocked",) if ctx.allows("partner.edit") else ())
        service.set_partner(ctx, partner_id, version=_version(typed), **values)

    errors = _mend(ctx, save)
    if errors:
        return _partner(ctx, partner_id, typed, errors)
    flash(_("Terms saved"))
    return redirect("tenancy.partners")


def _company(
    ctx: Context, wrong: str = "", errors: Errors | None = None, typed: Values | None = None
) -> Response:
    found, invoice, trade = (
        service.enterprise(ctx),
        service.invoice_details(ctx),
        settings.trade_settings(ctx),
    )
    may_edit = ctx.allows("enterprise.edit")
    stored_invoice = (
        {name: getattr(invoice, name) for name in service.INVOICE} if invoice else {"title": found.name}
    )
    stored_trade = {name: getattr(trade, name) for name in (*settings.NAMES, "version")}
    for name in ("under_tol", "over_tol"):
        stored_trade[name] = _plain(stored_trade[name] * 100)
    stored_trade["approval_threshold"] = _plain(trade.approval_threshold)
    page = CompanyPage(
        name=found.name,
        name_en=found.name_en,
        uscc=found.uscc,
        kind=_(f"kind.{found.kind}"),
        status=_status(found.status),
        verified_until=found.verified_until,
        details=typed
        if typed and wrong == "details"
        else {name: getattr(found, name) for name in service.DETAILS},
        invoice=typed if typed and wrong == "invoice" else stored_invoice,
        has_invoice=isinstance(invoice, InvoiceDetails),
        trade=typed if typed and wrong == "settings" else stored_trade,
        currencies=tuple((code, code) for code in settings.CURRENCIES),
        addresses=tuple(_address_row(one, may_edit) for one in service.addresses(ctx)),
        may_edit=may_edit,
        may_bank=ctx.allows("enterprise.bank"),
        may_settings=ctx.allows("settings.edit"),
        sees_settings=ctx.allows("settings.view"),
        wrong=wrong,
        errors=errors or {},
    )
    return render("tenancy/company.html", page, 422 if errors else 200)


def _address(title: str, values: Values, save_url: str, remove_url: str | None, errors: Errors) -> Response:
    page = AddressPage(title or _("Address"), values, save_url, remove_url, errors)
    crumbs = (Crumb(_("Company profile"), url_for("tenancy.company")), Crumb(page.title))
    return render("tenancy/address.html", page, 422 if errors else 200, crumbs=crumbs)


def _address_urls(address_id: UUID) -> tuple[str, str]:
    return (
        url_for("tenancy.save_address", address_id=address_id),
        url_for("tenancy.remove_address", address_id=address_id),
    )


def _address_values(typed: dict[str, str]) -> Values:
    return _read(schema.AddressBody(), typed, checks=("is_default",))


def _address_row(one: Address, may_edit: bool) -> AddressRow:
    return AddressRow(
        label=one.label,
        lines="".join(part for part in (one.province, one.city, one.district, one.street) if part),
        contact=one.contact,
        phone=one.phone,
        is_default=one.is_default,
        edit_url=url_for("tenancy.edit_address", address_id=one.id) if may_edit else None,
    )


def _partner(
    ctx: Context, partner_id: UUID, typed: Values | None = None, errors: Errors | None = None
) -> Response:
    card, relation = service.card(ctx, partner_id), service.partner(ctx, partner_id)
    stored = {name: getattr(relation, name, None) for name in (*service.TERMS, "credit_limit")}
    stored["credit_limit"] = _plain(stored["credit_limit"])
    page = PartnerPage(
        name=_name(card),
        uscc=card.uscc,
        status=_status(card.status),
        values=stored if typed is None else {**stored, **typed},
        version=relation.version if relation is not None else 0,
        save_url=url_for("tenancy.save_partner", partner_id=partner_id),
        may_edit=ctx.allows("partner.edit"),
        may_credit=ctx.allows("partner.credit"),
        currency=settings.trade_settings(ctx).currency,
        errors=errors or {},
    )
    return render("tenancy/partner.html", page, 422 if errors else 200, crumbs=_crumbs(page.name))


def _read(
    shape: Schema, typed: dict[str, str], *, checks: tuple[str, ...] = (), shares: tuple[str, ...] = ()
) -> Values:
    """The fields of a form through the same schema as JSON: an empty field is None, an absent box is False."""
    values: Values = {
        name: value if value.strip() else None for name, value in typed.items() if name in shape.fields
    }
    values |= {name: name in typed for name in checks}
    try:
        loaded: Values = shape.load(values)
    except ValidationError as wrong:
        raise Invalid(field_errors(wrong.messages)) from None
    return {name: value / 100 if name in shares else value for name, value in loaded.items()}


def _mend(ctx: Context, act: Callable[[], object]) -> Errors:
    """Run an act of a form; when the input will not do, undo it whole and say why."""
    try:
        with ctx.session.begin_nested():
            act()
    except Invalid as wrong:
        found: Errors = {}
        for error in wrong.errors:
            found.setdefault(error.path or "_form", []).append(sentence(error.code, error.values))
        return found
    return {}


def _version(typed: dict[str, str]) -> int | None:
    text = typed.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _name(card: EnterpriseCard) -> str:
    return (card.name_en if language() == ENGLISH else None) or card.name


def _status(status: str) -> tuple[str, str]:
    return _(f"enterprise.status.{status}"), STATUS_TONES[status]


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"


def _crumbs(last: str) -> tuple[Crumb, ...]:
    return (Crumb(_("Partners"), url_for("tenancy.partners")), Crumb(last))

"""The company: details, addresses, invoice details and how it trades."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Response, url_for

from core.identity import require_fresh_second_factor
from core.kernel import Context, NotFound
from core.tenancy import schema, service, settings
from core.tenancy.model import Address
from core.tenancy.views.frame import Errors, Values, mend, pages, plain, read, status, version
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.page import Crumb


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

    `details` and `trade` hold the fields' values as typed or as stored, `invoice` those stored.
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
class InvoicePage:
    """The form of the invoice details; its values as typed or as stored."""

    values: Values
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class AddressPage:
    """The form of one address; `remove_url` is None for a new one."""

    title: str
    values: Values
    save_url: str
    remove_url: str | None
    errors: Errors = field(default_factory=dict)


@pages.get("/company", permission="enterprise.view")
def company(ctx: Context) -> Response:
    return _company(ctx)


@pages.post("/company/details", permission="enterprise.edit")
def save_details(ctx: Context) -> Response:
    typed = form()
    errors = mend(ctx, lambda: service.edit_enterprise(ctx, **read(schema.DetailsBody(), typed)))
    if errors:
        return _company(ctx, "details", errors, typed)
    flash(_("Company details saved"))
    return redirect("tenancy.company")


@pages.get("/company/invoice", permission="enterprise.bank")
def invoice(ctx: Context) -> Response:
    require_fresh_second_factor(ctx)  # before anything is typed, so nothing typed is lost
    return _invoice(ctx, _stored_invoice(ctx), {})


@pages.post("/company/invoice", permission="enterprise.bank")
def save_invoice(ctx: Context) -> Response:
    typed = form()
    errors = mend(ctx, lambda: service.set_invoice_details(ctx, **read(schema.InvoiceBody(), typed)))
    if errors:
        return _invoice(ctx, typed, errors)
    flash(_("Invoice details saved"))
    return redirect("tenancy.company")


@pages.post("/company/settings", permission="settings.edit")
def save_settings(ctx: Context) -> Response:
    typed = form()
    stamp = version(typed)

    def save() -> None:
        values = read(schema.SettingsForm(), typed, shares=settings.SHARES)
        settings.set_trade_settings(ctx, version=stamp, **values)

    errors = mend(ctx, save)
    if errors:
        return _company(ctx, "settings", errors, {**typed, "version": stamp})
    flash(_("Settings saved"))
    return redirect("tenancy.company")


@pages.get("/company/addresses/new", permission="enterprise.edit")
def new_address(ctx: Context) -> Response:
    return _address(_("New address"), {}, url_for("tenancy.add_address"), None, {})


@pages.post("/company/addresses/new", permission="enterprise.edit")
def add_address(ctx: Context) -> Response:
    typed = form()
    errors = mend(ctx, lambda: service.save_address(ctx, **_address_values(typed)))
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
    stamp = version(typed)
    errors = mend(ctx, lambda: service.save_address(ctx, address_id, version=stamp, **_address_values(typed)))
    if errors:
        values = {**typed, "version": stamp}
        return _address(typed.get("label", ""), values, *_address_urls(address_id), errors)
    flash(_("Address saved"))
    return redirect("tenancy.company")


@pages.post("/company/addresses/<uuid:address_id>/remove", permission="enterprise.edit")
def remove_address(ctx: Context, address_id: UUID) -> Response:
    service.remove_address(ctx, address_id)
    flash(_("Address removed"))
    return redirect("tenancy.company")


def _company(
    ctx: Context, wrong: str = "", errors: Errors | None = None, typed: Values | None = None
) -> Response:
    found, trade = service.enterprise(ctx), settings.trade_settings(ctx)
    may_edit = ctx.allows("enterprise.edit")
    stored_trade = {name: getattr(trade, name) for name in (*settings.NAMES, "version")}
    for name in settings.SHARES:
        stored_trade[name] = plain(stored_trade[name] * 100)
    for name in ("approval_threshold", "write_off_amount"):
        stored_trade[name] = plain(getattr(trade, name))
    page = CompanyPage(
        name=found.name,
        name_en=found.name_en,
        uscc=found.uscc,
        kind=_(f"kind.{found.kind}"),
        status=status(found.status),
        verified_until=found.verified_until,
        details=typed
        if typed and wrong == "details"
        else {name: getattr(found, name) for name in service.DETAILS},
        invoice=_stored_invoice(ctx),
        has_invoice=service.invoice_details(ctx) is not None,
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


def _stored_invoice(ctx: Context) -> Values:
    found = service.invoice_details(ctx)
    if found is None:
        return {"title": service.enterprise(ctx).name}
    return {name: getattr(found, name) for name in service.INVOICE}


def _invoice(ctx: Context, values: Values, errors: Errors) -> Response:
    crumbs = (Crumb(_("Company profile"), url_for("tenancy.company")), Crumb(_("Invoice details")))
    return render("tenancy/invoice.html", InvoicePage(values, errors), 422 if errors else 200, crumbs=crumbs)


def _address(title: str, values: Values, save_url: str, remove_url: str | None, errors: Errors) -> Response:
    page = AddressPage(title or _("Postal address"), values, save_url, remove_url, errors)
    crumbs = (Crumb(_("Company profile"), url_for("tenancy.company")), Crumb(page.title))
    return render("tenancy/address.html", page, 422 if errors else 200, crumbs=crumbs)


def _address_urls(address_id: UUID) -> tuple[str, str]:
    return (
        url_for("tenancy.save_address", address_id=address_id),
        url_for("tenancy.remove_address", address_id=address_id),
    )


def _address_values(typed: dict[str, str]) -> Values:
    return read(schema.AddressBody(), typed, checks=("is_default",))


def _address_row(one: Address, may_edit: bool) -> AddressRow:
    return AddressRow(
        label=one.label,
        lines="".join(part for part in (one.province, one.city, one.district, one.street) if part),
        contact=one.contact,
        phone=one.phone,
        is_default=one.is_default,
        edit_url=url_for("tenancy.edit_address", address_id=one.id) if may_edit else None,
    )

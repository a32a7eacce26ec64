"""Partners: who they are, and the terms set for them."""

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context
from core.tenancy import schema, service, settings, terms
from core.tenancy.api import seen
from core.tenancy.model import EnterpriseCard
from core.tenancy.views.frame import Errors, Values, mend, pages, plain, read, status, version
from core.web import flash, form, redirect, render
from core.web.i18n import ENGLISH, language
from core.web.i18n import gettext as _
from core.web.page import Crumb
from core.web.pager import cut


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


@pages.get("/partners", permission="partner.view")
def partners(ctx: Context) -> Response:
    q = request.args.get("q", "")[:100].replace("\x00", "")
    found = terms.partners(ctx, q, after=seen(request.args.get("after")), limit=51)
    page = cut(found, 50, lambda row: (row[1].name, row[1].tenant_id))
    rows = tuple(
        PartnerRow(
            name=name_of(card),
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
            name=name_of(card),
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
        values = read(schema.PartnerForm(), typed, checks=("blocked",) if ctx.allows("partner.edit") else ())
        terms.set_partner(ctx, partner_id, version=version(typed), **values)

    errors = mend(ctx, save)
    if errors:
        return _partner(ctx, partner_id, typed, errors)
    flash(_("Terms saved"))
    return redirect("tenancy.partners")


def _partner(
    ctx: Context, partner_id: UUID, typed: Values | None = None, errors: Errors | None = None
) -> Response:
    card, relation = service.card(ctx, partner_id), terms.partner(ctx, partner_id)
    stored = {name: getattr(relation, name, None) for name in (*terms.TERMS, "credit_limit")}
    stored["credit_limit"] = plain(stored["credit_limit"])
    page = PartnerPage(
        name=name_of(card),
        uscc=card.uscc,
        status=status(card.status),
        values=stored if typed is None else {**stored, **typed},
        version=relation.version if relation is not None else 0,
        save_url=url_for("tenancy.save_partner", partner_id=partner_id),
        may_edit=ctx.allows("partner.edit"),
        may_credit=ctx.allows("partner.credit"),
        currency=settings.trade_settings(ctx).currency,
        errors=errors or {},
    )
    return render("tenancy/partner.html", page, 422 if errors else 200, crumbs=_crumbs(page.name))


def name_of(card: EnterpriseCard) -> str:
    return (card.name_en if language() == ENGLISH else None) or card.name


def _crumbs(last: str) -> tuple[Crumb, ...]:
    return (Crumb(_("Partners"), url_for("tenancy.partners")), Crumb(last))

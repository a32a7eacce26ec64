"""The operator's pages: every enterprise, entering one, giving it its status, inviting its first administrator."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask import Response, request, url_for

from core.identity import require_fresh_second_factor
from core.kernel import Context
from core.tenancy import entering, schema, service
from core.tenancy.api import seen
from core.tenancy.model import STATUSES
from core.tenancy.views.frame import Errors, Values, mend, pages, read, status
from core.web import flash, form, redirect, render
from core.web.i18n import ENGLISH, language
from core.web.i18n import gettext as _
from core.web.page import Crumb
from core.web.pager import cut


@dataclass(frozen=True)
class EnterpriseRow:
    """An enterprise in the operator's list; `members` counts its people."""

    name: str
    uscc: str
    kind: str
    status: tuple[str, str]
    members: int
    has_admin: bool
    url: str


@dataclass(frozen=True)
class EnterprisesPage:
    """`new_url` is None for those who may not enter enterprises."""

    rows: tuple[EnterpriseRow, ...]
    q: str
    older: str | None
    new_url: str | None


@dataclass(frozen=True)
class NewEnterprisePage:
    """The form of a new enterprise as typed."""

    values: Values
    kinds: tuple[tuple[str, str], ...]
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class EnterprisePage:
    """One enterprise. `invite_url` is set while it has no administrator; `errors` belong to the form `wrong`."""

    name: str
    uscc: str
    kind: str
    status: tuple[str, str]
    members: int
    admins: int
    invited: str | None
    invited_until: datetime | None
    statuses: tuple[tuple[str, str], ...]
    chosen: str
    until: str
    status_url: str
    invite_url: str | None
    values: Values
    wrong: str = ""
    errors: Errors = field(default_factory=dict)


@pages.get("/operator/enterprises", permission="enterprise.verify")
def enterprises(ctx: Context) -> Response:
    q = request.args.get("q", "")[:100].replace("\x00", "")
    found = entering.enterprises(ctx, q, after=seen(request.args.get("after")), limit=51)
    page = cut(found, 50, lambda row: (row[0].name, row[0].tenant_id))
    rows = tuple(
        EnterpriseRow(
            name=_name(card),
            uscc=card.uscc,
            kind=_(f"kind.{card.kind}"),
            status=status(card.status),
            members=heads.members,
            has_admin=heads.admins > 0 or card.tenant_id == ctx.tenant_id,
            url=url_for("tenancy.entered", enterprise_id=card.tenant_id),
        )
        for card, heads in page.rows
    )
    older = url_for("tenancy.enterprises", q=q or None, after=page.next) if page.next else None
    new_url = url_for("tenancy.new_enterprise") if ctx.allows("enterprise.enter") else None
    return render("tenancy/enterprises.html", EnterprisesPage(rows, q, older, new_url))


@pages.get("/operator/enterprises/new", permission="enterprise.enter")
def new_enterprise(ctx: Context) -> Response:
    require_fresh_second_factor(ctx)  # before anything is typed, so nothing typed is lost
    return _new({}, {})


@pages.post("/operator/enterprises/new", permission="enterprise.enter")
def enter_enterprise(ctx: Context) -> Response:
    typed, made = form(), list[entering.Entered]()
    errors = mend(ctx, lambda: made.append(entering.enter_enterprise(ctx, **read(schema.EnterBody(), typed))))
    if errors:
        return _new(typed, errors)
    return _link(made[0].token, typed["admin"], made[0].id)


@pages.get("/operator/enterprises/<uuid:enterprise_id>", permission="enterprise.verify")
def entered(ctx: Context, enterprise_id: UUID) -> Response:
    return _entered(ctx, enterprise_id)


@pages.post("/operator/enterprises/<uuid:enterprise_id>/status", permission="enterprise.verify")
def set_status(ctx: Context, enterprise_id: UUID) -> Response:
    typed = form()
    errors = mend(
        ctx,
        lambda: service.verify_enterprise(ctx, enterprise_id, **read(schema.VerifyBody(), typed)),
    )
    if errors:
        return _entered(ctx, enterprise_id, "status", errors, typed)
    flash(_("Status saved"))
    return redirect("tenancy.entered", enterprise_id=enterprise_id)


@pages.post("/operator/enterprises/<uuid:enterprise_id>/administrator", permission="enterprise.enter")
def invite_administrator(ctx: Context, enterprise_id: UUID) -> Response:
    typed, made = form(), list[str]()
    errors = mend(
        ctx,
        lambda: made.append(
            entering.invite_administrator(ctx, enterprise_id, **read(schema.AdminBody(), typed))
        ),
    )
    if errors:
        return _entered(ctx, enterprise_id, "invite", errors, typed)
    return _link(made[0], typed["admin"], enterprise_id)


def _new(typed: Values, errors: Errors) -> Response:
    kinds = tuple((kind, _(f"kind.{kind}")) for kind in entering.ENTERED)
    page = NewEnterprisePage(typed, kinds, errors)
    crumbs = _crumbs(_("Enter an enterprise"))
    return render("tenancy/enterprise_new.html", page, 422 if errors else 200, crumbs=crumbs)


def _entered(
    ctx: Context, enterprise_id: UUID, wrong: str = "", errors: Errors | None = None, typed: Values | None = None
) -> Response:
    card, heads = entering.entered(ctx, enterprise_id)
    own = card.tenant_id == ctx.tenant_id
    given = typed or {}
    page = EnterprisePage(
        name=_name(card),
        uscc=card.uscc,
        kind=_(f"kind.{card.kind}"),
        status=status(card.status),
        members=heads.members,
        admins=heads.admins,
        invited=heads.invited,
        invited_until=heads.invited_until,
        statuses=tuple((each, status(each)[0]) for each in STATUSES),
        chosen=given.get("status") or card.status,
        until=given.get("until", ""),
        status_url=url_for("tenancy.set_status", enterprise_id=enterprise_id),
        invite_url=url_for("tenancy.invite_administrator", enterprise_id=enterprise_id)
        if ctx.allows("enterprise.enter") and not heads.admins and not own
        else None,
        values=given if wrong == "invite" else {},
        wrong=wrong,
        errors=errors or {},
    )
    return render(
        "tenancy/enterprise.html", page, 422 if errors else 200, crumbs=_crumbs(page.name)
    )


@dataclass(frozen=True)
class LinkPage:
    """The link of a first administrator, shown this once. `back_url` leads to the enterprise."""

    title: str
    text: str
    values: tuple[str, ...]
    back_url: str
    back: str


def _link(token: str, name: str, enterprise_id: UUID) -> Response:
    text = _("Send this link to %(name)s. It works once, within 7 days, and is shown only now.", name=name)
    back = url_for("tenancy.entered", enterprise_id=enterprise_id)
    link = url_for("identity.join", token=token, _external=True)
    page = LinkPage(_("Invitation link"), text, (link,), back, _("To the enterprise"))
    return render("identity/once.html", page, crumbs=_crumbs(_("Invitation link")))


def _name(card: service.EnterpriseCard) -> str:
    return (card.name_en if language() == ENGLISH else None) or card.name


def _crumbs(last: str) -> tuple[Crumb, ...]:
    return (Crumb(_("Enterprises"), url_for("tenancy.enterprises")), Crumb(last))

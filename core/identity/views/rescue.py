"""Help for people who cannot come in: links for a new password, and a lost authenticator taken away."""

from dataclasses import dataclass, field
from uuid import UUID

from flask import Response, request, url_for

from core.identity import service, web
from core.identity.service import members, rescue
from core.identity.service.account import require_fresh_second_factor
from core.identity.service.tries import TooManyTries
from core.identity.views.frame import Errors, Once, errors_of, pages
from core.kernel import Context, Forbidden, Invalid, NotFound
from core.web import Visit, flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.page import Confirmation, Crumb

RESET = "a link is how somebody who forgot the password comes in"


@dataclass(frozen=True)
class ResetPage:
    """A link as its holder sees it: whose password is set."""

    name: str
    login: str
    action: str
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class HelpPage:
    """The operator looks for a person by the whole login. `found` is None before, or when there is nobody.

    The urls ask first; `factor_url` is None where there is no authenticator to take away, both for oneself.
    """

    login: str
    found: rescue.Found | None = None
    reset_url: str | None = None
    factor_url: str | None = None
    errors: Errors = field(default_factory=dict)


@pages.get("/reset/<token>", public=RESET)
def reset(visit: Visit, token: str) -> Response:
    return render("identity/reset.html", _link(visit, token))


@pages.post("/reset/<token>", public=RESET)
def set_password(visit: Visit, token: str) -> Response:
    page = _link(visit, token)
    try:
        if not web.may_use_http():
            raise Forbidden("identity.needs_https")
        done = rescue.use_reset(visit.session, token, form().get("password", ""), remote=visit.remote)
    except (Invalid, TooManyTries, Forbidden) as refused:
        wrong = ResetPage(page.name, page.login, page.action, errors_of(refused))
        return render("identity/reset.html", wrong, 422)
    service.note_reset(visit.platform.unit, visit.session, done, visit.remote, visit.trace_id)
    return render("identity/reset_done.html", page)


@pages.get("/members/<uuid:member_id>/password", permission="member.manage")
def ask_reset(ctx: Context, member_id: UUID) -> Response:
    require_fresh_second_factor(ctx)
    found = members.member(ctx, member_id)
    page = _question(
        found.name,
        url_for("identity.reset_member", member_id=member_id),
        url_for("identity.member", member_id=member_id),
    )
    crumbs = (Crumb(_("Members"), url_for("identity.members")), Crumb(found.name))
    return render("shell/confirm.html", page, crumbs=crumbs)


@pages.post("/members/<uuid:member_id>/password", permission="member.manage")
def reset_member(ctx: Context, member_id: UUID) -> Response:
    made = rescue.reset_member(ctx, member_id)
    return _once(made, url_for("identity.members"), _("Back to the members"), _("Members"))


@pages.get("/operator/people", permission="person.rescue")
def people(ctx: Context) -> Response:
    """Find a person by the whole login; nothing is listed."""
    login = request.args.get("login", "")[:200].replace("\x00", "")
    if not login.strip():
        return render("identity/people.html", HelpPage(""))
    try:
        found = rescue.find_person(ctx, login)
    except NotFound as missing:
        wrong = {"login": errors_of(missing)["_form"]}
        return render("identity/people.html", HelpPage(login, errors=wrong), 404)
    other = found.person_id != ctx.actor.person_id
    page = HelpPage(
        login,
        found,
        url_for("identity.ask_reset_person", login=found.login) if other else None,
        url_for("identity.ask_forget", login=found.login) if other and found.has_second_factor else None,
    )
    return render("identity/people.html", page)


@pages.get("/operator/people/password", permission="person.rescue")
def ask_reset_person(ctx: Context) -> Response:
    require_fresh_second_factor(ctx)
    found = rescue.find_person(ctx, _asked())
    page = _question(found.name, url_for("identity.reset_person"), _back(found), {"login": found.login})
    return render("shell/confirm.html", page, crumbs=_crumbs(found.name))


@pages.post("/operator/people/password", permission="person.rescue")
def reset_person(ctx: Context) -> Response:
    made = rescue.reset_person(ctx, form().get("login", "")[:200])
    return _once(made, url_for("identity.people"), _("Back"), _("Sign-in help"))


@pages.get("/operator/people/second-factor", permission="person.rescue")
def ask_forget(ctx: Context) -> Response:
    require_fresh_second_factor(ctx)
    found = rescue.find_person(ctx, _asked())
    page = Confirmation(
        title=_("Take the authenticator of %(name)s away?", name=found.name),
        consequences=(
            _("Make sure it is them: from now on the password alone lets them in. All their sessions end."),
            _("They set up another authenticator in their account before they can change roles or bank details."),
        ),
        action=url_for("identity.forget_second_factor"),
        verb=_("Take it away"),
        keep=_("Keep it"),
        keep_url=_back(found),
        danger=True,
        fields={"login": found.login},
    )
    return render("shell/confirm.html", page, crumbs=_crumbs(found.name))


@pages.post("/operator/people/second-factor", permission="person.rescue")
def forget_second_factor(ctx: Context) -> Response:
    found = rescue.forget_second_factor(ctx, form().get("login", "")[:200])
    flash(_("Authenticator of %(name)s taken away. All their sessions ended", name=found.name))
    return redirect("identity.people", login=found.login)


def _link(visit: Visit, token: str) -> ResetPage:
    found = rescue.read_reset(visit.session, token)
    if found is None:
        raise NotFound("reset.not_found")
    return ResetPage(found.name, found.login, url_for("identity.set_password", token=token))


def _question(name: str, action: str, back: str, fields: dict[str, str] | None = None) -> Confirmation:
    return Confirmation(
        title=_("Make a password link for %(name)s?", name=name),
        consequences=(
            _("Make sure it is them who asks, and hand the link to nobody else. It works once, within a day."),
            _("Using it ends all their sessions. An authenticator stays as it is."),
        ),
        action=action,
        verb=_("Make the link"),
        keep=_("Back"),
        keep_url=back,
        fields=fields or {},
    )


def _once(made: rescue.NewReset, back_url: str, back: str, crumb: str) -> Response:
    text = _("Send this link to %(name)s. It works once, within a day, and is shown only now.", name=made.name)
    link = url_for("identity.reset", token=made.token, _external=True)
    page = Once(_("Password link"), text, (link,), back_url, back)
    return render("identity/once.html", page, crumbs=(Crumb(crumb, back_url), Crumb(_("Password link"))))


def _asked() -> str:
    return request.args.get("login", "")[:200].replace("\x00", "")


def _back(found: rescue.Found) -> str:
    return url_for("identity.people", login=found.login)


def _crumbs(last: str) -> tuple[Crumb, ...]:
    return (Crumb(_("Sign-in help"), url_for("identity.people")), Crumb(last))

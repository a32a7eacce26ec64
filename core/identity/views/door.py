"""The door: sign in, second factor, recovery code, joining by invitation, changing enterprise, leaving."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, current_app, request, url_for
from werkzeug.exceptions import HTTPException

from core.identity import service, web
from core.identity.service import account, members
from core.identity.service import signin as coming
from core.identity.service.tries import TooManyTries
from core.identity.views.frame import Errors, errors_of, pages
from core.kernel import Context, Forbidden, Invalid, NotFound, Refused
from core.web import Visit, form, redirect, render
from core.web.i18n import gettext as _
from core.web.i18n import language
from core.web.page import CHOICES, own_path, remember

LOGIN = "login precedes the tenant"


@dataclass(frozen=True)
class SignInPage:
    """`login` is what was typed last; `next` where to go afterwards."""

    login: str = ""
    next: str = ""
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class FactorPage:
    """The question for a code. `way` is code or recovery; `who` names the account in the authenticator.

    `action` takes the answer, `other_url` asks for the other kind (None where there is none), `enrol_url` is set when
    the person has no authenticator yet.
    """

    who: str
    way: str
    action: str
    verb: str
    next: str = ""
    other_url: str | None = None
    back_url: str | None = None
    enrol_url: str | None = None
    step_up: bool = False
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class JoinPage:
    """An invitation as its holder sees it. `known` people prove themselves, new ones choose a password."""

    email: str
    name: str
    known: bool
    action: str
    errors: Errors = field(default_factory=dict)


@pages.get("/signin", public=LOGIN)
def signin(visit: Visit) -> Response:
    if web.by_cookie(visit.session) is not None:
        return _away(request.args.get("next"))
    errors = {} if web.may_use_http() else {"_form": [_("identity.needs_https")]}
    return render(
        "identity/signin.html", SignInPage(next=own_path(request.args.get("next"), ""), errors=errors)
    )


@pages.post("/signin", public=LOGIN)
def enter(visit: Visit) -> Response:
    values = form()
    login, wish = values.get("login", "")[:200], own_path(values.get("next"), "")
    try:
        if not web.may_use_http():
            raise Forbidden("identity.needs_https")
        signed = coming.sign_in(
            visit.session,
            login,
            values.get("password", ""),
            remote=visit.remote,
            agent=request.user_agent.string,
        )
    except (coming.SignInRefused, Forbidden) as refused:
        return render("identity/signin.html", SignInPage(login, wish, errors_of(refused)), 422)
    if signed.pending:
        return web.keep_token(redirect("identity.mfa", next=wish or None), signed.token)
    return _welcome(visit, signed, wish)


@pages.get("/mfa", public=LOGIN)
def mfa(visit: Visit) -> Response:
    waiting = coming.pending_sign_in(visit.session, web.shown_token())
    if waiting is None:
        return redirect("identity.signin")
    return render(
        "identity/mfa.html", _factor(waiting.login, request.args.get("way", "code"), request.args.get("next"))
    )


@pages.post("/mfa", public=LOGIN)
def verify(visit: Visit) -> Response:
    return _second(visit, "code", coming.verify_totp)


@pages.post("/mfa/recovery", public=LOGIN)
def recover(visit: Visit) -> Response:
    return _second(visit, "recovery", coming.use_recovery_code)


def _second(visit: Visit, way: str, check: Callable[..., coming.SignedIn]) -> Response:
    values, token = form(), web.shown_token()
    waiting = coming.pending_sign_in(visit.session, token)
    if waiting is None:
        return redirect("identity.signin")
    try:
        signed = check(visit.session, token, values.get("code", "")[:60], remote=visit.remote)
    except (coming.SignInRefused, TooManyTries) as refused:
        page = _factor(waiting.login, way, values.get("next"), {"code": [*errors_of(refused)["_form"]]})
        return render("identity/mfa.html", page, 422)
    return _welcome(visit, signed, own_path(values.get("next"), ""))


@pages.get("/step-up", permission="account.own")
def step_up(ctx: Context) -> Response:
    return render("identity/mfa.html", _again(ctx, _readable(request.args.get("next"))))


@pages.post("/step-up", permission="account.own")
def confirm_step_up(ctx: Context) -> Response:
    values = form()
    try:
        token = account.step_up(ctx, values.get("code", "")[:60])
    except (Invalid, TooManyTries) as refused:
        errors = errors_of(refused)
        return render(
            "identity/mfa.html",
            _again(ctx, values.get("next"), {"code": errors.get("code") or errors["_form"]}),
            422,
        )
    return web.keep_token(_away(values.get("next")), token)


@pages.get("/join/<token>", public="an invitation is how somebody without an account comes in")
def join(visit: Visit, token: str) -> Response:
    return render("identity/join.html", _invitation(visit, token))


@pages.post("/join/<token>", public="an invitation is how somebody without an account comes in")
def accept(visit: Visit, token: str) -> Response:
    values, invited = form(), _invitation(visit, token)
    try:
        if not web.may_use_http():
            raise Forbidden("identity.needs_https")
        signed = members.accept_invitation(
            visit.session,
            token,
            values.get("password", ""),
            name=values.get("name", "")[:100],
            locale=language(),
            remote=visit.remote,
            agent=request.user_agent.string,
        )
    except (Invalid, TooManyTries, Forbidden) as refused:
        name = values.get("name", invited.name)
        page = JoinPage(invited.email, name, invited.known, invited.action, errors_of(refused))
        return render("identity/join.html", page, 422)
    if signed.pending:
        return web.keep_token(redirect("identity.mfa"), signed.token)
    return _welcome(visit, signed, "")


@pages.post("/switch", permission="account.own")
def switch(ctx: Context) -> Response:
    try:
        tenant_id = UUID(form().get("company", ""))
    except ValueError:
        raise NotFound("enterprise.not_found") from None
    token = account.switch_enterprise(ctx, tenant_id)
    return web.keep_token(_away("/"), token)


@pages.post("/signout", permission="account.own")
def signout(ctx: Context) -> Response:
    account.sign_out(ctx)
    return web.drop_token(redirect("identity.signin"))


def _factor(who: str, way: str, wish: str | None, errors: Errors | None = None) -> FactorPage:
    plain = own_path(wish, "")
    recovery = way == "recovery"
    return FactorPage(
        who=who,
        way="recovery" if recovery else "code",
        action=url_for("identity.recover" if recovery else "identity.verify"),
        verb=_("Verify and sign in"),
        next=plain,
        other_url=url_for("identity.mfa", way="code" if recovery else "recovery", next=plain or None),
        back_url=url_for("identity.signin"),
        errors=errors or {},
    )


def _again(ctx: Context, wish: str | None, errors: Errors | None = None) -> FactorPage:
    own = account.account(ctx)
    return FactorPage(
        who=own.email or own.phone or own.name,
        way="code",
        action=url_for("identity.confirm_step_up"),
        verb=_("Confirm"),
        next=own_path(wish, ""),
        back_url=own_path(wish, "/"),
        enrol_url=None if own.has_second_factor else url_for("identity.account"),
        step_up=True,
        errors=errors or {},
    )


def _invitation(visit: Visit, token: str) -> JoinPage:
    invited = members.read_invitation(visit.session, token)
    if invited is None:
        raise NotFound("invitation.not_found")
    return JoinPage(invited.email, invited.name, invited.known, url_for("identity.accept", token=token))


def _welcome(visit: Visit, signed: coming.SignedIn, wish: str) -> Response:
    """The first answer of a session: its cookie, and the look the person chose elsewhere."""
    principal = signed.principal
    if principal is None:
        raise Refused("identity.start_again")
    service.welcome(visit.platform.unit, visit.session, signed, visit.remote, visit.trace_id)
    response = web.keep_token(_away(wish), signed.token)
    wishes = {"lang": principal.locale, "theme": principal.theme, "density": principal.density}
    return remember(response, {name: value for name, value in wishes.items() if value in CHOICES[name]})


def _readable(wish: str | None) -> str:
    """Where to go on: the wish, or the page its form stood on when the wish only takes a POST."""
    path = own_path(wish, "/")
    try:
        current_app.create_url_adapter(request).match(urlsplit(path).path, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        came_from = urlsplit(request.referrer or "")
        return came_from.path if came_from.netloc == request.host else "/"
    return path


def _away(wish: str | None) -> Response:
    return Response(status=303, headers={"Location": own_path(wish, "/")})

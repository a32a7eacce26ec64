"""One's own account: password, authenticator, sessions, language and look."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask import Response, url_for
from markupsafe import Markup

from core.identity import web
from core.identity.service import account as own
from core.identity.views.frame import Errors, Once, mend, pages
from core.kernel import Context
from core.web import flash, form, redirect, render
from core.web.i18n import LANGUAGES
from core.web.i18n import gettext as _
from core.web.page import remember


@dataclass(frozen=True)
class SessionRow:
    """A place where the person is signed in."""

    device: str
    ip: str
    company: str
    since: datetime
    last_seen_at: datetime
    current: bool
    revoke_url: str


@dataclass(frozen=True)
class AccountPage:
    """`secret` and `qr` are set while an authenticator is being set up; `errors` belongs to the form named `wrong`."""

    name: str
    email: str | None
    phone: str | None
    password_set_at: datetime
    has_second_factor: bool
    recovery_codes_left: int
    secret: str | None
    qr: Markup | None
    locale: str
    theme: str
    density: str
    languages: tuple[tuple[str, str], ...]
    themes: tuple[tuple[str, str], ...]
    densities: tuple[tuple[str, str], ...]
    sessions: tuple[SessionRow, ...]
    wrong: str = ""
    errors: Errors = field(default_factory=dict)


@pages.get("/account", permission="account.own")
def account(ctx: Context) -> Response:
    return _show(ctx)


@pages.post("/account/password", permission="account.own")
def change_password(ctx: Context) -> Response:
    values, tokens = form(), list[str]()
    errors = mend(
        ctx, lambda: tokens.append(own.change_password(ctx, values.get("current", ""), values.get("new", "")))
    )
    if errors:
        return _show(ctx, "password", errors)
    flash(_("Password changed. All other sessions ended"))
    return web.keep_token(redirect("identity.account"), tokens[0])


@pages.post("/account/authenticator", permission="account.own")
def enroll(ctx: Context) -> Response:
    errors = mend(ctx, lambda: own.enroll_totp(ctx, form().get("password", "")))
    if errors:
        return _show(ctx, "authenticator", errors)
    return Response(status=303, headers={"Location": url_for("identity.account") + "#authenticator"})


@pages.post("/account/authenticator/confirm", permission="account.own")
def confirm(ctx: Context) -> Response:
    done: list[tuple[str, list[str]]] = []
    errors = mend(ctx, lambda: done.append(own.confirm_totp(ctx, form().get("code", "")[:60])))
    if errors:
        return _show(ctx, "authenticator", errors)
    token, codes = done[0]
    return web.keep_token(render("identity/once.html", _codes(codes)), token)


@pages.post("/account/authenticator/remove", permission="account.own")
def drop_authenticator(ctx: Context) -> Response:
    token = own.drop_totp(ctx)
    flash(_("Authenticator removed. All other sessions ended"))
    return web.keep_token(redirect("identity.account"), token)


@pages.post("/account/recovery-codes", permission="account.own")
def renew_codes(ctx: Context) -> Response:
    return render("identity/once.html", _codes(own.renew_recovery_codes(ctx)))


@pages.post("/account/sessions/<uuid:session_id>/revoke", permission="account.own")
def revoke_session(ctx: Context, session_id: UUID) -> Response:
    own.revoke_session(ctx, session_id)
    if session_id == ctx.actor.session_id:
        return web.drop_token(redirect("identity.signin"))
    flash(_("Session ended"))
    return redirect("identity.account")


@pages.post("/account/preferences", permission="account.own")
def preferences(ctx: Context) -> Response:
    values = form()
    locale, theme, density = values.get("lang"), values.get("theme"), values.get("density")
    errors = mend(ctx, lambda: own.set_preferences(ctx, locale=locale, theme=theme, density=density))
    if errors:
        return _show(ctx, "preferences", errors)
    flash(_("Preferences saved"))
    wishes = {"lang": locale, "theme": theme, "density": density}
    return remember(redirect("identity.account"), {name: value for name, value in wishes.items() if value})


def _show(ctx: Context, wrong: str = "", errors: Errors | None = None) -> Response:
    found, enrolment = own.account(ctx), own.open_enrolment(ctx)
    names = {one.id: one.name for one in web.companies(ctx)}
    page = AccountPage(
        name=found.name,
        email=found.email,
        phone=found.phone,
        password_set_at=found.password_set_at,
        has_second_factor=found.has_second_factor,
        recovery_codes_left=found.recovery_codes_left,
        secret=" ".join(enrolment.secret[at : at + 4] for at in range(0, len(enrolment.secret), 4))
        if enrolment
        else None,
        qr=Markup(enrolment.qr) if enrolment else None,  # noqa: S704  made by segno from our own address
        locale=found.locale,
        theme=found.theme,
        density=found.density,
        languages=tuple(LANGUAGES.items()),
        themes=(("auto", _("Automatic")), ("light", _("Light")), ("dark", _("Dark"))),
        densities=(("comfortable", _("Comfortable")), ("compact", _("Compact"))),
        sessions=tuple(
            SessionRow(
                device=device_of(one.agent),
                ip=one.ip,
                company=names.get(str(one.tenant_id), ""),
                since=one.created_at,
                last_seen_at=one.last_seen_at,
                current=one.current,
                revoke_url=url_for("identity.revoke_session", session_id=one.session_id),
            )
            for one in own.open_sessions(ctx)
        ),
        wrong=wrong,
        errors=errors or {},
    )
    return render("identity/account.html", page, 422 if errors else 200)


def _codes(codes: list[str]) -> Once:
    return Once(
        title=_("Recovery codes"),
        text=_(
            "Each code signs you in once when the authenticator is not at hand. They are shown only now: print or save them."
        ),
        values=tuple(codes),
        back_url=url_for("identity.account"),
        back=_("I have saved them"),
    )


def device_of(agent: str) -> str:
    """A browser and a system, as far as the agent's text tells; the names are the same in every language."""
    if not agent:
        return "—"
    browsers = (
        ("Edg/", "Edge"),
        ("MicroMessenger", "WeChat"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in agent), agent.split("/")[0][:20])
    system = next((name for mark, name in systems if mark in agent), "")
    return f"{browser} · {system}" if system else browser

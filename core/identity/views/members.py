"""The members of an enterprise and its API keys."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from flask import Response, request, url_for

from core.identity.roles import ROLES
from core.identity.service import keys
from core.identity.service import members as people
from core.identity.service.account import require_fresh_second_factor
from core.identity.views.frame import Errors, Once, mend, pages
from core.kernel import Context, Invalid
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.page import Confirmation, Crumb

DAYS = (("30", 30), ("90", 90), ("365", 365), ("", None))


@dataclass(frozen=True)
class MemberRow:
    """A member in the list. `roles` are titles in the reader's language."""

    name: str
    login: str
    roles: tuple[str, ...]
    limits: tuple[tuple[str, Decimal], ...]
    has_second_factor: bool
    last_seen_at: datetime | None
    edit_url: str | None


@dataclass(frozen=True)
class InvitationRow:
    """An open invitation."""

    name: str
    email: str
    roles: tuple[str, ...]
    expires_at: datetime
    withdraw_url: str | None


@dataclass(frozen=True)
class KeyRow:
    """An API key in the list; `state` and `tone` as the badge shows them."""

    name: str
    prefix: str
    scopes: int
    maker: str
    cidrs: tuple[str, ...]
    last_used_at: datetime | None
    expires_at: datetime | None
    state: str
    tone: str
    revoke_url: str | None


@dataclass(frozen=True)
class MembersPage:
    """`may_manage` and `may_key` decide whether buttons are shown; the verbs check again."""

    members: tuple[MemberRow, ...]
    invitations: tuple[InvitationRow, ...]
    keys: tuple[KeyRow, ...] | None
    invite_url: str | None
    new_key_url: str | None


@dataclass(frozen=True)
class Tick:
    """A box to tick."""

    value: str
    text: str
    hint: str
    checked: bool


@dataclass(frozen=True)
class LimitField:
    """An amount limit of one permission; `amount` as typed."""

    name: str
    text: str
    amount: str


@dataclass(frozen=True)
class MemberPage:
    """One member's roles and limits."""

    name: str
    login: str
    roles: tuple[Tick, ...]
    limits: tuple[LimitField, ...]
    save_url: str
    remove_url: str
    reset_url: str | None  # None for oneself
    key_count: int
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class InvitePage:
    """The form of an invitation."""

    email: str
    name: str
    roles: tuple[Tick, ...]
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class NewKeyPage:
    """The form of a new key; scopes are what the person holds."""

    name: str
    cidrs: str
    days: str
    choices: tuple[tuple[str, str], ...]
    scopes: tuple[Tick, ...]
    errors: Errors = field(default_factory=dict)


@pages.get("/members", permission="member.view")
def members(ctx: Context) -> Response:
    manage, key_manage = ctx.allows("member.manage"), ctx.allows("key.manage")
    titles = {one.code: _(one.title) for one in people.declared_permissions(ctx)}
    page = MembersPage(
        members=tuple(
            MemberRow(
                name=one.name,
                login=one.email or one.phone or "",
                roles=_titles(one.roles),
                limits=tuple((titles.get(code, code), amount) for code, amount in sorted(one.limits.items())),
                has_second_factor=one.has_second_factor,
                last_seen_at=one.last_seen_at,
                edit_url=url_for("identity.member", member_id=one.id) if manage else None,
            )
            for one in people.members(ctx)
        ),
        invitations=tuple(
            InvitationRow(
                name=one.name,
                email=one.email,
                roles=_titles(one.roles),
                expires_at=one.expires_at,
                withdraw_url=url_for("identity.withdraw_invitation", invitation_id=one.id)
                if manage
                else None,
            )
            for one in people.invitations(ctx)
        ),
        keys=tuple(_key_row(one, key_manage) for one in keys.api_keys(ctx))
        if ctx.allows("key.view")
        else None,
        invite_url=url_for("identity.invite") if manage else None,
        new_key_url=url_for("identity.new_key") if key_manage else None,
    )
    return render("identity/members.html", page)


@pages.get("/members/invite", permission="member.manage")
def invite(ctx: Context) -> Response:
    require_fresh_second_factor(ctx)
    return render(
        "identity/invite.html", InvitePage("", "", _role_ticks(ctx, ())), crumbs=_crumbs(_("Invite a member"))
    )


@pages.post("/members/invite", permission="member.manage")
def send_invitation(ctx: Context) -> Response:
    values, roles = form(), request.form.getlist("roles")
    email, name, made = (
        values.get("email", "")[:250],
        values.get("name", "")[:100],
        list[people.NewInvitation](),
    )
    errors = mend(ctx, lambda: made.append(people.invite_member(ctx, email, name, roles)))
    if errors:
        page = InvitePage(email, name, _role_ticks(ctx, tuple(roles)), errors)
        return render("identity/invite.html", page, 422, crumbs=_crumbs(_("Invite a member")))
    link = url_for("identity.join", token=made[0].token, _external=True)
    text = _("Send this link to %(name)s. It works once, within 7 days, and is shown only now.", name=name)
    page_once = Once(
        _("Invitation link"), text, (link,), url_for("identity.members"), _("Back to the members")
    )
    return render("identity/once.html", page_once, crumbs=_crumbs(_("Invitation link")))


@pages.post("/members/invitations/<uuid:invitation_id>/withdraw", permission="member.manage")
def withdraw_invitation(ctx: Context, invitation_id: UUID) -> Response:
    people.withdraw_invitation(ctx, invitation_id)
    flash(_("Invitation withdrawn"))
    return redirect("identity.members")


@pages.get("/members/<uuid:member_id>", permission="member.manage")
def member(ctx: Context, member_id: UUID) -> Response:
    require_fresh_second_factor(ctx)  # before anything is typed, so nothing typed is lost
    found = people.member(ctx, member_id)
    limits = {code: f"{amount.normalize():f}" for code, amount in found.limits.items()}
    return _member(ctx, found, found.roles, limits, {})


@pages.post("/members/<uuid:member_id>", permission="member.manage")
def save_member(ctx: Context, member_id: UUID) -> Response:
    values, roles = form(), tuple(request.form.getlist("roles"))
    found = people.member(ctx, member_id)
    typed = {one.code: values.get(f"limits.{one.code}", "").strip() for one in _limited(ctx)}

    def save() -> None:
        limits = {code: _amount(code, text) for code, text in typed.items()}
        changed = {code: amount for code, amount in limits.items() if amount != found.limits.get(code)}
        if set(roles) != set(found.roles):
            people.set_roles(ctx, member_id, roles)
        if changed:
            people.set_limits(ctx, member_id, changed)

    errors = mend(ctx, save)
    if errors:
        return _member(ctx, found, roles, typed, errors)
    flash(_("Roles and limits saved"))
    return redirect("identity.members")


@pages.get("/members/<uuid:member_id>/remove", permission="member.manage")
def ask_remove(ctx: Context, member_id: UUID) -> Response:
    found = people.member(ctx, member_id)
    page = Confirmation(
        title=_("Remove %(name)s?", name=found.name),
        consequences=_consequences(found),
        action=url_for("identity.remove_member", member_id=member_id),
        verb=_("Remove member"),
        keep=_("Keep member"),
        keep_url=url_for("identity.member", member_id=member_id),
        danger=True,
    )
    return render("shell/confirm.html", page, crumbs=_crumbs(found.name))


@pages.post("/members/<uuid:member_id>/remove", permission="member.manage")
def remove_member(ctx: Context, member_id: UUID) -> Response:
    name = people.member(ctx, member_id).name
    people.remove_member(ctx, member_id)
    flash(_("%(name)s removed", name=name))
    return redirect("identity.members")


@pages.get("/members/keys/new", permission="key.manage")
def new_key(ctx: Context) -> Response:
    require_fresh_second_factor(ctx)
    return _new_key(ctx, "", "", "90", (), {})


@pages.post("/members/keys/new", permission="key.manage")
def create_key(ctx: Context) -> Response:
    values, scopes = form(), tuple(request.form.getlist("scopes"))
    name, cidrs, days = values.get("name", "")[:100], values.get("cidrs", "")[:2000], values.get("days", "90")
    lasting = dict(DAYS).get(days, 90)
    expires_at = ctx.now + timedelta(days=lasting) if lasting else None
    made = list[keys.NewApiKey]()
    nets = cidrs.replace(",", " ").split()
    errors = mend(
        ctx, lambda: made.append(keys.create_api_key(ctx, name, scopes, expires_at=expires_at, cidrs=nets))
    )
    if errors:
        return _new_key(ctx, name, cidrs, days, scopes, errors)
    text = _(
        "Put this key where the program keeps its secrets. It is shown only now; nobody can read it again."
    )
    page = Once(
        _("New API key"), text, (made[0].token,), url_for("identity.members"), _("Back to the members")
    )
    return render("identity/once.html", page, crumbs=_crumbs(_("New API key")))


@pages.post("/members/keys/<uuid:key_id>/revoke", permission="key.manage")
def revoke_key(ctx: Context, key_id: UUID) -> Response:
    keys.revoke_api_key(ctx, key_id)
    flash(_("API key revoked"))
    return redirect("identity.members")


def _member(
    ctx: Context, found: people.Member, roles: tuple[str, ...], limits: dict[str, str], errors: Errors
) -> Response:
    page = MemberPage(
        name=found.name,
        login=found.email or found.phone or "",
        roles=_role_ticks(ctx, roles),
        limits=tuple(
            LimitField(f"limits.{one.code}", _(one.title), limits.get(one.code, "")) for one in _limited(ctx)
        ),
        save_url=url_for("identity.save_member", member_id=found.id),
        remove_url=url_for("identity.ask_remove", member_id=found.id),
        reset_url=None
        if found.person_id == ctx.actor.person_id
        else url_for("identity.ask_reset", member_id=found.id),
        key_count=found.key_count,
        errors=errors,
    )
    return render("identity/member.html", page, 422 if errors else 200, crumbs=_crumbs(found.name))


def _new_key(
    ctx: Context, name: str, cidrs: str, days: str, scopes: tuple[str, ...], errors: Errors
) -> Response:
    texts = {"30": _("30 days"), "90": _("90 days"), "365": _("One year"), "": _("No end")}
    held = [
        one for one in people.declared_permissions(ctx) if ctx.allows(one.code) and one.code != "account.own"
    ]
    page = NewKeyPage(
        name=name,
        cidrs=cidrs,
        days=days,
        choices=tuple((key, texts[key]) for key, _days in DAYS),
        scopes=tuple(Tick(one.code, _(one.title), one.code, one.code in scopes) for one in held),
        errors=errors,
    )
    return render("identity/key.html", page, 422 if errors else 200, crumbs=_crumbs(_("New API key")))


def _key_row(one: keys.ApiKeyFacts, manage: bool) -> KeyRow:
    states = {"active": (_("Active"), "ok"), "expired": (_("Expired"), "warn"), "revoked": (_("Revoked"), "")}
    state, tone = states[one.state]
    revocable = manage and one.state != "revoked"
    return KeyRow(
        name=one.name,
        prefix=one.prefix,
        scopes=len(one.scopes),
        maker=one.maker,
        cidrs=one.cidrs,
        last_used_at=one.last_used_at,
        expires_at=one.expires_at,
        state=state,
        tone=tone,
        revoke_url=url_for("identity.revoke_key", key_id=one.id) if revocable else None,
    )


def _limited(ctx: Context) -> list[people.DeclaredPermission]:
    return [one for one in people.declared_permissions(ctx) if one.limited]


def _role_ticks(ctx: Context, chosen: tuple[str, ...]) -> tuple[Tick, ...]:
    return tuple(
        Tick(key, _(title), "", key in chosen) for key, title in people.assignable_roles(ctx).items()
    )


def _titles(roles: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_(ROLES.get(role, role)) for role in roles)


def _consequences(found: people.Member) -> tuple[str, ...]:
    said = [_("Their sessions in this enterprise end at once. What they did stays in the record.")]
    if found.key_count:
        said.append(_("%(n)s API keys they made stop working.", n=found.key_count))
    return tuple(said)


def _amount(code: str, typed: str) -> Decimal | None:
    if not typed:
        return None
    try:
        amount = Decimal(typed.replace(",", ""))
    except InvalidOperation:
        raise Invalid.one(f"limits.{code}", "decimal.not_a_number") from None
    if not amount.is_finite() or amount != round(amount, 2):
        raise Invalid.one(f"limits.{code}", "decimal.too_many_digits")
    if amount >= Decimal(10) ** 14:
        raise Invalid.one(f"limits.{code}", "decimal.out_of_range")
    return amount


def _crumbs(last: str) -> tuple[Crumb, ...]:
    return (Crumb(_("Members"), url_for("identity.members")), Crumb(last))

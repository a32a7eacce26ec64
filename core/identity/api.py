"""Identity over JSON: sign in, look after one's account, manage members and keys.

What answers with a secret (a token, a link, recovery codes) is not idempotent on purpose: a stored answer would keep it.
"""

from typing import Any
from uuid import UUID

from flask import request, url_for

from core.identity import schema, service, web
from core.identity.roles import ROLES
from core.identity.service import account, keys, members, rescue, signin
from core.kernel import Context, Invalid
from core.web import Api, Visit
from core.web.problem import Rejected

api = Api("identity")
LOGIN = "login precedes the tenant"
RESET = "a link is how somebody who forgot the password comes in"


@api.post("/session", public=LOGIN, body=schema.SignInBody, answer=schema.TokenAnswer, status=201)
def sign_in(visit: Visit, body: dict[str, Any]) -> signin.SignedIn:
    """Sign in with a password, and a code where an authenticator is set up. Use the token as `Authorization: Bearer`."""
    _only_where_safe()
    signed = signin.sign_in(
        visit.session, body["login"], body["password"], remote=visit.remote, agent=_agent()
    )
    if signed.pending and body.get("code"):
        signed = signin.verify_totp(visit.session, signed.token, body["code"], remote=visit.remote)
    service.welcome(visit.platform.unit, visit.session, signed, visit.remote, visit.trace_id)
    return signed


@api.post(
    "/session/second-factor", public=LOGIN, body=schema.FactorBody, answer=schema.TokenAnswer, status=201
)
def second_factor(visit: Visit, body: dict[str, Any]) -> signin.SignedIn:
    """Finish a pending sign-in; the answer carries another token."""
    if bool(body.get("code")) == bool(body.get("recovery_code")):
        raise Invalid.one("code", "identity.one_code")
    if body.get("code"):
        signed = signin.verify_totp(visit.session, body["token"], body["code"], remote=visit.remote)
    else:
        signed = signin.use_recovery_code(
            visit.session, body["token"], body["recovery_code"], remote=visit.remote
        )
    service.welcome(visit.platform.unit, visit.session, signed, visit.remote, visit.trace_id)
    return signed


@api.delete("/session", permission="me.view", status=204)
def sign_out(ctx: Context) -> None:
    """End this session. A key stays as it is."""
    account.sign_out(ctx)


@api.get("/me", permission="me.view", answer=schema.MeAnswer)
def me(ctx: Context) -> dict[str, Any]:
    """Who one is signed in as, for which enterprise, and what one may do."""
    return {
        "kind": ctx.actor.kind,
        "id": ctx.actor.id,
        "name": ctx.actor.name,
        "enterprise_id": ctx.tenant_id,
        "locale": ctx.locale,
        "second_factor_at": ctx.actor.second_factor_at,
        "grants": [{"permission": code, "limit": limit} for code, limit in sorted(ctx.grants.items())],
    }


@api.post("/me/enterprise", permission="account.own", body=schema.SwitchBody, answer=schema.TokenAnswer)
def switch(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Work for another of one's enterprises; the answer carries the session's new token."""
    return {"token": account.switch_enterprise(ctx, body["enterprise_id"]), "pending": False}


@api.post("/me/second-factor", permission="account.own", body=schema.CodeBody, answer=schema.TokenAnswer)
def step_up(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Show the second factor again, for acts that want it fresh."""
    return {"token": account.step_up(ctx, body["code"]), "pending": False}


@api.post("/me/password", permission="account.own", body=schema.NewPasswordBody, answer=schema.TokenAnswer)
def change_password(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Set another password; all other sessions end."""
    return {"token": account.change_password(ctx, body["current"], body["new"]), "pending": False}


@api.put("/me/preferences", permission="account.own", body=schema.PreferencesBody, status=204)
def set_preferences(ctx: Context, body: dict[str, Any]) -> None:
    """Language and look."""
    account.set_preferences(ctx, **body)


@api.get("/me/sessions", permission="account.own", answer=schema.SessionList)
def list_sessions(ctx: Context) -> dict[str, Any]:
    """Where one is signed in now."""
    return {"items": account.open_sessions(ctx)}


@api.delete("/me/sessions/<uuid:session_id>", permission="account.own", status=204)
def revoke_session(ctx: Context, session_id: UUID) -> None:
    """End one of them."""
    account.revoke_session(ctx, session_id)


@api.post(
    "/me/authenticator",
    permission="account.own",
    body=schema.PasswordBody,
    answer=schema.EnrolmentAnswer,
    status=201,
)
def enroll(ctx: Context, body: dict[str, Any]) -> account.Enrolment:
    """Begin to set up an authenticator."""
    return account.enroll_totp(ctx, body["password"])


@api.post(
    "/me/authenticator/confirm", permission="account.own", body=schema.CodeBody, answer=schema.ConfirmedAnswer
)
def confirm(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Finish with its first code; from now on signing in asks for one."""
    token, codes = account.confirm_totp(ctx, body["code"])
    return {"token": token, "recovery_codes": codes}


@api.delete("/me/authenticator", permission="account.own", answer=schema.TokenAnswer)
def drop_authenticator(ctx: Context) -> dict[str, Any]:
    """Remove the authenticator; wants the second factor fresh."""
    return {"token": account.drop_totp(ctx), "pending": False}


@api.get("/roles", permission="member.view", answer=schema.RoleList)
def list_roles(ctx: Context) -> dict[str, Any]:
    """The roles this enterprise can give, and what each may do."""
    declared = members.declared_permissions(ctx)
    return {
        "items": [
            {
                "key": key,
                "title": ROLES[key],
                "permissions": [one.code for one in declared if key in one.roles],
            }
            for key in members.assignable_roles(ctx)
        ]
    }


@api.get("/members", permission="member.view", answer=schema.MemberList)
def list_members(ctx: Context) -> dict[str, Any]:
    """Everybody who works for the enterprise."""
    return {"items": members.members(ctx)}


@api.put(
    "/members/<uuid:member_id>/roles",
    permission="member.manage",
    body=schema.RolesBody,
    answer=schema.MemberAnswer,
)
def set_roles(ctx: Context, member_id: UUID, body: dict[str, Any]) -> members.Member:
    """Give a member exactly these roles; wants the second factor fresh."""
    members.set_roles(ctx, member_id, body["roles"])
    return members.member(ctx, member_id)


@api.put(
    "/members/<uuid:member_id>/limits",
    permission="member.manage",
    body=schema.LimitsBody,
    answer=schema.MemberAnswer,
)
def set_limits(ctx: Context, member_id: UUID, body: dict[str, Any]) -> members.Member:
    """Set or lift amount limits; wants the second factor fresh."""
    members.set_limits(ctx, member_id, {one["permission"]: one["amount"] for one in body["limits"]})
    return members.member(ctx, member_id)


@api.delete("/members/<uuid:member_id>", permission="member.manage", status=204)
def remove_member(ctx: Context, member_id: UUID) -> None:
    """Let a member go: their sessions end and the keys they made stop."""
    members.remove_member(ctx, member_id)


@api.post(
    "/members/<uuid:member_id>/password-reset",
    permission="member.manage",
    answer=schema.NewResetAnswer,
    status=201,
)
def reset_member(ctx: Context, member_id: UUID) -> dict[str, Any]:
    """A link with which a member who works for nobody else sets another password; wants the second factor fresh."""
    return _reset_link(rescue.reset_member(ctx, member_id))


@api.post(
    "/operator/password-resets",
    permission="person.rescue",
    body=schema.LoginBody,
    answer=schema.NewResetAnswer,
    status=201,
)
def reset_person(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """The same for anybody: the operator of the platform only."""
    return _reset_link(rescue.reset_person(ctx, body["login"]))


@api.post(
    "/operator/second-factor-resets", permission="person.rescue", body=schema.LoginBody, status=204
)
def forget_second_factor(ctx: Context, body: dict[str, Any]) -> None:
    """Take a lost authenticator away; every session of the person ends. The operator of the platform only."""
    rescue.forget_second_factor(ctx, body["login"])


@api.post("/password-reset", public=RESET, body=schema.ResetBody, status=204)
def use_reset(visit: Visit, body: dict[str, Any]) -> None:
    """Set the password a link is for; every session of the person ends."""
    _only_where_safe()
    done = rescue.use_reset(visit.session, body["token"], body["password"], remote=visit.remote)
    service.note_reset(visit.platform.unit, visit.session, done, visit.remote, visit.trace_id)


@api.get("/invitations", permission="member.view", answer=schema.InvitationList)
def list_invitations(ctx: Context) -> dict[str, Any]:
    """Who was invited and has not come yet."""
    return {"items": members.invitations(ctx)}


@api.post(
    "/invitations",
    permission="member.manage",
    body=schema.InvitationBody,
    answer=schema.NewInvitationAnswer,
    status=201,
)
def invite(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Invite somebody by a link that holds a week; wants the second factor fresh."""
    made = members.invite_member(ctx, body["email"], body["name"], body["roles"])
    return {"id": made.id, "url": url_for("identity.join", token=made.token, _external=True)}


@api.delete("/invitations/<uuid:invitation_id>", permission="member.manage", status=204)
def withdraw_invitation(ctx: Context, invitation_id: UUID) -> None:
    """The link stops working."""
    members.withdraw_invitation(ctx, invitation_id)


@api.get("/api-keys", permission="key.view", answer=schema.KeyList)
def list_keys(ctx: Context) -> dict[str, Any]:
    """The keys of the enterprise, the living ones first."""
    return {"items": keys.api_keys(ctx)}


@api.post(
    "/api-keys", permission="key.manage", body=schema.NewKeyBody, answer=schema.NewKeyAnswer, status=201
)
def create_key(ctx: Context, body: dict[str, Any]) -> keys.NewApiKey:
    """Make a key for a program; wants the second factor fresh."""
    return keys.create_api_key(
        ctx, body["name"], body["scopes"], expires_at=body.get("expires_at"), cidrs=body.get("cidrs", ())
    )


@api.delete("/api-keys/<uuid:key_id>", permission="key.manage", status=204)
def revoke_key(ctx: Context, key_id: UUID) -> None:
    """The key opens nothing from now on."""
    keys.revoke_api_key(ctx, key_id)


def _reset_link(made: rescue.NewReset) -> dict[str, Any]:
    return {"url": url_for("identity.reset", token=made.token, _external=True), "expires_at": made.expires_at}


def _agent() -> str:
    return request.user_agent.string[:200]


def _only_where_safe() -> None:
    if not web.may_use_http():
        raise Rejected(403, "identity.needs_https")

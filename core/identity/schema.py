"""What comes in and goes out over JSON."""

from marshmallow import validate

from core.web import Schema, fields


class SignInBody(Schema):
    """`code` saves the second call when the person has an authenticator."""

    login = fields.Text(required=True, max=200)
    password = fields.Text(required=True, max=256)
    code = fields.Text(max=20)


class FactorBody(Schema):
    """One of the two codes."""

    token = fields.Text(required=True, max=100)
    code = fields.Text(max=20)
    recovery_code = fields.Text(max=40)


class CodeBody(Schema):
    code = fields.Text(required=True, max=20)


class PasswordBody(Schema):
    password = fields.Text(required=True, max=256)


class NewPasswordBody(Schema):
    current = fields.Text(required=True, max=256)
    new = fields.Text(required=True, max=256)


class ResetBody(Schema):
    """`token` is the last part of the link."""

    token = fields.Text(required=True, max=100)
    password = fields.Text(required=True, max=256)


class LoginBody(Schema):
    """The whole e-mail address or phone number somebody signs in with."""

    login = fields.Text(required=True, max=200)


class PreferencesBody(Schema):
    locale = fields.Text(max=10)
    theme = fields.Text(max=10)
    density = fields.Text(max=12)


class SwitchBody(Schema):
    enterprise_id = fields.UUID(required=True)


class RolesBody(Schema):
    roles = fields.List(fields.Text(max=60), required=True, validate=validate.Length(max=50))


class LimitBody(Schema):
    """`amount` null takes the limit away."""

    permission = fields.Text(required=True, max=100)
    amount = fields.Money(required=True, allow_none=True)


class LimitsBody(Schema):
    limits = fields.List(fields.Nested(LimitBody), required=True, validate=validate.Length(min=1, max=100))


class InvitationBody(Schema):
    email = fields.Text(required=True, max=250)
    name = fields.Text(required=True, max=100)
    roles = fields.List(fields.Text(max=60), required=True, validate=validate.Length(max=50))


class NewKeyBody(Schema):
    """`scopes` are permission codes, `cidrs` networks it may be used from (none: anywhere)."""

    name = fields.Text(required=True, max=100)
    scopes = fields.List(fields.Text(max=100), required=True, validate=validate.Length(max=200))
    cidrs = fields.List(fields.Text(max=50), validate=validate.Length(max=50))
    expires_at = fields.DateTime(allow_none=True)


class TokenAnswer(Schema):
    """`pending` is true while the second factor is owed; the token then opens nothing else."""

    token = fields.Text(required=True)
    pending = fields.Boolean(required=True)


class GrantAnswer(Schema):
    permission = fields.Text(required=True)
    limit = fields.Money(allow_none=True)


class MeAnswer(Schema):
    kind = fields.Text(required=True)
    id = fields.UUID(required=True)
    name = fields.Text(required=True)
    enterprise_id = fields.UUID(required=True)
    locale = fields.Text(required=True)
    second_factor_at = fields.DateTime(allow_none=True)
    grants = fields.List(fields.Nested(GrantAnswer), required=True)


class SessionAnswer(Schema):
    session_id = fields.UUID(required=True)
    enterprise_id = fields.UUID(required=True, attribute="tenant_id")
    created_at = fields.DateTime(required=True)
    last_seen_at = fields.DateTime(required=True)
    ip = fields.Text(required=True)
    agent = fields.Text(required=True)
    current = fields.Boolean(required=True)


class SessionList(Schema):
    items = fields.List(fields.Nested(SessionAnswer), required=True)


class EnrolmentAnswer(Schema):
    secret = fields.Text(required=True)
    uri = fields.Text(required=True)


class ConfirmedAnswer(Schema):
    """Shown this once: the session's new token and the recovery codes."""

    token = fields.Text(required=True)
    recovery_codes = fields.List(fields.Text(), required=True)


class RoleAnswer(Schema):
    key = fields.Text(required=True)
    title = fields.Text(required=True)
    permissions = fields.List(fields.Text(), required=True)


class RoleList(Schema):
    items = fields.List(fields.Nested(RoleAnswer), required=True)


class MemberAnswer(Schema):
    id = fields.UUID(required=True)
    person_id = fields.UUID(required=True)
    name = fields.Text(required=True)
    email = fields.Text(allow_none=True)
    phone = fields.Text(allow_none=True)
    roles = fields.List(fields.Text(), required=True)
    limits = fields.Dict(keys=fields.Text(), values=fields.Money(), required=True)
    joined_at = fields.DateTime(required=True)
    last_seen_at = fields.DateTime(allow_none=True)
    has_second_factor = fields.Boolean(required=True)


class MemberList(Schema):
    items = fields.List(fields.Nested(MemberAnswer), required=True)


class InvitationAnswer(Schema):
    id = fields.UUID(required=True)
    email = fields.Text(required=True)
    name = fields.Text(required=True)
    roles = fields.List(fields.Text(), required=True)
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)


class InvitationList(Schema):
    items = fields.List(fields.Nested(InvitationAnswer), required=True)


class NewInvitationAnswer(Schema):
    """`url` is what the invited person opens; it is shown this once."""

    id = fields.UUID(required=True)
    url = fields.Text(required=True)


class NewResetAnswer(Schema):
    """`url` is where the person sets another password; it is shown this once."""

    url = fields.Text(required=True)
    expires_at = fields.DateTime(required=True)


class KeyAnswer(Schema):
    id = fields.UUID(required=True)
    prefix = fields.Text(required=True)
    name = fields.Text(required=True)
    scopes = fields.List(fields.Text(), required=True)
    cidrs = fields.List(fields.Text(), required=True)
    maker = fields.Text(required=True)
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(allow_none=True)
    last_used_at = fields.DateTime(allow_none=True)
    state = fields.Text(required=True)


class KeyList(Schema):
    items = fields.List(fields.Nested(KeyAnswer), required=True)


class NewKeyAnswer(Schema):
    """`token` is the whole key; it is shown this once."""

    id = fields.UUID(required=True)
    prefix = fields.Text(required=True)
    token = fields.Text(required=True)

"""Who may come in: persons, their sessions and second factors, their memberships and the enterprises' API keys.

All of it stands in schema `auth`, because a login happens before there is a tenant to hide rows from. The application
holds no right on these tables; it reaches them only through the functions of `ddl.sql`, which check the tenant themselves.
"""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, CIDR
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Amount, Model, uuid_pk

MOMENT = text("ts.clock()")
NONE = text("'{}'")


class LoginRow:
    """Mixed into every table of this room: outside the tenants, reached through definer functions only."""

    __access__: ClassVar[str] = "exempt"
    __exempt__: ClassVar[str | None] = "login precedes the tenant"


class Person(LoginRow, Model):
    """A human being, once, whichever enterprises they work for. `email` and `phone` are kept normalised."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("email"),
        UniqueConstraint("phone"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name="reachable"),
        CheckConstraint("status IN ('active', 'locked')", name="status_known"),
        CheckConstraint("locale IN ('zh-CN', 'en')", name="locale_known"),
        CheckConstraint("theme IN ('auto', 'light', 'dark')", name="theme_known"),
        CheckConstraint("density IN ('comfortable', 'compact')", name="density_known"),
        {"schema": "auth"},
    )

    id: Mapped[uuid_pk]
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    password_hash: Mapped[str]  # argon2id, parameters inside
    password_set_at: Mapped[datetime] = mapped_column(server_default=MOMENT)
    locale: Mapped[str] = mapped_column(server_default="zh-CN")
    theme: Mapped[str] = mapped_column(server_default="auto")
    density: Mapped[str] = mapped_column(server_default="comfortable")
    status: Mapped[str] = mapped_column(server_default="active")
    last_tenant_id: Mapped[UUID | None]  # where they worked last; the next sign-in starts there
    created_at: Mapped[datetime] = mapped_column(server_default=MOMENT)


class LoginSession(LoginRow, Model):
    """One browser or client signed in. `pending` ones have passed the password and still owe the second factor."""

    __tablename__ = "session"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("state IN ('pending', 'full')", name="state_known"),
        {"schema": "auth"},
    )

    id: Mapped[uuid_pk]
    token_hash: Mapped[bytes] = mapped_column(
        LargeBinary
    )  # sha256 of the 256-bit token; the token itself is nowhere
    person_id: Mapped[UUID] = mapped_column(ForeignKey("auth.person.id"), index=True)
    tenant_id: Mapped[UUID]
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=MOMENT)
    last_seen_at: Mapped[datetime] = mapped_column(server_default=MOMENT)
    second_factor_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str]
    agent: Mapped[str]


class Mfa(LoginRow, Model):
    """A person's authenticator. `last_step` is the newest 30-second step ever accepted: none is taken twice."""

    __tablename__ = "mfa"
    __table_args__ = ({"schema": "auth"},)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("auth.person.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)  # AES-256-GCM, bound to the person
    last_step: Mapped[int] = mapped_column(server_default="0")
    confirmed_at: Mapped[datetime | None]  # None while enrolling: not asked for yet


class RecoveryCode(LoginRow, Model):
    """A way in when the authenticator is lost; each works once."""

    __tablename__ = "recovery_code"
    __table_args__ = ({"schema": "auth"},)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("auth.person.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None]


class Membership(LoginRow, Model):
    """A person works for an enterprise, in roles. A removed one stays as a fact and opens nothing."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id"),
        CheckConstraint("status IN ('active', 'removed')", name="status_known"),
        Index("ix_membership_person", "person_id"),
        {"schema": "auth"},
    )

    id: Mapped[uuid_pk]
    tenant_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("auth.person.id"))
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=NONE)
    status: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[datetime] = mapped_column(server_default=MOMENT)


class MembershipLimit(LoginRow, Model):
    """Up to which amount a member may use a permission, in the enterprise's currency. No row: no limit."""

    __tablename__ = "membership_limit"
    __table_args__ = (CheckConstraint("amount >= 0", name="not_negative"), {"schema": "auth"})

    membership_id: Mapped[UUID] = mapped_column(ForeignKey("auth.membership.id"), primary_key=True)
    permission: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Amount())


class Invitation(LoginRow, Model):
    """A link that makes its holder a member, once, within a week. Only its hash is kept."""

    __tablename__ = "invitation"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_invitation_tenant", "tenant_id", "email"),
        {"schema": "auth"},
    )

    id: Mapped[uuid_pk]
    tenant_id: Mapped[UUID]
    email: Mapped[str]
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    invited_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=MOMENT)
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # accepted or withdrawn


class PasswordReset(LoginRow, Model):
    """A link with which a person who forgot the password sets another one, once, within a day. Only its hash is kept."""

    __tablename__ = "password_reset"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_password_reset_person", "person_id", "created_at"),
        {"schema": "auth"},
    )

    id: Mapped[uuid_pk]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("auth.person.id"))
    tenant_id: Mapped[UUID]  # whose administrator or operator made it; its use stands in the trail there
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    made_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=MOMENT)
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # used, replaced by a newer one, or the password was changed otherwise


class ApiKey(LoginRow, Model):
    """A key of an enterprise's own program. It may do what its scopes say and what its maker may do now, whichever is less."""

    __tablename__ = "api_key"
    __table_args__ = (
        UniqueConstraint("key_hash"),
        UniqueConstraint("prefix"),
        Index("ix_api_key_tenant", "tenant_id", "created_at"),
        {"schema": "auth"},
    )

    id: Mapped[uuid_pk]
    tenant_id: Mapped[UUID]
    prefix: Mapped[str]  # the readable start, so that people can tell their keys apart
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))  # permission codes
    cidrs: Mapped[list[str]] = mapped_column(ARRAY(CIDR), server_default=NONE)  # empty: from anywhere
    created_by: Mapped[UUID] = mapped_column(ForeignKey("auth.person.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=MOMENT)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class KnownPermission(LoginRow, Model):
    """Every permission the installed rooms and plugins declare; synced when the schema is migrated."""

    __tablename__ = "permission"
    __table_args__ = ({"schema": "auth"},)

    code: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    limited: Mapped[bool]  # may carry an amount limit per member


class RolePermission(LoginRow, Model):
    """What a built-in role may do."""

    __tablename__ = "role_permission"
    __table_args__ = ({"schema": "auth"},)

    role: Mapped[str] = mapped_column(primary_key=True)
    permission: Mapped[str] = mapped_column(
        ForeignKey("auth.permission.code", ondelete="CASCADE"), primary_key=True
    )


class Operator(LoginRow, Model):
    """The one enterprise that runs the platform; only its members can hold operator roles. Named once, never again."""

    __tablename__ = "operator"
    __table_args__ = (CheckConstraint("only_one", name="one_row"), {"schema": "auth"})

    only_one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    tenant_id: Mapped[UUID]


class LoginAttempt(LoginRow, Model):
    """A try of a password or code: what throttling counts and what an investigator reads. Never holds what was typed."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        CheckConstraint("outcome IN ('tried', 'ok', 'locked')", name="outcome_known"),
        Index("ix_login_attempt_account", "account", "at"),
        Index("ix_login_attempt_ip", "ip", "at"),
        {"schema": "auth"},
    )

    id: Mapped[uuid_pk]
    account: Mapped[bytes] = mapped_column(LargeBinary)  # sha256 of what is being opened
    ip: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=MOMENT)
    outcome: Mapped[str]

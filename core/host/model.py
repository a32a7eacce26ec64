"""What the installation knows of its plugins: which are installed from which package, what was changed, how they do.

The installation's own rows belong to no tenant: the application reaches them only through the functions of `ddl.sql`,
which let the operator's tenant alone write; the installer works on them as the migrator. What an enterprise chose for
itself (enabled, settings) stands in `core.tenancy` and in `plugin_settings`.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Model, TenantOwned, uuid_pk

VERBS = ("install", "upgrade", "rollback", "archive", "restore", "export", "purge")
CHANGE_STATES = ("asked", "queued", "running", "done", "rolled_back", "failed", "refused")


class Platform:
    """Mixed into the rows of the whole installation."""

    __access__: ClassVar[str] = "exempt"
    __exempt__: ClassVar[str | None] = "no tenant's rows: what the installation knows of its plugins"


class PluginEpoch(Platform, Model):
    """One row. It is counted up by every change of the plugin set; a process that runs an older one replaces itself."""

    __tablename__ = "plugin_epoch"
    __table_args__ = (CheckConstraint("only_one", name="one_row"),)

    only_one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    epoch: Mapped[int] = mapped_column(server_default="1")


class PluginPackage(Platform, Model):
    """A wheel as it was handed in, by its hash: a plugin's own, or a library that one needs. Its bytes never change."""

    __tablename__ = "plugin_package"
    __grants__: ClassVar[str] = "SELECT, INSERT, DELETE"
    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("kind IN ('plugin', 'library')", name="kind"),
        CheckConstraint("size > 0 AND size <= 52428800", name="size"),
        Index("ix_plugin_package_plugin", "plugin", "version"),
    )

    sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    plugin: Mapped[str | None]  # the plugin's name; None for a library
    distribution: Mapped[str]  # canonical name of the distribution
    version: Mapped[str]
    filename: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    requires: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # Requires-Dist
    signer: Mapped[str | None]  # key id of the publisher whose signature was verified
    source: Mapped[str]  # "upload", or the address of the index it came from
    added_by: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class PluginPublisher(Platform, Model):
    """A publisher whose Ed25519 key the operator trusts."""

    __tablename__ = "plugin_publisher"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    tier: Mapped[str] = mapped_column(server_default="verified")  # official, verified, community
    open_to_enterprises: Mapped[bool] = mapped_column(server_default=text("false"))
    trusted_by: Mapped[str]
    trusted_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))
    revoked_at: Mapped[datetime | None]


class PluginSource(Platform, Model):
    """A folder or index address the operator allows plugins to come from."""

    __tablename__ = "plugin_source"
    __grants__: ClassVar[str] = "SELECT, INSERT, DELETE"
    __table_args__ = (CheckConstraint("kind IN ('folder', 'index')", name="kind"),)

    address: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class Plugin(Platform, Model):
    """An installed plugin. Without `packages` it comes from the Python environment, such as the ones we ship.

    `stopped_*` is quarantine (by the platform) or the kill switch (by the operator): its hooks are passed over everywhere
    until `stopped_until`, or until somebody lifts it where that is None.
    """

    __tablename__ = "plugin"
    __grants__: ClassVar[str] = "SELECT, UPDATE"
    __table_args__ = (
        CheckConstraint("state IN ('installed', 'archived')", name="state"),
        CheckConstraint("stopped_by IN ('platform', 'operator')", name="stopped_by"),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default="installed")
    version: Mapped[str]
    packages: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'")
    )  # its wheel's sha256 first
    previous_version: Mapped[str | None]  # what a roll-back goes back to
    previous_packages: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    revision: Mapped[str | None]  # head of its migrations; never goes back, because migrations only expand
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    archive: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB
    )  # what was archived: tables, counts, checksums, grants
    installed_by: Mapped[str]
    installed_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))
    stopped_by: Mapped[str | None]
    stopped_reason: Mapped[str | None]
    stopped_at: Mapped[datetime | None]
    stopped_until: Mapped[datetime | None]


class PluginChange(Platform, Model):
    """One act on the plugin set: asked for, planned, consented to, done by the installer step by step."""

    __tablename__ = "plugin_change"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        CheckConstraint(f"verb IN ({', '.join(map(repr, VERBS))})", name="verb"),
        CheckConstraint(f"state IN ({', '.join(map(repr, CHANGE_STATES))})", name="state"),
        Index("ix_plugin_change_open", "asked_at", postgresql_where=text("state IN ('queued', 'running')")),
    )

    id: Mapped[uuid_pk]
    plugin: Mapped[str]
    verb: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="queued")
    version: Mapped[str | None]  # what it shall come to
    packages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    plan: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    asked_by: Mapped[str]
    tenant_id: Mapped[UUID | None]  # of which enterprise; None: from the command line
    asked_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=text("'[]'")
    )  # {key, state, note, at}
    reason: Mapped[str | None]  # why it failed, was rolled back or refused


class PluginExport(Platform, Model):
    """A plugin's rows as a zip of CSV files, in pieces, made before a purge. It stays until the operator removes it."""

    __tablename__ = "plugin_export"

    change_id: Mapped[UUID] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    plugin: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class PluginProcess(Platform, Model):
    """A web or worker process as it last reported: which plugins it runs, which it could not bring in."""

    __tablename__ = "plugin_process"

    id: Mapped[str] = mapped_column(primary_key=True)  # host:pid:start
    kind: Mapped[str]  # web, worker
    epoch: Mapped[int]
    loaded: Mapped[dict[str, Any]] = mapped_column(JSONB)  # name -> version
    broken: Mapped[dict[str, Any]] = mapped_column(JSONB)  # name -> reason
    memory: Mapped[int] = mapped_column(BigInteger)  # bytes resident
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class PluginMinute(Platform, Model):
    """Calls of one plugin's hook in one minute, in all processes. `slower` counts them by power of two of a millisecond."""

    __tablename__ = "plugin_minute"

    plugin: Mapped[str] = mapped_column(primary_key=True)
    hook: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    calls: Mapped[int]
    errors: Mapped[int]
    micros: Mapped[int] = mapped_column(BigInteger)
    slower: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class PluginFault(Platform, Model):
    """Something a plugin did wrong, with enough to find it again."""

    __tablename__ = "plugin_fault"
    __table_args__ = (Index("ix_plugin_fault_plugin", "plugin", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    plugin: Mapped[str]
    hook: Mapped[str]
    kind: Mapped[str]  # error, late, memory, startup, import
    reason: Mapped[str]
    process: Mapped[str]
    tenant_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class PluginDefault(Platform, Model):
    """Settings the operator gives every enterprise that does not choose its own; secrets in them are encrypted.

    The newest `no` is in force.
    """

    __tablename__ = "plugin_default"
    __grants__: ClassVar[str] = "SELECT, INSERT"

    plugin: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    plugin_version: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    set_by: Mapped[str]
    set_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class PluginSettings(Append, TenantOwned, Model):
    """Every version of what an enterprise chose for a plugin; secrets in it are encrypted. The newest is in force."""

    __tablename__ = "plugin_settings"
    __table_args__ = (
        Index("uq_plugin_settings_no", "tenant_id", "plugin", "no", unique=True),
        CheckConstraint("no > 0", name="no_positive"),
    )

    id: Mapped[uuid_pk]
    plugin: Mapped[str]
    no: Mapped[int]
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    plugin_version: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    set_by: Mapped[str]
    set_at: Mapped[datetime]

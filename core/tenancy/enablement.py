"""Which plugins an enterprise uses, answered from memory for at most a second.

Placing an order asks this for both sides, many times; the database is asked once a second per enterprise. A transaction
that has switched a plugin itself asks the database, so it sees what it did, and what it did stays unseen by others when
it rolls back. Settings come along with the answer, the platform's defaults too, so reading them costs no statement.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from marshmallow import Schema, ValidationError
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import SessionTransaction

from core.db import TenantSession
from core.kernel import Conflict, Context, FieldError, Invalid, NotFound
from core.tenancy.effective import NOTHING, Effective, merged
from core.tenancy.model import PluginEnablement

FRESH = 1.0  # seconds
_MOST = 5000  # enterprises remembered per engine


@dataclass(frozen=True)
class PluginState:
    """A plugin of an enterprise. `settings` is what it chose itself, its secrets sealed, and `defaults` what the platform
    gives it; both are None when they are another enterprise's and not ours to read.
    """

    plugin: str
    state: str
    settings: Mapping[str, Any] | None
    version: str
    defaults: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Known:
    plugins: Mapping[str, PluginState]
    running: frozenset[str]
    at: float
    own: bool
    ready: dict[tuple[str, Any], Effective] = field(default_factory=dict)


@dataclass
class _Memory:
    by_tenant: dict[UUID, _Known] = field(default_factory=dict)


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()


def enabled_plugins(ctx: Context, tenant_id: UUID) -> frozenset[str]:
    """The plugins that act for this enterprise: enabled ones, and draining ones that still finish their open work."""
    return _known(ctx, tenant_id).running


def plugin_states(ctx: Context, tenant_id: UUID) -> Mapping[str, PluginState]:
    """Every plugin the enterprise ever switched on, by name."""
    return _known(ctx, tenant_id, own=tenant_id == ctx.tenant_id).plugins


def plugin_settings(ctx: Context, tenant_id: UUID, plugin: str) -> Mapping[str, Any]:
    """What the acting enterprise's plugin reads, secrets opened (empty when it was never switched on).

    The schema is that of the code this process runs. Another enterprise's settings are NotFound.
    """
    return settings_reader(ctx, tenant_id)(plugin)


def settings_reader(ctx: Context, tenant_id: UUID) -> Callable[[str], Mapping[str, Any]]:
    """As `plugin_settings`, for any of its plugins, as they stand now; what is read later costs no statement."""
    if tenant_id != ctx.tenant_id:
        raise NotFound("plugin.not_found")
    known = _known(ctx, tenant_id, own=True)
    get_plugin = ctx.ports.dispatch.manager.get_plugin

    def read(plugin: str) -> Mapping[str, Any]:
        found = known.plugins.get(plugin)
        if found is None or found.settings is None:
            return NOTHING
        key = (plugin, getattr(get_plugin(plugin), "Settings", None))
        if key not in known.ready:
            known.ready[key] = merged(key[1], plugin, tenant_id, found.defaults or NOTHING, found.settings)
        return known.ready[key].opened()

    return read


def enable_plugin(
    ctx: Context,
    plugin: str,
    *,
    version: str,
    settings: Mapping[str, Any] | None = None,
    schema: Schema | None = None,
    secret_fields: frozenset[str] = frozenset(),
) -> PluginState:
    """Switch a plugin on, or change its settings; `schema` is the plugin's own and fills in its defaults.

    Given settings replace the old ones; None keeps them. Fields in `secret_fields` never reach the audit trail.
    Raises Invalid with the paths `settings.<field>`.
    """
    ctx.require("plugin.manage")
    row = _lock(ctx, plugin)
    wanted = dict(settings if settings is not None else row.settings if row is not None else {})
    checked = _checked(wanted, schema)
    before = row.state if row is not None else None
    if row is None:
        row = PluginEnablement(tenant_id=ctx.tenant_id, plugin=plugin)
        ctx.session.add(row)
        changed = sorted(checked)
    else:
        changed = sorted(name for name in checked if checked[name] != row.settings.get(name))
    row.state, row.settings, row.plugin_version, row.changed_at = "enabled", checked, version, ctx.now
    _wrote(ctx)
    shown = [name for name in changed if name not in secret_fields]
    ctx.record("plugin.enable", f"plugin:{plugin}", before=before, version=version, changed=shown)
    return PluginState(plugin, row.state, MappingProxyType(checked), version)


def keep_plugin_settings(
    ctx: Context, plugin: str, *, version: str, settings: Mapping[str, Any], on: bool = False
) -> str | None:
    """Put settings in force that were checked and whose secrets are sealed; with `on` switch the plugin on.

    Answers its state before, None when there was none; one that never was on stays off. Whoever calls this records it.
    """
    ctx.require("plugin.manage")
    row = _lock(ctx, plugin)
    before = row.state if row is not None else None
    if row is None:
        row = PluginEnablement(tenant_id=ctx.tenant_id, plugin=plugin, state="disabled")
        ctx.session.add(row)
    row.settings, row.plugin_version, row.changed_at = dict(settings), version, ctx.now
    if on:
        row.state = "enabled"
    _wrote(ctx)
    return before


def disable_plugin(ctx: Context, plugin: str, *, drain: bool = False) -> None:
    """Switch a plugin off; with `drain` it takes no new work and finishes what is open. Its settings and data stay."""
    ctx.require("plugin.manage")
    row = _lock(ctx, plugin)
    if row is None:
        raise NotFound("plugin.not_found")
    target = "draining" if drain else "disabled"
    if row.state == "disabled" or (drain and row.state != "enabled"):
        raise Conflict("plugin.not_enabled", plugin=plugin)
    before, row.state, row.changed_at = row.state, target, ctx.now
    _wrote(ctx)
    ctx.record("plugin.drain" if drain else "plugin.disable", f"plugin:{plugin}", before=before)


def plugins_changed(ctx: Context) -> None:
    """This transaction changes what plugins read; it sees it from now on, and others of this process once it commits."""
    ctx.session.info["plugins_changed"] = True


def forget(session: TenantSession) -> None:
    """Drop what is remembered for the database behind a session."""
    _memories.pop(session.get_bind().engine, None)


def _lock(ctx: Context, plugin: str) -> PluginEnablement | None:
    found: PluginEnablement | None = ctx.session.get(
        PluginEnablement, (ctx.tenant_id, plugin), with_for_update=True, populate_existing=True
    )
    return found


def _checked(settings: dict[str, Any], schema: Schema | None) -> dict[str, Any]:
    if schema is None:
        return settings
    try:
        dumped: dict[str, Any] = schema.dump(schema.load(settings))
        return dumped
    except ValidationError as wrong:
        raise Invalid(_paths(wrong.normalized_messages(), "settings")) from None


def _paths(messages: Any, path: str) -> list[FieldError]:
    if isinstance(messages, dict):
        return [
            error
            for name, found in messages.items()
            for error in _paths(found, path if name == "_schema" else f"{path}.{name}")
        ]
    return [FieldError(path, str(message), {}) for message in messages]


def _known(ctx: Context, tenant_id: UUID, *, own: bool = False) -> _Known:
    if ctx.session.info.get("plugins_changed"):
        return _load(ctx, tenant_id)
    memory = _memories.setdefault(ctx.session.get_bind().engine, _Memory())
    known = memory.by_tenant.get(tenant_id)
    if known is None or time.monotonic() - known.at > FRESH or (own and not known.own):
        known = _load(ctx, tenant_id)
        if len(memory.by_tenant) >= _MOST:
            memory.by_tenant.clear()
        memory.by_tenant[tenant_id] = known
    return known


def _load(ctx: Context, tenant_id: UUID) -> _Known:
    at = time.monotonic()
    if ctx.session.info.get("plugins_changed"):
        ctx.session.flush()
    rows = ctx.session.execute(text("SELECT * FROM ts.plugins_of(:tenant)"), {"tenant": tenant_id}).all()
    own = tenant_id == ctx.tenant_id
    found = {
        row.plugin: PluginState(
            row.plugin,
            row.state,
            MappingProxyType(row.settings) if row.settings is not None else None,
            row.plugin_version,
            MappingProxyType(row.defaults) if row.defaults is not None else None,
        )
        for row in rows
    }
    running = frozenset(name for name, plugin in found.items() if plugin.state in ("enabled", "draining"))
    return _Known(MappingProxyType(found), running, at, own)


def _wrote(ctx: Context) -> None:
    ctx.session.flush()
    plugins_changed(ctx)


@event.listens_for(TenantSession, "after_transaction_end")
def _ended(session: TenantSession, transaction: SessionTransaction) -> None:
    if transaction.parent is None and session.info.pop("plugins_changed", False):
        forget(session)

"""An enterprise's own choice of plugins: what there is, switching on with settings, draining, switching off again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import func, select

from core import tenancy
from core.host.loading import Host, Loaded
from core.host.settings import saving
from core.host.settings.history import Holder
from core.host.settings.overview import public
from core.kernel import Conflict, Context, FieldError, NotFound
from core.orders import ORDER, TradeOrder


@dataclass(frozen=True)
class PluginView:
    """A plugin as an enterprise sees it. `state` is available, enabled, draining, disabled or broken (then `reason` says why).

    `settings` are those in force, without secrets; empty where it was never switched on.
    """

    name: str
    title: Mapping[str, str]
    summary: Mapping[str, str]
    category: str
    version: str
    state: str
    reason: str
    settings: Mapping[str, Any]


def host() -> Host:
    """The plugins of this process."""
    found: Host = current_app.extensions["ts.host"]
    return found


def plugins(ctx: Context) -> list[PluginView]:
    """Everything installed, by name, with this enterprise's own state. Broken ones too, with the reason."""
    ctx.require("plugin.view")
    known = tenancy.plugin_states(ctx, ctx.tenant_id)
    found = [_view(plugin, known.get(name)) for name, plugin in host().loaded.items()]
    found += [
        PluginView(name, {"zh": name, "en": name}, {}, "", "", "broken", reason, {})
        for name, reason in host().broken.items()
    ]
    return sorted(found, key=lambda each: each.name)


def plugin(ctx: Context, name: str) -> tuple[PluginView, Loaded]:
    """One plugin that runs in this process; NotFound for any other."""
    ctx.require("plugin.view")
    loaded = host().loaded.get(name)
    if loaded is None:
        raise NotFound("plugin.not_found", plugin=name)
    return _view(loaded, tenancy.plugin_states(ctx, ctx.tenant_id).get(name)), loaded


def switch_on(
    ctx: Context,
    name: str,
    settings: Mapping[str, Any] | None = None,
    *,
    seen: int | None = None,
    note: str = "",
    wrong: Sequence[FieldError] = (),
) -> PluginView:
    """Enable a plugin for the enterprise, with these choices or those it has; the plugin's own schema checks them.

    Given choices replace the earlier ones, as `settings.saving.save` says; `seen` is the version they were made on.
    """
    _, loaded = plugin(ctx, name)
    saving.save(ctx, loaded, Holder(name, ctx.tenant_id), settings, seen=seen, note=note, on=True, wrong=wrong)
    _tell(ctx, name, "tenant_enabled")
    return plugin(ctx, name)[0]


def switch_off(ctx: Context, name: str, *, drain: bool = False) -> PluginView:
    """Disable a plugin, refused while orders of its modes are open (V-P1); `drain` lets those finish and takes no new ones."""
    plugin(ctx, name)
    ctx.require("plugin.manage")
    if not drain:
        if open_order := _open_order(ctx, name):
            raise Conflict("plugin.has_open_orders", plugin=name, order=open_order)
        _tell(ctx, name, "tenant_disabled")
    tenancy.disable_plugin(ctx, name, drain=drain)
    return plugin(ctx, name)[0]


def open_orders(ctx: Context, name: str) -> int:
    """How many orders of the plugin's trade modes this enterprise has open, on either side; drafts bind nobody."""
    ctx.require("plugin.view")
    return sum(
        ctx.session.scalar(select(func.count()).select_from(TradeOrder).where(*_open(ctx, name, side))) or 0
        for side in (TradeOrder.buyer_id, TradeOrder.seller_id)
    )


def _view(loaded: Loaded, state: Any) -> PluginView:
    manifest = loaded.manifest
    return PluginView(
        manifest.name, manifest.title, manifest.summary, manifest.category, manifest.version,
        state.state if state else "available", "",
        public(loaded, state.settings or {}, state.defaults or {}) if state else {},
    )  # fmt: skip


def _open_order(ctx: Context, name: str) -> str | None:
    """The number of an open order that was born in one of the plugin's modes, None when there is none."""
    for side in (TradeOrder.buyer_id, TradeOrder.seller_id):
        row = ctx.session.execute(
            select(TradeOrder.number, TradeOrder.id).where(*_open(ctx, name, side)).limit(1)
        ).first()
        if row:
            return row.number or str(row.id)  # one that awaits approval may have none yet
    return None


def _open(ctx: Context, name: str, side: Any) -> tuple[Any, ...]:
    modes = [key for key, mode in ctx.ports.dispatch.modes.items() if mode.plugin == name]
    ended = [*ORDER.ends, "completed", "draft"]  # a draft binds nobody, and is its buyer's alone
    return side == ctx.tenant_id, TradeOrder.mode.in_(modes), TradeOrder.state.not_in(ended)


def _tell(ctx: Context, name: str, hook: str) -> None:
    """The plugin's own part in being switched; a failure refuses the switch and names the plugin."""
    ctx.ports.dispatch.tell(name, hook, ctx)

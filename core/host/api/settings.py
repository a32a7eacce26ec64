"""Settings of plugins over JSON: an enterprise's own, and the platform's defaults; read, chosen, compared, undone."""

from typing import Any

from core.host import service
from core.host.api.frame import api
from core.host.settings import history, saving, schema
from core.host.settings.differing import differences
from core.host.settings.history import Holder
from core.host.settings.overview import Overview, Standing, overview
from core.host.settings.reading import settings
from core.host.settings.wording import said
from core.kernel import Context
from core.tenancy import sealing
from core.web import Answer

OWN, DEFAULTS = "/plugins/<name>/settings", "/plugins/<name>/settings/defaults"


@api.get(OWN, permission="plugin.view", answer=schema.SettingsAnswer)
def read_plugin_settings(ctx: Context, name: str) -> Answer:
    """The enterprise's settings of a plugin, field by field; the ETag is what a change must name."""
    return _shown(ctx, Holder(name, ctx.tenant_id))


@api.put(
    OWN,
    permission="plugin.manage",
    body=schema.SettingsIn,
    answer=schema.SettingsAnswer,
    if_match=True,
)
def choose_plugin_settings(ctx: Context, name: str, body: dict[str, Any], version: int) -> Answer:
    """Choose settings as a new version; the plugin stays on or off as it is. `If-Match: "0"` when none were chosen yet."""
    return _choose(ctx, Holder(name, ctx.tenant_id), body, version)


@api.get(OWN + "/versions", permission="plugin.view", answer=schema.VersionList)
def list_plugin_settings(ctx: Context, name: str) -> dict[str, Any]:
    """Who chose settings and when, newest first."""
    return _versions(ctx, Holder(name, ctx.tenant_id))


@api.get(OWN + "/diff", permission="plugin.view", query=schema.DiffQuery, answer=schema.DiffAnswer)
def compare_plugin_settings(ctx: Context, name: str, query: dict[str, Any]) -> dict[str, Any]:
    """What differs between two versions; of a secret only that it does."""
    return _compared(ctx, Holder(name, ctx.tenant_id), query)


@api.post(
    OWN + "/undo",
    permission="plugin.manage",
    body=schema.UndoIn,
    answer=schema.SettingsAnswer,
    if_match=True,
)
def undo_plugin_settings(ctx: Context, name: str, body: dict[str, Any], version: int) -> Answer:
    """Choose again what an older version chose, as a new version. 422 says what no longer fits."""
    return _undone(ctx, Holder(name, ctx.tenant_id), body, version)


@api.get(DEFAULTS, permission="plugin.install", answer=schema.SettingsAnswer)
def read_plugin_defaults(ctx: Context, name: str) -> Answer:
    """What the platform gives every enterprise that does not choose for itself."""
    return _shown(ctx, Holder(name, None))


@api.put(
    DEFAULTS,
    permission="plugin.install",
    body=schema.SettingsIn,
    answer=schema.SettingsAnswer,
    if_match=True,
)
def choose_plugin_defaults(ctx: Context, name: str, body: dict[str, Any], version: int) -> Answer:
    """Set the platform's defaults as a new version; they reach every process within two seconds."""
    return _choose(ctx, Holder(name, None), body, version)


@api.get(DEFAULTS + "/versions", permission="plugin.install", answer=schema.VersionList)
def list_plugin_defaults(ctx: Context, name: str) -> dict[str, Any]:
    """Who set defaults and when, newest first."""
    return _versions(ctx, Holder(name, None))


@api.get(DEFAULTS + "/diff", permission="plugin.install", query=schema.DiffQuery, answer=schema.DiffAnswer)
def compare_plugin_defaults(ctx: Context, name: str, query: dict[str, Any]) -> dict[str, Any]:
    """What differs between two versions of the defaults."""
    return _compared(ctx, Holder(name, None), query)


@api.post(
    DEFAULTS + "/undo",
    permission="plugin.install",
    body=schema.UndoIn,
    answer=schema.SettingsAnswer,
    if_match=True,
)
def undo_plugin_defaults(ctx: Context, name: str, body: dict[str, Any], version: int) -> Answer:
    """Set again what an older version of the defaults set, as a new version."""
    return _undone(ctx, Holder(name, None), body, version)


def _shown(ctx: Context, holder: Holder) -> Answer:
    _, loaded = service.plugin(ctx, holder.plugin)
    found = overview(ctx, loaded, holder)
    return Answer(_told(found), etag=found.version.no)


def _choose(ctx: Context, holder: Holder, body: dict[str, Any], version: int) -> Answer:
    _, loaded = service.plugin(ctx, holder.plugin)
    saving.save(ctx, loaded, holder, body["settings"], seen=version, note=body["note"])
    return _shown(ctx, holder)


def _versions(ctx: Context, holder: Holder) -> dict[str, Any]:
    service.plugin(ctx, holder.plugin)
    return {"items": history.versions(ctx, holder)}


def _compared(ctx: Context, holder: Holder, query: dict[str, Any]) -> dict[str, Any]:
    _, loaded = service.plugin(ctx, holder.plugin)
    older, newer = (history.version(ctx, holder, query[side]).values for side in ("older", "newer"))
    return {"items": differences(older, newer, settings(loaded.settings_schema))}


def _undone(ctx: Context, holder: Holder, body: dict[str, Any], version: int) -> Answer:
    _, loaded = service.plugin(ctx, holder.plugin)
    saving.undo(ctx, loaded, holder, body["no"], seen=version, note=body["note"])
    return _shown(ctx, holder)


def _told(found: Overview) -> dict[str, Any]:
    return {
        "plugin": found.holder.plugin,
        "version": found.version.no,
        "platform_version": found.platform.no,
        "chosen": {
            each.setting.name: each.value
            for each in found.standings
            if each.chosen and not each.setting.secret
        },
        "settings": [_setting(each) for each in found.standings],
    }


def _setting(standing: Standing) -> dict[str, Any]:
    setting = standing.setting
    return {
        "name": setting.name,
        "kind": setting.kind,
        "title": said(setting.title),
        "hint": said(setting.hint),
        "group": said(setting.group),
        "unit": said(setting.unit),
        "required": setting.required,
        "nullable": setting.nullable,
        "choices": [{"value": value, "title": said(words)} for value, words in setting.choices],
        "value": None if sealing.is_sealed(standing.value) else standing.value,
        "source": standing.source,
        "below": standing.below,
        "below_source": standing.below_source,
    }

"""Settings as they stand, field by field: the value in force, where it comes from, and what would be without the choice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.host.loading import Loaded
from core.host.settings import history
from core.host.settings.history import Holder, Version
from core.host.settings.reading import Setting, settings
from core.kernel import Context
from core.tenancy import effective, sealing


@dataclass(frozen=True)
class Standing:
    """One setting. `source` is own, platform, plugin, or empty where nobody gives a value; secrets show no value.

    `below` and `below_source` are what holds when the holder does not choose.
    """

    setting: Setting
    value: Any
    source: str
    below: Any
    below_source: str

    @property
    def chosen(self) -> bool:
        return self.source == "own"


@dataclass(frozen=True)
class Overview:
    """All of a plugin's settings of one holder: `version` in force, `platform` the platform's that lies below."""

    holder: Holder
    version: Version
    platform: Version
    standings: tuple[Standing, ...]


def overview(ctx: Context, loaded: Loaded, holder: Holder) -> Overview:
    """What stands now."""
    version = history.latest(ctx, holder)
    platform = (
        history.latest(ctx, Holder(holder.plugin, None))
        if holder.tenant
        else history.Version(0, {}, "", "", "", None)
    )
    return at(loaded, holder, version, platform)


def at(loaded: Loaded, holder: Holder, version: Version, platform: Version) -> Overview:
    """What stood, or would stand, with these versions."""
    author = effective.schema_defaults(loaded.settings_schema)
    layers = (("own", version.values), ("platform", platform.values), ("plugin", author))
    standings = []
    for setting in settings(loaded.settings_schema).values():
        source, value = _first(setting, layers)
        below_source, below = _first(setting, layers[1:])
        if setting.secret or sealing.is_sealed(value):
            value = below = None
        standings.append(Standing(setting, value, source, below, below_source))
    return Overview(holder, version, platform, tuple(standings))


def public(loaded: Loaded, own: Mapping[str, Any], platform: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in force without the secrets."""
    known = settings(loaded.settings_schema)
    values = effective.merged(loaded.settings_schema, loaded.manifest.name, None, platform, own).values
    return {
        name: value
        for name, value in values.items()
        if not sealing.is_sealed(value) and not (name in known and known[name].secret)
    }


def _first(setting: Setting, layers: tuple[tuple[str, Mapping[str, Any]], ...]) -> tuple[str, Any]:
    """The uppermost layer that gives a value; an empty secret is none."""
    for source, values in layers:
        if setting.name in values and not (setting.secret and values[setting.name] in (None, "")):
            return source, values[setting.name]
    return "", None

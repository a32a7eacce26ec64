"""Choosing settings, and going back to what was chosen before: lock, allow, check, change, record.

Every change is a new version. Whoever names the version they saw is told when somebody else was faster, and nothing is
overwritten. What is judged is always what the plugin will read: the choice above the layers below it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from core import tenancy
from core.host.loading import Loaded
from core.host.settings import history
from core.host.settings.differing import Difference, differences, told
from core.host.settings.history import Holder, Version
from core.host.settings.reading import Setting, settings
from core.kernel import Conflict, Context, FieldError, Invalid
from core.tenancy import effective, sealing
from core.web.problem import field_errors

PREFIX = "settings."
"""Before the name of a field in the path of an error."""


class SettingsChanged(Conflict):
    """Somebody else saved meanwhile."""


@dataclass(frozen=True)
class Return:
    """What going back to a version would do. `gone`: chosen then, unknown to the plugin now. `errors`: would be refused."""

    to: Version
    now: Version
    changes: tuple[Difference, ...]
    gone: tuple[str, ...]
    errors: tuple[FieldError, ...]


def save(
    ctx: Context,
    loaded: Loaded,
    holder: Holder,
    values: Mapping[str, Any] | None,
    *,
    seen: int | None = None,
    note: str = "",
    on: bool = False,
    wrong: Sequence[FieldError] = (),
) -> Version:
    """Choose exactly these settings; None keeps the choice. With `on` the enterprise switches the plugin on.

    A field that is not named follows the layer below. A secret that is not named (or empty) stays; None removes it.
    Raises Invalid with paths `settings.<field>`, SettingsChanged when the newest version is not `seen`. `wrong` is what
    could not even be read; it is said along with the rest.
    """
    _may_write(ctx, holder)
    known, now = settings(loaded.settings_schema), _current(ctx, holder, seen)
    own, misread = _chosen(known, holder, values, now) if values is not None else (dict(now.values), [])
    errors = [*wrong, *misread]
    at_fault = {error.path for error in errors}
    errors += [error for error in _judged(ctx, loaded, holder, own) if error.path not in at_fault]
    if errors:
        raise Invalid(errors)
    if holder.tenant is None:
        _suits_everybody(ctx, loaded, now.values, own)
    return _put(ctx, loaded, holder, now, own, note=note, on=on)


def undo(
    ctx: Context, loaded: Loaded, holder: Holder, no: int, *, seen: int | None = None, note: str = ""
) -> Version:
    """Choose what version `no` chose, as a new version. Raises as `save` does where that does not fit any more."""
    _may_write(ctx, holder)
    _current(ctx, holder, seen)
    found = preview(ctx, loaded, holder, no)
    if found.errors:
        raise Invalid(list(found.errors))
    own = _known_of(loaded, found.to)
    if holder.tenant is None:
        _suits_everybody(ctx, loaded, found.now.values, own)
    return _put(ctx, loaded, holder, found.now, own, note=note, on=False)


def preview(ctx: Context, loaded: Loaded, holder: Holder, no: int) -> Return:
    """What `undo` would do."""
    known = settings(loaded.settings_schema)
    now, to = history.latest(ctx, holder), history.version(ctx, holder, no)
    own = _known_of(loaded, to)
    return Return(
        to,
        now,
        differences(now.values, own, known),
        tuple(sorted(to.values.keys() - known.keys())),
        tuple(_judged(ctx, loaded, holder, own)),
    )


def judged(
    loaded: Loaded, holder: Holder, platform: Mapping[str, Any], own: Mapping[str, Any]
) -> list[FieldError]:
    """What the plugin's schema says against the settings it would read. The platform's may lack what is required."""
    schema = loaded.settings_schema
    if schema is None:
        return []
    below = platform if holder.tenant is not None else effective.NOTHING
    values = effective.merged(schema, holder.plugin, holder.tenant, below, own).opened()
    try:
        schema().load(dict(values), partial=holder.tenant is None)
    except ValidationError as wrong:
        return [_readable(error) for error in field_errors(wrong.normalized_messages(), PREFIX.rstrip("."))]
    except Exception as fault:  # an author's own check may raise anything
        reason = f"{type(fault).__name__}: {fault}"[:300]
        raise Conflict("plugin.settings_check_failed", plugin=holder.plugin, reason=reason) from fault
    return []


def _judged(ctx: Context, loaded: Loaded, holder: Holder, own: Mapping[str, Any]) -> list[FieldError]:
    platform = history.latest(ctx, Holder(holder.plugin, None)).values if holder.tenant else effective.NOTHING
    return judged(loaded, holder, platform, own)


def _suits_everybody(
    ctx: Context, loaded: Loaded, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """New defaults must not make anybody's settings wrong that were right: their plugin would fail at the next order."""
    name = loaded.manifest.name
    for tenant, enterprise, own in history.choices(ctx, name):
        holder = Holder(name, tenant)
        wrong = _wrong_with(loaded, holder, after, own)
        if wrong and not _wrong_with(loaded, holder, before, own):
            raise Conflict("plugin.default_does_not_suit", enterprise=enterprise, settings=", ".join(wrong))


def _wrong_with(
    loaded: Loaded, holder: Holder, platform: Mapping[str, Any], own: Mapping[str, Any]
) -> tuple[str, ...]:
    """Names of the settings at fault; none where an own secret cannot be read, which no default changes."""
    try:
        wrong = judged(loaded, holder, platform, own)
    except Conflict as refused:
        if refused.code != "plugin.secret_unreadable":
            raise
        return ()
    return tuple(dict.fromkeys(each.path.removeprefix(PREFIX) for each in wrong))


def _may_write(ctx: Context, holder: Holder) -> None:
    ctx.require("plugin.manage" if holder.tenant else "plugin.install")


def _current(ctx: Context, holder: Holder, seen: int | None) -> Version:
    history.lock(ctx, holder)
    now = history.latest(ctx, holder)
    if seen is not None and seen != now.no:
        raise SettingsChanged("plugin.settings_changed", by=now.set_by or "—", no=now.no)
    return now


def _chosen(
    known: Mapping[str, Setting], holder: Holder, values: Mapping[str, Any], now: Version
) -> tuple[dict[str, Any], list[FieldError]]:
    """The choice as it is kept, in the schema's order, and what cannot be understood of it."""
    wrong = [FieldError(PREFIX + name, "field.unknown", {}) for name in values if name not in known]
    own: dict[str, Any] = {}
    for name, setting in known.items():
        given = values.get(name)
        if setting.secret and (name not in values or given == ""):
            if name in now.values:
                own[name] = now.values[name]
        elif name in values and not (setting.secret and given is None):
            try:
                value = setting.plain(given)
            except ValidationError as error:
                wrong += [_readable(each) for each in field_errors(error.messages, PREFIX + name)]
                continue
            if sealing.is_sealed(value):
                wrong.append(FieldError(PREFIX + name, "input.wrong_type", {}))
            else:
                own[name] = (
                    _sealed(str(value), holder, name, now.values.get(name)) if setting.secret else value
                )
    return own, wrong


def _sealed(text: str, holder: Holder, name: str, before: Any) -> dict[str, str]:
    """The same secret stays as it is, so that only a new one counts as a change."""
    if sealing.is_sealed(before):
        try:
            if sealing.unseal(before, holder.place, name) == text:
                return dict(before)
        except Conflict:
            pass  # it is being replaced, which is the way out
    return sealing.seal(text, holder.place, name)


def _known_of(loaded: Loaded, version: Version) -> dict[str, Any]:
    known = settings(loaded.settings_schema)
    return {name: version.values[name] for name in known if name in version.values}


def _put(
    ctx: Context, loaded: Loaded, holder: Holder, now: Version, own: dict[str, Any], *, note: str, on: bool
) -> Version:
    changes = differences(now.values, own, settings(loaded.settings_schema))
    release, version = loaded.manifest.version or "", now
    if changes:
        no = now.no
        if no == 0 and now.values:  # what it was set up with must be there to go back to
            no = 1
            history.append(ctx, holder, no, now.values, plugin_version=now.plugin_version, note="", by="")
        version = history.append(
            ctx, holder, no + 1, own, plugin_version=release, note=note, by=ctx.actor.name
        )
        action = "plugin.settings" if holder.tenant else "plugin.defaults"
        ctx.record(action, f"plugin:{holder.plugin}", no=version.no, note=note, changes=told(changes))
    if holder.tenant and (changes or on):
        before = tenancy.keep_plugin_settings(ctx, holder.plugin, version=release, settings=own, on=on)
        if on and before != "enabled":
            names = [each.name for each in changes]
            ctx.record(
                "plugin.enable", f"plugin:{holder.plugin}", before=before, version=release, changed=names
            )
    return version


def _readable(error: FieldError) -> FieldError:
    """marshmallow's own English becomes a code of ours where the furniture knows none."""
    return FieldError(error.path, "url.not_a_url", {}) if error.code == "Not a valid URL." else error

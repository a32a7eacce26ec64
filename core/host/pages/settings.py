"""The settings of a plugin as a form: an enterprise's own, and what the operator gives everybody who does not choose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request, url_for

from core import tenancy
from core.host import rows, service
from core.host.loading import Loaded
from core.host.pages.frame import pages
from core.host.settings import form, history, saving
from core.host.settings.history import Holder, Version
from core.host.settings.overview import Overview, Standing, at, overview
from core.host.settings.wording import Said, changes_said, said, value_said
from core.host.store.heading import Head, crumbs, head
from core.kernel import Context, FieldError
from core.web import flash, gettext, redirect, render
from core.web.i18n import language
from core.web.mending import WHOLE, Errors, mend
from core.web.page import Crumb
from core.web.problem import sentence


@dataclass(frozen=True)
class Field:
    """A field of the form. `value` stands in its control; `back` offers to give the choice up, `origin` says whose it is.

    `stored` is a secret that is there; `wide` fields take the whole width.
    """

    name: str
    kind: str
    label: str
    hint: str
    value: Any
    options: tuple[tuple[str, str], ...]
    unit: str
    optional: bool
    longest: int | None
    origin: str
    back: str
    given_up: bool
    stored: bool
    may_clear: bool
    shown: str

    @property
    def wide(self) -> bool:
        return self.kind in ("long", "lines", "json", "choices")


@dataclass(frozen=True)
class Group:
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class SettingsPage:
    """The form of one plugin. `meanwhile` is what somebody else saved since the form was opened."""

    head: Head
    links: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    action: str
    may_write: bool
    on: bool
    for_everybody: bool
    enterprises: int
    seen: int
    seen_platform: int
    note: str
    version: Version
    errors: Errors = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    meanwhile: tuple[Said, ...] = ()
    meanwhile_by: str = ""
    notice: str = ""


@pages.get("/<name>/settings", permission="plugin.view")
def settings(ctx: Context, name: str) -> Response:
    """The enterprise's own settings."""
    return show(ctx, service.plugin(ctx, name)[1], Holder(name, ctx.tenant_id))


@pages.post("/<name>/settings", permission="plugin.manage")
def save_settings(ctx: Context, name: str) -> Response:
    """Save them, and switch the plugin on where that was asked."""
    return _save(ctx, service.plugin(ctx, name)[1], Holder(name, ctx.tenant_id))


@pages.get("/<name>/settings/defaults", permission="plugin.install")
def defaults(ctx: Context, name: str) -> Response:
    """What the platform gives every enterprise that does not choose."""
    return show(ctx, service.plugin(ctx, name)[1], Holder(name, None))


@pages.post("/<name>/settings/defaults", permission="plugin.install")
def save_defaults(ctx: Context, name: str) -> Response:
    """Save them for everybody."""
    return _save(ctx, service.plugin(ctx, name)[1], Holder(name, None))


def address(holder: Holder, page: str = "", **values: Any) -> str:
    """The form of these settings, or one of the pages about its versions."""
    names = {
        True: {"": "settings", "versions": "settings_versions", "undo": "ask_undo_settings"},
        False: {"": "defaults", "versions": "defaults_versions", "undo": "ask_undo_defaults"},
    }
    return url_for(f"plugins.{names[holder.tenant is not None][page]}", name=holder.plugin, **values)


def links(ctx: Context, holder: Holder) -> tuple[tuple[str, str], ...]:
    """Where else a reader of these settings may go: their versions, and the other layer."""
    found = [(gettext("Earlier settings"), address(holder, "versions"))]
    if holder.tenant is None:
        found.append((gettext("Settings of your enterprise"), address(Holder(holder.plugin, ctx.tenant_id))))
    elif ctx.allows("plugin.install"):
        found.append((gettext("Platform defaults"), address(Holder(holder.plugin, None))))
    return tuple(found)


def layer(holder: Holder) -> str:
    """What these settings are called."""
    return gettext("Settings") if holder.tenant else gettext("Platform defaults")


def show(
    ctx: Context,
    loaded: Loaded,
    holder: Holder,
    *,
    status: int = 200,
    given: form.Read | None = None,
    errors: Errors | None = None,
    base: Overview | None = None,
    candidate: Version | None = None,
    note: str = "",
) -> Response:
    """The form; `given` as it was typed, `base` when somebody else saved since, or filled from a `candidate` version."""
    now = overview(ctx, loaded, holder)
    state = service.plugin(ctx, holder.plugin)[0].state
    filled = at(loaded, holder, candidate, now.platform) if candidate else None
    meanwhile = changes_said(loaded, base.version.values, now.version.values) if base else ()
    fields = [_field(ctx, now, place, given, base, filled) for place in range(len(now.standings))]
    page = SettingsPage(
        head(ctx, holder.plugin, "settings"),
        links(ctx, holder),
        _groups(now, fields),
        address(holder),
        may_write=ctx.allows("plugin.manage" if holder.tenant else "plugin.install"),
        on=state == "enabled",
        for_everybody=holder.tenant is None,
        enterprises=0 if holder.tenant else rows.touches(ctx.session, holder.plugin, ()).enterprises,
        seen=now.version.no,
        seen_platform=now.platform.no,
        note=note,
        version=now.version,
        errors=_in_order(errors or {}, fields),
        labels={each.name: each.label for each in fields},
        meanwhile=meanwhile,
        meanwhile_by=now.version.set_by if base else "",
        notice=gettext("Version %(no)s no longer fits. Mend it, then save.", no=candidate.no)
        if candidate
        else "",
    )
    return render("host/settings.html", page, status=status, crumbs=crumbs(page.head, Crumb(layer(holder))))


def by_field(errors: tuple[FieldError, ...] | list[FieldError]) -> Errors:
    """Sentences by the field's name; what concerns no field stands under the whole form."""
    found: Errors = {}
    for error in errors:
        found.setdefault(_field_of(error.path), []).append(sentence(error.code, error.values))
    return found


def _save(ctx: Context, loaded: Loaded, holder: Holder) -> Response:
    given = request.form
    seen, seen_platform = _number(given.get("_seen")), _number(given.get("_platform"))
    platform = history.version(ctx, Holder(holder.plugin, None), seen_platform if holder.tenant else 0)
    base_version = history.version(ctx, holder, seen) if seen else history.before_the_first(ctx, holder)
    base = at(loaded, holder, base_version, platform)
    read = form.read(base, given)
    note, on = given.get("_note", "").strip()[:300], given.get("_act") == "on" and holder.tenant is not None
    faster: list[Overview] = []

    def act() -> None:
        try:
            if on:
                service.switch_on(ctx, holder.plugin, read.values, seen=seen, note=note, wrong=read.wrong)
            else:
                saving.save(ctx, loaded, holder, read.values, seen=seen, note=note, wrong=read.wrong)
        except saving.SettingsChanged:
            faster.append(base)

    errors = _by_name(mend(ctx, act))
    if faster:
        return show(ctx, loaded, holder, status=409, given=read, base=base, note=note)
    if errors:
        return show(ctx, loaded, holder, status=422, given=read, errors=errors, note=note)
    flash(gettext("Settings saved, the plugin is on") if on else gettext("Settings saved"))
    return redirect("plugins.settings" if holder.tenant else "plugins.defaults", name=holder.plugin)


def _by_name(errors: Errors) -> Errors:
    found: Errors = {}
    for path, sentences in errors.items():
        found.setdefault(_field_of(path), []).extend(sentences)
    return found


def _field_of(path: str) -> str:
    return path.removeprefix(saving.PREFIX).split(".")[0] if path.startswith(saving.PREFIX) else WHOLE


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


def _field(
    ctx: Context,
    now: Overview,
    place: int,
    given: form.Read | None,
    base: Overview | None,
    filled: Overview | None,
) -> Field:
    standing = now.standings[place]
    setting = standing.setting
    value = form.control(setting, standing.value)
    given_up = False
    if given is not None:
        typed = given.typed[setting.name]
        untouched = base is not None and typed == form.control(setting, base.standings[place].value)
        value = value if untouched and not setting.secret else typed
        given_up = setting.name in given.ticked
    elif filled is not None and not setting.secret:
        value = form.control(setting, filled.standings[place].value)
        given_up = standing.chosen and not filled.standings[place].chosen
    return Field(
        setting.name,
        setting.kind,
        said(setting.title),
        _hint(standing),
        value,
        tuple((str(each), said(words)) for each, words in setting.choices),
        said(setting.unit) or (_currency(ctx, now) if setting.kind == "money" else ""),
        _may_stay_empty(now, standing),
        setting.longest,
        gettext("From the platform") if standing.source == "platform" else "",
        _back(now, standing),
        given_up,
        stored=setting.secret and bool(standing.source),
        may_clear=setting.secret and standing.chosen,
        shown=value_said(setting, standing.value),
    )


def _in_order(errors: Errors, fields: list[Field]) -> Errors:
    """From the top of the form to its end; what concerns all of it comes last."""
    names = [each.name for each in fields]
    return dict(
        sorted(errors.items(), key=lambda found: names.index(found[0]) if found[0] in names else len(names))
    )


def _groups(now: Overview, fields: list[Field]) -> tuple[Group, ...]:
    found: dict[str, list[Field]] = {}
    for standing, each in zip(now.standings, fields, strict=True):
        found.setdefault(said(standing.setting.group), []).append(each)
    return tuple(Group(title or gettext("General"), tuple(inside)) for title, inside in found.items())


def _hint(standing: Standing) -> str:
    setting, parts = standing.setting, []
    if setting.hint:
        parts.append(said(setting.hint))
    if setting.least is not None and setting.most is not None:
        parts.append(gettext("From %(least)s to %(most)s.", least=str(setting.least), most=str(setting.most)))
    elif setting.least is not None:
        parts.append(gettext("At least %(least)s.", least=str(setting.least)))
    elif setting.most is not None:
        parts.append(gettext("At most %(most)s.", most=str(setting.most)))
    if setting.kind == "lines":
        parts.append(gettext("One in each line."))
    if setting.kind == "json":
        parts.append(gettext("Written as JSON."))
    return ("" if language() == "zh-CN" else " ").join(parts)


def _may_stay_empty(now: Overview, standing: Standing) -> bool:
    setting = standing.setting
    if now.holder.tenant is None and setting.required:
        return True  # the enterprises fill it in
    if setting.kind in ("check", "choices"):
        return False
    if setting.nullable or setting.secret or not standing.below_source:
        return not setting.required
    return setting.kind in ("text", "long", "lines", "json") and not setting.required


def _back(now: Overview, standing: Standing) -> str:
    """The offer to follow the layer below again; secrets have a box of their own."""
    if not standing.chosen or not standing.below_source or standing.setting.secret:
        return ""
    value = value_said(standing.setting, standing.below)
    if standing.below_source == "platform":
        return gettext("Back to the platform's: %(value)s", value=value)
    return gettext("Back to the plugin's default: %(value)s", value=value)


def _currency(ctx: Context, now: Overview) -> str:
    return tenancy.trade_settings(ctx).currency if now.holder.tenant else ""

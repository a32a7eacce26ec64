"""What an enterprise sees of plugins: which there are, and one plugin with its settings."""

from dataclasses import dataclass
from typing import Any

from flask import Response, url_for

from core.host import service
from core.host.pages.frame import pages
from core.kernel import Context
from core.web import flash, form, gettext, redirect, render
from core.web.i18n import language
from core.web.page import Confirmation, Crumb

STATES = {
    "available": ("Not switched on", ""),
    "enabled": ("Switched on", "ok"),
    "draining": ("Finishing open orders", "warn"),
    "disabled": ("Switched off", ""),
    "broken": ("Broken", "bad"),
}


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    summary: str
    version: str
    state: str
    tone: str
    reason: str
    url: str | None


@dataclass(frozen=True)
class ListPage:
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Setting:
    """One field of the settings form; `kind` is check, number or text."""

    name: str
    kind: str
    label: str
    hint: str | None
    value: Any


@dataclass(frozen=True)
class PluginPage:
    row: Row
    on: bool
    may_manage: bool
    permissions: tuple[str, ...]
    hosts: tuple[str, ...]
    settings: tuple[Setting, ...]


@pages.get("", permission="plugin.view")
def index(ctx: Context) -> Response:
    """Every installed plugin."""
    return render("host/plugins.html", ListPage(tuple(_row(each) for each in service.plugins(ctx))))


@pages.get("/<name>", permission="plugin.view")
def detail(ctx: Context, name: str) -> Response:
    """One plugin: its state, its settings, what it may do."""
    view, loaded = service.plugin(ctx, name)
    page = PluginPage(
        _row(view),
        on=view.state in ("enabled", "draining"),
        may_manage=ctx.allows("plugin.manage"),
        permissions=tuple(gettext(permission.title) for permission in loaded.permissions),
        hosts=loaded.manifest.hosts,
        settings=tuple(
            Setting(
                field,
                kind,
                gettext(described.metadata.get("title", field)),
                _hint(described),
                view.settings.get(field, _default(described)),
            )  # fmt: skip
            for field, kind, described in service.settings_fields(loaded)
        ),
    )
    return render(
        "host/plugin.html",
        page,
        crumbs=[Crumb(gettext("Plugins"), url_for("plugins.index")), Crumb(page.row.title)],
    )


@pages.post("/<name>/enable", permission="plugin.manage")
def enable(ctx: Context, name: str) -> Response:
    """Switch on, with the settings of the form."""
    _, loaded = service.plugin(ctx, name)
    given, settings = form(), {}
    for field, kind, _described in service.settings_fields(loaded):
        if kind == "check":
            settings[field] = field in given
        elif given.get(field):
            settings[field] = given[field]
    service.switch_on(ctx, name, settings)
    flash(gettext("Settings saved, the plugin is on"))
    return redirect("plugins.detail", name=name)


@pages.get("/<name>/disable", permission="plugin.manage")
def ask_disable(ctx: Context, name: str) -> Response:
    """The question before switching off, for readers without scripts."""
    view, _ = service.plugin(ctx, name)
    title = _title(view)
    page = Confirmation(
        gettext("Switch %(plugin)s off?", plugin=title),
        (gettext("Its settings and data stay. You can switch it on again at any time."),),
        url_for("plugins.disable", name=name),
        gettext("Switch off"),
        gettext("Keep it on"),
        url_for("plugins.detail", name=name),
        danger=True,
    )
    return render("shell/confirm.html", page)


@pages.post("/<name>/disable", permission="plugin.manage")
def disable(ctx: Context, name: str) -> Response:
    """Switch off; refused while orders of it are open."""
    service.switch_off(ctx, name)
    flash(gettext("Plugin switched off"))
    return redirect("plugins.detail", name=name)


@pages.post("/<name>/drain", permission="plugin.manage")
def drain(ctx: Context, name: str) -> Response:
    """Take no new work, finish what is open."""
    service.switch_off(ctx, name, drain=True)
    flash(gettext("The plugin takes no new orders now"))
    return redirect("plugins.detail", name=name)


def _row(view: service.PluginView) -> Row:
    word, tone = STATES[view.state]
    url = url_for("plugins.detail", name=view.name) if view.state != "broken" else None
    return Row(
        view.name, _title(view), _said(view.summary), view.version, gettext(word), tone, view.reason, url
    )


def _title(view: service.PluginView) -> str:
    return _said(view.title) or view.name


def _said(words: Any) -> str:
    return words.get("zh" if language() == "zh-CN" else "en", "")


def _hint(field: Any) -> str | None:
    said = field.metadata.get("hint")
    return gettext(said) if said else None


def _default(field: Any) -> Any:
    default = field.load_default
    return "" if repr(default) == "<marshmallow.missing>" or callable(default) else default

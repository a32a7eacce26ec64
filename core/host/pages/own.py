"""A plugin's settings as the enterprise chose them."""

from dataclasses import dataclass
from typing import Any

from flask import Response

from core.host import service
from core.host.pages.frame import pages
from core.host.store.heading import Head, crumbs, head
from core.kernel import Context
from core.web import flash, form, gettext, redirect, render
from core.web.page import Crumb


@dataclass(frozen=True)
class Setting:
    """One field of the settings form; `kind` is check, number or text."""

    name: str
    kind: str
    label: str
    hint: str | None
    value: Any


@dataclass(frozen=True)
class SettingsPage:
    head: Head
    on: bool
    may_manage: bool
    settings: tuple[Setting, ...]


@pages.get("/<name>/settings", permission="plugin.view")
def settings(ctx: Context, name: str) -> Response:
    """The settings of this enterprise."""
    view, loaded = service.plugin(ctx, name)
    page = SettingsPage(
        head(ctx, name, "settings"),
        on=view.state in ("enabled", "draining"),
        may_manage=ctx.allows("plugin.manage"),
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
    return render("host/own_settings.html", page, crumbs=crumbs(page.head, Crumb(gettext("Settings"))))


@pages.post("/<name>/settings", permission="plugin.manage")
def save_settings(ctx: Context, name: str) -> Response:
    """Switch on, with the settings of the form."""
    _, loaded = service.plugin(ctx, name)
    given, chosen = form(), {}
    for field, kind, _described in service.settings_fields(loaded):
        if kind == "check":
            chosen[field] = field in given
        elif given.get(field):
            chosen[field] = given[field]
    service.switch_on(ctx, name, chosen)
    flash(gettext("Settings saved, the plugin is on"))
    return redirect("plugins.settings", name=name)


def _hint(field: Any) -> str | None:
    said = field.metadata.get("hint")
    return gettext(said) if said else None


def _default(field: Any) -> Any:
    default = field.load_default
    return "" if repr(default) == "<marshmallow.missing>" or callable(default) else default

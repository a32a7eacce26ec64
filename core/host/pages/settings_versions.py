"""The versions of a plugin's settings: who saved them, what differs between any two, and the way back to one."""

from dataclasses import dataclass

from flask import Response, request, url_for

from core.host import service
from core.host.loading import Loaded
from core.host.pages.frame import pages
from core.host.pages.settings import address, by_field, layer, links, show
from core.host.settings import history, saving
from core.host.settings.history import Holder, Version
from core.host.settings.wording import Said, changes_said
from core.host.store.heading import Head, crumbs, head
from core.kernel import Context
from core.web import flash, gettext, redirect, render
from core.web.mending import mend
from core.web.page import Confirmation, Crumb


@dataclass(frozen=True)
class Row:
    """A version and what it changed; `back_url` asks before going back to it, None for the one in force."""

    version: Version
    changed: tuple[str, ...]
    compare_url: str
    back_url: str | None


@dataclass(frozen=True)
class VersionsPage:
    """All versions, newest first, and what differs between `older` and `newer`."""

    head: Head
    for_everybody: bool
    links: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    numbers: tuple[tuple[str, str], ...]
    older: int
    newer: int
    changes: tuple[Said, ...]
    here: str
    settings_url: str


@pages.get("/<name>/settings/versions", permission="plugin.view")
def settings_versions(ctx: Context, name: str) -> Response:
    """Versions of the enterprise's own settings."""
    return _versions(ctx, service.plugin(ctx, name)[1], Holder(name, ctx.tenant_id))


@pages.get("/<name>/settings/versions/<int:no>/undo", permission="plugin.manage")
def ask_undo_settings(ctx: Context, name: str, no: int) -> Response:
    """What going back would change, before it does."""
    return _ask(ctx, service.plugin(ctx, name)[1], Holder(name, ctx.tenant_id), no)


@pages.post("/<name>/settings/versions/<int:no>/undo", permission="plugin.manage")
def undo_settings(ctx: Context, name: str, no: int) -> Response:
    """Go back, as a new version."""
    return _undo(ctx, service.plugin(ctx, name)[1], Holder(name, ctx.tenant_id), no)


@pages.get("/<name>/settings/defaults/versions", permission="plugin.install")
def defaults_versions(ctx: Context, name: str) -> Response:
    """Versions of the platform's defaults."""
    return _versions(ctx, service.plugin(ctx, name)[1], Holder(name, None))


@pages.get("/<name>/settings/defaults/versions/<int:no>/undo", permission="plugin.install")
def ask_undo_defaults(ctx: Context, name: str, no: int) -> Response:
    """What going back would change for everybody, before it does."""
    return _ask(ctx, service.plugin(ctx, name)[1], Holder(name, None), no)


@pages.post("/<name>/settings/defaults/versions/<int:no>/undo", permission="plugin.install")
def undo_defaults(ctx: Context, name: str, no: int) -> Response:
    """Go back for everybody, as a new version."""
    return _undo(ctx, service.plugin(ctx, name)[1], Holder(name, None), no)


def _versions(ctx: Context, loaded: Loaded, holder: Holder) -> Response:
    found = history.versions(ctx, holder)
    may_write = ctx.allows("plugin.manage" if holder.tenant else "plugin.install")
    nothing = Version(0, {}, "", "", "", None)
    rows = tuple(
        Row(
            version,
            tuple(each.title for each in changes_said(loaded, before.values, version.values)),
            address(holder, "versions", older=before.no, newer=version.no) + "#compare",
            address(holder, "undo", no=version.no) if may_write and version is not found[0] else None,
        )
        for version, before in zip(found, [*found, nothing][1:], strict=True)
    )
    newer = _asked(request.args.get("newer"), found[0].no if found else 0)
    older = _asked(request.args.get("older"), max(newer - 1, 0))
    both = (history.version(ctx, holder, older).values, history.version(ctx, holder, newer).values)
    page = VersionsPage(
        head(ctx, holder.plugin, "settings"),
        holder.tenant is None,
        ((layer(holder), address(holder)), *links(ctx, holder)[1:]),
        rows,
        (*((str(each.no), _named(each)) for each in found), ("0", gettext("Before the first"))),
        older,
        newer,
        changes_said(loaded, *both),
        address(holder, "versions"),
        address(holder),
    )
    return render("host/settings_versions.html", page, crumbs=_way(page.head, holder))


def _ask(ctx: Context, loaded: Loaded, holder: Holder, no: int) -> Response:
    found = saving.preview(ctx, loaded, holder, no)
    if found.errors:
        return show(ctx, loaded, holder, candidate=found.to, errors=by_field(found.errors))
    changes = changes_said(loaded, found.now.values, found.to.values)
    lines = [
        gettext("%(title)s: %(before)s → %(after)s", title=each.title, before=each.before, after=each.after)
        for each in changes
        if each.name not in found.gone
    ]
    if found.gone:
        lines.append(
            gettext("No longer known to the plugin, left out: %(names)s", names=", ".join(found.gone))
        )
    if not lines:
        lines.append(gettext("Nothing differs from what is in force."))
    if holder.tenant is None:
        lines.append(gettext("Every enterprise that did not choose for itself gets this within two seconds."))
    page = Confirmation(
        gettext("Go back to version %(no)s of the settings?", no=no),
        tuple(lines),
        url_for(f"plugins.undo_{'settings' if holder.tenant else 'defaults'}", name=holder.plugin, no=no),
        gettext("Go back to version %(no)s", no=no),
        gettext("Keep what is in force"),
        address(holder, "versions"),
        fields={"seen": str(found.now.no)},
    )
    return render("shell/confirm.html", page, crumbs=_way(head(ctx, holder.plugin, "settings"), holder))


def _undo(ctx: Context, loaded: Loaded, holder: Holder, no: int) -> Response:
    seen = _asked(request.form.get("seen"), 0)
    note = gettext("Back to version %(no)s", no=no)
    errors = mend(ctx, lambda: saving.undo(ctx, loaded, holder, no, seen=seen, note=note))
    if errors:
        flash("; ".join(each for sentences in errors.values() for each in sentences), tone="bad")
    else:
        flash(gettext("Back to version %(no)s", no=no))
    return redirect(
        "plugins.settings_versions" if holder.tenant else "plugins.defaults_versions", name=holder.plugin
    )


def _named(version: Version) -> str:
    return f"{version.no} · {version.set_by}" if version.set_by else str(version.no)


def _asked(given: str | None, otherwise: int) -> int:
    return int(given) if given and given.isdecimal() and len(given) < 10 else otherwise


def _way(found: Head, holder: Holder) -> list[Crumb]:
    return crumbs(found, Crumb(layer(holder), address(holder)), Crumb(gettext("Earlier settings")))

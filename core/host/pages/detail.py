"""One plugin: what it is and where it shows, what it may do, its pictures."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from flask import Response, url_for

from core.host import rows
from core.host.api.frame import data_folder
from core.host.pages.frame import pages
from core.host.store import inside
from core.host.store.heading import Head, crumbs, head
from core.host.store.measures import Measure, measures
from core.host.store.offers import Offer, modes, offer
from core.host.store.places import Place, mode_names, places
from core.host.store.saying import powers, said
from core.kernel import Context, NotFound
from core.web import render
from core.web.i18n import gettext as _
from core.web.page import Crumb


@dataclass(frozen=True)
class PictureShown:
    src: str
    name: str


@dataclass(frozen=True)
class OverviewPage:
    """What it is. `facts` are (term, value) of its version; `health` is its last day, None before it is installed."""

    head: Head
    summary: str
    blocks: tuple[inside.Block, ...]
    pictures: tuple[PictureShown, ...]
    places: tuple[Place, ...]
    facts: tuple[tuple[str, str | None], ...]
    sha256: str
    health: Measure | None
    health_url: str


@dataclass(frozen=True)
class PermissionsPage:
    """What it may do. `known` is False while its code does not run here, so that only the manifest speaks."""

    head: Head
    known: bool
    powers: tuple[tuple[str, str, str], ...]
    permissions: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]
    hosts: tuple[str, ...]
    settings: tuple[str, ...]


@pages.get("/<name>", permission="plugin.view")
def detail(ctx: Context, name: str) -> Response:
    """What the plugin is, what it looks like and where it appears."""
    found = offer(ctx, name)
    place = inside.folder(found, ctx.session.connection(), data_folder())
    page = OverviewPage(
        head(ctx, name, "overview", found), found.summary, _told(found, inside.description(place)),
        tuple(
            PictureShown(url_for("plugins.picture", name=name, no=each.no, v=found.version), _(each.name))
            for each in inside.pictures(place)
        ),
        _places(ctx, found), tuple(_facts(found)), found.package.sha256 if found.package is not None else "",
        _last_day(ctx, found), url_for("plugins.health", name=name, hours=24),
    )  # fmt: skip
    return render("host/plugin.html", page, crumbs=crumbs(found))


@pages.get("/<name>/permissions", permission="plugin.view")
def permissions(ctx: Context, name: str) -> Response:
    """What it may do, the tables it keeps, the addresses it calls."""
    found = offer(ctx, name)
    loaded = found.loaded
    told = found.row.manifest if found.row is not None else found.package.manifest if found.package is not None else {}
    if loaded is not None:
        codes = tuple((each.code, _(str(each.title))) for each in loaded.permissions)
    else:
        codes = tuple((code, "") for code in told.get("permissions", ()))
    page = PermissionsPage(
        head(ctx, name, "permissions", found), loaded is not None, tuple(powers(_hooks(ctx, name))), codes,
        _tables(found), loaded.manifest.hosts if loaded is not None else tuple(told.get("hosts", ())), (),
    )  # fmt: skip
    return render("host/permissions.html", page, crumbs=crumbs(found, Crumb(_("Permissions and data"))))


@pages.get("/<name>/pictures/<int:no>", permission="plugin.view")
def picture(ctx: Context, name: str, no: int) -> Response:
    """A picture of its package, as a picture and nothing else."""
    found = offer(ctx, name)
    shown = inside.pictures(inside.folder(found, ctx.session.connection(), data_folder()))
    if no >= len(shown):
        raise NotFound("plugin.no_such_picture")
    response = Response(shown[no].path.read_bytes(), mimetype=shown[no].media_type)
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(shown[no].path.name)}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _told(found: Offer, blocks: tuple[inside.Block, ...]) -> tuple[inside.Block, ...]:
    """A description without the title that stands over the page already."""
    titled = blocks and blocks[0].kind == "head" and blocks[0].text.casefold() == found.title.casefold()
    return blocks[1:] if titled else blocks


def _last_day(ctx: Context, found: Offer) -> Measure | None:
    if found.row is None:
        return None
    since = ctx.now - timedelta(hours=24)
    return measures(rows.minutes(ctx.session, found.name, since), since, 24)[0]


def _places(ctx: Context, found: Offer) -> tuple[Place, ...]:
    loaded = found.loaded
    if loaded is not None:
        return places(loaded.manifest.slots, mode_names(loaded.modes), loaded.menu)
    told = found.row.manifest if found.row is not None else found.package.manifest if found.package is not None else {}
    return places(told.get("slots", ()), modes(ctx, found))


def _hooks(ctx: Context, name: str) -> list[str]:
    from core.hooks import POLICIES

    dispatch = ctx.ports.dispatch
    return [hook for hook in POLICIES if any(by == name for by, _call in dispatch.implementers(hook))]


def _tables(found: Offer) -> tuple[str, ...]:
    from core.db import Model

    if found.loaded is None:
        return ()
    schema = found.loaded.manifest.schema
    return tuple(sorted(table.name for table in Model.metadata.tables.values() if table.schema == schema))


def _facts(found: Offer) -> list[tuple[str, str | None]]:
    manifest = found.loaded.manifest if found.loaded is not None else None
    told = found.row.manifest if found.row is not None else found.package.manifest if found.package is not None else {}
    requires = manifest.requires if manifest is not None else told.get("requires", ())
    facts: list[tuple[str, str | None]] = [
        (_("Version"), found.version), (_("Made for core"), found.core), (_("Licence"), found.licence),
        (_("Publisher"), found.publisher or (said({"zh": "通商", "en": "Tongshang"}) if found.tier == "platform" else None)),
    ]  # fmt: skip
    if requires:
        facts.append((_("Needs"), ", ".join(requires)))
    return facts

"""The versions of a plugin in store, what was done with them, and the files of what it kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from flask import Response, url_for
from packaging.version import Version
from sqlalchemy import text

from core.host import rows
from core.host.pages.change import Change, change_rows
from core.host.pages.frame import pages
from core.host.store.heading import Head, crumbs, head
from core.host.store.offers import Offer, offer
from core.host.store.saying import TIERS
from core.identity import require_fresh_second_factor
from core.kernel import Context, NotFound
from core.web import platform, render
from core.web.i18n import gettext as _
from core.web.page import Crumb

PIECE = "SELECT ts.plugin_export_piece(:change, :no)"


@dataclass(frozen=True)
class VersionRow:
    """A package. `standing` is installed, before, newer, older or waiting; `act` what can be done with it."""

    version: str
    filename: str
    sha256: str
    size: int
    publisher: str
    badge: tuple[str, str]
    source: str
    added_by: str
    added_at: datetime
    standing: tuple[str, str]
    act: tuple[str, str] | None


@dataclass(frozen=True)
class ExportRow:
    made_at: datetime
    size: int
    href: str


@dataclass(frozen=True)
class VersionsPage:
    """`shipped` is set where it comes with the platform and has no packages of its own."""

    head: Head
    shipped: bool
    rows: tuple[VersionRow, ...]
    changes: tuple[Change, ...]
    exports: tuple[ExportRow, ...]
    export_url: str | None


@pages.get("/<name>/versions", permission="plugin.view")
def versions(ctx: Context, name: str) -> Response:
    """Versions in store, newest first, with upgrade and roll-back; what was done so far."""
    found = offer(ctx, name)
    operator = ctx.allows("plugin.install")
    known = [each for each in rows.changes(ctx.session, name, 200) if operator or each.tenant_id == ctx.tenant_id]
    page = VersionsPage(
        head(ctx, name, "versions", found), found.tier == "platform", tuple(_rows(ctx, found)),
        change_rows(ctx, known[:50]) if ctx.allows("plugin.manage") else (),
        tuple(_exports(ctx, name)) if operator else (),
        url_for("plugins.plan_page", name=name, verb="export") if operator and found.row is not None else None,
    )  # fmt: skip
    return render("host/versions.html", page, crumbs=crumbs(found, Crumb(_("Versions"))))


@pages.get("/<name>/exports/<uuid:change_id>.zip", permission="plugin.install")
def download(ctx: Context, name: str, change_id: UUID) -> Response:
    """Everything the plugin kept, piece by piece as it lies in the database. Every enterprise's rows are in it."""
    require_fresh_second_factor(ctx)
    made = next((each for each in rows.exports(ctx.session, name) if each.change_id == change_id), None)
    if made is None:
        raise NotFound("plugin.no_such_export")
    ctx.record("plugin.export_read", f"plugin:{name}", change=str(change_id), bytes=int(made.size))
    response = Response(_pieces(ctx.tenant_id, ctx.actor, change_id), mimetype="application/zip")
    response.headers["Content-Length"] = str(made.size)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{made.made_at:%Y%m%d-%H%M}.zip"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _pieces(tenant_id: UUID, actor: Any, change_id: UUID) -> Iterator[bytes]:
    """One piece of a megabyte for each transaction, so that a slow reader holds none open."""
    unit = platform().unit  # asked for now: the pieces are read when the request is over

    def pieces() -> Iterator[bytes]:
        for no in count():
            with unit.acting(tenant_id, actor, {}) as ctx:
                content = ctx.session.execute(text(PIECE), {"change": change_id, "no": no}).scalar()
            if content is None:
                return
            yield bytes(content)

    return pieces()


def _rows(ctx: Context, found: Offer) -> Iterator[VersionRow]:
    publishers = {each.key_id: each for each in rows.publishers(ctx.session) if each.revoked_at is None}
    packages = [each for each in rows.packages(ctx.session) if each.kind == "plugin" and each.plugin == found.name]
    for package in sorted(packages, key=lambda each: (Version(each.version), each.added_at), reverse=True):
        signer = publishers.get(package.signer)
        tier, tone = TIERS[signer.tier if signer is not None else ""]
        yield VersionRow(
            package.version, package.filename, package.sha256, package.size, signer.name if signer else "", (str(tier), tone),
            package.source, package.added_by, package.added_at, _standing(found, package), _act(ctx, found, package),
        )  # fmt: skip


def _standing(found: Offer, package: Any) -> tuple[str, str]:
    row = found.row
    if row is None:
        return _("In store"), ""
    if package.sha256 in row.packages:
        return (_("Installed"), "ok") if row.state == "installed" else (_("Archived"), "")
    if package.sha256 in (row.previous_packages or ()):
        return _("The one before"), ""
    return (_("Newer"), "acc") if Version(package.version) > Version(row.version) else (_("Older"), "")


def _act(ctx: Context, found: Offer, package: Any) -> tuple[str, str] | None:
    """What can be done with a package: bring it in, or go back to it."""
    row, name = found.row, found.name
    if row is not None and (package.sha256 in row.packages or row.state == "archived" or not row.packages):
        return None
    if row is not None and package.sha256 in (row.previous_packages or ()) and ctx.allows("plugin.install"):
        return _("Roll back"), url_for("plugins.plan_page", name=name, verb="rollback")
    if not ctx.allows("plugin.manage"):
        return None
    if row is None:
        text = _("Install") if ctx.allows("plugin.install") else _("Ask for it")
        return text, url_for("plugins.plan_page", name=name, verb="install", sha256=package.sha256)
    if Version(package.version) > Version(row.version):
        return _("Upgrade"), url_for("plugins.plan_page", name=name, verb="upgrade", sha256=package.sha256)
    return None


def _exports(ctx: Context, name: str) -> Iterator[ExportRow]:
    for each in rows.exports(ctx.session, name):
        yield ExportRow(each.made_at, int(each.size), url_for("plugins.download", name=name, change_id=each.change_id))

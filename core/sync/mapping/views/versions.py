"""The versions of a mapping: who saved what and when, what differs, the way back, and the file to carry it elsewhere."""

from dataclasses import dataclass, field
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context, Invalid
from core.sync.mapping import history
from core.sync.mapping.api import as_file
from core.sync.mapping.service import LONGEST_FILE, Change, compare, imported, undo_mapping
from core.sync.mapping.views.frame import Head, crumbs, flash_saved, found, head, seen
from core.sync.model import ErpConnection
from core.sync.views.frame import pages
from core.web import flash, redirect, render
from core.web import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Confirmation


@dataclass(frozen=True)
class VersionView:
    """One version; `back_url` asks before going back to it, None for the one in force."""

    version: history.Version
    compare_url: str
    back_url: str | None
    file_url: str


@dataclass(frozen=True)
class VersionsPage:
    """All versions, newest first, and what differs between `older` and `newer`."""

    head: Head
    rows: tuple[VersionView, ...]
    numbers: tuple[tuple[str, str], ...]
    older: int
    newer: int
    changes: tuple[Change, ...]
    here: str
    errors: Errors = field(default_factory=dict)


@pages.get("/<uuid:connection_id>/mapping/versions", permission="connection.view")
def mapping_versions(ctx: Context, connection_id: UUID) -> Response:
    """Every version, and any two of them compared."""
    return _show(ctx, found(ctx, connection_id)[0], {})


@pages.get("/<uuid:connection_id>/mapping/versions/<int:no>/undo", permission="connection.edit")
def ask_undo_mapping(ctx: Context, connection_id: UUID, no: int) -> Response:
    """What going back would change, before it does."""
    connection, now = found(ctx, connection_id)
    changes = compare(ctx, connection_id, now.no, no)
    lines = [f"{each.path}: {each.before or '—'} → {each.after or '—'}" for each in changes[:20]]
    if len(changes) > 20:
        lines.append(_("and %(n)s more", n=len(changes) - 20))
    page = Confirmation(
        _("Go back to version %(no)s of the mapping?", no=no),
        tuple(lines or [_("Nothing differs from what is in force.")]),
        url_for("sync.undo_mapping_version", connection_id=connection_id, no=no),
        _("Go back to version %(no)s", no=no),
        _("Keep what is in force"),
        url_for("sync.mapping_versions", connection_id=connection_id),
        fields={"seen": str(now.no)},
    )
    return render("shell/confirm.html", page, crumbs=crumbs(connection))


@pages.post("/<uuid:connection_id>/mapping/versions/<int:no>/undo", permission="connection.edit")
def undo_mapping_version(ctx: Context, connection_id: UUID, no: int) -> Response:
    """Go back, as a new version."""
    note = _("Back to version %(no)s", no=no)
    errors = mend(ctx, lambda: undo_mapping(ctx, connection_id, no, seen(), note))
    if errors:
        flash("; ".join(said for each in errors.values() for said in each), tone="bad")
    else:
        flash(note)
    return redirect("sync.mapping_versions", connection_id=connection_id)


@pages.get("/<uuid:connection_id>/mapping/file", permission="connection.view", raw="application/json")
def mapping_file(ctx: Context, connection_id: UUID) -> Response:
    """A version as a file."""
    typed = request.args.get("no", "")
    return as_file(ctx, connection_id, int(typed) if typed.isdecimal() and len(typed) < 10 else None)


@pages.post("/<uuid:connection_id>/mapping/file", permission="connection.edit", upload=True)
def import_mapping_file(ctx: Context, connection_id: UUID) -> Response:
    """Keep a file as the next version, or show what is wrong with it."""

    def act() -> None:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Invalid.one("file", "field.required")
        note = _("From the file %(name)s", name=file.filename[:80])
        flash_saved(imported(ctx, connection_id, file.read(LONGEST_FILE + 1), seen(), note))

    if errors := mend(ctx, act):
        told = [said if path == "file" else f"{path}: {said}" for path, each in errors.items() for said in each]
        return _show(ctx, found(ctx, connection_id)[0], {"file": told})
    return redirect("sync.mapping_versions", connection_id=connection_id)


def _show(ctx: Context, connection: ErpConnection, errors: Errors) -> Response:
    rows = history.versions(ctx, connection.id)
    now = rows[0] if rows else history.BEFORE
    newer = _asked("newer", now.no)
    older = _asked("older", max(newer - 1, 0))
    page = VersionsPage(
        head=head(ctx, connection, "mapping_versions", now),
        rows=tuple(_row(ctx, connection.id, each, now) for each in rows),
        numbers=(*((str(each.no), f"{each.no} · {each.author}") for each in rows), ("0", _("Before the first"))),
        older=older,
        newer=newer,
        changes=tuple(compare(ctx, connection.id, older, newer)[:500]),
        here=url_for("sync.mapping_versions", connection_id=connection.id),
        errors=errors,
    )
    return render("sync/mapping_versions.html", page, status=422 if errors else 200, crumbs=crumbs(connection)[:1])


def _row(ctx: Context, connection_id: UUID, each: history.Version, now: history.Version) -> VersionView:
    back = each.no != now.no and ctx.allows("connection.edit")
    versions = url_for("sync.mapping_versions", connection_id=connection_id, older=each.no - 1, newer=each.no)
    return VersionView(
        version=each,
        compare_url=f"{versions}#compare",
        back_url=url_for("sync.ask_undo_mapping", connection_id=connection_id, no=each.no) if back else None,
        file_url=url_for("sync.mapping_file", connection_id=connection_id, no=each.no),
    )


def _asked(name: str, otherwise: int) -> int:
    typed = request.args.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else otherwise

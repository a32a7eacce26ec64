"""Products by file: bring one, see what landed and what did not and why, take the own products home."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask import Response, request, url_for

from core import files, work
from core.catalog import csvfile, imports, productfile
from core.catalog.api.frame import csv_file
from core.catalog.views.frame import pages
from core.kernel import Context, Invalid
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Confirmation, Crumb
from core.web.problem import sentence

SHOWN = 200  # reasons on the page


@dataclass(frozen=True)
class RunRow:
    """An earlier import; `word` and `tone` say how it stands."""

    href: str
    file_name: str
    at: datetime
    by: str
    landed: int
    refused: int
    word: str
    tone: str


@dataclass(frozen=True)
class ImportPage:
    """The form for a file, and the files brought before. `columns` are the names a file may use."""

    columns: tuple[tuple[str, str], ...]
    charsets: tuple[tuple[str, str], ...]
    charset: str
    max_rows: int
    max_mb: int
    runs: tuple[RunRow, ...]
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class IssueRow:
    """Why a row did not land."""

    row_no: int
    field: str
    sentence: str
    text: str


@dataclass(frozen=True)
class RunPage:
    """A file: how far it is and what became of it. `issues` are the first reasons; `refused_url` leads to all."""

    file_name: str
    charset: str
    progress: work.Progress
    added: int
    changed: int
    unchanged: int
    issues: tuple[IssueRow, ...]
    url: str
    file_url: str
    refused_url: str
    cancel_url: str


@pages.get("/products/import", permission="product.import")
def import_form(ctx: Context) -> Response:
    """Bring a file of products."""
    return _form(ctx, "utf-8", {})


@pages.post("/products/import", permission="product.import", upload=True)
def import_file(ctx: Context) -> Response:
    """Take the file; it is read in the background, and a bad row never stops the others."""
    charset = form().get("charset", "utf-8")
    started: list[imports.Imported] = []

    def act() -> None:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Invalid.one("file", "field.required")
        content = file.read(csvfile.MAX_BYTES + 1)
        started.append(imports.start_import(ctx, file.filename, content, charset))

    if errors := mend(ctx, act):
        return _form(ctx, charset, errors)
    return redirect("catalog.import_result", run_id=started[0].id)


@pages.get("/products/imports/<uuid:run_id>", permission="product.import")
def import_result(ctx: Context, run_id: UUID) -> Response:
    """How far a file is and what became of it."""
    found = imports.find_import(ctx, run_id)
    page = RunPage(
        file_name=found.run.title,
        charset=found.charset,
        progress=work.progress(found.run, ctx.now),
        added=found.added,
        changed=found.changed,
        unchanged=found.unchanged,
        issues=tuple(
            IssueRow(each.place, each.field, sentence(each.code, each.detail), each.text)
            for each in imports.import_reasons(ctx, run_id, SHOWN)
        ),
        url=url_for("catalog.import_result", run_id=run_id),
        file_url=url_for("catalog.imported_file", run_id=run_id),
        refused_url=url_for("catalog.refused_rows", run_id=run_id),
        cancel_url=url_for("catalog.cancel_import", run_id=run_id),
    )
    return render("catalog/import_run.html", page, crumbs=[*_crumbs(), Crumb(found.run.title)])


@pages.get("/products/imports/<uuid:run_id>/cancel", permission="product.import")
def ask_cancel(ctx: Context, run_id: UUID) -> Response:
    """Ask before stopping, where scripts do not run."""
    found = imports.find_import(ctx, run_id)
    page = Confirmation(
        title=_("Stop importing %(name)s?", name=found.run.title),
        consequences=(
            _("Rows that have landed stay. The others are left out; you can bring the file again."),
        ),
        action=url_for("catalog.cancel_import", run_id=run_id),
        verb=_("Stop import"),
        keep=_("Go on importing"),
        keep_url=url_for("catalog.import_result", run_id=run_id),
        danger=True,
    )
    return render("shell/confirm.html", page, crumbs=[*_crumbs(), Crumb(found.run.title)])


@pages.post("/products/imports/<uuid:run_id>/cancel", permission="product.import")
def cancel_import(ctx: Context, run_id: UUID) -> Response:
    """Stop the import."""
    done = imports.cancel_import(ctx, run_id)
    flash(_("Import stopped") if done.run.ended_at else _("The import stops after the rows under way"))
    return redirect("catalog.import_result", run_id=run_id)


@pages.get("/products/imports/<uuid:run_id>/file", permission="product.import")
def imported_file(ctx: Context, run_id: UUID) -> Response:
    """The file as it was brought."""
    _row, content = files.read(ctx, imports.find_import(ctx, run_id).file_id)
    return csv_file(f"{run_id}.csv", content)


@pages.get("/products/imports/<uuid:run_id>/refused.csv", permission="product.import")
def refused_rows(ctx: Context, run_id: UUID) -> Response:
    """The rows that did not land, with their reasons."""
    return csv_file(f"{run_id}-refused.csv", imports.refused_rows(ctx, run_id, sentence))


@pages.get("/products/export.csv", permission="product.import")
def export(ctx: Context) -> Response:
    """All own products as a file."""
    return csv_file("products.csv", imports.export_products(ctx))


def _form(ctx: Context, charset: str, errors: Errors) -> Response:
    page = ImportPage(
        columns=tuple((name, "、".join(aliases)) for name, aliases in productfile.COLUMNS.items()),
        charsets=(("utf-8", "UTF-8"), ("gb18030", "GB18030 / GBK")),
        charset=charset if charset in csvfile.CHARSETS else "utf-8",
        max_rows=csvfile.MAX_ROWS,
        max_mb=csvfile.MAX_BYTES // 1_000_000,
        runs=tuple(_run(each, ctx.now) for each in imports.recent_imports(ctx)),
        errors=errors,
    )
    return render("catalog/import.html", page, status=422 if errors else 200, crumbs=_crumbs())


def _run(found: imports.Imported, now: datetime) -> RunRow:
    shown = work.progress(found.run, now)
    return RunRow(
        href=url_for("catalog.import_result", run_id=found.id),
        file_name=found.run.title,
        at=shown.asked_at,
        by=shown.asked_by,
        landed=found.landed,
        refused=shown.refused,
        word=shown.word,
        tone=shown.tone,
    )


def _crumbs() -> list[Crumb]:
    return [
        Crumb(_("Products"), url_for("catalog.products")),
        Crumb(_("Import"), url_for("catalog.import_form")),
    ]

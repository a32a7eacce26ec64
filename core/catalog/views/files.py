"""Products by file: bring one, see what landed and what did not and why, take the own products home."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask import Response, request, url_for

from core.catalog import csvfile, imports
from core.catalog.api import csv_file
from core.catalog.model import ImportRun
from core.catalog.views.frame import pages
from core.kernel import Context, Invalid
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb
from core.web.problem import sentence


@dataclass(frozen=True)
class RunRow:
    """An earlier import."""

    href: str
    file_name: str
    at: datetime
    by: str
    rows: int
    landed: int
    refused: int


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
    """What became of a file. At most `shown` reasons are listed."""

    file_name: str
    at: datetime
    by: str
    charset: str
    rows: int
    added: int
    changed: int
    unchanged: int
    refused: int
    issues: tuple[IssueRow, ...]
    file_url: str


@pages.get("/products/import", permission="product.import")
def import_form(ctx: Context) -> Response:
    """Bring a file of products."""
    return _form(ctx, "utf-8", {})


@pages.post("/products/import", permission="product.import", upload=True)
def import_file(ctx: Context) -> Response:
    """Read the file; a bad row never stops the others."""
    charset = form().get("charset", "utf-8")
    done: list[imports.Imported] = []

    def act() -> None:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Invalid.one("file", "field.required")
        content = file.read(csvfile.MAX_BYTES + 1)
        done.append(imports.import_products(ctx, file.filename, content, charset))

    if errors := mend(ctx, act):
        return _form(ctx, charset, errors)
    flash(
        _(
            "File read: %(landed)s of %(rows)s rows landed",
            landed=done[0].rows - done[0].refused,
            rows=done[0].rows,
        )
    )
    return redirect("catalog.import_result", run_id=done[0].run_id)


@pages.get("/products/imports/<uuid:run_id>", permission="product.import")
def import_result(ctx: Context, run_id: UUID) -> Response:
    """What became of a file."""
    run, issues = imports.import_run(ctx, run_id)
    page = RunPage(
        file_name=run.file_name,
        at=run.at,
        by=run.by,
        charset=run.charset,
        rows=run.rows,
        added=run.added,
        changed=run.changed,
        unchanged=run.unchanged,
        refused=run.refused,
        issues=tuple(
            IssueRow(each.row_no, each.field, sentence(each.code, each.detail), each.text) for each in issues
        ),
        file_url=url_for("catalog.imported_file", run_id=run_id),
    )
    return render("catalog/import_run.html", page, crumbs=[*_crumbs(), Crumb(run.file_name)])


@pages.get("/products/imports/<uuid:run_id>/file", permission="product.import")
def imported_file(ctx: Context, run_id: UUID) -> Response:
    """The file as it was brought."""
    _name, content = imports.import_file(ctx, run_id)
    return csv_file(f"{run_id}.csv", content)


@pages.get("/products/export.csv", permission="product.import")
def export(ctx: Context) -> Response:
    """All own products as a file."""
    return csv_file("products.csv", imports.export_products(ctx))


def _form(ctx: Context, charset: str, errors: Errors) -> Response:
    page = ImportPage(
        columns=tuple((name, "、".join(aliases)) for name, aliases in imports.COLUMNS.items()),
        charsets=(("utf-8", "UTF-8"), ("gb18030", "GB18030 / GBK")),
        charset=charset if charset in csvfile.CHARSETS else "utf-8",
        max_rows=csvfile.MAX_ROWS,
        max_mb=csvfile.MAX_BYTES // 1024 // 1024,
        runs=tuple(_run(run) for run in imports.recent_runs(ctx)),
        errors=errors,
    )
    return render("catalog/import.html", page, status=422 if errors else 200, crumbs=_crumbs())


def _run(run: ImportRun) -> RunRow:
    return RunRow(
        href=url_for("catalog.import_result", run_id=run.id),
        file_name=run.file_name,
        at=run.at,
        by=run.by,
        rows=run.rows,
        landed=run.rows - run.refused,
        refused=run.refused,
    )


def _crumbs() -> list[Crumb]:
    return [
        Crumb(_("Products"), url_for("catalog.products")),
        Crumb(_("Import"), url_for("catalog.import_form")),
    ]

"""Reports of plugins: listed, drawn as a table for a period, taken along as CSV."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Response, request, url_for

from core.hooks import Report
from core.kernel import Context, Invalid, Money, NotFound
from core.web import formats, render
from core.web import gettext as _
from core.web.formats import HOUSE_ZONE
from core.web.i18n import language, words
from core.web.page import Crumb
from core.workbench.frame import pages, title_of

SHOWN = 500  # rows on the page; the file has all of them
DAYS = 30


@dataclass(frozen=True)
class Listed:
    title: str
    description: str
    source: str
    url: str


@dataclass(frozen=True)
class ReportsPage:
    reports: tuple[Listed, ...]


@dataclass(frozen=True)
class ReportPage:
    """A report drawn. `more`: rows that only the file has."""

    title: str
    description: str
    since: date
    until: date
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int
    file_url: str


@pages.get("/reports", permission="account.own")
def reports(ctx: Context) -> Response:
    """The reports this person may read."""
    return render("workbench/reports.html", ReportsPage(tuple(_listed(ctx))))


@pages.get("/reports/<plugin>/<key>", permission="account.own")
def report(ctx: Context, plugin: str, key: str) -> Response:
    """One report for a period, by default the last thirty days."""
    asked = _asked(ctx, plugin, key)
    since, until = _period(ctx)
    rows = _rows(ctx, plugin, asked, since, until)
    page = ReportPage(
        str(asked.title), str(asked.description), since, until, tuple(map(str, asked.columns)),
        tuple(tuple(map(_cell, row)) for row in rows[:SHOWN]),
        max(0, len(rows) - SHOWN), url_for("workbench.report_file", plugin=plugin, key=key, since=since, until=until),
    )  # fmt: skip
    return render("workbench/report.html", page, crumbs=(Crumb(_("Reports"), url_for("workbench.reports")),))


@pages.get("/reports/<plugin>/<key>.csv", permission="account.own", raw="text/csv")
def report_file(ctx: Context, plugin: str, key: str) -> Response:
    """The same as a file, every row of it."""
    asked = _asked(ctx, plugin, key)
    since, until = _period(ctx)
    written = io.StringIO()
    sheet = csv.writer(written)
    sheet.writerow([str(column) for column in asked.columns])
    sheet.writerows([_plain(value) for value in row] for row in _rows(ctx, plugin, asked, since, until))
    name = f"{plugin}-{key}-{since}-{until}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written.getvalue().encode("utf-8-sig"), mimetype="text/csv", headers=headers)


def _listed(ctx: Context) -> list[Listed]:
    dispatch, enabled = ctx.ports.dispatch, ctx.ports.enabled(ctx, ctx.tenant_id)
    return [
        Listed(
            str(each.title),
            str(each.description),
            title_of(ctx, plugin),
            url_for("workbench.report", plugin=plugin, key=key),
        )
        for plugin, brought in dispatch.reports.items()
        if plugin in enabled
        for key, each in brought.items()
        if ctx.allows(each.permission)
    ]


def _asked(ctx: Context, plugin: str, key: str) -> Report:
    found: Report | None = ctx.ports.dispatch.reports.get(plugin, {}).get(key)
    if found is None or plugin not in ctx.ports.enabled(ctx, ctx.tenant_id):
        raise NotFound("http.404")
    ctx.require(found.permission)
    return found


def _rows(ctx: Context, plugin: str, asked: Report, since: date, until: date) -> list[tuple[Any, ...]]:
    def draw() -> list[tuple[Any, ...]]:
        rows = [tuple(row) for row in asked.rows(ctx, since, until + timedelta(days=1))]
        if any(len(row) != len(asked.columns) for row in rows):
            raise ValueError(f"a row has not {len(asked.columns)} values")
        return rows

    found: list[tuple[Any, ...]] = ctx.ports.dispatch.visit(plugin, f"report {asked.key}", ctx, draw)
    return found


def _period(ctx: Context) -> tuple[date, date]:
    """The first and the last day asked for."""
    today = ctx.now.astimezone(HOUSE_ZONE).date()
    until = _day("until", today)
    since = _day("since", until - timedelta(days=DAYS - 1))
    if since > until:
        raise Invalid.one("since", "report.backwards")
    return since, until


def _day(name: str, otherwise: date) -> date:
    said = request.args.get(name, "")
    try:
        return date.fromisoformat(said) if said else otherwise
    except ValueError:
        raise Invalid.one(name, "report.not_a_day") from None


def _cell(value: Any) -> str:
    """A cell of the page, as its reader writes such values."""
    return formats.DASH if value is None or value == "" else str(words().show(value, language()))


def _plain(value: Any) -> str:
    """A cell of the file. What a spreadsheet would take for a formula is kept as text."""
    if isinstance(value, Money):
        return f"{value.amount:f}"
    said = "" if value is None else f"{value:f}" if hasattr(value, "as_tuple") else str(value)
    return f"'{said}" if isinstance(value, str) and said[:1] in "=+-@\t\r" else said

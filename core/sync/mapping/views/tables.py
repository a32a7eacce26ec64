"""The look-up tables of a mapping: one text area each, a line for each pair, so that a column of a sheet can be pasted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from flask import Response

from core.kernel import Context
from core.sync.mapping.document import from_lines, to_lines
from core.sync.mapping.history import Version
from core.sync.mapping.kinds import STANDARD_TABLES
from core.sync.mapping.service import connector_of
from core.sync.mapping.views.frame import Head, crumbs, found, head, mended, save
from core.sync.model import ErpConnection
from core.sync.views.frame import pages
from core.web import form, redirect, render
from core.web import gettext as _
from core.web.mending import Errors

TITLES = {
    "units": "Units",
    "currencies": "Currencies",
    "taxes": "Tax rates",
    "partners": "Partners",
    "suppliers": "Suppliers",
    "materials": "Materials",
}
HINTS = {
    "units": "Such as pcs, t, kg.",
    "currencies": "Such as CNY, USD.",
    "taxes": "The rate as a number: 0.13.",
    "partners": "The unified social credit code or the name of a partner, and its number there.",
    "suppliers": "The unified social credit code or the name of a supplier, and its number there.",
    "materials": "The code of a product, and the number of its material there.",
}


@dataclass(frozen=True)
class TableView:
    """One table as its text area shows it."""

    name: str
    title: str
    hint: str
    text: str
    rows: int


@dataclass(frozen=True)
class TablesPage:
    """All tables; the last one is empty and has no name yet."""

    head: Head
    tables: tuple[TableView, ...]
    new_name: str
    new_rows: str
    note: str
    errors: Errors = field(default_factory=dict)


def titles(connection: ErpConnection, now: Version) -> dict[str, str]:
    """The tables a connection knows, in the reader's words: the standard ones, those the connector asks for, those in use."""
    asked = {each.key: _(each.title) for each in connector_of(connection).settings if each.kind == "pairs"}
    known = dict.fromkeys([*STANDARD_TABLES, *asked, *now.document["tables"]])
    return {name: _(TITLES[name]) if name in TITLES else asked.get(name, name) for name in known}


@pages.get("/<uuid:connection_id>/mapping", permission="connection.view")
def mapping(ctx: Context, connection_id: UUID) -> Response:
    """The look-up tables."""
    connection, now = found(ctx, connection_id)
    typed = {f"tables.{name}": to_lines(rows) for name, rows in now.document["tables"].items()}
    return _show(ctx, connection, typed, {})


@pages.post("/<uuid:connection_id>/mapping", permission="connection.edit")
def save_tables(ctx: Context, connection_id: UUID) -> Response:
    """Keep the tables as a new version, or show what is wrong with them."""
    connection, _now = found(ctx, connection_id)
    typed = form()
    errors: Errors = {}
    tables: dict[str, dict[str, str]] = {}
    given = {name.removeprefix("tables."): text for name, text in typed.items() if name.startswith("tables.")}
    if new := typed.get("new_name", "").strip():
        given[new] = typed.get("new_rows", "")
    elif typed.get("new_rows", "").strip():
        errors["new_name"] = [_("Give the new table a name.")]
    for name, text in given.items():
        tables[name] = mended(partial(from_lines, text, f"tables.{name}"), errors) or {}
    wrong = errors or save(ctx, connection_id, {"tables": tables}, typed.get("note", ""))
    if wrong:
        return _show(ctx, connection, typed, _by_field(wrong, given, new))
    return redirect("sync.mapping", connection_id=connection_id)


def _by_field(errors: Errors, given: Mapping[str, str], new: str) -> Errors:
    """What concerns a row is shown at its table, what concerns a new table at its name."""
    found: Errors = {}
    for path, said in errors.items():
        table = next((name for name in given if path == f"tables.{name}" or path.startswith(f"tables.{name}.")), "")
        field = "new_name" if table and table == new else f"tables.{table}" if table else path
        found.setdefault(field, []).extend(said)
    return found


def _show(ctx: Context, connection: ErpConnection, typed: Mapping[str, str], errors: Errors) -> Response:
    _connection, now = found(ctx, connection.id)
    known = titles(connection, now)
    page = TablesPage(
        head=head(ctx, connection, "mapping", now),
        tables=tuple(_table(name, title, typed.get(f"tables.{name}", "")) for name, title in known.items()),
        new_name=typed.get("new_name", ""),
        new_rows=typed.get("new_rows", ""),
        note=typed.get("note", ""),
        errors=errors,
    )
    return render("sync/mapping_tables.html", page, status=422 if errors else 200, crumbs=crumbs(connection)[:1])


def _table(name: str, title: str, text: str) -> TableView:
    lines = sum(1 for line in text.splitlines() if line.strip())
    hint = _(HINTS[name]) if name in HINTS else ""
    return TableView(name, title, hint, text, min(max(lines + 1, 4), 14))

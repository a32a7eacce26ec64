"""Values without a counterpart, by table; the missing side is pasted, and what waited for it goes on."""

from dataclasses import dataclass, field
from uuid import UUID

from flask import Response

from core.kernel import Context, Invalid
from core.sync.mapping.document import from_lines
from core.sync.mapping.unmapped import Value, fix, unmapped
from core.sync.mapping.views.frame import Head, crumbs, found, head, seen
from core.sync.mapping.views.tables import titles
from core.sync.model import ErpConnection
from core.sync.views.frame import pages
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.mending import Errors, mend


@dataclass(frozen=True)
class MissingView:
    """The values of one table that have no counterpart, and the lines to fill in."""

    table: str
    title: str
    values: tuple[Value, ...]
    text: str


@dataclass(frozen=True)
class UnmappedPage:
    """All of them, the tables with the most frequent values first."""

    head: Head
    missing: tuple[MissingView, ...]
    errors: Errors = field(default_factory=dict)


@pages.get("/<uuid:connection_id>/mapping/unmapped", permission="connection.view")
def mapping_unmapped(ctx: Context, connection_id: UUID) -> Response:
    """What has no counterpart."""
    return _show(ctx, found(ctx, connection_id)[0], {}, {})


@pages.post("/<uuid:connection_id>/mapping/unmapped", permission="connection.edit")
def fix_unmapped(ctx: Context, connection_id: UUID) -> Response:
    """Keep the pasted rows and take up what waited for them."""
    connection = found(ctx, connection_id)[0]
    typed = {name.removeprefix("rows."): text for name, text in form().items() if name.startswith("rows.")}
    counts: list[int] = []

    def act() -> None:
        pasted = {name: from_lines(text, f"rows.{name}", open_rows=True) for name, text in typed.items()}
        if not any(pasted.values()):
            raise Invalid.one(f"rows.{next(iter(typed), 'units')}", "mapping.nothing_pasted")
        counts.append(fix(ctx, connection_id, pasted, seen())[1])

    if errors := mend(ctx, act):
        return _show(ctx, connection, typed, errors)
    flash(_("Mapped. %(n)s documents are on their way again.", n=counts[0]))
    return redirect("sync.mapping_unmapped", connection_id=connection_id)


def _show(ctx: Context, connection: ErpConnection, typed: dict[str, str], errors: Errors) -> Response:
    now = found(ctx, connection.id)[1]
    names = titles(connection, now)
    by_table: dict[str, list[Value]] = {}
    for value in unmapped(ctx, connection.id):
        by_table.setdefault(value.table, []).append(value)
    page = UnmappedPage(
        head=head(ctx, connection, "mapping_unmapped", now),
        missing=tuple(
            MissingView(table, names.get(table, table), tuple(values), typed.get(table) or _lines(values))
            for table, values in by_table.items()
        ),
        errors=errors,
    )
    return render("sync/mapping_unmapped.html", page, status=422 if errors else 200, crumbs=crumbs(connection)[:1])


def _lines(values: list[Value]) -> str:
    return "\n".join(f"{each.ours}\t{each.theirs}" for each in values)

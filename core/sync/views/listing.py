"""All connections, how each is and what waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, url_for

from core.kernel import Context
from core.sync import reading
from core.sync.views.frame import State, connection_state, pages, system
from core.web import gettext as _
from core.web import render


@dataclass(frozen=True)
class ConnectionRow:
    """One row of the list."""

    href: str
    name: str
    what: str
    state: State
    out_today: int
    in_today: int
    waiting: int
    stuck: int
    last_ok_at: datetime | None
    verb: str


@dataclass(frozen=True)
class ConnectionsPage:
    """`rate` is the share of finished documents of the last day, None when there were none."""

    rows: tuple[ConnectionRow, ...]
    documents: int
    records: int
    waiting: int
    stuck: int
    may_edit: bool


@pages.get("", permission="connection.view")
def connections(ctx: Context) -> Response:
    """The connections of the enterprise."""
    found = reading.standings(ctx)
    page = ConnectionsPage(
        rows=tuple(_row(each) for each in found),
        documents=sum(each.out_today for each in found),
        records=sum(each.in_today for each in found),
        waiting=sum(each.waiting for each in found),
        stuck=sum(each.stuck for each in found),
        may_edit=ctx.allows("connection.edit"),
    )
    return render("sync/connections.html", page)


def _row(each: reading.Standing) -> ConnectionRow:
    organisation = _("organisation %(number)s", number=each.organisation) if each.organisation else ""
    values: dict[str, Any] = {"connection_id": each.id}
    return ConnectionRow(
        href=url_for("sync.connection", **values),
        name=each.name,
        what=" · ".join(filter(None, (system(each.connector), organisation))),
        state=connection_state(each),
        out_today=each.out_today,
        in_today=each.in_today,
        waiting=each.waiting,
        stuck=each.stuck,
        last_ok_at=each.last_ok_at,
        verb=_("Mend failures") if each.stuck else _("Open"),
    )

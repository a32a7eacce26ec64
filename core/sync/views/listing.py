"""All connections, how each is and what waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, url_for

from core.kernel import Context
from core.sync import reading
from core.sync.outgoing import TITLES
from core.sync.views.frame import State, connection_state, pages, setting_up, stream_titles, system
from core.web import gettext as _
from core.web import render


@dataclass(frozen=True)
class ConnectionRow:
    """One row of the list."""

    href: str
    name: str
    what: str
    flows: str  # what goes out and what flows in
    state: State
    out_today: int
    in_today: int
    waiting: int
    stuck: int
    last_ok_at: datetime | None
    verb: str
    setup_url: str  # where setting up goes on; empty once it was switched on


@dataclass(frozen=True)
class ConnectionsPage:
    """All connections and their sums. `stuck_url` is the first one where something failed."""

    rows: tuple[ConnectionRow, ...]
    documents: int
    records: int
    waiting: int
    stuck: int
    stuck_url: str | None
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
        stuck_url=next((url_for("sync.connection", connection_id=each.id) for each in found if each.stuck), None),
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
        flows=_flows(each),
        state=connection_state(each),
        out_today=each.out_today,
        in_today=each.in_today,
        waiting=each.waiting,
        stuck=each.stuck,
        last_ok_at=each.last_ok_at,
        verb=_("Mend failures") if each.stuck else _("Open"),
        setup_url=url_for("sync.setup", **values) if setting_up(each) else "",
    )


def _flows(each: reading.Standing) -> str:
    """The kinds of documents that go out, then the streams on a schedule."""
    titles = stream_titles(each.connector)
    out = _(", ").join(_(TITLES.get(kind, kind)) for kind in each.documents)
    into = _(", ").join(title for key, title in titles.items() if key in each.streams)
    told = (_("out: %(what)s", what=out) if out else "", _("in: %(what)s", what=into) if into else "")
    return " · ".join(filter(None, told))

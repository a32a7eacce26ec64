"""The runs of streams: how far each came, and one of them with every record it left out, by reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, url_for

from core.kernel import Context
from core.sync import reading, service
from core.sync.model import SyncRun
from core.sync.views.frame import (
    RUN_STATES,
    State,
    about,
    cause_title,
    pages,
    remedy,
    stream_titles,
    time_left,
    told,
)
from core.sync.views.saying import in_words
from core.web import gettext as _
from core.web import render
from core.web.page import Crumb

MOST = 500  # records shown


@dataclass(frozen=True)
class RunView:
    """One run of a stream."""

    id: str
    href: str
    title: str
    trigger: str
    state: State
    started_at: datetime
    seconds: int | None
    read: int
    stored: int
    skipped: int
    said: str
    running: bool
    total: int | None
    percent: int | None
    rate: str  # rows a second; empty before one can tell
    time_left: str


@dataclass(frozen=True)
class LeftView:
    """Records left out for one reason: (what it is called there, what was said) each."""

    title: str
    remedy: str
    records: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RunPage:
    """One run. `unsaid` records were left out for what an earlier run told, the one at `before`, or are too many to show."""

    name: str
    what: str
    run: RunView
    left: tuple[LeftView, ...]
    unsaid: int
    before: str


@pages.get("/runs/<uuid:run_id>", permission="connection.view")
def run_detail(ctx: Context, run_id: UUID) -> Response:
    """What a run left out, and why."""
    row = reading.run(ctx, run_id)
    found = service.find_connection(ctx, row.connection_id)
    groups: dict[str, list[tuple[str, str]]] = {}
    issues = reading.issues(ctx, found.id, run_id, MOST)
    for each in issues:
        groups.setdefault(each.code, []).append((each.external_id, in_words(each.said)))
    unsaid = max(0, row.skipped - len(issues))
    before = reading.told_before(ctx, row) if unsaid else None
    page = RunPage(
        name=found.name,
        what=about(found),
        run=run_view(row, stream_titles(found.connector), ctx.now),
        left=tuple(
            LeftView(cause_title(code), remedy(code), tuple(records))
            for code, records in sorted(groups.items(), key=lambda group: -len(group[1]))
        ),
        unsaid=unsaid,
        before=url_for("sync.run_detail", run_id=before) if before else "",
    )
    here: dict[str, Any] = {"connection_id": found.id}
    crumbs = [Crumb(_("Connections"), url_for("sync.connections")), Crumb(found.name, url_for("sync.connection", **here))]
    return render("sync/run.html", page, crumbs=crumbs)


def run_view(row: SyncRun, titles: dict[str, str], now: datetime) -> RunView:
    gone = reading.progress(row, now)
    word, tone = RUN_STATES[row.state]
    seconds = int((row.ended_at - row.started_at).total_seconds()) if row.ended_at else None
    return RunView(
        id=str(row.id),
        href=url_for("sync.run_detail", run_id=row.id),
        title=titles.get(row.stream, row.stream),
        trigger=_("Schedule") if row.trigger == "schedule" else row.trigger,
        state=(_(word), tone),
        started_at=row.started_at,
        seconds=seconds,
        read=row.read,
        stored=row.stored,
        skipped=row.skipped,
        said=told(row.said),
        running=row.state == "running",
        total=row.total if gone.percent is not None else None,
        percent=gone.percent,
        rate=_("%(n)s a second", n=max(1, round(gone.per_second))) if gone.per_second else "",
        time_left=time_left(gone.seconds_left) if gone.seconds_left is not None else "",
    )

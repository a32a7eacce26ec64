"""The page of a drill: what will be done before it is done, progress while it goes on, the report to sign in the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, url_for

from core.kernel import Context
from core.sync import service as connections
from core.sync.drill import service
from core.sync.drill.api import as_file
from core.sync.drill.model import OVER, SyncDrill
from core.sync.drill.rehearsal import CATALOGUE
from core.sync.views.detail import tabs
from core.sync.views.frame import DOCUMENT_STATES, State, about, cause_title, pages
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb

STATES: Mapping[str, State] = {
    "running": ("Running", "acc"),
    "done": ("Done", "ok"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Cancelled", ""),
}
DOING = {"create": "New order", "change": "Change", "cancel": "Cancellation"}


@dataclass(frozen=True)
class CaseView:
    """One case: `outcome` in words, `there` how many documents lie there under its reference."""

    intent: str
    passed: bool
    outcome: str
    why: str
    reference: str
    number: str
    there: int
    tries: int
    calls: int
    seconds: str
    left: bool


@dataclass(frozen=True)
class TroubleView:
    """One trouble and its cases."""

    title: str
    cases: tuple[CaseView, ...]


@dataclass(frozen=True)
class DrillView:
    """A drill in a list and on its page."""

    id: str
    href: str
    state: State
    running: bool
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None
    done: int
    total: int
    passed: int
    left: tuple[str, ...]
    report_url: str | None


@dataclass(frozen=True)
class DrillsPage:
    """The drills of a connection, and the button."""

    id: str
    name: str
    what: str
    action: str
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    drills: tuple[DrillView, ...]
    cases: int
    may_start: bool
    typed: str = ""
    errors: Errors | None = None


@pages.get("/<uuid:connection_id>/drills", permission="connection.view")
def drills(ctx: Context, connection_id: UUID) -> Response:
    """What was rehearsed, and the button for the next drill."""
    return _show(ctx, connection_id)


@pages.post("/<uuid:connection_id>/drills", permission="connection.edit")
def begin_drill(ctx: Context, connection_id: UUID) -> Response:
    """Begin a drill, or say why not."""
    typed = form().get("name", "")

    made: list[SyncDrill] = []
    if errors := mend(ctx, lambda: made.append(service.start_drill(ctx, connection_id, typed))):
        return _show(ctx, connection_id, typed, errors)
    flash(_("The drill has begun. You can leave this page."), tone="acc")
    return redirect("sync.drill", drill_id=made[0].id)


@dataclass(frozen=True)
class DrillPage:
    """One drill with everything that is known."""

    drill: DrillView
    connection: str
    system: str
    said: str
    troubles: tuple[TroubleView, ...]
    key: str
    signature: str
    may_stop: bool


@pages.get("/drills/<uuid:drill_id>", permission="connection.view")
def drill(ctx: Context, drill_id: UUID) -> Response:
    """A drill as it goes on, and its report."""
    found = service.find_drill(ctx, drill_id)
    connection = connections.find_connection(ctx, found.connection_id)
    sealed = found.report or {}
    page = DrillPage(
        drill=_drill(found),
        connection=connection.name,
        system=about(connection),
        said=found.said,
        troubles=_troubles(found),
        key=str(sealed.get("key", "")),
        signature=str(sealed.get("signature", "")),
        may_stop=found.state not in OVER and ctx.allows("connection.edit"),
    )
    here = url_for("sync.drills", connection_id=connection.id)
    crumbs = [
        Crumb(_("Connections"), url_for("sync.connections")),
        Crumb(connection.name, url_for("sync.connection", connection_id=connection.id)),
        Crumb(_("Fault drill"), here),
    ]
    return render("sync/drill.html", page, crumbs=crumbs)


@pages.post("/drills/<uuid:drill_id>/stop", permission="connection.edit")
def stop_drill(ctx: Context, drill_id: UUID) -> Response:
    """Begin no further case."""
    service.stop_drill(ctx, drill_id)
    flash(_("Stopped. What the last case made there is taken back."))
    return redirect("sync.drill", drill_id=drill_id)


@pages.get("/drills/<uuid:drill_id>/report.json", permission="connection.view")
def drill_report(ctx: Context, drill_id: UUID) -> Response:
    """The sealed report as a file."""
    return as_file(service.report_of(ctx, drill_id), drill_id)


def _show(ctx: Context, connection_id: UUID, typed: str = "", errors: Errors | None = None) -> Response:
    found = connections.find_connection(ctx, connection_id)
    page = DrillsPage(
        id=str(connection_id),
        name=found.name,
        what=about(found),
        action=url_for("sync.begin_drill", connection_id=connection_id),
        tabs=tabs(ctx, connection_id, "drills", None),
        drills=tuple(_drill(each) for each in service.drills_of(ctx, connection_id)),
        cases=len(service.CASES),
        may_start=ctx.allows("connection.edit"),
        typed=typed,
        errors=errors or {},
    )
    crumbs = [Crumb(_("Connections"), url_for("sync.connections"))]
    return render("sync/drills.html", page, status=422 if errors else 200, crumbs=crumbs)


def _drill(row: SyncDrill) -> DrillView:
    word, tone = STATES[row.state]
    return DrillView(
        id=str(row.id),
        href=url_for("sync.drill", drill_id=row.id),
        state=(_(word), tone),
        running=row.state == "running",
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        done=len(row.results),
        total=row.total,
        passed=sum(each["passed"] for each in row.results),
        left=tuple(each["reference"] for each in row.results if each["left"]),
        report_url=url_for("sync.drill_report", drill_id=row.id) if row.report else None,
    )


def _troubles(row: SyncDrill) -> tuple[TroubleView, ...]:
    found: dict[str, list[CaseView]] = {}
    for each in row.results:
        found.setdefault(each["trouble"], []).append(_case(each))
    return tuple(TroubleView(_(CATALOGUE[name]), tuple(cases)) for name, cases in found.items())


def _case(each: Mapping[str, Any]) -> CaseView:
    (word, _tone), intent = DOCUMENT_STATES[each["state"]], each["intent"]
    return CaseView(
        intent=_(DOING[intent]),
        passed=each["passed"],
        outcome=_(word),
        why=" · ".join(filter(None, (cause_title(each["cause"]) if each["cause"] else "", each["said"]))),
        reference=each["reference"],
        number=each["number"],
        there=each["there"],
        tries=each["tries"],
        calls=each["calls"],
        seconds=f"{each['milliseconds'] / 1000:.1f}",
        left=each["left"],
    )



"""How a plugin does: calls, errors and time of its hooks, its latest faults, and which processes run it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Response, request, url_for

from core.host import rows
from core.host.pages.frame import pages
from core.host.store.heading import Head, crumbs, head
from core.host.store.measures import SPANS, Measure, measures
from core.host.store.offers import offer
from core.host.store.who import company_names
from core.kernel import Context
from core.web import render
from core.web.i18n import Lazy, lazy
from core.web.i18n import gettext as _
from core.web.page import Crumb

FAULTS = 20
KINDS: dict[str, tuple[Lazy, str]] = {
    "error": (lazy("Error"), "bad"),
    "late": (lazy("Too slow"), "warn"),
    "memory": (lazy("Memory"), "warn"),
    "transaction": (lazy("Ended the transaction"), "bad"),
    "startup": (lazy("At start"), "bad"),
    "import": (lazy("At import"), "bad"),
}


@dataclass(frozen=True)
class FaultRow:
    """Something it did wrong. `process` and `enterprise` are the operator's to see."""

    hook: str
    kind: tuple[str, str]
    reason: str
    process: str
    enterprise: str
    at: datetime


@dataclass(frozen=True)
class ProcessRow:
    """A process that reported a moment ago: the version it runs, or why it runs none. `memory` is in bytes."""

    id: str
    kind: str
    version: str | None
    broken: str
    memory: int
    since: datetime


@dataclass(frozen=True)
class HealthPage:
    """`whole` when the reader is the operator, who sees processes and every enterprise's faults."""

    head: Head
    spans: tuple[tuple[str, str, bool], ...]
    hours: int
    total: Measure
    hooks: tuple[Measure, ...]
    faults: tuple[FaultRow, ...]
    processes: tuple[ProcessRow, ...]
    whole: bool
    url: str


@pages.get("/<name>/health", permission="plugin.view")
def health(ctx: Context, name: str) -> Response:
    """The last hour or the last day; it renews itself."""
    found = offer(ctx, name)
    asked = request.args.get("hours", "1")
    hours = SPANS.get(asked, 1)
    since = ctx.now - timedelta(hours=hours)
    total, hooks = measures(rows.minutes(ctx.session, name, since), since, hours)
    whole = ctx.allows("plugin.install")
    page = HealthPage(
        head(ctx, name, "health", found),
        tuple((text, url_for("plugins.health", name=name, hours=key), SPANS[key] == hours)
              for key, text in (("1", _("Last hour")), ("24", _("Last 24 hours")))),
        hours, total, hooks, _faults(ctx, name, whole), _processes(ctx, name) if whole else (), whole,
        url_for("plugins.health", name=name, hours=hours),
    )  # fmt: skip
    return render("host/health.html", page, crumbs=crumbs(found, Crumb(_("Health"))))


def _faults(ctx: Context, name: str, whole: bool) -> tuple[FaultRow, ...]:
    """The latest ones; an enterprise sees those of its own work and none of another one's."""
    known = [each for each in rows.faults(ctx.session, name, 200) if whole or each.tenant_id == ctx.tenant_id][:FAULTS]
    names = company_names(ctx, {each.tenant_id for each in known if each.tenant_id is not None})
    found = []
    for each in known:
        word, tone = KINDS.get(each.kind, (each.kind, "bad"))
        enterprise = names.get(each.tenant_id, "")
        found.append(FaultRow(each.hook, (str(word), tone), each.reason, each.process if whole else "", enterprise, each.at))
    return tuple(found)


def _processes(ctx: Context, name: str) -> tuple[ProcessRow, ...]:
    return tuple(
        ProcessRow(each.id, each.kind, each.loaded.get(name), each.broken.get(name, ""), each.memory, each.started_at)
        for each in rows.processes(ctx.session)
    )

"""The first page: what must I do, by when. What waits comes first, figures stand above it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request, url_for

from core.kernel import Context, Money, Quantity
from core.web import NavEntry, render, slots
from core.web import gettext as _
from core.web.formats import HOUSE_ZONE
from core.web.i18n import lazy
from core.web.page import Fragment
from core.workbench import charts, figures, offering, reporting, searching, waiting
from core.workbench.drawing import Drawing, draw
from core.workbench.frame import pages, title_of

__all__ = ["NAV", "SUBJECTS", "offering", "pages", "reporting", "searching"]

SHOWN = 20
SLOTS = ("dashboard:kpi", "dashboard:todo")
SUBJECTS = {"dashboard:card": lambda _ctx, _key: None}
NAV = [
    NavEntry(
        key="workbench",
        endpoint="workbench.home",
        icon="home",
        title=lazy("Workbench"),
        order=0,
        letter="w",
        bottom=True,
    ),
    NavEntry(
        "reports",
        "workbench.reports",
        "chart",
        lazy("Reports"),
        group="system",
        permission="account.own",
        order=70,
    ),
]


@dataclass(frozen=True)
class TodoView:
    """A row of the list; `pressing` is late, soon (due today) or empty."""

    icon: str
    title: str
    what: str
    href: str
    partner: str
    amount: Money | Quantity | None
    due: datetime | None
    pressing: str
    verb: str


@dataclass(frozen=True)
class FigureView:
    """A key figure tile; `value` is shortened by the page."""

    label: str
    value: Any
    kind: str
    hint: str
    href: str | None
    tone: str


@dataclass(frozen=True)
class ChartView:
    """A chart with where its rows are listed."""

    drawing: Drawing
    href: str | None


@dataclass(frozen=True)
class HomePage:
    """The workbench of one person. `today` is the date; `due_today` counts what ends before midnight."""

    greeting: str
    today: datetime
    due_today: int
    todos: tuple[TodoView, ...]
    more: bool
    figures: tuple[FigureView, ...]
    cards: tuple[Fragment, ...]
    kpis: tuple[Fragment, ...]
    extra: tuple[Fragment, ...]
    charts: tuple[ChartView, ...]
    catalogue_url: str | None
    orders_url: str | None


@pages.get("/", permission="account.own")
def home(ctx: Context) -> Response:
    """What waits for this person."""
    found = waiting(ctx, SHOWN + 1)
    shown = tuple(_todo(ctx, todo) for todo in found[:SHOWN])
    filled = {slot: slots.fill(ctx, slot, None, "/") for slot in SLOTS}
    return render(
        "workbench/home.html",
        HomePage(
            greeting=_greeting(ctx),
            today=ctx.now,
            due_today=sum(1 for todo in shown if todo.pressing),
            todos=shown,
            more=len(found) > SHOWN,
            figures=tuple(_figure(figure) for figure in figures(ctx))[:4],
            cards=slots.announced(ctx, "dashboard:card"),
            kpis=filled["dashboard:kpi"][:4],
            extra=filled["dashboard:todo"],
            charts=tuple(_chart(chart) for chart in charts(ctx)),
            catalogue_url=url_for("catalog.search") if ctx.allows("product.view") else None,
            orders_url=url_for("orders.index") if ctx.allows("order.view") else None,
        ),
    )


@dataclass(frozen=True)
class FragmentPage:
    """What one plugin puts into a slot: by itself for the page that asked, in a page of its own for a reader without scripts."""

    slot: str
    title: str
    fragments: tuple[Fragment, ...]


@pages.get("/-/slot/<slot>/<plugin>", permission="account.own")
def fragment(ctx: Context, slot: str, plugin: str) -> Response:
    """One plugin's panels, after the page. What they are about is looked up again, with the reader's own rights."""
    found = slots.fetched(ctx, slot, plugin, request.args.get("of", ""))
    whole = "HX-Request" not in request.headers
    return render(
        "workbench/fragment.html" if whole else "workbench/bare.html", FragmentPage(slot, title_of(ctx, plugin), found)
    )


def _greeting(ctx: Context) -> str:
    hour = ctx.now.astimezone(HOUSE_ZONE).hour
    if 4 <= hour < 12:
        return _("Good morning, %(name)s", name=ctx.actor.name)
    if 12 <= hour < 18:
        return _("Good afternoon, %(name)s", name=ctx.actor.name)
    return _("Good evening, %(name)s", name=ctx.actor.name)


def _todo(ctx: Context, todo: Any) -> TodoView:
    return TodoView(
        todo.icon, todo.title, todo.what, url_for(todo.endpoint, **todo.values), todo.partner, todo.amount, todo.due,
        _pressing(ctx.now, todo.due), todo.verb,
    )  # fmt: skip


def _pressing(now: datetime, due: datetime | None, zone: ZoneInfo = HOUSE_ZONE) -> str:
    """Late: past, or within four hours. Soon: before the day ends."""
    if due is None:
        return ""
    if due <= now + timedelta(hours=4):
        return "late"
    return "soon" if due.astimezone(zone).date() == now.astimezone(zone).date() else ""


def _chart(chart: Any) -> ChartView:
    return ChartView(draw(chart), url_for(chart.endpoint, **chart.values) if chart.endpoint else None)


def _figure(figure: Any) -> FigureView:
    kind = (
        "money"
        if isinstance(figure.value, Money)
        else "quantity"
        if isinstance(figure.value, Quantity)
        else "number"
    )
    href = url_for(figure.endpoint, **figure.values) if figure.endpoint else None
    return FigureView(figure.label, figure.value, kind, figure.hint, href, figure.tone)

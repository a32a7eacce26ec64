"""The page of reconciliation: the days of a connection, counted on both sides, and what differs on one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context, Invalid, Money
from core.sync.facts import booked_on
from core.sync.outgoing import PURCHASE_ORDER, SALES_ORDER, TITLES
from core.sync.reconciling import service
from core.sync.reconciling.model import SyncDifference, SyncTally
from core.sync.service import find_connection
from core.sync.views.detail import tabs
from core.sync.views.frame import State, about, pages, told
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.page import Confirmation, Crumb

STATES: Mapping[str, State] = {
    "wanted": ("Waiting", ""),
    "running": ("Running", "acc"),
    "done": ("Done", "ok"),
    "failed": ("Failed", "bad"),
}
KINDS = {
    "missing_there": "Not there",
    "missing_here": "Only there",
    "differs": "Amounts differ",
    "cancelled_there": "Cancelled there",
    "alive_there": "Cancelled here, not there",
    "twice_there": "Several there",
}
CANCELLING = "It is cancelled here and alive there. The cancellation goes out again; it cannot be taken back from here."
ACTS = {"replay": "Send again", "look": "Look at it", "cancel": "Cancel there"}


@dataclass(frozen=True)
class DayView:
    """One day in the list."""

    day: date
    kind: str
    href: str
    current: bool
    state: State
    running: bool
    ours: int
    theirs: int
    our_sums: tuple[Money, ...]
    their_sums: tuple[Money, ...]
    under_way: int
    differing: int
    checked: int
    total: int
    said: str
    ended_at: datetime | None


@dataclass(frozen=True)
class DifferenceView:
    """One document that is not the same on both sides."""

    id: str
    reference: str
    order_url: str
    what: str
    ours: Money | None
    theirs: Money | None
    act: str
    may: bool
    ask_url: str  # where it is asked first; empty where it need not be
    acted_by: str
    acted_at: datetime | None


@dataclass(frozen=True)
class ReconcilingPage:
    """The days of a connection, and the differences of the chosen one."""

    id: str
    name: str
    what: str
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    action: str
    yesterday: date
    days: tuple[DayView, ...]
    chosen: DayView | None
    differences: tuple[DifferenceView, ...]
    may_act: bool


@pages.get("/<uuid:connection_id>/reconciling", permission="connection.view")
def reconciling(ctx: Context, connection_id: UUID) -> Response:
    """What both sides hold, day by day; the newest day with differences is open."""
    connection = find_connection(ctx, connection_id)
    found = service.tallies(ctx, connection_id)
    wanted, kind = request.args.get("day", ""), request.args.get("kind", "")
    named = [each for each in found if each.day.isoformat() == wanted]
    chosen = next((each for each in named if each.kind == kind), named[0] if named else None)
    if chosen is None and not wanted:
        chosen = next((each for each in found if each.differing), found[0] if found else None)
    may_act = ctx.allows("connection.replay")
    differences = service.differences_of(ctx, chosen.id) if chosen else []
    orders = chosen is not None and chosen.kind in (SALES_ORDER, PURCHASE_ORDER)
    days = tuple(_day(each, each is chosen) for each in found)
    page = ReconcilingPage(
        id=str(connection_id),
        name=connection.name,
        what=about(connection),
        tabs=tabs(ctx, connection_id, "reconciling", None),
        action=url_for("sync.count_day", connection_id=connection_id),
        yesterday=booked_on(ctx, ctx.now) - timedelta(days=1),
        days=days,
        chosen=next((each for each in days if each.current), None),
        differences=tuple(_difference(each, may_act, orders) for each in differences),
        may_act=may_act,
    )
    return render("sync/reconciling.html", page, crumbs=[Crumb(_("Connections"), url_for("sync.connections"))])


@pages.post("/<uuid:connection_id>/reconciling", permission="connection.replay")
def count_day(ctx: Context, connection_id: UUID) -> Response:
    """Count a day now, or again."""
    try:
        day = date.fromisoformat(form().get("day", ""))
    except ValueError:
        raise Invalid.one("day", "connection.no_day") from None
    for kind in service.counted_kinds(find_connection(ctx, connection_id)):
        service.tally_day(ctx, connection_id, day, kind)
    flash(_("The day is being counted; its figures appear here."), tone="acc")
    return redirect("sync.reconciling", connection_id=connection_id, day=day.isoformat())


@pages.get("/reconciling/<uuid:difference_id>/act", permission="connection.replay")
def ask_act(ctx: Context, difference_id: UUID) -> Response:
    """What would be cancelled there, before it is."""
    row = service.find_difference(ctx, difference_id)
    tally = service.find_tally(ctx, row.tally_id)
    page = Confirmation(
        title=_("Cancel %(reference)s there?", reference=row.reference),
        consequences=(_(CANCELLING),),
        action=url_for("sync.act_on_difference", difference_id=difference_id),
        verb=_("Cancel there"),
        keep=_("Back"),
        keep_url=_url(tally),
        danger=True,
    )
    return render("shell/confirm.html", page, crumbs=[Crumb(_("Connections"), url_for("sync.connections"))])


@pages.post("/reconciling/<uuid:difference_id>/act", permission="connection.replay")
def act_on_difference(ctx: Context, difference_id: UUID) -> Response:
    """Do what is suggested about one difference."""
    row = service.act_on(ctx, difference_id)
    tally = service.find_tally(ctx, row.tally_id)
    flash(_("%(reference)s is on its way again; it is looked up there first.", reference=row.reference))
    return redirect("sync.reconciling", connection_id=tally.connection_id, day=tally.day.isoformat(), kind=tally.kind)


def _url(row: SyncTally) -> str:
    return url_for("sync.reconciling", connection_id=row.connection_id, day=row.day.isoformat(), kind=row.kind)


def _day(row: SyncTally, current: bool) -> DayView:
    word, tone = STATES[row.state]
    return DayView(
        day=row.day,
        kind=_(TITLES.get(row.kind, row.kind)),
        href=_url(row),
        current=current,
        state=(_(word), tone),
        running=row.state in ("wanted", "running"),
        ours=row.ours,
        theirs=row.theirs,
        our_sums=_sums(row.our_sums),
        their_sums=_sums(row.their_sums),
        under_way=row.under_way,
        differing=row.differing,
        checked=row.checked,
        total=row.total,
        said=told(row.said),
        ended_at=row.ended_at,
    )


def _sums(told: Mapping[str, str]) -> tuple[Money, ...]:
    """Amounts by currency; what only the other system has is told without one, and only its number is shown."""
    return tuple(Money(Decimal(amount), currency) for currency, amount in told.items() if currency)


def _difference(row: SyncDifference, may_act: bool, orders: bool) -> DifferenceView:
    return DifferenceView(
        id=str(row.id),
        reference=row.reference,
        order_url=url_for("orders.detail", order_id=row.object_id) if orders and row.object_id else "",
        what=_(KINDS[row.kind]),
        ours=_money(row.ours, row.currency),
        theirs=_money(row.theirs, row.currency),
        act=_(ACTS[row.act]),
        may=may_act and row.act != "look" and row.acted_at is None,
        ask_url=url_for("sync.ask_act", difference_id=row.id) if row.act == "cancel" else "",
        acted_by=row.acted_by,
        acted_at=row.acted_at,
    )


def _money(amount: Decimal | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount, currency or "CNY")

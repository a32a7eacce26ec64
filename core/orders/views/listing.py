"""The list of orders: saved views as tabs, search, states, pages by keyset. The address holds all of it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, request, url_for

from core.kernel import Context, Money
from core.orders import reading
from core.orders.reading import OrderRow
from core.orders.states import TITLES
from core.orders.views.frame import State, named, pages, state_of
from core.web import gettext as _
from core.web import render
from core.web.page import here

PAGE = 50
ROADS = (
    "submitted",
    "countered",
    "pending_approval",
    "confirmed",
    "in_progress",
    "delivered",
    "accepted",
    "completed",
    "draft",
)
"""States to filter by, the living ones; the ends are found by search and in the full list."""


@dataclass(frozen=True)
class RowView:
    """An order in the list; `late` says that an offer runs out within a day or has run out."""

    href: str
    number: str
    po: str | None
    side: str
    partner: str
    placed: datetime
    delivery: date | None
    total: Money
    paid: Money
    state: State
    answer_by: datetime | None


@dataclass(frozen=True)
class Chip:
    text: str
    href: str


@dataclass(frozen=True)
class OrdersPage:
    """The list as its address asks for it; `views` are tabs (text, address, current, count)."""

    views: tuple[tuple[str, str, bool, int | None], ...]
    q: str
    keep: dict[str, str]
    chips: tuple[Chip, ...]
    states: tuple[tuple[str, str, bool], ...]
    rows: tuple[RowView, ...]
    newer: str | None
    older: str | None
    filtered: bool
    clear_url: str


@pages.get("", permission="order.view")
def index(ctx: Context) -> Response:
    """Orders of the enterprise, as buyer and as seller."""
    args = request.args
    side = args["side"] if args.get("side") in ("buyer", "seller") else "all"
    state = args.get("state") if args.get("state") in TITLES else None
    view = "waiting" if args.get("waiting") else "open" if args.get("open") else side
    q = args.get("q", "").replace("\x00", "")[:100].strip()
    states = (state,) if state else reading.OPEN if view == "open" else ()
    backwards = bool(args.get("before"))
    found = reading.list_orders(
        ctx,
        side,
        states,
        q,
        args.get("before") or args.get("after"),
        PAGE,
        waiting=view == "waiting",
        backwards=backwards,
    )
    keep = {name: args[name] for name in ("side", "waiting", "open", "state") if args.get(name)}
    return render(
        "orders/index.html",
        OrdersPage(
            views=_views(ctx, view),
            q=q,
            keep=keep,
            chips=tuple(_chips(q, state)),
            states=tuple(
                (state_of(key)[0], here(state=key, after=None, before=None), key == state) for key in ROADS
            ),
            rows=tuple(_row(row) for row in found.rows),
            newer=here(before=found.newer, after=None) if found.newer else None,
            older=here(after=found.next, before=None) if found.next else None,
            filtered=bool(q or state),
            clear_url=here(q=None, state=None, after=None, before=None),
        ),
    )


def _views(ctx: Context, current: str) -> tuple[tuple[str, str, bool, int | None], ...]:
    waiting = reading.count_waiting(ctx)
    views: tuple[tuple[str, str, dict[str, Any], int | None], ...] = (
        ("all", _("All"), {}, None),
        ("waiting", _("To answer"), {"waiting": 1}, waiting or None),
        ("open", _("Under way"), {"open": 1}, None),
        ("buyer", _("Purchases"), {"side": "buyer"}, None),
        ("seller", _("Sales"), {"side": "seller"}, None),
    )
    return tuple(
        (text, url_for("orders.index", **query), key == current, count) for key, text, query, count in views
    )


def _chips(q: str, state: str | None) -> list[Chip]:
    chips = []
    if state:
        chips.append(Chip(state_of(state)[0], here(state=None, after=None, before=None)))
    if q:
        chips.append(Chip(f"“{q}”", here(q=None, after=None, before=None)))
    return chips


def _row(row: OrderRow) -> RowView:
    return RowView(
        href=url_for("orders.detail", order_id=row.id),
        number=row.number or _("No number yet"),
        po=row.buyer_po,
        side=_("Purchase") if row.side == "buyer" else _("Sale"),
        partner=named(row.partner_zh, row.partner_en),
        placed=row.submitted_at or row.created_at,
        delivery=row.delivery_date,
        total=Money(row.total, row.currency),
        paid=Money(row.paid + row.prepaid, row.currency),
        state=state_of(row.state),
        answer_by=row.offer_expires_at if row.state in ("submitted", "countered") else None,
    )

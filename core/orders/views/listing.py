"""The list of orders: views as tabs, search, states, order, columns, pages by keyset. The address holds all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, request, url_for
from flask import redirect as redirect_to

from core.kernel import Context, Money
from core.orders import reading
from core.orders.reading import OrderRow
from core.orders.saved import Look, SavedView, views_of
from core.orders.saved.look import COLUMNS
from core.orders.saved.sorting import orders_of
from core.orders.views.frame import State, named, pages, state_of
from core.orders.views.looks import COLUMN_TITLES, ROADS, SORT_TITLES
from core.web import gettext as _
from core.web import render
from core.web.page import here

PAGE = 50


@dataclass(frozen=True)
class RowView:
    """An order in the list; `answer_by` is when an offer runs out."""

    href: str
    number: str
    po: str | None
    side: str
    mode: str
    partner: str
    placed: datetime
    delivery: date | None
    total: Money
    invoiced: Money
    paid: Money
    state: State
    answer_by: datetime | None


@dataclass(frozen=True)
class Chip:
    text: str
    href: str


@dataclass(frozen=True)
class Option:
    """A column or an order of the list to choose."""

    key: str
    text: str
    chosen: bool
    href: str = ""


@dataclass(frozen=True)
class OrdersPage:
    """The list as its address asks for it.

    `views` are tabs (text, address, current, count); `keep` is the rest of the address for forms that change one part;
    `columns` are keys of what is shown beside the number; `changed` is the saved view whose look the address departs from,
    with the fields that would change it.
    """

    views: tuple[tuple[str, str, bool, int | None], ...]
    q: str
    keep: dict[str, str]
    keep_columns: dict[str, str]
    chips: tuple[Chip, ...]
    states: tuple[tuple[str, str, bool], ...]
    sort: str
    sorts: tuple[Option, ...]
    columns: tuple[str, ...]
    choices: tuple[Option, ...]
    rows: tuple[RowView, ...]
    newer: str | None
    older: str | None
    filtered: bool
    clear_url: str
    look: dict[str, str]
    save_url: str
    manage_url: str | None
    changed: tuple[str, str] | None


@pages.get("", permission="order.view")
def index(ctx: Context) -> Response:
    """Orders of the enterprise, as buyer and as seller. Without a wish the reader's default view opens."""
    args = request.args
    mine = views_of(ctx)
    default = next((view for view in mine if view.is_default), None)
    if not args and default is not None:
        return _to(Look.kept(default), default)
    look = Look.asked(args, args.getlist("cols"))
    chosen = next((view for view in mine if str(view.id) == args.get("view")), None)
    if len(args.getlist("cols")) > 1:
        return _to(look, chosen)
    backwards = bool(args.get("before"))
    found = orders_of(ctx, look, args.get("before") or args.get("after"), PAGE, backwards=backwards)
    asked = look.args() | ({"view": str(chosen.id)} if chosen else {})
    return render(
        "orders/index.html",
        OrdersPage(
            views=tuple(_tabs(ctx, look, mine, chosen)),
            q=look.q,
            keep={name: value for name, value in asked.items() if name != "q"},
            keep_columns={name: value for name, value in asked.items() if name != "cols"},
            chips=tuple(_chips(look)),
            states=tuple(
                (state_of(key)[0], here(state=key, after=None, before=None), key == look.state) for key in ROADS
            ),
            sort=look.sort or "-placed",
            sorts=tuple(
                Option(key, str(title), key == (look.sort or "-placed"), here(sort=key, after=None, before=None))
                for key, title in SORT_TITLES.items()
            ),
            columns=look.columns,
            choices=tuple(Option(key, str(COLUMN_TITLES[key]), key in look.columns) for key in COLUMNS),
            rows=tuple(_row(ctx, row) for row in found.rows),
            newer=here(before=found.newer, after=None) if found.newer else None,
            older=here(after=found.next, before=None) if found.next else None,
            filtered=bool(look.q or look.state),
            clear_url=here(q=None, state=None, after=None, before=None),
            look=look.args(),
            save_url=url_for("orders.new_view", **look.args()),
            manage_url=url_for("orders.my_views") if mine else None,
            changed=(chosen.name, url_for("orders.change_view", view_id=chosen.id))
            if chosen is not None and Look.kept(chosen) != look
            else None,
        ),
    )


def address(view: SavedView) -> str:
    """Where the list shows a saved view."""
    return url_for("orders.index", view=view.id, **Look.kept(view).args())


def _to(look: Look, view: SavedView | None) -> Response:
    """The same list at the address that says everything."""
    known: dict[str, Any] = {"view": str(view.id)} if view is not None else {}
    return redirect_to(url_for("orders.index", **known, **look.args()))  # type: ignore[return-value]


def _tabs(
    ctx: Context, look: Look, mine: list[SavedView], chosen: SavedView | None
) -> Iterator[tuple[str, str, bool, int | None]]:
    waiting = reading.count_waiting(ctx)
    fixed: tuple[tuple[str, str, dict[str, Any], int | None], ...] = (
        ("all", _("All"), {"side": "all"}, None),
        ("waiting", _("To answer"), {"waiting": 1}, waiting or None),
        ("open", _("Under way"), {"open": 1}, None),
        ("buyer", _("Purchases"), {"side": "buyer"}, None),
        ("seller", _("Sales"), {"side": "seller"}, None),
    )
    current = "" if chosen else "waiting" if look.waiting else "open" if look.open else look.side
    for key, text, query, count in fixed:
        yield text, url_for("orders.index", **query), key == current, count
    for view in mine:
        yield view.name, address(view), view is chosen, None


def _chips(look: Look) -> Iterator[Chip]:
    if look.state:
        yield Chip(state_of(look.state)[0], here(state=None, after=None, before=None))
    if look.q:
        yield Chip(f"“{look.q}”", here(q=None, after=None, before=None))


def _row(ctx: Context, row: OrderRow) -> RowView:
    known = ctx.ports.dispatch.modes.get(row.mode)
    return RowView(
        href=url_for("orders.detail", order_id=row.id),
        number=row.number or _("No number yet"),
        po=row.buyer_po,
        side=_("Purchase") if row.side == "buyer" else _("Sale"),
        mode=_(known.mode.title) if known is not None else row.mode,
        partner=named(row.partner_zh, row.partner_en),
        placed=row.submitted_at or row.created_at,
        delivery=row.delivery_date,
        total=Money(row.total, row.currency),
        invoiced=Money(row.invoiced, row.currency),
        paid=Money(row.paid + row.prepaid, row.currency),
        state=state_of(row.state),
        answer_by=row.offer_expires_at if row.state in ("submitted", "countered") else None,
    )

"""What orders draw on the workbench: what was ordered week by week, and whether deliveries came in time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, Row, Select, cast, func, literal, select, union_all

from core.kernel import Context
from core.orders.model import TradeOrder
from core.web import gettext as _
from core.web.formats import HOUSE_ZONE
from core.workbench.charts import Chart, Series, beginning, weeks

LOST = ("rejected", "expired", "cancelled")
"""Orders that came to nothing are not counted as ordered."""
SIDES = (("seller", TradeOrder.seller_id), ("buyer", TradeOrder.buyer_id))
ZERO = Decimal(0)


@dataclass(frozen=True)
class Weekly:
    """Figures by side and week: what was ordered, and how many deliveries came in time or late."""

    ordered: dict[str, dict[date, Decimal]]
    in_time: dict[str, dict[date, Decimal]]
    late: dict[str, dict[date, Decimal]]


def charts(ctx: Context) -> list[Chart]:
    """One statement, whatever the number of orders; what is old enough is not even looked at."""
    if not ctx.allows("order.view"):
        return []
    mondays = weeks(ctx.now)
    found = weekly(ctx, mondays[0])
    return [ordered(found, mondays), *punctuality(found, mondays)]


def weekly(ctx: Context, first: date) -> Weekly:
    """What the charts show, from a Monday on."""
    arms = [arm for side, own in SIDES for arm in (_ordered(ctx, side, own, first), _delivered(ctx, side, own, first))]
    rows = ctx.session.execute(union_all(*arms)).all()
    orders = [row for row in rows if row.what == "ordered"]
    deliveries = [row for row in rows if row.what == "delivered"]
    return Weekly(_by_side(orders, "good"), _by_side(deliveries, "good"), _by_side(deliveries, "bad"))


def _ordered(ctx: Context, side: str, own: Any, first: date) -> Select[Any]:
    """Order totals by the week in which the order was made."""
    order = TradeOrder
    return (
        select(
            literal("ordered").label("what"),
            literal(side).label("side"),
            _week(order.created_at).label("week"),
            func.sum(order.total).label("good"),
            literal(0).label("bad"),
        )
        .where(
            own == ctx.tenant_id,
            order.created_at >= beginning(first),
            order.number.is_not(None),
            order.state.not_in(LOST),
            order.currency == "CNY",
        )
        .group_by("week")
    )


def _delivered(ctx: Context, side: str, own: Any, first: date) -> Select[Any]:
    """How many orders had arrived whole in a week, up to the day agreed and after it."""
    order = TradeOrder
    day = cast(func.timezone(str(HOUSE_ZONE), order.delivered_at), Date)
    return (
        select(
            literal("delivered").label("what"),
            literal(side).label("side"),
            _week(order.delivered_at).label("week"),
            func.count().filter(day <= order.delivery_date).label("good"),
            func.count().filter(day > order.delivery_date).label("bad"),
        )
        .where(own == ctx.tenant_id, order.delivered_at >= beginning(first), order.delivery_date.is_not(None))
        .group_by("week")
    )


def ordered(found: Weekly, mondays: tuple[date, ...]) -> Chart:
    """Order totals (VAT included, CNY) by the week in which the order was made, by side."""
    titles = {"seller": _("Sales"), "buyer": _("Purchases")}
    shown = [side for side, _own in SIDES if found.ordered.get(side)] or ["seller"]
    return Chart(
        key="ordered",
        title=_("Orders of the last %(n)s weeks", n=len(mondays)),
        starts=mondays,
        series=tuple(Series(titles[side], _filled(found.ordered.get(side, {}), mondays)) for side in shown),
        note=_(
            "Order totals with VAT in CNY, by the week the order was made. Rejected, expired and cancelled orders are left out."
        ),
        none=_("No order was placed in these weeks. The first one shows here at once."),
        currency="CNY",
        endpoint="orders.index",
        values={"side": shown[0] if len(shown) == 1 else "all"},
    )


def punctuality(found: Weekly, mondays: tuple[date, ...]) -> list[Chart]:
    """Orders delivered in full by week, in time or late against their delivery date; one chart for each side that has some."""
    titles = {"seller": _("Deliveries to customers"), "buyer": _("Deliveries from suppliers")}
    shown = [side for side, _own in SIDES if side in found.in_time]
    return [
        _punctual(mondays, titles[side], side, found.in_time[side], found.late[side]) for side in shown
    ] or [_punctual(mondays, _("Deliveries in time"), "all", {}, {})]


def _punctual(
    mondays: tuple[date, ...], title: str, side: str, in_time: dict[date, Decimal], late: dict[date, Decimal]
) -> Chart:
    met = sum(in_time.values(), ZERO)
    total = met + sum(late.values(), ZERO)
    return Chart(
        key=f"punctual-{side}",
        title=title,
        starts=mondays,
        series=(
            Series(_("In time"), _filled(in_time, mondays)),
            Series(_("Late"), _filled(late, mondays)),
        ),
        note=_("Orders by the week in which everything had arrived, against the agreed date. Those without a date are left out."),
        none=_("No order with a delivery date was delivered in full in these weeks."),
        stacked=True,
        headline=_("%(n)s of %(all)s in time", n=int(met), all=int(total)) if total else "",
        endpoint="orders.index",
        values={"side": side, "sort": "-delivery"},
    )


def _week(moment: Any) -> Any:
    """The Monday of a moment, by the calendar of the house."""
    return cast(func.date_trunc("week", func.timezone(str(HOUSE_ZONE), moment)), Date)


def _by_side(rows: Iterable[Row[Any]], column: str) -> dict[str, dict[date, Decimal]]:
    found: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for row in rows:
        found[row.side][row.week] = Decimal(getattr(row, column))
    return dict(found)


def _filled(found: dict[date, Decimal], mondays: tuple[date, ...]) -> tuple[Decimal, ...]:
    return tuple(found.get(monday, ZERO) for monday in mondays)

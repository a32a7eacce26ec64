"""Charts: what they show is what the rows say, week by week, in the same number of statements however many rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, text

from core import orders, workbench
from core.db import Database
from core.hooks import Dispatch
from core.kernel import Context, Money
from core.orders import charts
from core.orders.model import TradeOrder
from core.workbench.charts import Chart, Series, weeks
from core.workbench.drawing import HIGH, WIDE, draw, ticks
from tests.conftest import make_unit
from tests.orders.trade import Trade, dispatch

D = Decimal
MONDAYS = (date(2026, 11, 9), date(2026, 11, 16), date(2026, 11, 23))


@pytest.fixture
def plugins() -> Dispatch:
    return dispatch()


@pytest.fixture
def trade(shared_db: Database, plugins: Dispatch) -> Iterator[Trade]:
    with shared_db.session() as session:
        yield Trade(make_unit(shared_db, plugins), session).set_up()
        session.rollback()


def chart(*series: tuple[str, ...], currency: str | None = "CNY", stacked: bool = False) -> Chart:
    shown = tuple(Series(str(number), tuple(map(D, values))) for number, values in enumerate(series))
    return Chart("test", "Test", MONDAYS, shown, "note", "none", currency, stacked)


def total_of(found: Chart) -> dict[str, Decimal]:
    return {series.label: sum(series.values, D(0)) for series in found.series}


def at(trade: Trade, order: TradeOrder, **moments: Any) -> None:
    """Set moments of an order as they would be had it been made then."""
    trade.session.flush()
    owner = trade.system(order.buyer_id)
    for name, value in moments.items():
        setattr(order, name, value)
    owner.session.flush()


def test_weeks_begin_on_mondays_of_the_house() -> None:
    late_sunday = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    assert weeks(late_sunday, 2) == (date(2026, 11, 9), date(2026, 11, 16))
    assert weeks(late_sunday + timedelta(minutes=1), 2) == (date(2026, 11, 16), date(2026, 11, 23))
    assert len(weeks(late_sunday)) == 12


@pytest.mark.parametrize(
    ("most", "whole", "marks"),
    [
        ("0", False, "0"),
        ("-5", False, "0"),
        ("1", True, "0 1"),
        ("3", True, "0 1 2 3"),
        ("5", True, "0 2 4 6"),
        ("1", False, "0 0.5 1.0"),
        ("202059.87", False, "0 100000 200000 300000"),
        ("0.01", False, "0 0.005 0.010"),
        ("1234567890123.45", False, "0 500000000000 1000000000000 1500000000000"),
    ],
)
def test_ticks_are_round_and_reach_over_everything(most: str, whole: bool, marks: str) -> None:
    assert ticks(D(most), whole) == tuple(map(D, marks.split()))


def test_bars_stand_on_the_axis_beside_each_other_or_on_top() -> None:
    beside = draw(chart(("100", "0", "40"), ("50", "20", "0"), currency=None))
    assert len(beside.bars) == 4, "what is nothing has no bar"
    assert all(D(bar.y) + D(bar.height) == HIGH and D(bar.x) + D(bar.width) <= WIDE for bar in beside.bars)
    on_top = draw(chart(("100", "0", "40"), ("50", "20", "0"), currency=None, stacked=True))
    first, second = (bar for bar in on_top.bars if bar.start == MONDAYS[0])
    assert D(second.y) + D(second.height) == D(first.y) and first.x == second.x
    assert on_top.best == (MONDAYS[0], D(150)) and on_top.totals == (D(140), D(70))


def test_the_table_says_exactly_what_the_bars_show() -> None:
    drawing = draw(chart(("1.01", "2.02", "3.03")))
    assert drawing.rows[1] == (MONDAYS[1], (Money(D("2.02"), "CNY"),))
    assert drawing.totals == (Money(D("6.06"), "CNY"),)
    assert [bar.value for bar in drawing.bars] == [row[1][0] for row in drawing.rows]


def test_an_empty_chart_has_no_bars_and_no_ticks() -> None:
    drawing = draw(chart(("0", "0", "0")))
    assert drawing.chart.empty and drawing.bars == () and drawing.ticks == ()


def test_what_was_ordered_is_the_sum_of_the_orders_of_the_week(trade: Trade) -> None:
    first, second = trade.place(("bar", "10")), trade.confirmed(("plate", "2"))
    orders.reject(trade.seller(), trade.place(("bearing", "1")).id, "no")
    orders.draft(trade.buyer(), trade.wish(("bar", "7")))
    old, elder = trade.place(("bar", "3")), trade.place(("bar", "5"))
    ctx = trade.buyer()
    at(trade, old, created_at=ctx.now - timedelta(weeks=2))
    at(trade, elder, created_at=ctx.now - timedelta(weeks=13))
    wanted = first.total + second.total
    for who, label in ((trade.buyer, "Purchases"), (trade.seller, "Sales")):
        ctx = who()
        mondays = weeks(ctx.now)
        found = charts.ordered(charts.weekly(ctx, mondays[0]), mondays)
        assert [series.label for series in found.series] == [label]
        assert found.series[0].values[-1] == wanted and found.series[0].values[-3] == old.total
        assert total_of(found) == {label: wanted + old.total}
        assert _by_sql(ctx) == wanted + old.total


def _by_sql(ctx: Context) -> Decimal:
    """The same total, asked in the plainest way."""
    found = ctx.session.scalar(
        text(
            """
            SELECT sum(total) FROM ts.trade_order WHERE number IS NOT NULL AND currency = 'CNY'
              AND state NOT IN ('rejected', 'expired', 'cancelled') AND (buyer_id = :me OR seller_id = :me)
              AND created_at >= (date_trunc('week', now() AT TIME ZONE 'Asia/Shanghai') - interval '11 weeks')
                                AT TIME ZONE 'Asia/Shanghai'"""
        ),
        {"me": ctx.tenant_id},
    )
    return D(found)


def test_a_delivery_is_in_time_until_the_day_agreed_has_ended(trade: Trade) -> None:
    day = trade.buyer().now.astimezone(charts.HOUSE_ZONE).date() - timedelta(days=7)
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), charts.HOUSE_ZONE)
    for moment in (midnight - timedelta(seconds=1), midnight, None):
        at(trade, trade.place(("bar", "1")), delivery_date=day, delivered_at=moment)
    at(trade, trade.place(("bar", "1")), delivered_at=midnight)
    ctx = trade.seller()
    mondays = weeks(ctx.now)
    (found,) = charts.punctuality(charts.weekly(ctx, mondays[0]), mondays)
    assert found.key == "punctual-seller" and list(total_of(found).values()) == [D(1), D(1)]
    assert found.headline == "1 of 2 in time"


def test_nothing_to_show_says_why(trade: Trade) -> None:
    found = charts.charts(trade.buyer())
    assert [each.key for each in found] == ["ordered", "punctual-all"]
    assert all(each.empty and each.none for each in found)
    assert charts.charts(trade.as_("Nobody", "operator.risk", at=trade.buyer_id)) == []


def test_charts_take_one_statement_however_many_orders(trade: Trade) -> None:
    ctx = trade.buyer()
    counted: list[str] = []
    connection = ctx.session.connection()

    def count(*args: Any) -> None:
        counted.append(args[2])

    for number in range(3):
        trade.place(("bar", str(number + 1)))
        ctx = trade.buyer()
        event.listen(connection, "before_cursor_execute", count)
        charts.charts(ctx)
        event.remove(connection, "before_cursor_execute", count)
        assert len(counted) == number + 1


def test_rooms_register_once() -> None:
    known = list(workbench.charts.__globals__["_charts"])
    workbench.register_charts(charts.charts)
    workbench.register_charts(charts.charts)
    assert workbench.charts.__globals__["_charts"].count(charts.charts) == 1
    workbench.charts.__globals__["_charts"][:] = known

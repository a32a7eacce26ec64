"""Charts of the workbench, told by the rooms: figures by period, drawn by the page and readable as a table.

A room registers once, in its `wiring.py`:

    def charts(ctx) -> list[Chart]: ...
    register_charts(charts)

Each asks the database once, however many rows there are, and offers only what the actor of `ctx` may see.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from core.kernel import Context
from core.web.formats import HOUSE_ZONE

WEEKS = 12


@dataclass(frozen=True)
class Series:
    """One thing that is counted or summed: a value for each period."""

    label: str
    values: tuple[Decimal, ...]


@dataclass(frozen=True)
class Chart:
    """Figures by week, at most three series. `starts` are the Mondays.

    `currency` says that the values are money; without one they are counts. `stacked` puts the series on top of each
    other. `note` says what is counted, exactly; `none` says why there is nothing to see where every value is zero.
    """

    key: str
    title: str
    starts: tuple[date, ...]
    series: tuple[Series, ...]
    note: str
    none: str
    currency: str | None = None
    stacked: bool = False
    headline: str = ""
    endpoint: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not any(value for series in self.series for value in series.values)


ChartSource = Callable[[Context], list[Chart]]
_charts: list[ChartSource] = []


def register_charts(source: ChartSource) -> None:
    if source not in _charts:
        _charts.append(source)


def charts(ctx: Context) -> list[Chart]:
    return [chart for source in _charts for chart in source(ctx)]


def weeks(now: datetime, count: int = WEEKS) -> tuple[date, ...]:
    """The Mondays of the last weeks by the calendar of the house, the present week last."""
    today = now.astimezone(HOUSE_ZONE).date()
    monday = today - timedelta(days=today.weekday())
    return tuple(monday - timedelta(weeks=back) for back in reversed(range(count)))


def beginning(day: date) -> datetime:
    """The first moment of a day by the calendar of the house."""
    return datetime.combine(day, time(), HOUSE_ZONE)

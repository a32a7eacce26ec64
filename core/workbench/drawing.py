"""Where the bars of a chart stand, in a box of 1200 by 400 units that the page stretches to its frame.

Words and numbers are not part of the drawing: they stand around it as text, so they keep their size on a phone.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from core.kernel import Money
from core.workbench.charts import Chart

WIDE, HIGH = 1200, 400
FILLED = Decimal("0.5")
"""The part of a period's width that its bars take."""
STEPS = (Decimal(1), Decimal(2), Decimal(5), Decimal(10))
"""Between two ticks lies one of these, times a power of ten: every tick is a number that can be written short."""
MOST_TICKS = 4


@dataclass(frozen=True)
class Bar:
    """A rectangle in units of the box; `tone` is the number of its series, from 1."""

    x: str
    y: str
    width: str
    height: str
    tone: int
    start: date
    label: str
    value: Decimal | Money


@dataclass(frozen=True)
class Drawing:
    """A chart ready to be drawn. `ticks` are (value, height in units) from the top down, `rows` the table beside it."""

    chart: Chart
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[Decimal | Money, str], ...]
    labels: tuple[tuple[int, str], ...]
    rows: tuple[tuple[date, tuple[Decimal | Money, ...]], ...]
    totals: tuple[Decimal | Money, ...]
    best: tuple[date, Decimal | Money] | None


def draw(chart: Chart) -> Drawing:
    """Bars, ticks and table of a chart; an empty chart has no bars."""
    columns = list(zip(*(series.values for series in chart.series), strict=True))
    heights: list[Decimal] = [sum(column, Decimal(0)) if chart.stacked else max(column) for column in columns]
    marks = ticks(max(heights, default=Decimal(0)), whole=chart.currency is None)
    top = marks[-1]
    sums: list[Decimal] = [sum(column, Decimal(0)) for column in columns]
    most = max(sums, default=Decimal(0))
    at = sums.index(most) if most else None
    return Drawing(
        chart=chart,
        bars=tuple(_bars(chart, columns, top)) if top else (),
        ticks=tuple((_value(chart, mark), _unit(HIGH - HIGH * mark / top)) for mark in reversed(marks)) if top else (),
        labels=tuple((number, series.label) for number, series in enumerate(chart.series, 1)),
        rows=tuple(
            (start, tuple(_value(chart, value) for value in column))
            for start, column in zip(chart.starts, columns, strict=True)
        ),
        totals=tuple(_value(chart, sum(series.values, Decimal(0))) for series in chart.series),
        best=(chart.starts[at], _value(chart, sums[at])) if at is not None else None,
    )


def ticks(most: Decimal, whole: bool = False) -> tuple[Decimal, ...]:
    """The values of the axis from 0 up, the last one at least `most`; `whole` ones where things are counted."""
    if most <= 0:
        return (Decimal(0),)
    rough = most / MOST_TICKS
    size = Decimal(10) ** rough.adjusted()
    step = next(each * size for each in STEPS if each * size >= rough)
    if whole:
        step = max(step, Decimal(1))
    return tuple(step * number for number in range(int((most / step).to_integral_value(ROUND_CEILING)) + 1))


def _bars(chart: Chart, columns: list[tuple[Decimal, ...]], top: Decimal) -> list[Bar]:
    slot = Decimal(WIDE) / len(columns)
    lanes = 1 if chart.stacked else len(chart.series)
    width = slot * FILLED / lanes
    found = []
    for place, (start, column) in enumerate(zip(chart.starts, columns, strict=True)):
        foot, left = Decimal(HIGH), slot * place + slot * (1 - FILLED) / 2
        for number, (series, value) in enumerate(zip(chart.series, column, strict=True)):
            height = value / top * HIGH
            if height > 0:
                x = left if chart.stacked else left + width * number
                bottom = foot if chart.stacked else Decimal(HIGH)
                found.append(
                    Bar(
                        _unit(x), _unit(bottom - height), _unit(width), _unit(height), number + 1, start,
                        series.label, _value(chart, value),
                    )
                )  # fmt: skip
            foot -= height
    return found


def _value(chart: Chart, value: Decimal) -> Decimal | Money:
    return Money(value, chart.currency) if chart.currency else value


def _unit(value: Decimal) -> str:
    return f"{value:.1f}"

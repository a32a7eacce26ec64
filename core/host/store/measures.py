"""How a plugin does: calls, errors and time of its hooks, out of the minutes that all processes reported."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

SPANS = {"1": 1, "24": 24}
"""What one may look at: hours, as the address says them."""
POINTS = 60  # of a drawing


@dataclass(frozen=True)
class Measure:
    """Calls of one hook, or of all. Times are milliseconds; half and most calls took at most `p50` and `p95`.

    They are known to a power of two: None without any call. `calls_by` and `errors_by` are the points of the drawing.
    """

    hook: str
    calls: int
    errors: int
    mean: Decimal | None
    p50: Decimal | None
    p95: Decimal | None
    calls_by: tuple[int, ...] = ()
    errors_by: tuple[int, ...] = ()


def measures(minutes: Iterable[Any], since: datetime, hours: int) -> tuple[Measure, tuple[Measure, ...]]:
    """All hooks together, and each one, the busiest first."""
    by_hook: dict[str, list[Any]] = {}
    everything: list[Any] = []
    for minute in minutes:
        by_hook.setdefault(minute.hook, []).append(minute)
        everything.append(minute)
    each = [_measure(hook, found, since, hours) for hook, found in by_hook.items()]
    return _measure("", everything, since, hours), tuple(sorted(each, key=lambda one: (-one.calls, one.hook)))


def percentile(slower: Sequence[int], share: Decimal) -> Decimal | None:
    """The upper edge, in milliseconds, of the bucket in which that share of the calls is reached."""
    total = sum(slower)
    if not total:
        return None
    seen = 0
    for power, count in enumerate(slower):
        seen += count
        if seen >= share * total:
            return Decimal(2) ** power
    return Decimal(2) ** (len(slower) - 1)


def _measure(hook: str, minutes: Sequence[Any], since: datetime, hours: int) -> Measure:
    calls = sum(each.calls for each in minutes)
    slower = _summed([each.slower for each in minutes])
    apart = timedelta(hours=hours) / POINTS
    calls_by, errors_by = [0] * POINTS, [0] * POINTS
    for each in minutes:
        at = min(max(int((each.minute - since) / apart), 0), POINTS - 1)
        calls_by[at] += each.calls
        errors_by[at] += each.errors
    mean = Decimal(sum(each.micros for each in minutes)) / 1000 / calls if calls else None
    return Measure(
        hook, calls, sum(each.errors for each in minutes), mean, percentile(slower, Decimal("0.5")),
        percentile(slower, Decimal("0.95")), tuple(calls_by), tuple(errors_by),
    )  # fmt: skip


def _summed(rows: Sequence[Sequence[int]]) -> list[int]:
    found: list[int] = []
    for row in rows:
        found += [0] * (len(row) - len(found))
        for at, count in enumerate(row):
            found[at] += count
    return found

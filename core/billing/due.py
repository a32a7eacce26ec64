"""When an invoice is to be paid. Business days run in the seller's time zone; the due day itself is still in time."""

import calendar
from datetime import date, timedelta

from core.kernel import Invalid

KINDS = ("net", "eom", "day_of_month", "fixed")


def due_on(kind: str, base: date, days: int = 0, *, fixed: date | None = None, roll: bool = False) -> date:
    """The due day from a base day.

    net            base + `days`
    eom            end of base's month + `days`
    day_of_month   day `days` of the month after base's (its last day in a shorter month)
    fixed          the day `fixed`
    `roll` moves a Saturday or Sunday to the next Monday.
    """
    if kind == "net":
        due = base + timedelta(days=days)
    elif kind == "eom":
        due = base.replace(day=_length(base)) + timedelta(days=days)
    elif kind == "day_of_month":
        following = base.replace(day=_length(base)) + timedelta(days=1)
        due = following.replace(day=min(days, _length(following)))
    elif kind == "fixed" and fixed is not None:
        due = fixed
    else:
        raise Invalid.one("kind", "billing.unknown_due_rule", kind=kind, known=", ".join(KINDS))
    return due + timedelta(days=7 - due.weekday()) if roll and due.weekday() >= 5 else due


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]

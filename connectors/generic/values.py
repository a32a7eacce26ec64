"""How a name told in settings finds its value in a record, and how the text found there is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

NOT_TOLD = "-"
HIDDEN = "•••"
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
DEEPEST = 12  # steps of a path
DIGITS = 18  # before and after the point; more is no quantity and no price
MOST_PLACES = 60  # before and after the point of any number at all: written out, 1e999999999 is a text of a billion zeros
MARKS = {"english": (",", "."), "european": (".", ",")}
"""Between groups of three digits and before the fraction, where numbers are not written plainly (`1200.50`)."""
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%d.%m.%Y", "%Y年%m月%d日")
CHINA = timezone(timedelta(hours=8))  # days of the trade are days there
YES = {"1", "true", "yes", "y", "t", "active", "是", "启用", "有效", "正常"}
NO = {"0", "false", "no", "n", "f", "inactive", "否", "停用", "禁用", "无效"}


def pick(record: Any, path: str) -> Any:
    """The value at `item.no` or `lines.0.code`; None when there is none.

    A name that is there as a whole wins (`Item No.` of a column). `'CNY'` in quotes is that text itself, `-` nothing.
    """
    if not path or path == NOT_TOLD:
        return None
    if len(path) >= 2 and path[0] == path[-1] == "'":
        return path[1:-1]
    if isinstance(record, Mapping) and path in record:
        return record[path]
    value = record
    for step in path.split(".")[:DEEPEST]:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and len(step) < 7:
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def exact(told: str) -> Decimal:
    """A number of JSON; raises ValueError for one that no trade has and no memory holds."""
    found = Decimal(told)
    if found and abs(found.adjusted()) > MOST_PLACES:
        raise ValueError(f"no number of a trade: {told[:40]}")
    return found


def no_number(word: str) -> Any:
    """What stands for a number in JSON and is none, such as NaN."""
    raise ValueError(f"{word} is no number")


def text(value: Any) -> str:
    """A plain value as text without blanks around; empty for None. Raises ValueError for an object or a list."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping | list | tuple):
        raise ValueError("a single value is wanted, not a list or an object")
    return str(value).replace("\x00", "").strip()


def number(value: Any, form: str = "plain") -> Decimal:
    """An exact number; raises ValueError for anything else, also for a plain `1,200` whose comma could mean two things.

    `form` is plain (`1200.50`), english (`1,200.50`) or european (`1.200,50`).
    """
    if isinstance(value, bool):
        raise ValueError("true is no number")
    told = text(value)
    if form in MARKS:
        told = _plainly(told, *MARKS[form])
    try:
        found = Decimal(told)
    except InvalidOperation:
        raise ValueError(f"no number: {told[:40]!r}") from None
    if not found.is_finite() or abs(found.adjusted()) > DIGITS:
        raise ValueError(f"no number of a trade: {told[:40]!r}")
    return found


def _plainly(told: str, group: str, point: str) -> str:
    """The same number without marks of groups; raises ValueError where a group has not three digits."""
    g, p = re.escape(group), re.escape(point)
    found = re.fullmatch(rf"([-+]?)(\d{{1,3}}(?:{g}\d{{3}})+|\d+)(?:{p}(\d+))?", told)
    if found is None:
        raise ValueError(f"no number: {told[:40]!r}")
    return f"{found[1]}{found[2].replace(group, '')}.{found[3] or 0}"


def day(value: Any) -> date:
    """A day, by itself or at the front of a moment; the day in China where the moment has a zone. Raises ValueError."""
    told = text(value)
    head = told.replace("T", " ").partition(" ")[0]
    if head != told and (found := _moment(told)) is not None and found.tzinfo is not None:
        return found.astimezone(CHINA).date()
    if len(head) == len("20261205143000") and head.isdecimal():
        head = head[:8]
    for form in DAYS:
        try:
            return datetime.strptime(head, form).date()
        except ValueError:
            continue
    raise ValueError(f"no day: {told[:40]!r}")


def _moment(told: str) -> datetime | None:
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        return None


def truth(value: Any) -> bool:
    """Yes or no in the usual words; raises ValueError."""
    told = text(value).lower()
    if told in YES:
        return True
    if told in NO:
        return False
    raise ValueError(f"neither yes nor no: {told[:40]!r}")


def listed(told: str) -> set[str]:
    """`a, b` as a set of words in lower case."""
    return {part.strip().lower() for part in told.replace("\n", ",").split(",") if part.strip()}


def hidden(shown: str, secrets: Iterable[str] = ()) -> str:
    """Text for people to look at, without secrets and without mobile numbers."""
    for secret in secrets:
        if len(secret) > 3:
            shown = shown.replace(secret, HIDDEN)
    return MOBILE.sub(HIDDEN, shown)

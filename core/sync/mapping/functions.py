"""The fixed list of functions an expression may call. Each takes plain data and answers plain data of bounded size."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from core.sync.mapping.faults import ExpressionError
from core.sync.mapping.plain import shown

LONGEST_TEXT = 4000  # characters of any text on the way
ARITHMETIC = Context(prec=38, Emin=-60, Emax=40, traps=[Overflow, DivisionByZero, InvalidOperation])
MOST_PLACES = 10
MOST_DAYS = 10_000 * 366
MOST_DIGITS = 60  # before the point, or behind it

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_EDM_DATE = re.compile(r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{1,4})?\)/")
_PART = re.compile("YYYY|YY|MM|DD|HH|mm|ss")
_PARTS = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
DATE_FORMAT = re.compile(r"(YYYY|YY|MM|DD|HH|mm|ss|[-/.: T年月日])*")


def short(text: str) -> str:
    """The text, unless it is longer than any field may be."""
    if len(text) > LONGEST_TEXT:
        raise ExpressionError("large", most=LONGEST_TEXT)
    return text


def text_of(value: Any) -> str:
    """A value where text is expected; nothing is empty text."""
    if value is None or isinstance(value, str):
        return value or ""
    raise ExpressionError("text_expected", what=kind_of(value))


def number_of(value: Any) -> Decimal:
    """A value where a number is expected."""
    if isinstance(value, Decimal):
        return value
    raise ExpressionError("number_expected", what=kind_of(value))


def date_of(value: Any) -> date:
    """A value where a day is expected."""
    if isinstance(value, date):
        return value
    raise ExpressionError("date_expected", what=kind_of(value))


def kind_of(value: Any) -> str:
    """What a value is, with the value itself, for a message."""
    if isinstance(value, dict | list):
        return type(value).__name__
    return repr(value[:40]) if isinstance(value, str) else shown(value)


def _whole(value: Any, most: int) -> int:
    number = number_of(value)
    if number != number.to_integral_value() or not 0 <= number <= most:
        raise ExpressionError("whole_expected", what=shown(number), most=most)
    return int(number)


def written(day: date, form: str) -> str:
    """A day in a format of YYYY, MM, DD, HH, mm, ss; ISO when there is none."""
    if not DATE_FORMAT.fullmatch(form):
        raise ExpressionError("date_format", what=form[:40])
    moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001  a day has no zone
    return _PART.sub(lambda part: moment.strftime(_PARTS[part[0]]).zfill(len(part[0])), form) if form else day.isoformat()


def number(value: Any) -> Decimal | None:
    """Text as a number: plain digits with a dot. Empty stays empty."""
    if isinstance(value, Decimal):
        if value and abs(value.adjusted()) > MOST_DIGITS:  # written out it would be as long as its exponent says
            raise ExpressionError("large", most=LONGEST_TEXT)
        return value
    typed = text_of(value).strip()
    if not typed:
        return None
    if not _NUMBER.fullmatch(typed):
        raise ExpressionError("not_a_number", what=typed[:40])
    return ARITHMETIC.create_decimal(typed)


def to_date(value: Any) -> date | None:
    """Text as a day: 2026-12-05 with anything behind it, 20261205, or OData's /Date(...)/. Empty stays empty."""
    if isinstance(value, date):
        return value
    typed = text_of(value).strip()
    if not typed:
        return None
    try:
        if stamp := _EDM_DATE.fullmatch(typed):
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(stamp[1]))).date()
        return date.fromisoformat(typed[:8] if typed[:8].isdecimal() else typed[:10])
    except (ValueError, OverflowError):
        raise ExpressionError("not_a_date", what=typed[:40]) from None


def text(value: Any, form: Any = "") -> str:
    """A number or a day as text; a day in the given format."""
    if isinstance(value, date):
        return written(value, text_of(form))
    if isinstance(value, dict | list):
        raise ExpressionError("text_expected", what=kind_of(value))
    return short(shown(value))


def rounded(value: Any, places: Any = Decimal(0)) -> Decimal:
    """Half up to so many places."""
    step = Decimal(1).scaleb(-_whole(places, MOST_PLACES))
    return number_of(value).quantize(step, ROUND_HALF_UP, ARITHMETIC)


def days(day: Any, more: Any) -> date:
    """So many days later, or earlier."""
    count = number_of(more)
    if abs(count) > MOST_DAYS:  # before it becomes a whole number: one of a peer may have a billion digits
        raise ExpressionError("large", most=9999)
    try:
        return date_of(day) + timedelta(days=int(count))
    except OverflowError:
        raise ExpressionError("large", most=9999) from None


def join(separator: Any, *parts: Any) -> str:
    """The parts that are not empty, with a separator between them."""
    return short(text_of(separator).join(filter(None, (text(part) for part in parts))))


def first(*values: Any) -> Any:
    """The first value that is not empty."""
    return next((each for each in values if each not in (None, "")), None)


def pad(value: Any, length: Any, filler: Any = "0") -> str:
    """Filled up on the left, such as the leading zeros of an SAP number."""
    return text(value).rjust(_whole(length, 100), (text_of(filler) or " ")[0])


def _left(value: Any, length: Any) -> str:
    return text_of(value)[: _whole(length, LONGEST_TEXT)]


def _right(value: Any, length: Any) -> str:
    many = _whole(length, LONGEST_TEXT)
    return text_of(value)[-many:] if many else ""


def _replace(value: Any, old: Any, new: Any) -> str:
    whole, gone, come = text_of(value), text_of(old), text_of(new)
    if not gone:
        return whole
    if len(whole) + whole.count(gone) * (len(come) - len(gone)) > LONGEST_TEXT:
        raise ExpressionError("large", most=LONGEST_TEXT)
    return whole.replace(gone, come)


FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "upper": (lambda value: text_of(value).upper(), 1, 1),
    "lower": (lambda value: text_of(value).lower(), 1, 1),
    "strip": (lambda value: text_of(value).strip(), 1, 1),
    "left": (_left, 2, 2),
    "right": (_right, 2, 2),
    "replace": (_replace, 3, 3),
    "pad": (pad, 2, 3),
    "unpad": (lambda value, filler="0": text_of(value).lstrip(text_of(filler)), 1, 2),
    "length": (lambda value: Decimal(len(text_of(value))), 1, 1),
    "join": (join, 2, 12),
    "first": (first, 1, 12),
    "iif": (lambda test, yes, no: yes if test else no, 3, 3),
    "text": (text, 1, 2),
    "number": (number, 1, 1),
    "round": (rounded, 1, 2),
    "date": (to_date, 1, 1),
    "days": (days, 2, 2),
}
"""Name -> (function, fewest arguments, most arguments)."""

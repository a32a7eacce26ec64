"""How figures, dates and numbers look to a reader: one place for portal pages, documents and sentences.

Decimal only. A float is refused, because whoever passes one has already lost a fen. Nothing known is shown
as a dash, never as a zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_name, get_currency_symbol
from markupsafe import Markup

from core.kernel import Money, Quantity, minor_units, round_to
from core.web.i18n import CHINESE

DASH = "\u2014"
MINUS = "\u2212"
THIN = "\u202f"  # narrow no-break space between a currency sign and its figure
TIED = "\u00a0"  # no-break space between a figure and its unit
HOUSE_ZONE = ZoneInfo("Asia/Shanghai")

_PLACES = {
    "t": (2, 3),
    "kg": (0, 3),
    "g": (0, 3),
    "l": (0, 3),
    "m": (0, 3),
    "m2": (0, 3),
    "m3": (0, 3),
    "km": (0, 3),
}
_COUNTED = frozenset({"pcs", "set", "roll", "coil", "bundle", "box", "drum", "bag", "piece", "sheet", "pair"})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Reader:
    """Who reads: the language, the reader's own time zone, the moment, and the words for units and days."""

    language: str
    say: Callable[..., str]
    now: datetime
    zone: ZoneInfo = HOUSE_ZONE

    @property
    def chinese(self) -> bool:
        return self.language == CHINESE


class Short(NamedTuple):
    """A figure shortened for a key figure tile, its unit apart: ("¥ 4,826.3", "万")."""

    figure: str
    unit: str

    def __str__(self) -> str:
        return f"{self.figure}{TIED}{self.unit}" if self.unit else self.figure


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"{value!r} is a {type(value).__name__}; figures are Decimal")
    return Decimal(value)


def _grouped(value: Decimal, least: int, most: int, signed: bool = False) -> str:
    """Thousands apart, half up to `most` places, trailing zeros kept down to `least`, a true minus sign."""
    rounded = round_to(value, most)
    whole, _, fraction = f"{abs(rounded):,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(least, "0")
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def _or_dash(show: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(show)
    def guarded(reader: Reader, value: Any, *args: Any, **options: Any) -> Any:
        return DASH if value is None or value == "" else show(reader, value, *args, **options)

    return guarded


def dash(_reader: Reader, value: Any) -> Any:
    return DASH if value is None or value == "" else value


# money


def _sign(currency: str, reader: Reader) -> str:
    return (
        "¥" if currency == "CNY" else get_currency_symbol(currency, locale="zh" if reader.chinese else "en")
    )


@_or_dash
def money(reader: Reader, value: Money, code: bool = False, signed: bool = False) -> str:
    """`¥ 211,018.24`; with `code` the ISO code instead of the sign, as exports want it."""
    figure = amount(reader, value, signed=signed)
    sign = value.currency if code else _sign(value.currency, reader)
    lead = figure[0] if figure[0] in f"+{MINUS}" else ""
    return f"{lead}{sign}{THIN}{figure[len(lead) :]}"


@_or_dash
def amount(_reader: Reader, value: Money | Decimal, signed: bool = False) -> str:
    """The figure alone, for columns whose head names the currency."""
    places = minor_units(value.currency) if isinstance(value, Money) else 2
    return _grouped(value.amount if isinstance(value, Money) else _decimal(value), places, places, signed)


@_or_dash
def unit_price(reader: Reader, value: Money | Decimal, unit_code: str, currency: str = "CNY") -> str:
    """Per unit: `3,968.00 元/吨`, `¥ 3,968.00/t`. Two places, up to six where the price has them."""
    if isinstance(value, Money):
        currency, value = value.currency, value.amount
    figure = _grouped(_decimal(value), minor_units(currency), 6)
    if not reader.chinese:
        return f"{_sign(currency, reader)}{THIN}{figure}/{unit(reader, unit_code)}"
    name = "元" if currency == "CNY" else get_currency_name(currency, locale="zh")
    return f"{figure}{TIED}{name}/{unit(reader, unit_code)}"


@_or_dash
def wan(reader: Reader, value: Money) -> Short:
    """Shortened for key figures only: ten thousands in Chinese, thousands and millions in English."""
    size = abs(value.amount)
    steps = [("万", 10_000)] if reader.chinese else [("m", 1_000_000), ("k", 1_000)]
    name, step = next(((name, step) for name, step in steps if size >= step), ("", 1))
    if not name:
        return Short(money(reader, value), "")
    figure = _grouped(value.amount / step, 1 if reader.chinese else 2, 1 if reader.chinese else 2)
    lead = MINUS if figure.startswith(MINUS) else ""
    return Short(f"{lead}{_sign(value.currency, reader)}{THIN}{figure.removeprefix(MINUS)}", name)


# quantities


@_or_dash
def unit(reader: Reader, code: str) -> str:
    """The unit's name in the reader's language; a unit we have no word for keeps its code."""
    msgid = f"unit.{code}"
    said = reader.say(msgid)
    return code if said == msgid else said


def _places(code: str) -> tuple[int, int]:
    return _PLACES.get(code, (0, 0) if code in _COUNTED else (0, 3))


@_or_dash
def qty(reader: Reader, value: Quantity | Decimal, unit_code: str = "", bare: bool = False) -> str:
    """`53.18 吨`; `bare` leaves the unit to the column head.

    Pieces have no decimals unless the figure has them.
    """
    if isinstance(value, Quantity):
        unit_code, value = unit_code or value.unit, value.value
    figure = _decimal(value)
    least, most = _places(unit_code)
    text = _grouped(figure, least, most if round_to(figure, most) == figure or most else 6)
    return text if bare or not unit_code else f"{text}{TIED}{unit(reader, unit_code)}"


@_or_dash
def tolerance(reader: Reader, ordered: Quantity, lower: Decimal, upper: Decimal) -> str:
    """What may be delivered, as a range and not only as percent.

    `lower` and `upper` are ratios: Decimal("0.05").
    """
    least, most = (round_to(ordered.value * ratio, 6) for ratio in (1 - _decimal(lower), 1 + _decimal(upper)))
    below, above = (percent(reader, ratio) for ratio in (lower, upper))
    band = f"±{above}" if lower == upper else f"+{above}/{MINUS}{below}"
    return f"{band} → {qty(reader, least, ordered.unit, bare=True)}–{qty(reader, most, ordered.unit)}"


@_or_dash
def diff(reader: Reader, actual: Quantity, ordered: Quantity) -> str:
    """`+6.36%，多 3.18 吨`: how far the actual quantity is from the ordered one."""
    if actual.unit != ordered.unit:
        raise ValueError(f"{actual.unit} and {ordered.unit} do not compare")
    apart = actual.value - ordered.value
    if apart == 0 or ordered.value == 0:
        return reader.say("No difference") if apart == 0 else qty(reader, actual)
    share = percent(reader, apart / ordered.value, signed=True, places=2)
    size = qty(reader, abs(apart), ordered.unit)
    return reader.say(
        "%(share)s, %(size)s over" if apart > 0 else "%(share)s, %(size)s short", share=share, size=size
    )


@_or_dash
def number(_reader: Reader, value: Decimal | int) -> str:
    return _grouped(_decimal(value), 0, 6)


@_or_dash
def percent(_reader: Reader, ratio: Decimal, signed: bool = False, places: int | None = None) -> str:
    """A ratio as percent: Decimal("0.13") -> `13%`. `places` fixes the decimals, else as many as it needs."""
    least, most = (0, 4) if places is None else (places, places)
    return f"{_grouped(_decimal(ratio) * 100, least, most, signed)}%"


# dates


def _local(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} names no time zone")
    return moment.astimezone(HOUSE_ZONE)


def _time(moment: datetime, text: str, reader: Reader) -> Markup:
    zone = "" if _same_clock(moment, reader.zone) else f" {HOUSE_ZONE.key}"
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{}{}</time>').format(stamp, text, zone)


def _same_clock(moment: datetime, zone: ZoneInfo) -> bool:
    return moment.astimezone(zone).utcoffset() == moment.astimezone(HOUSE_ZONE).utcoffset()


@_or_dash
def date_(_reader: Reader, value: date) -> str:
    return (_local(value) if isinstance(value, datetime) else value).strftime("%Y-%m-%d")


@_or_dash
def day(reader: Reader, value: date) -> str:
    """Month and day, where the year is plain from the context: `11 月 22 日`, `22 Nov`."""
    value = _local(value) if isinstance(value, datetime) else value
    if reader.chinese:
        return f"{value.month}{TIED}月{TIED}{value.day}{TIED}日"
    return f"{value.day}{TIED}{_MONTHS[value.month - 1]}"


@_or_dash
def datetime_(reader: Reader, value: datetime) -> Markup:
    """Absolute, as documents need it; the zone is named when the reader's clock differs from the house's."""
    return _time(value, _local(value).strftime("%Y-%m-%d %H:%M"), reader)


@_or_dash
def when(reader: Reader, value: datetime) -> Markup:
    """Today and yesterday by name, everything else absolute; the exact moment is always in the tag."""
    return _time(value, _when_text(value, reader), reader)


def _when_text(value: datetime, reader: Reader) -> str:
    moment, now = _local(value), _local(reader.now)
    clock = moment.strftime("%H:%M")
    if moment.date() == now.date():
        return reader.say("today %(time)s", time=clock)
    if moment.date() == now.date() - timedelta(days=1):
        return reader.say("yesterday %(time)s", time=clock)
    if reader.chinese and moment.year == now.year:
        return f"{day(reader, moment)} {clock}"
    return moment.strftime("%Y-%m-%d %H:%M")


# the rest


@_or_dash
def ident(_reader: Reader, value: Any) -> Markup:
    """A number or code of ours or of a partner: never wrapped, never translated, taken whole by one click."""
    return Markup('<span class="id" translate="no">{}</span>').format(value)


def in_sentence(reader: Reader, value: Any) -> Any:
    """A value inside a sentence, as plain text: money, quantities, figures, moments in the reader's way."""
    if isinstance(value, Money):
        return money(reader, value)
    if isinstance(value, Quantity):
        return qty(reader, value)
    if isinstance(value, Decimal):
        return number(reader, value)
    if isinstance(value, datetime):
        return _when_text(value, reader)
    if isinstance(value, date):
        return date_(reader, value)
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; figures are Decimal")
    return value


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "amount": amount,
    "unit_price": unit_price,
    "wan": wan,
    "unit": unit,
    "qty": qty,
    "tolerance": tolerance,
    "diff": diff,
    "number": number,
    "percent": percent,
    "date": date_,
    "day": day,
    "datetime": datetime_,
    "when": when,
    "dash": dash,
    "ident": ident,
}

"""How SAP writes numbers, dates and keys on the wire, and back; the same for functions and for IDocs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

INITIAL_DATES = {"", "0000-00-00", "00000000"}  # what SAP writes where there is no date


def padded(text: str, length: int) -> str:
    """The internal form of a key (conversion ALPHA): digits get leading zeros, everything else stays as it is."""
    text = text.strip()
    return text.zfill(length) if text.isascii() and text.isdigit() else text


def bare(text: Any) -> str:
    """The external form of a key, by which two spellings of one key are told to be the same: no leading zeros."""
    told = str(text or "").strip()
    if told.isascii() and told.isdigit():
        return told.lstrip("0") or "0"
    return told


def number(text: Any) -> Decimal:
    """A decimal as SAP writes it: a point, and a minus in front or behind. Raises ValueError."""
    told = str(text if text is not None else "").strip()
    if told.endswith("-"):
        told = "-" + told[:-1].strip()
    if not told:
        return Decimal(0)
    if len(told) > 40 or not told.isascii() or any(letter in told for letter in "_eE"):
        raise ValueError(f"{told[:40]!r} is no decimal number")
    try:
        found = Decimal(told)
    except InvalidOperation:
        raise ValueError(f"{told!r} is no decimal number") from None
    if not found.is_finite():
        raise ValueError(f"{told!r} is no decimal number")
    return found


def plain(amount: Decimal, places: int | None = None) -> str:
    """A decimal without an exponent; with `places` it is padded to them but never rounded."""
    if places is not None and -int(amount.as_tuple().exponent) < places:
        amount = amount.quantize(Decimal(1).scaleb(-places))
    return format(amount, "f")


def day(text: Any) -> date | None:
    """`2026-12-05` or `20261205`; None for the initial date. Raises ValueError."""
    told = str(text or "").strip()
    if told in INITIAL_DATES:
        return None
    if len(told) == 8 and told.isascii() and told.isdigit():
        return datetime.strptime(told, "%Y%m%d").date()
    return date.fromisoformat(told[:10])

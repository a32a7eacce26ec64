"""Quantities as they travel: exact, finite, and of a size that goods can have."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

LARGEST = Decimal(10) ** 15
FINEST = Decimal("1E-12")


def quantity(text: str) -> Decimal:
    """A quantity as it travels; raises ValueError for anything but a finite number."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"no number: {text[:40]!r}") from None
    if not value.is_finite() or abs(value) >= LARGEST or value != value.quantize(FINEST):
        raise ValueError(f"no quantity: {text[:40]!r}")
    return value


def plain(value: Decimal) -> str:
    """`12`, not `12.000` and not `1.2E+1`."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

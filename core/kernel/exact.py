"""JSON whose numbers are exact, and of a size that a trade has."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_PLACES = 60  # before and after the point: written out, 1e999999999 is a text of a billion zeros


def exact(told: str) -> Decimal:
    """A number as it was told. ValueError for one that no trade has and no memory holds."""
    try:
        found = Decimal(told)
    except InvalidOperation:  # an exponent of twenty digits
        raise ValueError(f"no number of a trade: {told[:40]}") from None
    if found and abs(found.adjusted()) > MOST_PLACES:
        raise ValueError(f"no number of a trade: {told[:40]}")
    return found


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text, numbers with a point as `Decimal`. ValueError for what is none, NaN and bottomless nests too."""
    try:
        return json.loads(text, parse_float=exact, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")

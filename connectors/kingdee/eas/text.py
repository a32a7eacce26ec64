"""The text inside a call: JSON in one string argument, JSON in the string that comes back.

EAS facades answer HTTP 200 and no fault for most refusals; whether it worked stands in the text, under one of a few
customary names. A text that does not say yes in so many words is not a yes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tongshang.connect import read_json

VERDICTS = ("success", "isSuccess", "status", "state", "flag", "result")
YES, NO = {"true", "success", "ok"}, {"false", "fail", "failed", "failure", "error"}
CODES = ("errorCode", "code", "errCode")
MESSAGES = ("message", "msg", "errorMsg", "errInfo")
ROWS = ("data", "rows", "bills")


class NoVerdict(ValueError):
    """The text says neither yes nor no."""


@dataclass(frozen=True)
class Said:
    """What a facade said. `rows` is None when the answer carries no list."""

    ok: bool
    code: str
    message: str
    field: str
    rows: tuple[Mapping[str, Any], ...] | None


def encode(value: Any) -> str:
    """JSON in the order of the keys, non-ASCII escaped so that no code page can spoil it, `Decimal` exact."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"not a number JSON knows: {value}")
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(k))}:{encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "[" + ",".join(encode(one) for one in value) + "]"
    if isinstance(value, float):
        raise TypeError("a float is not exact: use Decimal")
    return json.dumps(value)


def read(text: Any) -> Said:
    """The verdict of an answer. Raises NoVerdict."""
    if not isinstance(text, str):
        raise NoVerdict("no text in the answer")
    try:
        value = read_json(text.strip().removeprefix("\ufeff"))
    except ValueError as error:
        raise NoVerdict(f"no whole JSON: {error}") from None
    if isinstance(value, list):
        # One bill per call goes out, so one verdict comes back.
        if len(value) != 1:
            raise NoVerdict(f"{len(value)} verdicts instead of one")
        value = value[0]
    if not isinstance(value, dict):
        raise NoVerdict("no object in the answer")
    verdicts = {_verdict(value[name]) for name in VERDICTS if name in value}
    if len(verdicts) != 1 or None in verdicts:
        raise NoVerdict("the answer says neither yes nor no")
    return Said(
        ok=verdicts.pop() is True,
        code=_first(value, CODES),
        message=_first(value, MESSAGES) or "no reason given",
        field=str(value.get("field") or ""),
        rows=_rows(value),
    )


def number(value: Any) -> Decimal:
    """An exact number out of JSON; raises ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"no number: {value!r}")
    try:
        found = Decimal(value)
    except ArithmeticError:
        raise ValueError(f"no number: {value!r}") from None
    if not found.is_finite():
        raise ValueError(f"no number: {value!r}")
    return found


def _verdict(value: Any) -> bool | None:
    word = str(value).strip().lower()
    return True if word in YES else False if word in NO else None


def _first(value: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((str(value[name]) for name in names if value.get(name) not in (None, "")), "")


def _rows(value: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...] | None:
    for name in ROWS:
        if name in value:
            rows = value[name]
            if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
                return tuple(rows)
            return None
    return None

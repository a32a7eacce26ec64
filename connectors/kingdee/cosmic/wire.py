"""What travels: JSON bodies with exact decimals, and answers that say whether it worked in `status` and `errorCode`.

HTTP is 200 for business errors too. An answer that does not say yes in so many words is not a yes: a list of writes
says it once for the call and once for every document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tongshang.connect import read_json

FINE = ("", "0", "none")  # errorCode of a call that worked
CODES, MESSAGES = ("errorCode", "error_code"), ("message", "errorMsg", "error_desc", "errorMessage")


class Unreadable(ValueError):
    """No answer of the service, or one that says neither yes nor no."""


@dataclass(frozen=True)
class Said:
    ok: bool
    code: str
    message: str
    data: Any


def encode(value: Any) -> str:
    """JSON in the order of the keys, non-ASCII escaped, `Decimal` written as an exact number."""
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


def read(body: bytes) -> Said:
    """The envelope of an answer. Raises Unreadable."""
    try:
        value = read_json(body.decode("utf-8-sig"))
    except ValueError as error:
        raise Unreadable(f"no whole JSON: {error}") from None
    if not isinstance(value, dict):
        raise Unreadable("no object in the answer")
    verdicts = {_truth(value[name]) for name in ("status", "state") if name in value}
    if len(verdicts) != 1 or None in verdicts:
        raise Unreadable("the answer says neither yes nor no")
    code, ok = _first(value, CODES), verdicts.pop() is True
    if ok and code.lower() not in FINE:
        raise Unreadable(f"the answer says yes and, with {code}, no")
    return Said(
        ok=ok,
        code=code,
        message=_first(value, MESSAGES) or "no reason given",
        data=value.get("data"),
    )


def written(said: Said) -> str:
    """Why the one document of a write was refused, empty when it was taken. Raises Unreadable."""
    results = said.data.get("result") if isinstance(said.data, dict) else None
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        raise Unreadable("no verdict on the one document that was sent")
    taken = _truth(results[0].get("billStatus"))
    if taken is None:
        raise Unreadable("the document's verdict says neither yes nor no")
    errors = results[0].get("errors")
    told = [_sentence(error) for error in errors] if isinstance(errors, list) else []
    return "" if taken else "; ".join(filter(None, told)) or "no reason given"


def rows_of(said: Said) -> tuple[Mapping[str, Any], ...]:
    """The rows of a query. Raises Unreadable."""
    rows = said.data.get("rows") if isinstance(said.data, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("no rows in the answer")
    return tuple(rows)


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


def _truth(value: Any) -> bool | None:
    return {"true": True, "success": True, "false": False, "error": False}.get(str(value).lower())


def _first(value: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((str(value[name]) for name in names if value.get(name) not in (None, "")), "")


def _sentence(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    rows = error.get("rowMsg")
    told = "; ".join(map(str, rows)) if isinstance(rows, list) else ""
    return told or str(error.get("message") or "")

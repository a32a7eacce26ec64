"""JSON with exact numbers, both ways, and the signature of a call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.generic.values import exact, no_number

DEEPEST = 64


class Unreadable(ValueError):
    """The body is no whole JSON: a page of something in between, or a piece of an answer."""


def encode(value: Any, *, as_text: bool = False) -> str:
    """JSON in the order of the keys; a `Decimal` as an exact number, or as text."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"not a number JSON knows: {value}")
        plain = format(value, "f")
        return f'"{plain}"' if as_text else plain
    if isinstance(value, Mapping):
        inner = (
            f"{json.dumps(str(key), ensure_ascii=False)}:{encode(each, as_text=as_text)}"
            for key, each in value.items()
        )
        return "{" + ",".join(inner) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "[" + ",".join(encode(each, as_text=as_text) for each in value) + "]"
    if isinstance(value, float):
        raise TypeError("a float is not exact: use Decimal")
    return json.dumps(value, ensure_ascii=False)


def read(body: bytes) -> Any:
    """The value of a body, numbers with a point as `Decimal`; an empty body is None. Raises Unreadable."""
    try:
        told = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error}") from None
    if not told:
        return None
    try:
        value = json.loads(told, parse_float=exact, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no whole JSON: {error}") from None
    if _deeper_than(value, DEEPEST):
        raise Unreadable(f"nested deeper than {DEEPEST}")
    return value




def _deeper_than(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def sign(secret: str, parts: Sequence[bytes], form: str) -> str:
    """HMAC-SHA256 over the parts joined by a line feed, as `hex` or `base64`."""
    digest = hmac.new(secret.encode(), b"\n".join(parts), hashlib.sha256).digest()
    return base64.b64encode(digest).decode() if form == "base64" else digest.hex()


def signed_right(secret: str, parts: Sequence[bytes], form: str, told: str) -> bool:
    """Whether a told signature (with or without `sha256=` before it) is the right one; takes as long either way."""
    given = told.strip().removeprefix("sha256=")
    if form != "base64":
        given = given.lower()
    return hmac.compare_digest(sign(secret, parts, form).encode(), given.encode("utf-8", "replace"))

"""What travels: JSON of sites that write names as they like, read under narrow bounds, and written to be signed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tongshang.connect import read_json

LONGEST = 5 * 1024 * 1024  # bytes
DEEPEST = 20  # levels
FORBIDDEN = re.compile("[\x00\ud800-\udfff]")  # half a character, and what no database stores

# What each call is named by the gateway; a site may name it otherwise, see the setting `methods`.
METHODS = {
    "form": {
        "put": "putSOData",
        "cancel": "cancelSOData",
        "state": "querySOStatus",
        "stock": "queryINVData",
        "put_asn": "putASNData",
        "cancel_asn": "cancelASNData",
        "state_asn": "queryASNStatus",
    },
    "json": {
        "put": "putSalesOrder",
        "cancel": "cancelSalesOrder",
        "state": "querySalesOrderStatus",
        "stock": "queryInventory",
        "put_asn": "putASN",
        "cancel_asn": "cancelASN",
        "state_asn": "queryASNStatus",
    },
}


class Unreadable(ValueError):
    """The text is no JSON, or JSON that nobody here wants to read."""


def read(text: bytes | str) -> Any:
    """A JSON value, names in lower case, numbers exact; raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable(f"longer than {LONGEST} bytes")
    try:
        told = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = read_json(told)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error.reason} at {error.start}") from None
    except ValueError as error:
        raise Unreadable(f"no JSON: {type(error).__name__}: {str(error)[:200]}") from None
    return _lower(value, 0)


def _lower(value: Any, level: int) -> Any:
    if level > DEEPEST:
        raise Unreadable(f"deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {str(name).lower(): _lower(inner, level + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_lower(inner, level + 1) for inner in value]
    return value


def said(row: Any, *names: str) -> str:
    """The text under the first of these names (in lower case) that has one, without what no text should carry."""
    if isinstance(row, Mapping):
        for name in names:
            value = row.get(name)
            if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
                text = FORBIDDEN.sub("", str(value)).strip()
                if text:
                    return text
    return ""


def rows(parent: Any, *path: str) -> list[Mapping[str, Any]]:
    """The objects at a path, whether there is a list of them, one, or none."""
    for name in path:
        parent = parent.get(name) if isinstance(parent, Mapping) else None
    found = parent if isinstance(parent, list) else [parent]
    return [row for row in found if isinstance(row, Mapping)]


def encode(value: Any) -> str:
    """JSON as it is signed and sent: no spaces, Chinese as it is; quantities travel as text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object inside a value, outermost first."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)

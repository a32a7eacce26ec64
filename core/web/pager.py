"""Keyset pages: a cursor names the last row seen, so page 1,000 costs what page 1 costs and nothing is skipped."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.web.problem import Rejected

Row = TypeVar("Row")
MAX_PAGE = 200


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows and the cursor of the next page, None on the last."""

    rows: list[Row]
    next: str | None


def encode(*keys: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([str(key) for key in keys]).encode()).decode().rstrip("=")


def decode(cursor: str | None, parts: int) -> list[str] | None:
    """The keys inside a cursor, None for the first page; a mangled cursor is refused, not ignored."""
    if not cursor:
        return None
    try:
        keys = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise Rejected(400, "page.bad_cursor") from None
    if not isinstance(keys, list) or len(keys) != parts or not all(isinstance(key, str) for key in keys):
        raise Rejected(400, "page.bad_cursor")
    return keys


def cut(rows: list[Row], limit: int, key: Any) -> Page[Row]:
    """Of `limit + 1` fetched rows keep `limit`; `key(row)` gives the tuple the cursor is made of."""
    more = len(rows) > limit
    kept = rows[:limit]
    return Page(kept, encode(*key(kept[-1])) if more and kept else None)

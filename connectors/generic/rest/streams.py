"""Records as they flow in: page by page in the style the service pages in, and since the newest change where it can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from connectors.generic.records import KINDS, Reader
from connectors.generic.rest.client import Ask, Client
from connectors.generic.values import pick, text
from tongshang.connect import FixSettings, Incoming, Page, Record, RetryLater, Stream

OVERLAP = timedelta(minutes=5)  # a change may be stamped before it can be seen
SIZE, MOST_PAGES = 200, 200_000


class Records(Stream):
    """One kind of record behind one path."""

    key: ClassVar[str]
    title: ClassVar[str]
    every: ClassVar[timedelta]

    def __init__(self, client: Client) -> None:
        self.client = client
        self.reader = Reader(client.access, self.key)

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        """Ends behind an empty page, not behind a short one: a service may give fewer records than it was asked for."""
        newest, place = cursor, position or self._first()
        before: list[Any] | None = None
        for _ in range(MOST_PAGES):
            url = self._url(place, cursor)
            value = self.client.call(Ask(self.key, "GET", url))
            rows = self._rows(value)
            if not rows:
                return
            if rows == before:
                said = f"{self.key}: every page is the same one; does the service page in another style?"
                raise FixSettings("rest.paging_ignored", said)
            before = rows
            newest = max([newest or "", *(self._changed(row) for row in rows)]) or None
            following = self._after(place, value, len(rows), url)
            yield Page(tuple(rows), following or place, newest, self._count(value))
            if following is None:
                return
            if following == place:
                raise RetryLater("rest.paging_loops", f"{self.key}: the next page is the page before")
            place = following
        raise RetryLater("rest.paging_loops", f"{self.key}: more than {MOST_PAGES} pages")

    def to_core(self, row: Record) -> Incoming:
        return self.reader.record(row)

    # -- pages

    @property
    def _style(self) -> str:
        return self.client.access["paging"] or "none"

    def _first(self) -> str:
        return {"page": self.client.access["first_page"] or "1", "offset": "0"}.get(self._style, "")

    def _url(self, place: str, cursor: str | None) -> str:
        path = self.reader.option("path")
        if not path:
            raise FixSettings("generic.stream_not_set", f"read_{self.key} tells no path")
        if self._style == "next" and place:
            return self.client.next_url(place, self.client.url(path))
        told = self.client.access
        asked: dict[str, str] = {}
        if self._style != "none":
            asked[told["size_name"] or "size"] = str(int(told["page_size"] or SIZE))
        if self._style in ("page", "offset") or place:
            asked[told["page_name"] or self._style] = place
        if cursor and self.reader.option("since"):
            asked[self.reader.option("since")] = _earlier(cursor)
        url = self.client.url(path)
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}" if asked else url

    def _after(self, place: str, value: Any, count: int, url: str) -> str | None:
        """Where the next page is; None when there is none."""
        if self._style == "page":
            return str(int(place) + 1)
        if self._style == "offset":
            return str(int(place) + count)
        if self._style in ("next", "cursor"):
            found = pick(value, self.client.access["next_path"] or "next")
            if found is None or found is False or found == "":
                return None
            following = text(found)
            if self._style == "next":
                following = self.client.next_url(following, url)
            return following
        return None

    def _rows(self, value: Any) -> list[Mapping[str, Any]]:
        path = self.reader.option("list")
        rows = pick(value, path) if path else value
        if rows is None and (value is None or path):
            holder = pick(value, path.rpartition(".")[0]) if "." in path else value
            if value is None or (isinstance(holder, Mapping) and path.rpartition(".")[2] in holder):
                return []
        if not isinstance(rows, list):
            raise RetryLater("rest.unreadable", f"{self.key}: no list at {path or 'the top'} of the answer")
        return [row if isinstance(row, Mapping) else {"value": row} for row in rows]

    def _count(self, value: Any) -> int | None:
        """How many records there are in all, where the answer tells it; a word that is no number tells nothing."""
        found = pick(value, self.reader.option("count"))
        told = "" if isinstance(found, dict | list) else text(found)
        return int(told) if told.isdecimal() and len(told) < 10 else None

    def _changed(self, row: Mapping[str, Any]) -> str:
        found = pick(row, self.reader.told.get("changed", ""))
        return "" if isinstance(found, dict | list) else text(found)


def _earlier(cursor: str) -> str:
    """The cursor a little earlier where it is a moment; any other mark as it is."""
    try:
        moment = datetime.fromisoformat(cursor)
    except ValueError:
        return cursor
    if len(cursor) < 16:
        return cursor
    between = "T" if "T" in cursor else " "
    return (moment - OVERLAP).isoformat(between, "seconds")


KINDS_OF_STREAM: dict[str, type[Records]] = {
    key: type(
        f"Rest{key.title()}",
        (Records,),
        {"key": key, "title": kind.title, "every": kind.every, "__doc__": f"{kind.title} of a REST service."},
    )
    for key, kind in KINDS.items()
}

"""Records as they flow in: page by page in the style the service pages in, and since the newest change where it can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from connectors.generic.records import KINDS, Reader
from connectors.generic.rest.client import Ask, Client
from connectors.generic.values import pick, text
from tongshang.connect import Course, FixSettings, Incoming, Page, Record, RetryLater, Stream

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
        course = Course(cursor, position, _newest)
        place = course.last or self._first()
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
            course.see([self._changed(row) for row in rows])  # no service can be asked for its newest mark
            following = self._after(place, value, len(rows), url)
            yield Page(tuple(rows), course.position(following or place), course.cursor, self._count(value))
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
        if (
            rows is None
        ):  # a list that is there and empty, or no words at all where the answer itself is the list
            holder = pick(value, path.rpartition(".")[0]) if "." in path else value
            if not path or (isinstance(holder, Mapping) and path.rpartition(".")[2] in holder):
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


def _newest(marks: Iterable[str]) -> str | None:
    """The newest mark. Whole numbers are compared as such; among marks that begin with a digit a word is none."""
    told = [mark for mark in marks if mark]
    ordered = [mark for mark in told if mark[0].isdigit()] or told
    return max(ordered, key=lambda mark: mark.zfill(20) if mark.isdecimal() else mark, default=None)


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

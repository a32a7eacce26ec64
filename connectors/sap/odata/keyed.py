"""A stream over one entity set: a page at a time behind the last key, so that a stopped run goes on where it was.

Pages are cut by key (`Product gt 'last'`) and not by `$skip`, which loses rows when others come in between. Changes are read
from a little before the newest one there was when the last run began, for a page is not looked at again; where SAP stamps
only the day, the whole last day is read again. Repeated records are recognised by their number on the platform's side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import Service
from connectors.sap.odata.client import Client
from connectors.sap.odata.mapping import SiteMapping
from tongshang.connect import Course, Page, Record, RetryLater, Stream

PAGE = 500  # rows asked for at once; SAP may give fewer
OVERLAP = timedelta(minutes=5)  # a change is stamped before it can be seen


class Keyed(Stream):
    """A stream over one entity set, page after page behind the last key."""

    service: ClassVar[Service]
    set: ClassVar[str]
    id: ClassVar[str]
    # What tells the last change, coarse before fine; empty where SAP stamps none.
    stamps: ClassVar[tuple[str, ...]] = ("LastChangeDateTime",)
    counted: ClassVar[bool] = (
        False  # each row becomes one record, so SAP's count of rows tells how far a run is
    )

    def __init__(self, client: Client, mapping: SiteMapping, size: int = PAGE) -> None:
        self.client, self.mapping, self.size = client, mapping, size

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        course = Course(cursor, position)
        total: int | None = None
        while True:
            found = self._after(course.last, self._where(cursor))
            more = bool(found.next) or len(found.entities) >= self.size
            total = found.count if total is None else total
            if course.begins:
                course.begin(map(self._stamp, [*found.entities, *(self._newest(cursor) if more else ())]))
            if found.entities:
                try:
                    rows = self._kept(found.entities)
                except wire.Unreadable as error:
                    raise RetryLater("sap.unreadable", str(error)) from None
                last = wire.text(found.entities[-1], self.id)
                yield Page(tuple(rows), course.position(last), course.cursor, total)
            if not more:
                return

    def _newest(self, cursor: str | None) -> Sequence[Record]:
        """The row changed last, of its stamps only; none where SAP stamps no changes."""
        if not self.stamps:
            return ()
        return newest(self.client, self.service, self.set, conjunction(self._where(cursor)), self.stamps)

    def _after(self, last: str, where: Sequence[str]) -> wire.Rows:
        wanted = conjunction([*where, *([f"{self.id} gt {wire.literal(last)}"] if last else [])])
        query = {"$filter": wanted} if wanted else {}
        query |= {"$orderby": self._order(), "$top": str(self.size), **self._also()}
        if self.counted and not last:  # asked once: behind a key the rest would be counted
            query["$inlinecount"] = "allpages"
        found = self.client.page(self.service, self.set, query)
        keys = [wire.text(row, self.id) for row in found.entities]
        if not all(keys) or (last and last in keys):
            raise RetryLater("sap.page", f"{self.set}: the page does not go on behind {last or 'the start'}")
        return found

    def _where(self, cursor: str | None) -> list[str]:
        """The conditions of the filter."""
        raise NotImplementedError

    def _stamp(self, row: Record) -> str:
        """When the row was changed last, in a form that sorts by time; empty when it does not say."""
        return moment_stamp(row, "LastChangeDateTime")

    def _order(self) -> str:
        return self.id

    def _also(self) -> Mapping[str, str]:
        """More of the query, such as what to expand."""
        return {}

    def _kept(self, rows: Sequence[Record]) -> Sequence[Record]:
        return rows


def newest(client: Client, service: Service, set: str, where: str, stamps: Sequence[str]) -> Sequence[Record]:
    """The one row changed last among those that fit."""
    query = {"$filter": where} if where else {}
    query |= {
        "$orderby": ",".join(f"{name} desc" for name in stamps),
        "$top": "1",
        "$select": ",".join(stamps),
    }
    return client.page(service, set, query).entities[:1]


def conjunction(where: Sequence[str]) -> str:
    return " and ".join(part if " or " not in part else f"({part})" for part in where)


def moment_stamp(row: Record, name: str) -> str:
    """A moment as text that sorts by time; a stamp that cannot be read counts as none."""
    try:
        found = wire.moment(row, name)
    except wire.Unreadable:
        return ""
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if found else ""


def day_stamp(row: Record, name: str) -> str:
    try:
        found = wire.day(row, name)
    except wire.Unreadable:
        return ""
    return f"{found}T00:00:00" if found else ""


def earlier(cursor: str) -> datetime:
    return datetime.fromisoformat(cursor) - OVERLAP


def since(cursor: str | None) -> list[str]:
    """Changed or created on the day of the cursor or later: a record that was never changed has no day of change."""
    if not cursor:
        return []
    day = wire.day_literal(date.fromisoformat(cursor[:10]))
    return [f"LastChangeDate ge {day} or CreationDate ge {day}"]

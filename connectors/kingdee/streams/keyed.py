"""Documents behind the last internal id, audited ones of the organisation, changed since a day and time.

Kingdee keeps a date for each act: saving sets `FModifyDate`, auditing `FApproveDate`, forbidding `FForbidDate`. What was
saved on Monday and audited on Tuesday is news of Tuesday, so a change is any of these dates. The next run begins at the newest
change there was when this one began, for a page is not looked at again. The overlap is for changes that are stamped before
they can be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.kingdee.client import Client, literal
from connectors.kingdee.mapping import AUDITED, SiteMapping
from tongshang.connect import Course, Page, RetryLater, Stream

PAGE = 2000  # rows
OVERLAP = timedelta(minutes=5)
AUDIT = "FApproveDate"  # every document read has it, and most are changed last by it
STAMP = re.compile(r"[12]\d{3}-(?:0\d|1[0-2])-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,6})?")

Row = dict[str, Any]


class Keyed(Stream):
    """Documents of one form, by their internal id."""

    form: ClassVar[str]
    pk: ClassVar[str] = "FID"
    fields: ClassVar[tuple[str, ...]]
    org: str = ""  # the field of the organisation
    dates: ClassVar[tuple[str, ...]] = ("FModifyDate", "FApproveDate")
    counted: ClassVar[bool] = False  # one document is one record, so counting documents says how far a run is

    def __init__(self, client: Client, mapping: SiteMapping, size: int = PAGE) -> None:
        self.client, self.mapping, self.size = client, mapping, size

    def keys(self) -> tuple[str, ...]:
        """The fields asked for of the head, with those that are the site's own."""
        return self.fields

    def needs(self) -> tuple[str, ...]:
        """Every field the stream reads, for a look at setting up whether the site has them."""
        return (*self.keys(), *self.dates, *self._org())

    def look(self) -> None:
        """Read one document with every field the stream needs; raises what Kingdee says where that cannot be."""
        keys = tuple(dict.fromkeys((self.pk, *self.needs())))
        self.client.query(self.form, keys, "", f"{self.pk} ASC", limit=1)

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        course = Course(cursor, position)
        last = int(course.last or 0)
        first = True
        total: int | None = None
        while True:
            found = self._after(last, cursor)
            if course.begins:
                stamps = [stamp(row[key]) for row in found for key in self.dates]
                course.begin(stamps if len(found) < self.size else [*stamps, *self._newest(cursor)])
            if first:
                first, total = False, self._total(cursor, last, len(found))
            if found:
                ids = [self.id_of(row) for row in found]
                if ids[0] <= last or ids != sorted(ids):
                    said = f"{self.form}: the page behind {last} goes from {ids[0]} to {ids[-1]}"
                    raise RetryLater("kingdee.page_stuck", said)
                last = ids[-1]
                yield Page(tuple(self.records(found)), course.position(str(last)), course.cursor, total)
                total = None
            if len(found) < self.size:
                return

    def _total(self, cursor: str | None, last: int, found: int) -> int | None:
        """How many documents the whole run has, asked once when one page does not hold them; None where it cannot be told."""
        if not self.counted:
            return None
        if not last and found < self.size:
            return found
        if not self.mapping.counts:
            return None
        return self.client.count(self.form, self._where(0, cursor), self.mapping.counts)

    def _org(self) -> tuple[str, ...]:
        return (f"{self.org}.FNumber",) if self.org else ()

    def id_of(self, row: Row) -> int:
        """The internal id, without which no page has an end."""
        if not str(row[self.pk]).isdecimal():
            raise RetryLater("kingdee.unreadable", f"{self.form}: {row[self.pk]!r} is no internal id")
        return int(row[self.pk])

    def records(self, found: Sequence[Row]) -> Iterator[Row]:
        """The records of a page of heads."""
        yield from found

    def _where(self, last: int, cursor: str | None) -> str:
        where = [f"FDocumentStatus = '{AUDITED}'", *self.conditions(), f"{self.pk} > {last}"]
        if self.mapping.organisation:
            where += [f"{key} = {literal(self.mapping.organisation)}" for key in self._org()]
        if cursor and self.dates:
            since = literal(earlier(cursor))
            where.append("(" + " or ".join(f"{key} >= {since}" for key in self.dates) + ")")
        return " and ".join(where)

    def _after(self, last: int, cursor: str | None) -> list[Row]:
        where = self._where(last, cursor)
        keys = tuple(dict.fromkeys((self.pk, *self.keys(), *self.dates)))
        rows = self.client.query(self.form, keys, where, f"{self.pk} ASC", limit=self.size)
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def _newest(self, cursor: str | None) -> Iterator[str]:
        """The dates of the document audited last. One forbidden since may be newer: then a little more is read again."""
        if AUDIT in self.dates:
            told = f"{AUDIT} >= '1900-01-01 00:00:00'"  # to some databases null is the newest
            where = f"{self._where(0, cursor)} and {told}"
            for row in self.client.query(self.form, self.dates, where, f"{AUDIT} DESC", limit=1):
                yield from map(stamp, row)

    def conditions(self) -> list[str]:
        """What else a document has to fulfil."""
        return []

    def lines(self, ids: Sequence[int], keys: Sequence[str], order: str) -> dict[int, list[Row]]:
        """Lines of these documents by document. `order` makes their order stable."""
        found: dict[int, list[Row]] = {}
        where = f"{self.pk} in ({','.join(str(id) for id in ids)})"
        for _, rows in self.client.pages(self.form, (self.pk, *keys), where, f"{self.pk} ASC,{order} ASC"):
            for row in rows:
                found.setdefault(self.id_of(row), []).append(row)
        return found


def stamp(value: Any) -> str:
    """A date of a change as the cursor keeps it; what is none must not become one."""
    text = str(value or "")
    return text if STAMP.fullmatch(text) else ""


def earlier(cursor: str) -> str:
    """A little before the newest change seen."""
    return (datetime.fromisoformat(cursor) - OVERLAP).strftime("%Y-%m-%d %H:%M:%S")

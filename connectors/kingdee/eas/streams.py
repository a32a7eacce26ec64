"""Materials, customers and stock as they flow in: a page at a time behind the last key, so a stopped run goes on there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.kingdee.eas.facade import Facade
from connectors.kingdee.eas.mapping import SiteMapping, sums
from tongshang.connect import Course, Page, PartnerIn, ProductIn, Record, RetryLater, StockIn, Stop, Stream

PAGE = 500  # rows
OVERLAP = timedelta(minutes=5)  # a change may be stamped before it can be seen


class _Changed(Stream):
    """Base data by number, changed since a moment of EAS's own clock."""

    what: ClassVar[str]

    def __init__(self, facade: Facade, mapping: SiteMapping, size: int = PAGE) -> None:
        self.facade, self.mapping, self.size = facade, mapping, size

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        course = Course(cursor, position)
        before: set[str] = set()
        while True:
            ask: dict[str, Any] = {"afterNumber": course.last, "limit": self.size}
            if self.mapping.organisation:
                ask["orgUnit"] = self.mapping.organisation
            if cursor:
                ask["changedSince"] = _earlier(cursor)
            rows = self.facade.listed(self.what, ask)
            if rows:
                before = _forward([str(row.get("number") or "") for row in rows], course.last, before)
                stamps = (str(row.get("lastUpdateTime") or "") for row in rows)
                course.see(
                    [stamp for stamp in stamps if _is_time(stamp)]
                )  # the facade tells no newest change
                yield Page(rows, course.position(str(rows[-1]["number"])), course.cursor)
            if len(rows) < self.size:
                return


class Materials(_Changed):
    """Materials of the organisation."""

    key: ClassVar[str] = "products"
    title: ClassVar[str] = "Products"
    every: ClassVar[timedelta] = timedelta(hours=1)
    what: ClassVar[str] = "materials"

    def to_core(self, row: Record) -> ProductIn:
        return self.mapping.product(row)


class Customers(_Changed):
    """Customers of the organisation, with their tax number."""

    key: ClassVar[str] = "partners"
    title: ClassVar[str] = "Partners"
    every: ClassVar[timedelta] = timedelta(hours=6)
    what: ClassVar[str] = "customers"

    def to_core(self, row: Record) -> PartnerIn:
        return self.mapping.partner(row)


class Stocks(Stream):
    """Stock by material, in full each time: stock carries no change stamp. Lots and places are added up."""

    key: ClassVar[str] = "stock"
    title: ClassVar[str] = "Stock"
    every: ClassVar[timedelta] = timedelta(minutes=15)

    def __init__(self, facade: Facade, mapping: SiteMapping, size: int = PAGE) -> None:
        self.facade, self.mapping, self.size = facade, mapping, size

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        last = position or ""
        before: set[str] = set()
        while True:
            ask: dict[str, Any] = {"afterNumber": last, "limit": self.size}
            if self.mapping.organisation:
                ask["orgUnit"] = self.mapping.organisation
            rows = self.facade.listed("stock", ask)
            more = len(rows) >= self.size
            parts = sums(rows)
            if more:
                cut = parts[-1]["material"]  # its rows may go on in the next page
                parts = [part for part in parts if part["material"] != cut]
                if not parts:
                    raise RetryLater("eas.page_too_small", f"more than {self.size} rows of {cut}")
            if parts:
                before = _forward([part["material"] for part in parts], last, before)
                last = parts[-1]["material"]
                yield Page(tuple(parts), last, None)
            if not more:
                return

    def to_core(self, row: Record) -> StockIn:
        return self.mapping.stock(row)


def _forward(numbers: list[str], last: str, before: set[str]) -> set[str]:
    """The numbers of this page; raises Stop when the server does not go forward.

    Not compared as text: which number comes behind which is up to the collation of the database there.
    """
    page = set(numbers)
    if last in page or page & before or "" in page:
        raise Stop("eas.paging", f"asked for numbers behind {last!r}, got {numbers[0]!r} to {numbers[-1]!r}")
    return page


def _is_time(stamp: str) -> bool:
    try:
        datetime.fromisoformat(stamp)
    except ValueError:
        return False
    return True


def _earlier(cursor: str) -> str:
    return (datetime.fromisoformat(cursor) - OVERLAP).strftime("%Y-%m-%d %H:%M:%S")

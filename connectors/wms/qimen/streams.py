"""Stock as it flows in: the whole of it each run, since a warehouse tells no changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from connectors.wms.qimen.client import Client
from connectors.wms.qimen.mapping import GOOD, Mapping
from connectors.wms.shelves import Row, by_page, stock, summed
from connectors.wms.xmltext import leaves, said, tag
from tongshang.connect import FixSettings, Page, Record, RetryLater, StockIn, Stream

PAGE = 100  # rows; the most that the protocol allows
ITEMS = 50  # items asked for in one inventory.query


class Stocks(Stream):
    """Good stock of the owner in the warehouse: page by page with stock.query, or item by item with inventory.query."""

    key: ClassVar[str] = "stock"
    title: ClassVar[str] = "Stock"
    every: ClassVar[timedelta] = timedelta(hours=1)

    def __init__(self, client: Client, mapping: Mapping, items: Sequence[str], by: str) -> None:
        self.client, self.mapping, self.items, self.by = client, mapping, tuple(items), by
        self._longest = 0  # rows of the longest page so far

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        return self._by_item(position) if self.by == "inventory" else by_page(self._page, position)

    def to_core(self, row: Record) -> StockIn:
        return stock(row, self.mapping.goods, self.mapping.warehouse)

    def _page(self, page: int) -> tuple[list[Row], bool]:
        asked = leaves(
            warehouseCode=self.mapping.warehouse,
            ownerCode=self.mapping.owner,
            inventoryType=GOOD,
            page=page,
            pageSize=PAGE,
        )
        answer = self.client.call("stock.query", asked, write=False)
        rows, total = _rows(answer), said(answer, "totalLines")
        self._longest = max(self._longest, len(rows))
        # A warehouse may give fewer rows a page than it is asked for; then its total tells that there are more.
        so_far = (page - 1) * self._longest + len(rows)
        left = total.isdecimal() and len(total) < 10 and so_far < int(total)
        return rows, len(rows) >= PAGE or (bool(rows) and left)

    def _by_item(self, position: str | None) -> Iterator[Page]:
        """`position` is how many items were asked for."""
        if not self.items:
            raise FixSettings("qimen.items_missing", "no items are listed to ask the stock of")
        done = int(position) if position else 0
        while done < len(self.items):
            some = self.items[done : done + ITEMS]
            answer = self.client.call(
                "inventory.query", tag("criteriaList", *map(self._asked, some)), write=False
            )
            done += len(some)
            if rows := tuple(summed(_rows(answer))):
                yield Page(rows, str(done), None)

    def _asked(self, item: str) -> str:
        whose = leaves(warehouseCode=self.mapping.warehouse, ownerCode=self.mapping.owner)
        return tag("criteria", whose, leaves(itemCode=item, inventoryType=GOOD))


def _rows(answer: Any) -> list[Row]:
    items = answer.find("items")
    if items is None:
        if said(answer, "totalLines") not in ("", "0"):
            raise RetryLater("qimen.unreadable", "an answer of stock without its items")
        return []
    return [
        {
            "item": said(row, "itemCode"),
            "warehouse": said(row, "warehouseCode"),
            "quantity": said(row, "quantity"),
            "free": "1" if said(row, "inventoryType") in ("", GOOD) else "",
        }
        for row in items.findall("item")
    ]

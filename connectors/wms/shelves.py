"""Stock that comes page by page, several rows to an item: one row for each item and warehouse goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from connectors.wms.figures import plain, quantity
from connectors.wms.goods import NONE, Goods
from tongshang.connect import Page, Record, SkipRecord, StockIn

Row = dict[str, str]
"""item, warehouse, quantity (one for each batch, with spaces between), free (empty: not for sale)"""


def by_page(fetch: Callable[[int], tuple[Sequence[Row], bool]], position: str | None) -> Iterator[Page]:
    """Batches of one item are added up where they follow each other. `fetch` answers a page and whether more follow it.

    `position` is the page that was handed out last. It is asked for again, because its last item was kept back; its
    first item was handed out whole, together with batches of the page before, and is left out.
    """
    page = int(position) if position else 1
    resumed = page > 1
    kept: list[Row] = []
    while True:
        rows, more = fetch(page)
        found = summed([*kept, *rows])
        if resumed and len(found) > 1:
            found.pop(0)
        resumed = False
        kept = [found.pop()] if more and found else []  # its batches may go on in the next page
        if found:
            yield Page(tuple(found), str(page), None)
        if not more:
            return
        page += 1


def summed(rows: Sequence[Row]) -> list[Row]:
    """One row for each item and warehouse, in the order they came first; what is not for sale is left out."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        if not row["free"]:
            continue
        key = (row["item"], row["warehouse"])
        if key in found:
            found[key]["quantity"] += " " + row["quantity"]
        else:
            found[key] = dict(row)
    return list(found.values())


def stock(row: Record, goods: Goods, here: str) -> StockIn:
    """A row in the platform's words; `here` is the warehouse of rows that name none. Raises SkipRecord."""
    item, warehouse = str(row["item"]), str(row["warehouse"]) or here
    if not item:
        raise SkipRecord(f"{goods.code}.item_missing", "a stock row without an item code", field=warehouse)
    try:
        count = sum((quantity(part) for part in str(row["quantity"]).split(" ")), NONE)
    except ValueError as error:
        raise SkipRecord(f"{goods.code}.unreadable", str(error), field=item) from None
    if count < 0:
        raise SkipRecord(f"{goods.code}.negative_stock", f"{warehouse}: {plain(count)}", field=item)
    return StockIn(f"{item}@{warehouse}", goods.material(item), warehouse, goods.unit_of(item), count)

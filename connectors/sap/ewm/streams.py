"""What flows in of a warehouse: its physical stock, the goods issues of its delivery orders, and what it took in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, ClassVar

from connectors.sap.ewm.mapping import INBOUND, ORDERS, OUTBOUND, STOCK, SUPPLIERS_OWN, EwmMapping
from connectors.sap.odata import wire
from connectors.sap.odata.client import Client
from connectors.sap.odata.keyed import conjunction, moment_stamp, newest
from connectors.sap.odata.mapping import readable
from tongshang.connect import (
    Course,
    DeliveryIn,
    FixSettings,
    Page,
    ReceiptIn,
    Record,
    RetryLater,
    StockIn,
    Stream,
)

PAGE = 200  # heads asked for at once
AT_ONCE = 20  # numbers in one filter: an address has its limits
MARKED = re.compile(
    r".+-[A-Z2-7]{4}"
)  # a number of a seller, marked with who gave it: other deliveries stay away
ISSUED, STAMP = "WhseOutboundDeliveryOrderHead", ("LastChangeDateTime",)
ARRIVED, DAY = "A_InbDeliveryHeader", ("LastChangeDate",)
OVERLAP = timedelta(minutes=5)  # a change is stamped before it can be seen


class Stocks(Stream):
    """Physical stock of the warehouse, the whole of it each run; bins, batches and handling units of a product added up.

    A product of which nothing lies there any more has no row, so its absence is not told.
    """

    key: ClassVar[str] = "stock"
    title: ClassVar[str] = "Stock"
    every: ClassVar[timedelta] = timedelta(minutes=30)

    def __init__(self, client: Client, mapping: EwmMapping) -> None:
        self.client, self.mapping = client, mapping

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        return _legible(self._pull(position))

    def _pull(self, position: str | None) -> Iterator[Page]:
        """Page by page as the server cuts them, by its next link; a stopped run goes on behind the last whole product."""
        held: list[Record] = []  # rows of the last product, which may go on in the next page
        query = {"$filter": " and ".join(self._where(position or "")), "$orderby": "Product"}
        pages = self.client.pages(STOCK, "WarehousePhysicalStockProducts", query)
        for page in pages:
            rows = [*held, *page.entities]
            groups = [list(group) for _, group in groupby(rows, key=_product)]
            held = groups.pop() if page.next and groups else []
            if groups:
                yield Page(tuple(_sum(group) for group in groups), _product(groups[-1][0]), None)

    def _where(self, last: str) -> list[str]:
        told = [f"EWMWarehouse eq {wire.literal(self.mapping.warehouse)}"]
        types = " or ".join(f"EWMStockType eq {wire.literal(each)}" for each in self.mapping.stock_types)
        told.append(f"({types})")
        if self.mapping.party:
            told.append(f"EntitledToDisposeParty eq {wire.literal(self.mapping.party)}")
        return [*told, f"Product gt {wire.literal(last)}"] if last else told

    def to_core(self, row: Record) -> StockIn:
        found: StockIn = readable(self.mapping.stock, row)
        return found


class Issues(Stream):
    """Outbound delivery orders whose goods have left, split by the sales order they are for; orders of others stay away.

    An order counts once all its items of a delivery order have their goods issue: until then the quantities may change.
    """

    key: ClassVar[str] = "deliveries"
    title: ClassVar[str] = "Deliveries"
    every: ClassVar[timedelta] = timedelta(minutes=15)

    def __init__(self, client: Client, mapping: EwmMapping, size: int = PAGE) -> None:
        self.client, self.mapping, self.size = client, mapping, size

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        return _legible(self._pull(cursor, position))

    def _pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        if not self.mapping.reads_issues:
            said = "the settings say that the connection to S/4 reads deliveries"
            raise FixSettings("ewm.read_elsewhere", said)
        course = Course(cursor, position)
        where = self._where(cursor)
        while True:
            found = self._after(course.last, where)
            more = bool(found.next) or len(found.entities) >= self.size
            if course.begins:
                top = newest(self.client, OUTBOUND, ISSUED, conjunction(where), STAMP) if more else ()
                course.begin(moment_stamp(row, *STAMP) for row in (*found.entities, *top))
            if found.entities:
                last = wire.text(found.entities[-1], "OutboundDeliveryOrder")
                yield Page(tuple(self._parts(found.entities)), course.position(last), course.cursor)
            if not more:
                return

    def _where(self, cursor: str | None) -> list[str]:
        where = [f"Warehouse eq {wire.literal(self.mapping.warehouse)}"]
        if cursor:
            since = datetime.fromisoformat(cursor) - OVERLAP
            where.append(f"LastChangeDateTime ge {wire.moment_literal(since)}")
        return where

    def _after(self, last: str, where: Sequence[str]) -> wire.Rows:
        behind = [f"OutboundDeliveryOrder gt {wire.literal(last)}"] if last else []
        query = {
            "$filter": conjunction([*where, *behind]),
            "$orderby": "OutboundDeliveryOrder",
            "$top": str(self.size),
        }
        found = self.client.page(OUTBOUND, ISSUED, query)
        keys = [wire.text(row, "OutboundDeliveryOrder") for row in found.entities]
        if not all(keys) or (last and last in keys):
            raise RetryLater("ewm.page", f"the page does not go on behind {last or 'the start'}")
        return found

    def _parts(self, heads: Sequence[Record]) -> list[dict[str, Any]]:
        """One row for each sales order of ours in each delivery order, with its items."""
        items: dict[tuple[str, str], list[Record]] = {}
        for row in self._listed("WhseOutboundDeliveryOrderItem", "OutboundDeliveryOrder", heads):
            number, order = wire.text(row, "OutboundDeliveryOrder"), wire.text(row, "SalesOrder").lstrip("0")
            if order:
                items.setdefault((number, order), []).append(row)
        over = {
            place: rows
            for place, rows in items.items()
            if all(wire.text(row, "GoodsIssueStatus") in self.mapping.issued for row in rows)
        }
        ours = self._references(sorted({order for _, order in over}))
        known = {wire.text(head, "OutboundDeliveryOrder"): head for head in heads}
        return [
            {**known[number], "SalesOrder": order, "reference": ours[order], "items": rows}
            for (number, order), rows in sorted(over.items())
            if number in known and ours.get(order)
        ]

    def _listed(self, of: str, name: str, heads: Sequence[Record]) -> Iterator[Record]:
        numbers = [wire.text(head, name) for head in heads]
        for at in range(0, len(numbers), AT_ONCE):
            wanted = " or ".join(f"{name} eq {wire.literal(number)}" for number in numbers[at : at + AT_ONCE])
            query = {"$filter": wanted, "$orderby": f"{name},OutboundDeliveryOrderItem"}
            for page in self.client.pages(OUTBOUND, of, query):
                yield from page.entities

    def _references(self, orders: Sequence[str]) -> dict[str, str]:
        """Our references by SAP's order numbers; orders without one are not of the platform."""
        told: dict[str, str] = {}
        for at in range(0, len(orders), AT_ONCE):
            query = {
                "$filter": " or ".join(
                    f"SalesOrder eq {wire.literal(each)}" for each in orders[at : at + AT_ONCE]
                ),
                "$select": "SalesOrder,PurchaseOrderByCustomer",
                "$orderby": "SalesOrder",
            }
            for page in self.client.pages(ORDERS, "A_SalesOrder", query):
                for row in page.entities:
                    told[wire.text(row, "SalesOrder").lstrip("0")] = wire.text(row, "PurchaseOrderByCustomer")
        return told

    def to_core(self, row: Record) -> DeliveryIn:
        found: DeliveryIn = readable(self.mapping.delivery, row)
        return found


class Receipts(Stream):
    """Inbound deliveries that carry a reference of ours and are wholly taken in, by the day of their last change."""

    key: ClassVar[str] = "receipts"
    title: ClassVar[str] = "Receipts"
    every: ClassVar[timedelta] = timedelta(minutes=15)

    def __init__(self, client: Client, mapping: EwmMapping, size: int = PAGE) -> None:
        self.client, self.mapping, self.size = client, mapping, size

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        return _legible(self._pull(cursor, position))

    def _pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        course = Course(cursor, position)
        where = ["OverallGoodsMovementStatus eq 'C'"]
        if cursor:
            where.append(f"LastChangeDate ge {wire.day_literal(date.fromisoformat(cursor))}")
        while True:
            found = self._after(course.last, where)
            more = bool(found.next) or len(found.entities) >= self.size
            if course.begins:
                top = newest(self.client, INBOUND, ARRIVED, conjunction(where), DAY) if more else ()
                course.begin(str(wire.day(row, *DAY) or "") for row in (*found.entities, *top))
            if found.entities:
                last = wire.text(found.entities[-1], "DeliveryDocument")
                ours = [row for row in found.entities if MARKED.fullmatch(wire.text(row, SUPPLIERS_OWN))]
                yield Page(tuple(ours), course.position(last), course.cursor)
            if not more:
                return

    def _after(self, last: str, where: Sequence[str]) -> wire.Rows:
        behind = [f"DeliveryDocument gt {wire.literal(last)}"] if last else []
        query = {
            "$filter": conjunction([*where, *behind]),
            "$orderby": "DeliveryDocument",
            "$top": str(self.size),
            "$expand": "to_DeliveryDocumentItem",
        }
        found = self.client.page(INBOUND, ARRIVED, query)
        keys = [wire.text(row, "DeliveryDocument") for row in found.entities]
        if not all(keys) or (last and last in keys):
            raise RetryLater("ewm.page", f"the page does not go on behind {last or 'the start'}")
        return found

    def to_core(self, row: Record) -> ReceiptIn:
        found: ReceiptIn = readable(self.mapping.receipt, row)
        return found


STREAMS: tuple[type[Stocks] | type[Issues] | type[Receipts], ...] = (Stocks, Issues, Receipts)


def _legible(pages: Iterator[Page]) -> Iterator[Page]:
    """The pages; what cannot be read in one ends the run, which goes on there later."""
    try:
        yield from pages
    except wire.Unreadable as error:
        raise RetryLater("sap.unreadable", str(error)) from None


def _product(row: Record) -> str:
    return wire.text(row, "Product")


def _sum(rows: Sequence[Record]) -> Mapping[str, Any]:
    """One row for a product. Raises Unreadable where a quantity cannot be read, or the rows count in several units."""
    total = sum((wire.number(row, "EWMStockQuantityInBaseUnit") for row in rows), Decimal(0))
    if len({wire.text(row, "EWMStockQuantityBaseUnit") for row in rows}) > 1:
        raise wire.Unreadable(f"{_product(rows[0])} has several base units")
    return {**rows[0], "EWMStockQuantityInBaseUnit": total}

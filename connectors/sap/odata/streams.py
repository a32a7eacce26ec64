"""What flows in: a page at a time behind the last key, so that a stopped run goes on where it was.

Pages are cut by key (`Product gt 'last'`) and not by `$skip`, which loses rows when others come in between. Changes are read
from a little before the newest one seen; where SAP stamps only the day, the whole last day is read again. Repeated records
are recognised by their number on the platform's side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, ClassVar

from connectors.sap.odata import wire
from connectors.sap.odata.client import Client
from connectors.sap.odata.mapping import (
    COMPLETE,
    DELIVERIES,
    INVOICE,
    INVOICES,
    ORDERS,
    PARTNERS,
    PRODUCTS,
    STOCK,
    UNRESTRICTED,
    UNSAID,
    SiteMapping,
    readable,
)
from connectors.sap.odata.session import Service
from tongshang.connect import (
    DeliveryIn,
    FixSettings,
    InvoiceIn,
    Page,
    PartnerIn,
    ProductIn,
    Record,
    RetryLater,
    StockIn,
    Stream,
)

PAGE = 500  # rows asked for at once; SAP may give fewer
OVERLAP = timedelta(minutes=5)  # a change is stamped before it can be seen
ORDERS_AT_ONCE = 20  # numbers in one filter: an address has its limits


class Keyed(Stream):
    """A stream over one entity set, page after page behind the last key."""

    service: ClassVar[Service]
    set: ClassVar[str]
    id: ClassVar[str]

    def __init__(self, client: Client, mapping: SiteMapping, size: int = PAGE) -> None:
        self.client, self.mapping, self.size = client, mapping, size

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        newest, last = cursor, position or ""
        while True:
            found = self._after(last, self._where(cursor))
            if found.entities:
                last = wire.text(found.entities[-1], self.id)
                newest = max([newest or "", *(self._stamp(row) for row in found.entities)]) or None
                try:
                    rows = self._kept(found.entities)
                except wire.Unreadable as error:
                    raise RetryLater("sap.unreadable", str(error)) from None
                yield Page(tuple(rows), last, newest)
            if not found.next and len(found.entities) < self.size:
                return

    def _after(self, last: str, where: Sequence[str]) -> wire.Rows:
        wanted = [part if " or " not in part else f"({part})" for part in where]
        wanted += [f"{self.id} gt {wire.literal(last)}"] if last else []
        query = {"$filter": " and ".join(wanted)} if wanted else {}
        query |= {"$orderby": self._order(), "$top": str(self.size), **self._also()}
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
        return _stamp(row, "LastChangeDateTime")

    def _order(self) -> str:
        return self.id

    def _also(self) -> Mapping[str, str]:
        """More of the query, such as what to expand."""
        return {}

    def _kept(self, rows: Sequence[Record]) -> Sequence[Record]:
        return rows


class Products(Keyed):
    """Products with their texts. A product marked for deletion comes along as inactive."""

    key: ClassVar[str] = "products"
    title: ClassVar[str] = "Products"
    every: ClassVar[timedelta] = timedelta(hours=1)
    service, set, id = PRODUCTS, "A_Product", "Product"

    def _where(self, cursor: str | None) -> list[str]:
        """A product that was never changed may have no moment of change: then its day of creation counts."""
        if not cursor:
            return []
        since = _earlier(cursor)
        created = wire.day_literal(since.date())
        return [f"LastChangeDateTime ge {wire.moment_literal(since)} or CreationDate ge {created}"]

    def _also(self) -> Mapping[str, str]:
        return {"$expand": "to_Description"}

    def to_core(self, row: Record) -> ProductIn:
        found: ProductIn = readable(self.mapping.product, row)
        return found


class Partners(Keyed):
    """Organisations with their tax numbers. SAP stamps day and time apart and no time can be asked for: by day."""

    key: ClassVar[str] = "partners"
    title: ClassVar[str] = "Partners"
    every: ClassVar[timedelta] = timedelta(hours=6)
    service, set, id = PARTNERS, "A_BusinessPartner", "BusinessPartner"

    def _where(self, cursor: str | None) -> list[str]:
        return ["BusinessPartnerCategory eq '2'", *_since(cursor)]

    def _stamp(self, row: Record) -> str:
        day = wire.day(row, "LastChangeDate")
        if day:
            return f"{day}T{wire.clock(row, 'LastChangeTime')}"
        return _day_stamp(row, "CreationDate")

    def _also(self) -> Mapping[str, str]:
        return {"$expand": "to_BusinessPartnerTax"}

    def to_core(self, row: Record) -> PartnerIn:
        found: PartnerIn = readable(self.mapping.partner, row)
        return found


class Stocks(Keyed):
    """Unrestricted stock of our own, each plant in full every time: stock carries no change stamp.

    Consignment, stock of a sales order or a project, stock in inspection and blocked stock are rows of the same material
    and no part of it. Batches and storage locations of a plant are added up.
    """

    key: ClassVar[str] = "stock"
    title: ClassVar[str] = "Stock"
    every: ClassVar[timedelta] = timedelta(minutes=15)
    service, set, id = STOCK, "A_MatlStkInAcctMod", "Material"

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        if not self.mapping.plants:
            raise FixSettings("sap.plants_missing", "the settings name no plant to read stock of")
        at, _, last = (position or "").partition("/")
        plants = self.mapping.plants
        for plant in plants[plants.index(at) if at in plants else 0 :]:
            yield from self._plant(plant, last if plant == at else "")

    def _plant(self, plant: str, last: str) -> Iterator[Page]:
        where = [
            f"Plant eq {wire.literal(plant)}",
            f"InventoryStockType eq '{UNRESTRICTED}'",
            "InventorySpecialStockType eq ''",
        ]
        while True:
            found = self._after(last, where)
            more = bool(found.next) or len(found.entities) >= self.size
            materials = [(key, list(group)) for key, group in groupby(found.entities, key=self._material)]
            if more and len(materials) == 1:
                materials = [(key, self._whole(where, key)) for key, _ in materials]
            elif more:
                materials.pop()  # its rows may go on in the next page
            if materials:
                last = materials[-1][0]
                sums = (self._sum(group) for _, group in materials)
                yield Page(tuple(one for one in sums if one is not None), f"{plant}/{last}", None)
            if not more:
                return

    def _whole(self, where: Sequence[str], material: str) -> list[Record]:
        """All rows of a material that fills a page by itself."""
        wanted = " and ".join([*where, f"{self.id} eq {wire.literal(material)}"])
        pages = self.client.pages(self.service, self.set, {"$filter": wanted, "$orderby": self._order()})
        return [row for page in pages for row in page.entities]

    def _material(self, row: Record) -> str:
        return wire.text(row, self.id)

    @staticmethod
    def _sum(rows: Sequence[Record]) -> Record | None:
        """One row for a material in a plant; what is not our own free stock is left out even if the filter let it in."""
        own = [
            row
            for row in rows
            if wire.text(row, "InventoryStockType") == UNRESTRICTED
            and not wire.text(row, "InventorySpecialStockType")
        ]
        if not own:
            return None
        try:
            total = sum((wire.number(row, "MatlWrhsStkQtyInMatlBaseUnit") for row in own), Decimal(0))
        except wire.Unreadable as error:
            raise RetryLater("sap.unreadable", str(error)) from None
        return {**own[0], "MatlWrhsStkQtyInMatlBaseUnit": total}

    def _order(self) -> str:
        return "Material,Plant,StorageLocation,Batch"

    def to_core(self, row: Record) -> StockIn:
        found: StockIn = readable(self.mapping.stock, row)
        return found


class Deliveries(Keyed):
    """Outbound deliveries whose goods have left, split by the order they are for. Deliveries of other orders stay away."""

    key: ClassVar[str] = "deliveries"
    title: ClassVar[str] = "Deliveries"
    every: ClassVar[timedelta] = timedelta(minutes=15)
    service, set, id = DELIVERIES, "A_OutbDeliveryHeader", "DeliveryDocument"

    def _where(self, cursor: str | None) -> list[str]:
        return [f"OverallGoodsMovementStatus eq '{COMPLETE}'", *_since(cursor)]

    def _stamp(self, row: Record) -> str:
        return _day_stamp(row, "LastChangeDate") or _day_stamp(row, "CreationDate")

    def _also(self) -> Mapping[str, str]:
        return {"$expand": "to_DeliveryDocumentItem"}

    def _kept(self, rows: Sequence[Record]) -> Sequence[Record]:
        parts: list[dict[str, Any]] = []
        for row in rows:
            items = sorted(wire.many(row, "to_DeliveryDocumentItem"), key=_order_of)
            head = {name: value for name, value in row.items() if not isinstance(value, dict | list)}
            for order, group in groupby(items, key=_order_of):
                if order:
                    parts.append({**head, "ReferenceSDDocument": order, "items": list(group)})
        ours = self._references(sorted({part["ReferenceSDDocument"] for part in parts}))
        return [
            {**part, "reference": reference}
            for part in parts
            if (reference := ours.get(part["ReferenceSDDocument"]))
        ]

    def _references(self, orders: Sequence[str]) -> dict[str, str]:
        """Our references by SAP's order numbers; orders without one are not of the platform."""
        told: dict[str, str] = {}
        for at in range(0, len(orders), ORDERS_AT_ONCE):
            some = orders[at : at + ORDERS_AT_ONCE]
            query = {
                "$filter": " or ".join(f"SalesOrder eq {wire.literal(order)}" for order in some),
                "$select": "SalesOrder,PurchaseOrderByCustomer",
                "$orderby": "SalesOrder",
            }
            for page in self.client.pages(ORDERS, "A_SalesOrder", query):
                told |= {
                    wire.text(row, "SalesOrder"): wire.text(row, "PurchaseOrderByCustomer")
                    for row in page.entities
                }
        return told

    def to_core(self, row: Record) -> DeliveryIn:
        found: DeliveryIn = readable(self.mapping.delivery, row)
        return found


class Invoices(Keyed):
    """Customer invoices that name a reference. A cancelled one comes as a record that is left out, so that a person sees it."""

    key: ClassVar[str] = "invoices"
    title: ClassVar[str] = "Invoices"
    every: ClassVar[timedelta] = timedelta(minutes=30)
    service, set, id = INVOICES, "A_BillingDocument", "BillingDocument"

    def _where(self, cursor: str | None) -> list[str]:
        mine = self.mapping.organisation
        where = [f"SalesOrganization eq {wire.literal(mine)}"] if mine else []
        return where + ([f"LastChangeDateTime ge {wire.moment_literal(_earlier(cursor))}"] if cursor else [])

    def _kept(self, rows: Sequence[Record]) -> Sequence[Record]:
        return [
            row
            for row in rows
            if wire.text(row, "BillingDocumentCategory") in (INVOICE, UNSAID)
            and not wire.text(row, "CancelledBillingDocument")
            and wire.text(row, "PurchaseOrderByCustomer")
        ]

    def to_core(self, row: Record) -> InvoiceIn:
        found: InvoiceIn = readable(self.mapping.invoice, row)
        return found


STREAMS: tuple[type[Keyed], ...] = (Products, Partners, Stocks, Deliveries, Invoices)


def _order_of(item: Record) -> str:
    return wire.text(item, "ReferenceSDDocument")


def _stamp(row: Record, name: str) -> str:
    """A moment as text that sorts by time; a stamp that cannot be read counts as none."""
    try:
        found = wire.moment(row, name)
    except wire.Unreadable:
        return ""
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if found else ""


def _day_stamp(row: Record, name: str) -> str:
    try:
        found = wire.day(row, name)
    except wire.Unreadable:
        return ""
    return f"{found}T00:00:00" if found else ""


def _earlier(cursor: str) -> datetime:
    return datetime.fromisoformat(cursor) - OVERLAP


def _since(cursor: str | None) -> list[str]:
    """Changed or created on the day of the cursor or later: a record that was never changed has no day of change."""
    if not cursor:
        return []
    day = wire.day_literal(date.fromisoformat(cursor[:10]))
    return [f"LastChangeDate ge {day} or CreationDate ge {day}"]

"""What flows in: products, partners, stock, deliveries and invoices; prices are in `prices`, paging is in `keyed`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, ClassVar

from connectors.sap.odata import wire
from connectors.sap.odata.keyed import Keyed, day_stamp, earlier, since
from connectors.sap.odata.mapping import (
    COMPLETE,
    DELIVERIES,
    INVOICE,
    INVOICES,
    PARTNERS,
    PRODUCTS,
    STOCK,
    UNRESTRICTED,
    UNSAID,
    readable,
)
from connectors.sap.odata.prices import Prices
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
)

ORDERS_AT_ONCE = 20  # numbers in one filter: an address has its limits


class Products(Keyed):
    """Products with their texts. A product marked for deletion comes along as inactive."""

    key: ClassVar[str] = "products"
    title: ClassVar[str] = "Products"
    every: ClassVar[timedelta] = timedelta(hours=1)
    service, set, id = PRODUCTS, "A_Product", "Product"
    counted: ClassVar[bool] = True

    def _where(self, cursor: str | None) -> list[str]:
        """A product that was never changed may have no moment of change: then its day of creation counts."""
        if not cursor:
            return []
        since = earlier(cursor)
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
    stamps: ClassVar[tuple[str, ...]] = ("LastChangeDate", "LastChangeTime")
    counted: ClassVar[bool] = True

    def _where(self, cursor: str | None) -> list[str]:
        return ["BusinessPartnerCategory eq '2'", *since(cursor)]

    def _stamp(self, row: Record) -> str:
        day = wire.day(row, "LastChangeDate")
        if day:
            return f"{day}T{wire.clock(row, 'LastChangeTime')}"
        return day_stamp(row, "CreationDate")

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
    stamps: ClassVar[tuple[str, ...]] = ("LastChangeDate",)

    def _where(self, cursor: str | None) -> list[str]:
        return [f"OverallGoodsMovementStatus eq '{COMPLETE}'", *since(cursor)]

    def _stamp(self, row: Record) -> str:
        return day_stamp(row, "LastChangeDate") or day_stamp(row, "CreationDate")

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
        taker = self.mapping.orders
        for at in range(0, len(orders), ORDERS_AT_ONCE):
            some = orders[at : at + ORDERS_AT_ONCE]
            query = {
                "$filter": " or ".join(f"SalesOrder eq {wire.literal(order)}" for order in some),
                "$select": "SalesOrder,PurchaseOrderByCustomer",
                "$orderby": "SalesOrder",
            }
            for page in self.client.pages(taker.service, taker.orders, query):
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
        return where + ([f"LastChangeDateTime ge {wire.moment_literal(earlier(cursor))}"] if cursor else [])

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


STREAMS: tuple[type[Keyed], ...] = (Products, Partners, Prices, Stocks, Deliveries, Invoices)


def _order_of(item: Record) -> str:
    return wire.text(item, "ReferenceSDDocument")

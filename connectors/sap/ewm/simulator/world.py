"""What S/4 and its EWM hold: sales orders, deliveries, the delivery orders EWM made of them, goods on the shelves."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.sap.odata.simulator.shapes import Refused
from connectors.sap.odata.simulator.world import DEMO

NONE = Decimal(0)
ISSUED, OPEN = "9", "1"  # statuses of EWM: completed, not started
REHEARSED = "DRILL-"  # how references of a fault drill begin


@dataclass
class Delivery:
    """An outbound delivery in S/4 and the delivery order EWM made of it. `items`: number -> (order, item, quantity)."""

    number: str
    order: str
    items: dict[str, tuple[str, str, Decimal]]
    picking: str = "A"
    issue: str = "A"
    issued_at: datetime | None = None
    issued_items: set[str] = field(default_factory=set)
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))
    carrier: str = ""

    @property
    def outbound(self) -> str:
        return f"O{self.number}"


@dataclass
class World:
    """One system with one warehouse number. Orders: number -> (reference, customer, item -> (material, quantity, unit))."""

    warehouse: str = "1710"
    orders: dict[str, tuple[str, str, dict[str, tuple[str, Decimal, str]]]] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    stock: list[dict[str, Any]] = field(default_factory=list)
    bought: dict[str, tuple[str, str, dict[str, tuple[str, Decimal, str]]]] = field(default_factory=dict)
    arrivals: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # inbound deliveries: head fields and `items`
    split: bool = False  # S/4 makes a delivery of its own for each item
    serial: int = 80000000
    lock: threading.RLock = field(default_factory=threading.RLock)

    # -- what happens in the house

    def sell(
        self, reference: str, lines: Mapping[str, tuple[str, str, str]], customer: str = "10100001"
    ) -> str:
        """A sales order as another connection files it; `lines`: item -> (material, quantity, unit)."""
        with self.lock:
            number = str(4711 + len(self.orders))
            items = {
                item: (material, Decimal(count), unit) for item, (material, count, unit) in lines.items()
            }
            self.orders[number] = (reference, customer, items)
            return number

    def rehearse(self, reference: str) -> None:
        """What the connection that files sales orders does for a fault drill: the order is there, a copy of the newest one.

        Ten times as much of each item is open, since a drill asks for more later.
        """
        with self.lock:
            known = {each: (customer, items) for each, customer, items in self.orders.values()}
            real = [told for each, told in known.items() if not each.startswith(REHEARSED)]
            if reference in known or not real:
                return
            customer, items = real[-1]
            lines = {
                item: (material, str(count * 10), unit) for item, (material, count, unit) in items.items()
            }
            self.sell(reference, lines, customer)

    def buy(self, reference: str, lines: Mapping[str, tuple[str, str, str]], supplier: str = "V-7") -> str:
        """A purchase order as another connection files it; `lines`: item -> (material, quantity, unit)."""
        with self.lock:
            number = str(4500000001 + len(self.bought))
            items = {
                item: (material, Decimal(count), unit) for item, (material, count, unit) in lines.items()
            }
            self.bought[number] = (reference, supplier, items)
            return number

    def put_away(self, number: str) -> None:
        """The warehouse begins with an inbound delivery."""
        with self.lock:
            self.arrivals[number] |= {"OverallPickingStatus": "C", "LastChangeDateTime": datetime.now(UTC)}

    def take_in(self, number: str, counts: Mapping[str, str] | None = None) -> None:
        """The goods receipt of an inbound delivery, with other quantities of some items."""
        with self.lock:
            arrival, today = self.arrivals[number], datetime.now(UTC)
            for item, count in (counts or {}).items():
                arrival["items"][item] = (*arrival["items"][item][:2], Decimal(count))
            arrival |= {
                "OverallPickingStatus": "C",
                "OverallGoodsMovementStatus": "C",
                "LastChangeDateTime": today,
            }
            arrival |= {"ActualGoodsMovementDate": today.date(), "LastChangeDate": today.date()}

    def pick(self, number: str) -> None:
        """The warehouse begins with a delivery."""
        with self.lock:
            self._touch(number).picking = "C"

    def issue(self, number: str, items: tuple[str, ...] = (), at: datetime | None = None) -> None:
        """Goods leave: of these items, or of all."""
        with self.lock:
            delivery = self._touch(number)
            delivery.picking = "C"
            delivery.issued_items |= set(items or delivery.items)
            whole = delivery.issued_items >= set(delivery.items)
            delivery.issue, delivery.issued_at = "C" if whole else "B", at or datetime.now(UTC)
            delivery.carrier = "SF"

    def put(
        self, product: str, quantity: str, unit: str = "PC", type: str = "F2", bin: str = "01-01", **more: str
    ) -> None:
        """Goods in a bin."""
        with self.lock:
            self.stock.append(
                {
                    "ParentHandlingUnitUUID": f"00000000-0000-0000-0000-{len(self.stock):012}",
                    "StockItemUUID": f"00000000-0000-0000-0001-{len(self.stock):012}",
                    "EWMWarehouse": more.get("warehouse", self.warehouse),
                    "Product": product,
                    "EWMStockType": type,
                    "EntitledToDisposeParty": more.get("party", "BP1710"),
                    "Batch": more.get("batch", ""),
                    "EWMStorageBin": bin,
                    "EWMStockQuantityInBaseUnit": Decimal(quantity),
                    "EWMStockQuantityBaseUnit": unit,
                }
            )

    def _touch(self, number: str) -> Delivery:
        if number not in self.deliveries:
            raise ValueError(f"there is no delivery {number}")
        self.deliveries[number].changed = datetime.now(UTC)
        return self.deliveries[number]

    # -- what callers do

    def create(self, body: Mapping[str, Any]) -> Delivery:
        """A delivery with reference to a sales order; not more of an item than is open. Raises Refused."""
        told = body.get("to_DeliveryDocumentItem")
        rows = told.get("results") if isinstance(told, Mapping) else told
        if not isinstance(rows, list) or not rows:
            raise Refused(400, "VL/001", "A delivery needs items", "to_DeliveryDocumentItem")
        with self.lock:
            wanted = [self._wanted(row) for row in rows]
            made = []
            groups = [[row] for row in wanted] if self.split else [wanted]
            for group in groups:
                self.serial += 1
                items = {str(no * 10): row for no, row in enumerate(group, 1)}
                delivery = Delivery(str(self.serial), group[0][0], items)
                self.deliveries[delivery.number] = delivery
                made.append(delivery)
            return made[0]

    def announce(self, body: Mapping[str, Any]) -> str:
        """An inbound delivery with reference to purchase orders of its supplier. Raises Refused."""
        rows = (body.get("to_DeliveryDocumentItem") or {}).get("results") or []
        with self.lock:
            items = {}
            for no, row in enumerate(rows, 1):
                number, item = str(row.get("ReferenceSDDocument")), str(row.get("ReferenceSDDocumentItem"))
                if number not in self.bought or item not in self.bought[number][2]:
                    raise Refused(400, "VL/248", f"Purchase order {number} item {item} is not there")
                if self.bought[number][1] != body.get("Supplier"):
                    raise Refused(
                        400, "VL/252", f"Purchase order {number} is of another supplier", "Supplier"
                    )
                count = Decimal(str(row.get("ActualDeliveryQuantity")))
                if count <= 0 or count > self.bought[number][2][item][1]:
                    raise Refused(400, "VL/367", f"Item {item} of {number} has no such open quantity")
                items[str(no * 10)] = (number, item, count)
            if not items:
                raise Refused(400, "VL/001", "A delivery needs items", "to_DeliveryDocumentItem")
            self.serial += 1
            self.arrivals[str(self.serial)] = {
                "DeliveryDocument": str(self.serial),
                "DeliveryDocumentBySupplier": str(body.get("DeliveryDocumentBySupplier") or "")[:35],
                "Supplier": body.get("Supplier"),
                "OverallPickingStatus": "A",
                "OverallGoodsMovementStatus": "A",
                "LastChangeDateTime": datetime.now(UTC),
                "LastChangeDate": None,
                "ActualGoodsMovementDate": None,
                "items": items,
            }
            return str(self.serial)

    def _wanted(self, row: Mapping[str, Any]) -> tuple[str, str, Decimal]:
        number = str(row.get("ReferenceSDDocument") or "")
        item = str(row.get("ReferenceSDDocumentItem") or "")
        if number not in self.orders or number in self.rejected or item not in self.orders[number][2]:
            raise Refused(400, "VL/248", f"Sales order {number} item {item} is not there or not open")
        _, ordered, unit = self.orders[number][2][item]
        count = Decimal(str(row.get("ActualDeliveryQuantity") or ordered))
        if row.get("DeliveryQuantityUnit") not in (None, unit):
            raise Refused(400, "VL/305", f"Unit {row.get('DeliveryQuantityUnit')} does not fit {unit}")
        if count <= 0 or count > ordered - self.delivered(number, item):
            raise Refused(400, "VL/367", f"Item {item} of {number} has no such open quantity")
        return number, item, count

    def delivered(self, order: str, item: str) -> Decimal:
        found = (row for delivery in self.deliveries.values() for row in delivery.items.values())
        return sum((count for number, place, count in found if (number, place) == (order, item)), NONE)

    def delete(self, number: str) -> None:
        """Delete a delivery that nobody has begun with. Raises Refused."""
        with self.lock:
            if (arrival := self.arrivals.get(number)) is not None:
                if arrival["OverallPickingStatus"] != "A":
                    raise Refused(400, "VL/606", f"Delivery {number} is being processed in the warehouse")
                del self.arrivals[number]
                return
            delivery = self.deliveries.get(number)
            if delivery is None:
                raise Refused(404, "VL/559", f"Delivery {number} does not exist")
            if delivery.picking != "A":
                raise Refused(400, "VL/606", f"Delivery {number} is being processed in the warehouse")
            del self.deliveries[number]

    # -- as rows

    def rows(self, of: str) -> Iterator[dict[str, Any]]:
        """All rows of an entity set, by the names of the protocol."""
        if of == "A_SalesOrder":
            yield from (self._order(number) for number in self.orders)
        elif of == "A_PurchaseOrder":
            for number, (reference, supplier, _) in self.bought.items():
                head = {"PurchaseOrder": number, "Supplier": supplier, "CompanyCode": "1010"}
                yield head | {"CorrespncInternalReference": reference}
        elif of == "A_InbDeliveryHeader":
            yield from self.arrivals.values()
        elif of == "A_OutbDeliveryHeader":
            yield from (self._head(each) for each in self.deliveries.values())
        elif of == "A_OutbDeliveryItem":
            yield from (row for each in self.deliveries.values() for row in self._items(each))
        elif of == "WhseOutboundDeliveryOrderHead":
            for each in self.deliveries.values():
                yield {
                    "OutboundDeliveryOrder": each.outbound,
                    "Warehouse": self.warehouse,
                    "Carrier": each.carrier,
                    "LastChangeDateTime": each.changed,
                }
        elif of == "WhseOutboundDeliveryOrderItem":
            yield from (row for each in self.deliveries.values() for row in self._outbound(each))
        else:
            yield from self.stock

    def below(self, of: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What hangs on a sales order or a delivery."""
        if of == "A_SalesOrder":
            number = row["SalesOrder"]
            return [
                {
                    "SalesOrder": number,
                    "SalesOrderItem": item,
                    "HigherLevelItem": "",
                    "Material": material,
                    "RequestedQuantity": count,
                    "RequestedQuantityUnit": unit,
                    "SalesDocumentRjcnReason": "61" if number in self.rejected else "",
                }
                for item, (material, count, unit) in self.orders[number][2].items()
            ]
        if of == "A_PurchaseOrder":
            number = row["PurchaseOrder"]
            return [
                {
                    "PurchaseOrder": number,
                    "PurchaseOrderItem": item,
                    "Material": material,
                    "OrderQuantity": count,
                    "PurchaseOrderQuantityUnit": unit,
                    "PurchasingDocumentDeletionCode": "",
                }
                for item, (material, count, unit) in self.bought[number][2].items()
            ]
        if of == "A_InbDeliveryHeader":
            return [
                {
                    "DeliveryDocument": row["DeliveryDocument"],
                    "DeliveryDocumentItem": no,
                    "Material": self.bought[order][2][item][0],
                    "ActualDeliveryQuantity": count,
                    "DeliveryQuantityUnit": self.bought[order][2][item][2],
                    "ReferenceSDDocument": order,
                    "ReferenceSDDocumentItem": item,
                }
                for no, (order, item, count) in row["items"].items()
            ]
        return list(self._items(self.deliveries[row["DeliveryDocument"]]))

    def _order(self, number: str) -> dict[str, Any]:
        reference, customer, _ = self.orders[number]
        return {
            "SalesOrder": number,
            "SoldToParty": customer,
            "PurchaseOrderByCustomer": reference,
            "OverallSDDocumentRejectionSts": "C" if number in self.rejected else "A",
        }

    def _head(self, each: Delivery) -> dict[str, Any]:
        return {
            "DeliveryDocument": each.number,
            "SoldToParty": self.orders[each.order][1],
            "OverallPickingStatus": each.picking,
            "OverallGoodsMovementStatus": each.issue,
            "LastChangeDateTime": each.changed,
        }

    def _items(self, each: Delivery) -> Iterator[dict[str, Any]]:
        for no, (order, item, count) in each.items.items():
            material, _, unit = self.orders[order][2][item]
            yield {
                "DeliveryDocument": each.number,
                "DeliveryDocumentItem": no,
                "Material": material,
                "ActualDeliveryQuantity": count,
                "DeliveryQuantityUnit": unit,
                "ReferenceSDDocument": order,
                "ReferenceSDDocumentItem": item,
            }

    def _outbound(self, each: Delivery) -> Iterator[dict[str, Any]]:
        for no, (order, item, count) in each.items.items():
            material, _, unit = self.orders[order][2][item]
            gone = no in each.issued_items
            yield {
                "OutboundDeliveryOrder": each.outbound,
                "OutboundDeliveryOrderItem": no,
                "Product": material,
                "ProductQuantity": count,
                "QuantityUnit": unit,
                "GoodsIssueStatus": ISSUED if gone else OPEN,
                "SalesOrder": order,
                "SalesOrderItem": item.zfill(6),  # EWM shows the inner form
                "ActlGoodsIssueStartUTCDateTime": each.issued_at if gone else None,
            }


__all__ = ["DEMO", "Delivery", "World"]

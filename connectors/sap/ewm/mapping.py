"""Names of EWM and of deliveries in S/4, and nothing of them beyond this folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import v2, v4
from connectors.sap.odata.mapping import UNITS, line_of, live_items
from tongshang.connect import (
    Access,
    Bill,
    DeliveryIn,
    Found,
    LineOut,
    Lookup,
    MovedLine,
    OrderOut,
    ReceiptIn,
    Record,
    Rejected,
    RemoteLine,
    SkipRecord,
    StockIn,
)

ORDERS = v2("API_SALES_ORDER_SRV")
DELIVERIES = v2("API_OUTBOUND_DELIVERY_SRV;v=0002")
OUTBOUND = v2("API_WHSE_OUTB_DLV_ORDER")
INBOUND = v2("API_INBOUND_DELIVERY_SRV;v=0002")
STOCK = v4("api_whse_physstockprod", "whsephysicalstockproducts")

SUPPLIERS_OWN = "DeliveryDocumentBySupplier"  # where our reference stands on an inbound delivery
NONE = Decimal(0)
PLACES = Decimal("0.000001")
NOT_BEGUN = ("", "A")  # picking and goods movement of a delivery
WAIT = timedelta(minutes=2)  # for an order that another connection brings to S/4 at the same time
CHINA = timezone(timedelta(hours=8))


def listed(text: str) -> tuple[str, ...]:
    """Values with commas, Chinese ones too."""
    return tuple(dict.fromkeys(part for part in re.split(r"[\s,;，；、]+", text) if part))


class EwmMapping:
    """One warehouse: its number, its stock types, the units of its system."""

    def __init__(self, access: Access) -> None:
        self.warehouse = access.organisation
        self.shipping_point, self.party = access["shipping_point"], access["party"]
        self.stock_types = listed(access["stock_types"] or "F2")
        self.issued = listed(access["issued"] or "9,C")
        self.reads_issues = access["issues"] == "here"
        self.units = access.table("units", UNITS)
        self.our_units = {theirs: ours for ours, theirs in reversed(self.units.items())}
        self.materials = access.table("materials", {})
        self.our_materials = {theirs: ours for ours, theirs in self.materials.items()}

    # -- out

    def bill(self, order: OrderOut, sold: Mapping[str, Any], lookup: Lookup) -> Bill:
        """A delivery of the whole order with reference to the sales order `sold`; raises Rejected where the two do not fit."""
        number = wire.text(sold, "SalesOrder")
        items = {line_of(wire.text(item, "SalesOrderItem")): item for item in live_items(sold)}
        lines, body = [], []
        for line in order.lines:
            made, row = self._line(line, items.get(line.no), number, lookup)
            lines.append(made)
            body.append(row)
        head: dict[str, Any] = {"ShippingPoint": self.shipping_point} if self.shipping_point else {}
        return Bill(
            reference=order.reference,
            partner=wire.text(sold, "SoldToParty"),
            currency="",
            total=NONE,
            lines=tuple(lines),
            body={**head, "to_DeliveryDocumentItem": {"results": body}},
        )

    def _line(
        self, line: LineOut, item: Mapping[str, Any] | None, number: str, lookup: Lookup
    ) -> tuple[RemoteLine, dict[str, Any]]:
        material, unit = self.goods(line, lookup)
        told = (
            ""
            if item is None
            else f"{wire.text(item, 'Material')} {wire.text(item, 'RequestedQuantityUnit')}"
        )
        if item is None or told != f"{material} {unit}":
            said = f"{number}: line {line.no} is {material} {unit} here, {told or 'nothing'} there"
            raise Rejected("ewm.order_differs", said, field=material)
        row = {
            "ReferenceSDDocument": number,
            "ReferenceSDDocumentItem": wire.text(item, "SalesOrderItem"),
            "ActualDeliveryQuantity": line.quantity,
            "DeliveryQuantityUnit": unit,
        }
        return RemoteLine(material, line.quantity, unit, NONE, NONE), row

    def goods(self, line: LineOut, lookup: Lookup) -> tuple[str, str]:
        """Material and unit of a line there; raises Rejected for a unit without a word."""
        unit = self.units.get(line.unit)
        if unit is None:
            raise Rejected("ewm.unit_missing", f"no unit for {line.unit}", field="unit")
        return lookup("product", line.sku_id) or self.materials.get(line.material, line.material), unit

    def found(self, order: str, deliveries: Sequence[Mapping[str, Any]]) -> Found:
        """What stands on the deliveries of an order, item by item: S/4 may split one delivery into several."""
        sums: dict[int, RemoteLine] = {}
        for delivery in deliveries:
            for row in wire.many(delivery, "to_DeliveryDocumentItem"):
                if wire.text(row, "ReferenceSDDocument") != order:
                    continue
                item = wire.text(row, "ReferenceSDDocumentItem")
                no = int(item) if item.isdecimal() else 0
                count = wire.number(row, "ActualDeliveryQuantity")
                count += sums[no].quantity if no in sums else NONE
                material, unit = wire.text(row, "Material"), wire.text(row, "DeliveryQuantityUnit")
                sums[no] = RemoteLine(material, count, unit, NONE, NONE)
        numbers = [wire.text(delivery, "DeliveryDocument") for delivery in deliveries]
        begun = [number for number, each in zip(numbers, deliveries, strict=True) if is_begun(each)]
        return Found(
            remote_id=numbers[0],
            number=",".join(numbers),
            partner=wire.text(deliveries[0], "SoldToParty"),
            currency="",
            total=NONE,
            lines=tuple(line for _, line in sorted(sums.items()) if line.quantity),
            finished=True,
            cancelled=False,
            status="begun" if begun else "open",
        )

    # -- in

    def stock(self, row: Record) -> StockIn:
        """What lies of a product in the warehouse. A unit we have no word for comes as it stands and is listed."""
        product, unit = wire.text(row, "Product"), wire.text(row, "EWMStockQuantityBaseUnit")
        count = wire.number(row, "EWMStockQuantityInBaseUnit")
        if count != round(count, 6):
            raise SkipRecord("ewm.quantity", f"{product}: {count} {unit}", field=product)
        return StockIn(
            external_id=f"{product}@{self.warehouse}",
            material=self.our_materials.get(product, product),
            warehouse=self.warehouse,
            unit=self.our_units.get(unit, unit),
            quantity=count.quantize(PLACES).normalize() + 0,
        )

    def delivery(self, row: Record) -> DeliveryIn:
        """An outbound delivery order whose goods have left, for one sales order."""
        number, items = wire.text(row, "OutboundDeliveryOrder"), wire.many(row, "items")
        sums: dict[tuple[int, str, str], Decimal] = {}
        for item in items:
            unit = wire.text(item, "QuantityUnit")
            line, product = line_of(wire.text(item, "SalesOrderItem").lstrip("0")), wire.text(item, "Product")
            place = (line, self.our_materials.get(product, product), self.our_units.get(unit, unit))
            sums[place] = sums.get(place, NONE) + wire.number(item, "ProductQuantity")
        return DeliveryIn(
            external_id=f"{number}/{wire.text(row, 'SalesOrder')}",
            number=number,
            reference=wire.text(row, "reference"),
            day=self._day(items, row),
            lines=tuple(
                MovedLine(line, material, count, unit)
                for (line, material, unit), count in sums.items()
                if count
            ),
            carrier=wire.text(row, "Carrier")[:100],
        )

    def receipt(self, row: Record) -> ReceiptIn:
        """An inbound delivery that was taken in. Items are told apart by material, by their number too where it stands twice."""
        number, day = wire.text(row, "DeliveryDocument"), wire.day(row, "ActualGoodsMovementDate")
        if day is None:
            raise SkipRecord("ewm.day", f"{number}: the goods receipt has no day", field=number)
        items: dict[tuple[str, str], tuple[int, str, str, Decimal]] = {}
        for item in wire.many(row, "to_DeliveryDocumentItem"):
            place = wire.text(item, "ReferenceSDDocument"), wire.text(item, "ReferenceSDDocumentItem")
            no, count = wire.text(item, "DeliveryDocumentItem"), wire.number(item, "ActualDeliveryQuantity")
            material, unit = wire.text(item, "Material"), wire.text(item, "DeliveryQuantityUnit")
            first = items.get(place, (line_of(no), material, unit, NONE))
            items[place] = (*first[:3], first[3] + count)  # batches are items of their own
        materials = [material for _, material, _, _ in items.values()]
        return ReceiptIn(
            external_id=number,
            number=number,
            reference=wire.text(row, SUPPLIERS_OWN),
            day=day,
            lines=tuple(
                MovedLine(
                    line if materials.count(material) > 1 else 0,
                    self.our_materials.get(material, material),
                    count,
                    self.our_units.get(unit, unit),
                )
                for line, material, unit, count in items.values()
                if count
            ),
        )

    @staticmethod
    def _day(items: Sequence[Mapping[str, Any]], row: Record) -> date:
        """The day in China the last goods left; that of the last change where no item says it."""
        told: list[datetime] = [
            moment for item in items if (moment := wire.moment(item, "ActlGoodsIssueStartUTCDateTime"))
        ]
        changed = wire.moment(row, "LastChangeDateTime")
        found = max(told) if told else changed
        if found is None:
            raise SkipRecord("ewm.day", "neither a goods issue nor a change has a day", field="day")
        return found.astimezone(CHINA).date()


def is_begun(delivery: Mapping[str, Any]) -> bool:
    """Whether the warehouse has begun to work on a delivery."""
    names = ("OverallPickingStatus", "OverallGoodsMovementStatus")
    return any(wire.text(delivery, name) not in NOT_BEGUN for name in names)

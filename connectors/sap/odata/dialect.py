"""Sales orders in the two services that take them: `API_SALES_ORDER_SRV` (V2) and `salesorder` of group `api_salesorder` (V4).

Everything beyond this file speaks the names of V2. V4 calls the same things differently: sets without `A_`, navigation with
`_` instead of `to_`, the product, the units and the rate of a price by other names, days without a clock. What is not named
here is called the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import Service, v2, v4

ITEM, PRICE, PARTNER = "to_Item", "to_PricingElement", "to_Partner"

Row = Mapping[str, Any]


class Dialect:
    """V2: the names the mapping speaks."""

    service: Service = v2("API_SALES_ORDER_SRV")
    orders: str = "A_SalesOrder"
    whole: Mapping[str, str] = {"$expand": "to_Item,to_Item/to_PricingElement"}
    stamp: Mapping[str, str] = {"$select": "SalesOrder,LastChangeDateTime"}  # enough to learn the ETag

    def path(self, path: str) -> str:
        """A path of V2 in this version."""
        return path

    def out(self, values: Row) -> Row:
        """Values to write."""
        return values

    def back(self, row: Row) -> Row:
        """An entity as it was read; one that went through already stays as it is."""
        return row

    def day(self, day: date) -> str:
        """A day in a filter."""
        return wire.day_literal(day)

    def guard(self, path: str, order: str) -> str:
        """The entity whose ETag guards a change at a path (of V2): in V2 only the order itself has one."""
        return order


class Version4(Dialect):
    """V4, as the service's public description has it."""

    service = v4("api_salesorder", "salesorder")
    orders = "SalesOrder"
    whole: Mapping[str, str] = {"$expand": "_Item($expand=_ItemPricingElement)"}
    stamp: Mapping[str, str] = {"$select": "SalesOrder"}
    sets = (
        ("A_SalesOrderItemPrElement(", "SalesOrderItemPricingElement("),
        ("A_SalesOrderItem(", "SalesOrderItem("),
        ("A_SalesOrder(", "SalesOrder("),
        ("/to_Item", "/_Item"),
    )
    ways = {ITEM: "_Item", PRICE: "_ItemPricingElement", PARTNER: "_Partner"}
    names = {
        "Material": "Product",
        "RequestedQuantityUnit": "RequestedQuantitySAPUnit",
        "ConditionRateValue": "ConditionRateAmount",
        "ConditionQuantityUnit": "ConditionQuantitySAPUnit",
    }

    def path(self, path: str) -> str:
        for theirs, here in self.sets:
            path = path.replace(theirs, here)
        return path

    def out(self, values: Row) -> Row:
        made: dict[str, Any] = {}
        for name, value in values.items():
            if name in self.ways:
                made[self.ways[name]] = [self.out(one) for one in wire.many(values, name)]
            else:
                made[self.names.get(name, name)] = wire.iso_day(value)
        return made

    def back(self, row: Row) -> Row:
        ways = {here: theirs for theirs, here in self.ways.items()}
        names = {here: theirs for theirs, here in self.names.items()}
        made: dict[str, Any] = {}
        for name, value in row.items():
            if name in ways:
                made[ways[name]] = [self.back(one) for one in _rows(value)]
            else:
                made[names.get(name, name)] = value
        return made

    def day(self, day: date) -> str:
        return day.isoformat()

    def guard(self, path: str, order: str) -> str:
        return path


V2, V4 = Dialect(), Version4()


def dialect_of(version: str) -> Dialect:
    return V4 if version == "v4" else V2


def _rows(value: Any) -> Sequence[Row]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise wire.Unreadable("what was expanded holds no rows")
    return value

"""What the V4 service of sales orders calls things; the books keep them under the names of V2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sap.odata.simulator.model import SETS
from connectors.sap.odata.simulator.shapes import Refused

# set of V2 -> set of V4
SHOWN = {
    "A_SalesOrder": "SalesOrder",
    "A_SalesOrderItem": "SalesOrderItem",
    "A_SalesOrderItemPrElement": "SalesOrderItemPricingElement",
    "A_SalesOrderHeaderPartner": "SalesOrderPartner",
}
WAYS = {"to_Item": "_Item", "to_PricingElement": "_ItemPricingElement", "to_Partner": "_Partner"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "A_SalesOrderItem": {"Material": "Product", "RequestedQuantityUnit": "RequestedQuantitySAPUnit"},
    "A_SalesOrderItemPrElement": {
        "ConditionRateValue": "ConditionRateAmount",
        "ConditionQuantityUnit": "ConditionQuantitySAPUnit",
    },
}


def shown_set(name: str) -> str:
    return SHOWN[name]


def set_of(shown: str) -> str:
    return next((name for name, told in SHOWN.items() if told == shown), "")


def way_of(shown: str) -> str:
    return next((name for name, told in WAYS.items() if told == shown), shown)


def shown_field(of: str, name: str) -> str:
    return FIELDS.get(of, {}).get(name, name)


def kept(of: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body of V4 under the names of V2, with all that hangs on it. Raises Refused for a name only V2 knows."""
    names = {told: name for name, told in FIELDS.get(of, {}).items()}
    made: dict[str, Any] = {}
    for told, value in body.items():
        way = way_of(told)
        if way in WAYS and way != told:
            rows = value if isinstance(value, list) else []
            to = SETS[of].ways[way].to
            made[way] = [kept(to, row) if isinstance(row, Mapping) else row for row in rows]
        elif told in FIELDS.get(of, {}) or told.startswith("to_"):
            said = f"Property {told} does not exist in type {SHOWN.get(of, of)}_Type"
            raise Refused(400, "/IWBEP/CM_V4H/005", said, told)
        else:
            made[names.get(told, told)] = value
    return made

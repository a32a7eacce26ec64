"""What the system holds, and how it keeps its sales orders: numbers, prices, taxes, rejections, locks."""

from __future__ import annotations

import bisect
import copy
import itertools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.sap.odata.simulator.model import LAGGING, SETS, Set
from connectors.sap.odata.simulator.shapes import Refused, key_of, taken

CENT = Decimal("0.01")
NET, GROSS = "PPR0", "ZPR0"  # condition types of prices without and with tax
FIRST_ORDER = 4711
ITEM, PRICE = "A_SalesOrderItem", "A_SalesOrderItemPrElement"
ORDER = "A_SalesOrder"
SCHEDULE = "A_PurchaseOrderScheduleLine"  # names the order's fields in words of its own
Row = dict[str, Any]


@dataclass
class Books:
    """Rows by set and key. Whoever changes something holds `lock`."""

    tables: dict[str, dict[tuple[str, ...], Row]] = field(default_factory=lambda: {name: {} for name in SETS})
    groups: dict[str, dict[str, dict[tuple[str, ...], Row]]] = field(
        default_factory=lambda: {name: {} for name in SETS}
    )  # the same rows by the first part of their key
    taxes: dict[str, Decimal] = field(default_factory=dict)  # material -> percent, 13 where none stands
    reasons: tuple[str, ...] = ("00", "10", "61")
    organisations: tuple[str, ...] = ("1010", "100")
    locked: dict[str, str] = field(default_factory=dict)  # order -> user
    hidden: dict[str, float] = field(default_factory=dict)  # order -> when searches begin to see it
    open_from: date = date(2026, 1, 1)  # posting periods before this day are closed
    unique: bool = False  # the site made SAP's warning of a customer reference given twice an error
    lock: threading.RLock = field(default_factory=threading.RLock)
    _last: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    _sorted: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    # -- rows

    def rows(self, name: str) -> list[Row]:
        return list(self.tables[name].values())

    def get(self, of: Set, key: str) -> Row:
        """A row by the key as it stands in an address. Raises Refused."""
        found = self.tables[of.name].get(key_of(key, of))
        if found is None:
            raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{of.type}'")
        return found

    def put(self, name: str, row: Mapping[str, Any]) -> Row:
        made = {one: row.get(one) for one in SETS[name].fields}
        key = tuple(str(made[one] or "") for one in SETS[name].key)
        if key not in self.tables[name]:
            self._sorted.pop(name, None)
        self.tables[name][key] = made
        self.groups[name].setdefault(key[0], {})[key] = made
        return made

    def visible(self, name: str) -> list[Row]:
        """The rows a search sees: an order just created may still be missing."""
        now = time.monotonic()
        return [
            row
            for row in self.rows(name)
            if name not in LAGGING or self.hidden.get(str(row[SETS[name].key[-1]]), 0.0) <= now
        ]

    def behind(self, name: str, first: str) -> Iterator[Row]:
        """Rows in the order of their keys, whose first part comes after `first`; without looking at the ones before."""
        keys = self._sorted.get(name)
        if keys is None:
            keys = self._sorted[name] = sorted(self.tables[name])
        for key in itertools.islice(keys, bisect.bisect_right(keys, first, key=lambda key: key[0]), None):
            yield self.tables[name][key]

    def below(self, name: str, row: Mapping[str, Any], way: str) -> list[Row]:
        """What a navigation property leads to."""
        to = SETS[name].ways[way]
        return [
            other
            for other in self.groups[to.to].get(str(row[to.by[0]] or ""), {}).values()
            if all(
                str(other[there] or "") == str(row[one] or "")
                for one, there in zip(to.by, SETS[to.to].key if to.to == SCHEDULE else to.by, strict=False)
            )
        ]

    def stamp(self) -> datetime:
        """Now, and later than every stamp before: two changes never share an ETag."""
        self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
        return self._last

    def saved(self) -> dict[str, dict[tuple[str, ...], Row]]:
        """A copy to go back to when a change set fails."""
        return copy.deepcopy(self.tables)

    def restore(self, saved: dict[str, dict[tuple[str, ...], Row]]) -> None:
        self.tables, self.groups = saved, {name: {} for name in SETS}
        self._sorted.clear()
        for name, rows in saved.items():
            for key, row in rows.items():
                self.groups[name].setdefault(key[0], {})[key] = row

    # -- sales orders

    def create_order(self, body: Mapping[str, Any], user: str) -> tuple[Row, list[str]]:
        """A new order with what hangs on it, and the warnings that go with it. Raises Refused; then nothing is there."""
        head = fields_of(ORDER, body)
        for name in ("SalesOrderType", "SalesOrganization", "SoldToParty"):
            if not head.get(name):
                raise Refused(400, "V1/045", f"Enter a value for {name}", name)
        if head["SalesOrganization"] not in self.organisations:
            raise Refused(
                400, "V1/312", f"Sales area {head['SalesOrganization']} is not defined", "SalesOrganization"
            )
        if head["SoldToParty"] not in {row["Customer"] for row in self.rows("A_BusinessPartner")}:
            said = f"Sold-to party {head['SoldToParty']} not maintained for sales area {head['SalesOrganization']}"
            raise Refused(400, "VP/199", said, "SoldToParty")
        if self.unique and (twice := self._twice(head)):
            raise Refused(400, "V4/115", twice, "PurchaseOrderByCustomer")
        wanted = inner_rows(body, "to_Item")
        numbers = self._numbers(wanted)
        warnings = self._warnings(head, wanted)
        used = [int(key[0]) for key in self.tables[ORDER]]
        number = str(max([FIRST_ORDER - 1, *used]) + 1)
        items = [self._item(number, head, no, item) for no, item in zip(numbers, wanted, strict=True)]
        partners = [fields_of("A_SalesOrderHeaderPartner", one) for one in inner_rows(body, "to_Partner")]
        today = date.today()
        dates = {"CreationDate": today, "SalesOrderDate": head.get("SalesOrderDate") or today}
        order = self.put(ORDER, head | dates | {"SalesOrder": number, "CreatedByUser": user.upper()[:12]})
        for one in partners:
            self.put("A_SalesOrderHeaderPartner", one | {"SalesOrder": number})
        for row, prices in items:
            self._keep(row, prices)
        self._total(order)
        return order, warnings

    def add_item(self, order: Row, body: Mapping[str, Any]) -> Row:
        self._changeable(order["SalesOrder"])
        items = self.below(ORDER, order, "to_Item")
        (number,) = self._numbers([body], [int(item["SalesOrderItem"]) for item in items])
        row, prices = self._item(order["SalesOrder"], order, number, body)
        kept = self._keep(row, prices)
        self._total(order)
        return kept

    def change(self, of: Set, row: Row, body: Mapping[str, Any]) -> None:
        """Change fields of an order, an item or a price. Raises Refused; then nothing has changed."""
        number = row["SalesOrder"]
        self._changeable(number)
        told = fields_of(of.name, body)
        for name in told:
            if of.fields[name].own or name in of.key or name in ("Material", "SoldToParty"):
                raise Refused(400, "V1/331", f"Field {name} cannot be changed", name)
        if of.name == ITEM:
            self._item_change(row, told)
        row |= told
        order = self.tables[ORDER][(number,)]
        if of.name == PRICE:
            self._price_item(order, self.tables[ITEM][number, row["SalesOrderItem"]])
        elif of.name == ITEM:
            self._price_item(order, row)
        self._total(order)

    def _item_change(self, row: Row, told: Mapping[str, Any]) -> None:
        reason = told.get("SalesDocumentRjcnReason")
        if reason and reason not in self.reasons:
            raise Refused(
                400, "V1/404", f"Reason for rejection {reason} is not defined", "SalesDocumentRjcnReason"
            )
        if reason and row["DeliveryStatus"] == "C":
            said = f"Item {row['SalesOrderItem']} has been delivered; rejecting it is not possible"
            raise Refused(400, "V1/375", said, "SalesDocumentRjcnReason")
        if told.get("RequestedQuantity") is not None and told["RequestedQuantity"] <= 0:
            raise Refused(400, "V1/201", "Enter a quantity", "RequestedQuantity")

    def _changeable(self, number: str) -> None:
        if user := self.locked.get(number):
            said = f"Sales document {number} is currently being processed (by user {user})"
            raise Refused(400, "V1/042", said)

    @staticmethod
    def _numbers(items: Sequence[Mapping[str, Any]], used: Sequence[int] = ()) -> list[int]:
        """The number of each item: the one it came with, or the next ten."""
        taken_numbers = list(used)
        for item in items:
            told = str(item.get("SalesOrderItem") or "")
            number = int(told) if told.isdecimal() else max([0, *taken_numbers]) // 10 * 10 + 10
            if number in taken_numbers:
                raise Refused(400, "V1/355", f"Item {number} is there already", "SalesOrderItem")
            taken_numbers.append(number)
        return taken_numbers[len(used) :]

    def _item(
        self, number: str, head: Mapping[str, Any], no: int, body: Mapping[str, Any]
    ) -> tuple[Row, list[Row]]:
        row = fields_of(ITEM, body)
        product = self.tables["A_Product"].get((str(row.get("Material") or ""),))
        if product is None or product["IsMarkedForDeletion"]:
            said = f"Material {row.get('Material')} is not defined for sales org. {head['SalesOrganization']}"
            raise Refused(400, "V1/382", said, "Material")
        if not row.get("RequestedQuantity") or row["RequestedQuantity"] <= 0:
            raise Refused(400, "V1/201", "Enter a quantity", "RequestedQuantity")
        unit = row.get("RequestedQuantityUnit") or product["BaseUnit"]
        others = {
            one["AlternativeUnit"]
            for one in self.rows("A_ProductUnitsOfMeasure")
            if one["Product"] == product["Product"]
        }
        if unit != product["BaseUnit"] and unit not in others:
            said = f"Unit {unit} is not defined for material {product['Product']}"
            raise Refused(400, "V1/384", said, "RequestedQuantityUnit")
        made = row | {
            "SalesOrder": number,
            "SalesOrderItem": str(no),
            "RequestedQuantityUnit": unit,
            "TransactionCurrency": head.get("TransactionCurrency"),
            "SalesOrderItemText": row.get("SalesOrderItemText") or product["Product"][:40],
        }
        prices = [fields_of(PRICE, one) for one in inner_rows(body, "to_PricingElement")]
        for price in prices:
            if price.get("ConditionType") not in (NET, GROSS):
                said = f"Condition type {price.get('ConditionType')} is not defined"
                raise Refused(400, "VK/012", said, "ConditionType")
            if not price.get("ConditionQuantity"):
                price["ConditionQuantity"] = Decimal(1)
        return made, prices

    def _keep(self, row: Row, prices: Sequence[Row]) -> Row:
        kept = self.put(ITEM, row)
        for no, price in enumerate(prices, 1):
            self._put_price(kept, price, "010", no, "B")
        self._price_item(self.tables[ORDER][(row["SalesOrder"],)], kept)
        return kept

    def _put_price(self, item: Row, price: Mapping[str, Any], step: str, counter: int, kind: str) -> Row:
        where = {
            "SalesOrder": item["SalesOrder"],
            "SalesOrderItem": item["SalesOrderItem"],
            "PricingProcedureStep": step,
            "PricingProcedureCounter": f"{counter:03}",
            "ConditionClass": kind,
            "ConditionIsForStatistics": False,
        }
        return self.put(PRICE, {**price, **where})

    def _price_item(self, order: Row, item: Row) -> None:
        """Net amount and tax of an item from its price."""
        quantity, percent = item["RequestedQuantity"], self.taxes.get(item["Material"], Decimal(13))
        net = tax = Decimal(0)
        for price in self.below(ITEM, item, "to_PricingElement"):
            if price["ConditionClass"] != "B":
                continue
            amount = (price["ConditionRateValue"] * quantity / price["ConditionQuantity"]).quantize(
                CENT, ROUND_HALF_UP
            )
            price["ConditionAmount"] = amount
            if price["ConditionType"] == GROSS:
                net = (amount / (1 + percent / 100)).quantize(CENT, ROUND_HALF_UP)
                tax = amount - net
            else:
                net, tax = amount, (amount * percent / 100).quantize(CENT, ROUND_HALF_UP)
        item["NetAmount"] = net
        told = {"ConditionType": "TTX1", "ConditionRateValue": percent, "ConditionAmount": tax}
        told |= {"ConditionCurrency": order["TransactionCurrency"], "ConditionQuantity": Decimal(0)}
        self._put_price(item, told, "800", 1, "D")

    def _total(self, order: Row) -> None:
        items = self.below(ORDER, order, "to_Item")
        live = [item for item in items if not item["SalesDocumentRjcnReason"]]
        order["TotalNetAmount"] = sum((item["NetAmount"] for item in live), Decimal(0))
        rejected = "C" if items and not live else ("B" if len(live) < len(items) else "A")
        order["OverallSDDocumentRejectionSts"] = rejected
        order["OverallSDProcessStatus"] = "C" if rejected == "C" else (order["OverallSDProcessStatus"] or "A")
        order["LastChangeDateTime"] = self.stamp()

    def _twice(self, head: Mapping[str, Any]) -> str:
        """What SAP says of a customer reference that stands on an order already; empty for a new one, and for none."""
        told = head.get("PurchaseOrderByCustomer")
        held = told and any(row["PurchaseOrderByCustomer"] == told for row in self.rows(ORDER))
        return f"Purchase order number {told} exists already" if held else ""

    def _warnings(self, head: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> list[str]:
        warnings = []
        if twice := self._twice(head):
            warnings.append(twice)
        if not items or not head.get("RequestedDeliveryDate"):
            warnings.append("The document is incomplete")
        return warnings


def fields_of(name: str, body: Mapping[str, Any]) -> Row:
    """The fields of a body as the server keeps them. Raises Refused for one the type does not have."""
    of, made = SETS[name], {}
    for field_name, value in body.items():
        if field_name.startswith(("to_", "_", "@")):
            continue
        if field_name not in of.fields:
            said = f"Property {field_name} is invalid"
            raise Refused(400, "/IWCOR/CX_DS_EP_PROPERTY_ERROR/003", said, field_name)
        made[field_name] = taken(value, of.fields[field_name])
    return made


def inner_rows(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The rows of a deep insert, as a list or behind `results`."""
    value = body.get(name, body.get(f"_{name.removeprefix('to_')}", []))
    value = value.get("results", []) if isinstance(value, Mapping) else value
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise Refused(400, "/IWBEP/CM_MGW_RT/176", f"{name} holds no entities", name)
    return value

"""What the practice SAP holds: customers, materials, orders, and units of work that count only when committed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

UNITS = {"ST", "TO", "KG", "M", "KAR", "ROL"}
ISO_UNITS = {"PCE": "ST", "TNE": "TO", "KGM": "KG", "MTR": "M", "CT": "KAR", "RO": "ROL"}
TWICE = ("E", "V4", "115", "Purchase order number {0} exists already")
LOCKED = ("E", "V1", "042", "Sales document {0} is currently being processed")


@dataclass
class Item:
    no: str
    material: str
    quantity: Decimal
    unit: str
    amount: Decimal
    rejected: bool = False


@dataclass
class Order:
    number: str
    reference: str
    sold_to: str
    currency: str
    items: list[Item]
    wanted_on: str = ""
    visible_at: float = 0.0  # monotonic; a reader sees it from then on

    @property
    def total(self) -> Decimal:
        return sum((item.amount for item in self.items), Decimal(0))


Row = tuple[str, str, str, str]
"""Type, class, number and text of a message."""


class Refused(Exception):
    """A function found something wrong; everything it did is undone."""

    def __init__(self, *rows: Row) -> None:
        super().__init__(rows[0][3])
        self.rows = rows


@dataclass
class Work:
    """One unit of work: what it changed is seen by nobody before `commit`, and is gone when it ends without one."""

    orders: dict[str, Order] = field(default_factory=dict)


class World:
    """`unique` is the site's rule that a second order with the same purchase order number is refused, not warned of."""

    def __init__(self, *, unique: bool = False) -> None:
        self.unique = unique
        self.lock = threading.RLock()
        self.customers: dict[str, str] = {}  # number, ten digits -> tax number
        self.materials: dict[str, str] = {}  # number, internal form -> unit
        self.orders: dict[str, Order] = {}
        self.locked: set[str] = set()
        self.lost: list[str] = []  # references of units of work that ended without a commit
        self.idocs: list[dict[str, str]] = []  # DOCNUM, ARCKEY, STATUS, STATUS_TEXT
        self.waiting: list[tuple[str, Any]] = []  # IDocs no job has processed yet
        self.troubles: list[
            str
        ] = []  # what asynchronous processing could not do; a person looks at them there
        self._next = 0

    def merge(self, raw: Mapping[str, Any]) -> None:
        """Customers and materials from `{"customers": [{number, tax_code}], "materials": [{number, unit}]}`."""
        with self.lock:
            for row in raw.get("customers", ()):
                self.customers[str(row["number"]).zfill(10)] = str(row.get("tax_code", ""))
            for row in raw.get("materials", ()):
                self.materials[internal(str(row["number"]))] = str(row.get("unit", "ST"))

    # -- what functions do within a unit of work

    def create(self, work: Work, given: Mapping[str, Any]) -> Order:
        order = self._order(given, self._number())
        if self.unique and any(held.reference == order.reference for held in self.orders.values()):
            kind, id, no, text = TWICE
            raise Refused((kind, id, no, text.format(order.reference)))
        work.orders[order.number] = order
        return order

    def change(self, work: Work, number: str, given: Mapping[str, Any]) -> Order:
        before = self._held(number)
        order = self._order(
            {**given, "PURCH_NO_C": given.get("PURCH_NO_C") or before.reference}, before.number
        )
        work.orders[before.number] = order
        return order

    def cancel(self, work: Work, number: str) -> Order:
        before = self._held(number)
        items = [Item(i.no, i.material, i.quantity, i.unit, i.amount, True) for i in before.items]
        order = Order(
            before.number, before.reference, before.sold_to, before.currency, items, before.wanted_on
        )
        work.orders[before.number] = order
        return order

    def commit(self, work: Work, lag: float = 0.0) -> None:
        with self.lock:
            for order in work.orders.values():
                order.visible_at = time.monotonic() + lag
                self.orders[order.number] = order

    def forget(self, work: Work) -> None:
        """The unit of work ends without a commit."""
        with self.lock:
            self.lost += [order.reference for order in work.orders.values()]

    # -- reading

    def by_reference(self, reference: str) -> list[Order]:
        now = time.monotonic()
        with self.lock:
            found = [o for o in self.orders.values() if o.reference == reference and o.visible_at <= now]
        return sorted(found, key=lambda order: order.number)

    def by_tax_code(self, code: str) -> list[str]:
        with self.lock:
            return sorted(number for number, told in self.customers.items() if code and told == code)

    def state(self) -> dict[str, object]:
        with self.lock:
            return {
                "orders": [
                    {
                        "number": o.number,
                        "reference": o.reference,
                        "sold_to": o.sold_to,
                        "currency": o.currency,
                        "total": str(o.total),
                        "cancelled": all(i.rejected for i in o.items),
                        "items": [
                            [i.no, i.material, str(i.quantity), i.unit, str(i.amount)] for i in o.items
                        ],
                    }
                    for o in self.orders.values()
                ],
                "locked": sorted(self.locked),
                "lost": list(self.lost),
                "idocs": [dict(one) for one in self.idocs],
                "troubles": list(self.troubles),
            }

    # -- within

    def _number(self) -> str:
        with self.lock:
            self._next += 1
            return str(self._next).zfill(10)

    def _held(self, number: str) -> Order:
        with self.lock:
            found = self.orders.get(number)
            locked = number in self.locked
        if found is None:
            raise Refused(("E", "V1", "302", f"Sales document {number} is not in the database"))
        if locked:
            kind, id, no, text = LOCKED
            raise Refused((kind, id, no, text.format(number)))
        return found

    def _order(self, given: Mapping[str, Any], number: str) -> Order:
        wrong: list[Row] = []
        sold_to = str(given.get("SOLD_TO") or "")
        if sold_to not in self.customers:
            wrong.append(("E", "VP", "199", f"Customer {sold_to} is not defined in the sales area"))
        if not str(given.get("CURRENCY") or "CNY").isalpha():
            wrong.append(("E", "V1", "345", "The currency is not defined"))
        items = [self._item(row, n, wrong) for n, row in enumerate(given.get("ITEMS") or (), 1)]
        if not items:
            wrong.append(("E", "V1", "320", "Please enter items"))
        if wrong:
            raise Refused(*wrong, ("E", "V4", "219", "Sales document was not changed"))
        return Order(
            number,
            str(given.get("PURCH_NO_C") or ""),
            sold_to,
            str(given.get("CURRENCY") or "CNY"),
            items,
            str(given.get("REQ_DATE") or ""),
        )

    def _item(self, row: Mapping[str, Any], index: int, wrong: list[Row]) -> Item:
        material, unit = str(row.get("MATERIAL") or ""), str(row.get("TARGET_QU") or "")
        if material not in self.materials:
            wrong.append(("E", "V1", "382", f"Material {material} is not defined for the sales organisation"))
        if unit and unit not in UNITS:
            wrong.append(("E", "BM", "302", f"Unit {unit} is not created in language EN"))
        try:
            quantity = Decimal(str(row.get("TARGET_QTY") or 0))
            amount = Decimal(str(row.get("GROSS_AMOUNT") or 0))
        except InvalidOperation:
            wrong.append(("E", "00", "088", "A number cannot be read"))
            quantity = amount = Decimal(0)
        if quantity <= 0:
            wrong.append(("E", "V1", "363", "Please enter a quantity"))
        no = str(row.get("ITM_NUMBER") or "").zfill(6)
        return Item(no if no.strip("0") else str(index * 10).zfill(6), material, quantity, unit, amount)


def internal(number: str) -> str:
    return number.zfill(18) if number.isdigit() else number

"""What stands in EAS: base data, stock and sales orders, and the life of an order from saved to audited or void."""

from __future__ import annotations

import base64
import random
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

SAVED, SUBMITTED, VOID, AUDITED = "1", "2", "3", "4"
HOME_ORG = "100"
STANDARD: dict[str, Any] = {
    "organisations": [{"number": HOME_ORG, "name": "华东联钢贸易有限公司"}],
    "currencies": [{"number": "BB01", "name": "人民币"}],
    "salesmen": [{"number": "XS01", "name": "平台订单"}],
    "units": [
        {"number": number, "name": name}
        for number, name in (
            ("PCS", "个"),
            ("KPCS", "千个"),
            ("T", "吨"),
            ("KG", "千克"),
            ("M", "米"),
            ("SET", "套"),
            ("BOX", "盒"),
            ("ROLL", "卷"),
            ("SHEET", "张"),
        )
    ],
    "warehouses": [{"number": "CK001", "name": "一号库"}],
    "customers": [],
    "materials": [],
    "stock": [],
}


class Refusal(Exception):
    """A call that is refused in the text of its answer."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field


@dataclass
class Order:
    """One sales order. `since` is when it came to be, on the clock that look-ups lag behind."""

    id: str
    number: str
    state: str
    head: dict[str, Any]
    since: float = field(default_factory=time.monotonic)

    def row(self) -> dict[str, Any]:
        return {**self.head, "id": self.id, "number": self.number, "baseStatus": self.state}


class Books:
    """One data centre's books. `unique` is the site's rule whether a number may be given once only."""

    def __init__(self, seed: int = 1, *, unique: bool = True) -> None:
        self.unique = unique
        self.lock = threading.RLock()
        self._dice = random.Random(seed)
        self._base: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in STANDARD if kind != "stock"}
        self._stock: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._sorted: list[dict[str, Any]] | None = None
        self.orders: dict[str, Order] = {}
        self.locked: set[str] = set()
        self.merge(STANDARD)

    def merge(self, data: Mapping[str, Any]) -> None:
        """Add or update base data by number: {"customers": [{"number", "name", "tax_code"}], "materials": [{"number",
        "name", "unit", "specification", "group"}], "stock": [{"material", "warehouse", "quantity", "lot"}], ...}.

        Raises KeyError for an unknown kind or a missing number.
        """
        with self.lock:
            for kind, rows in data.items():
                for row in rows:
                    if kind == "stock":
                        self._count(row)
                        continue
                    number = str(row["number"])
                    known = self._base[kind].get(number, {"id": self._id()})
                    stamp = datetime.now().strftime("%Y-%m-%d %H:%M:%S")
                    self._base[kind][number] = {**known, **row, "number": number, "lastUpdateTime": stamp}
            self._sorted = None

    def _count(self, row: Mapping[str, Any]) -> None:
        key = (str(row["material"]), str(row.get("warehouse", "CK001")), str(row.get("lot", "")))
        material = self._base["materials"].get(key[0], {})
        self._stock[key] = {
            "material": {"number": key[0]},
            "warehouse": {"number": key[1]},
            "lot": key[2],
            "unit": {"number": str(row.get("unit", material.get("unit", "PCS")))},
            "qty": Decimal(str(row["quantity"])),
        }

    def _id(self) -> str:
        """A BOS id: 28 characters of base64, with its slashes and equals signs."""
        return base64.b64encode(self._dice.randbytes(20)).decode()

    # -- lists

    def materials(self, after: str, limit: int, since: str) -> list[dict[str, Any]]:
        with self.lock:
            if self._sorted is None:
                self._sorted = [self._base["materials"][key] for key in sorted(self._base["materials"])]
            return [
                {
                    "id": one["id"],
                    "number": one["number"],
                    "name": one.get("name", one["number"]),
                    "model": one.get("specification", ""),
                    "baseUnit": {"number": str(one.get("unit", "PCS"))},
                    "materialGroup": {"number": one.get("group", "")},
                    "enabled": not one.get("forbidden", False),
                    "lastUpdateTime": one["lastUpdateTime"],
                }
                for one in _after(self._sorted, after, limit, since)
            ]

    def customers(self, after: str, limit: int, since: str, tax_code: str) -> list[dict[str, Any]]:
        with self.lock:
            rows = [self._base["customers"][key] for key in sorted(self._base["customers"])]
        if tax_code:
            rows = [one for one in rows if one.get("tax_code") == tax_code]
        return [
            {
                "id": one["id"],
                "number": one["number"],
                "name": one.get("name", one["number"]),
                "taxCode": one.get("tax_code", ""),
                "enabled": not one.get("forbidden", False),
                "lastUpdateTime": one["lastUpdateTime"],
            }
            for one in _after(rows, after, limit, since)
        ]

    def stock(self, after: str, limit: int) -> list[dict[str, Any]]:
        with self.lock:
            rows = [self._stock[key] for key in sorted(self._stock) if key[0] > after]
        return rows[:limit]

    def knows(self, kind: str, number: str) -> bool:
        with self.lock:
            return number in self._base[kind]

    # -- orders

    def find(self, number: str, lag: float = 0.0) -> list[dict[str, Any]]:
        """Orders of that number that came to be more than `lag` seconds ago."""
        edge = time.monotonic() - lag
        with self.lock:
            return [one.row() for one in self.orders.values() if one.number == number and one.since <= edge]

    def put(self, number: str, head: dict[str, Any], id: str) -> Order:
        """Create (no id) or change an order; raises Refusal."""
        with self.open(number):
            if not id:
                if self.unique and any(one.number == number for one in self.orders.values()):
                    raise Refusal("DUPLICATE", f"单据编号 {number} 已存在", "number")
                made = Order(self._id(), number, SAVED, head)
                self.orders[made.id] = made
                return made
            known = self.orders.get(id)
            if known is None or known.number != number:
                raise Refusal("MISSING", f"单据 {number} 不存在")
            if known.state != SAVED:
                raise Refusal("STATE", f"单据 {number} 不是保存状态，不允许修改")
            known.head = head
            return known

    def move(self, number: str, id: str, come_from: Sequence[str], to: str) -> Order:
        """Carry the order from one state to another; raises Refusal."""
        with self.open(number):
            same = [one for one in self.orders.values() if one.number == number and (not id or one.id == id)]
            alive = [one for one in same if one.state != VOID] or same
            if not alive:
                raise Refusal("MISSING", f"单据 {number} 不存在")
            if alive[0].state not in come_from:
                raise Refusal("STATE", f"单据 {number} 当前状态 {alive[0].state} 不允许此操作")
            alive[0].state = to
            return alive[0]

    @contextmanager
    def open(self, number: str) -> Iterator[None]:
        """Within: nobody else changes anything. Raises Refusal when a person holds the bill open."""
        with self.lock:
            if number in self.locked:
                raise Refusal("LOCKED", f"单据 {number} 正在被其他用户编辑")
            yield


def _after(rows: Sequence[dict[str, Any]], after: str, limit: int, since: str) -> list[dict[str, Any]]:
    """At most `limit` rows behind a number, changed since a moment; `rows` are in the order of their numbers."""
    start = bisect_right(rows, after, key=lambda one: one["number"])
    behind = (rows[at] for at in range(start, len(rows)))
    return list(islice((one for one in behind if one["lastUpdateTime"] >= since), limit))

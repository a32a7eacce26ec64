"""What the simulator holds: base data, orders with their lives, and papers that follow them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

UNITS, MONEY = {"PCE", "TNE", "KGM"}, {"RMB", "USD"}
LISTS = (
    "items",
    "customers",
    "suppliers",
    "prices",
    "stock",
    "shipments",
    "goods-in",
    "invoices",
    "payments",
)


class Refused(Exception):
    """The ERP does not take it: its own number and sentence."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said


@dataclass
class Books:
    """One enterprise's data. `unique` refuses a second order with the same reference, `lag` hides young ones."""

    unique: bool = False
    lag: float = 0.0  # seconds until a new order can be found
    drafts: bool = False  # a new or changed order waits to be released
    lists: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in LISTS})
    orders: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def merge(self, world: Mapping[str, list[dict[str, Any]]]) -> None:
        """Add or replace base data, by list."""
        with self._lock:
            for name, rows in world.items():
                self.lists[name] = [*self.lists[name], *rows]

    def seed(self) -> None:
        """The world of the demo."""
        self.merge(
            {
                "customers": [{"id": 1, "no": "K0217", "title": "锡安达机电", "taxNo": "91350100M000100Y43"}],
                "suppliers": [{"id": 1, "no": "G0031", "title": "华东联钢", "taxNo": "91310000MA1FL4XY7W"}],
                "items": [
                    item(1, "BRG-6204", "深沟球轴承 6204", "PCE"),
                    item(2, "RB-HRB400E-16", "螺纹钢 HRB400E Φ16", "TNE"),
                ],
                "stock": [
                    {"item": "BRG-6204", "house": "主仓", "uom": "PCE", "qty": Decimal(480)},
                    {"item": "RB-HRB400E-16", "house": "主仓", "uom": "TNE", "qty": Decimal("61.5")},
                ],
                "prices": [{"item": "BRG-6204", "uom": "PCE", "money": "RMB", "price": Decimal("36.50")}],
            }
        )

    def find(self, reference: str) -> list[dict[str, Any]]:
        with self._lock:
            seen = time.monotonic() - self.lag
            return [shown(each) for each in self.orders if each["ref"] == reference and each["at"] <= seen]

    def of_day(self, day: str) -> list[dict[str, Any]]:
        with self._lock:
            return [shown(each) for each in self.orders if each["date"] == day]

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            facts = self._read(body)
            if self.unique and any(
                each["ref"] == facts["ref"] and each["state"] != "void" for each in self.orders
            ):
                raise Refused(2002, f"外部单号 {facts['ref']} 已存在")
            no = len(self.orders) + 1
            order = {"docId": no, "docNo": f"XD2611-{no:05}", "state": self._fresh, "at": time.monotonic()}
            self.orders.append(order | facts)
            return shown(self.orders[-1])

    def change(self, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            order = self._order(id)
            if order["state"] == "void":
                raise Refused(2005, "已作废的订单不能修改")
            order.update(self._read(body) | {"state": self._fresh})
            return shown(order)

    def release(self, id: str) -> dict[str, Any]:
        with self._lock:
            order = self._order(id)
            if order["state"] != "draft":
                raise Refused(2006, "只有草稿可以审核")
            order["state"] = "approved"
            return shown(order)

    def void(self, id: str) -> dict[str, Any]:
        with self._lock:
            order = self._order(id)
            order["state"] = "void"
            return shown(order)

    def rows(self, name: str, since: str) -> list[dict[str, Any]]:
        with self._lock:
            return [row for row in self.lists[name] if not since or str(row.get("updated", "")) >= since]

    @property
    def _fresh(self) -> str:
        return "draft" if self.drafts else "approved"

    def _order(self, id: str) -> dict[str, Any]:
        for order in self.orders:
            if str(order["docId"]) == id:
                return order
        raise Refused(2004, f"没有订单 {id}")

    def _read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Our JSON in the ERP's words; raises Refused for what it does not know."""
        customers = {row["taxNo"]: row for row in self.lists["customers"]}
        items = {row["no"]: row for row in self.lists["items"]}
        customer = customers.get(str(body.get("partner")))
        if customer is None:
            raise Refused(3001, f"没有客户 {body.get('partner')}")
        if body.get("currency") not in MONEY:
            raise Refused(3002, f"没有币别 {body.get('currency')}")
        rows = []
        for line in body["lines"]:
            if line["material"] not in items:
                raise Refused(3003, f"没有物料 {line['material']}")
            if line["unit"] not in UNITS:
                raise Refused(3004, f"没有单位 {line['unit']}")
            amounts = {"qty": line["quantity"], "price": line["price"], "sum": line["amount"]}
            exact = {name: Decimal(str(value)) for name, value in amounts.items()}
            rows.append({"item": line["material"], "uom": line["unit"], **exact})
        total = Decimal(str(body["total"]))
        if sum(row["sum"] for row in rows) != total:
            raise Refused(3005, "行金额合计与总额不符")
        return {
            "ref": str(body["reference"]),
            "date": str(body.get("ordered_on", "")),
            "customer": {"no": customer["no"], "code": customer["taxNo"]},
            "money": {"currency": body["currency"], "total": total},
            "rows": rows,
        }


def item(id: int, no: str, title: str, uom: str, updated: str = "2026-11-20T08:00:00") -> dict[str, Any]:
    return {
        "itemId": id,
        "no": no,
        "title": title,
        "uom": uom,
        "spec": "",
        "onSale": True,
        "updated": updated,
    }


def shown(order: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name != "at"}

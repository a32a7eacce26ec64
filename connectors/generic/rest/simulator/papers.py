"""What the simulator keeps beside sales orders: purchases, announced arrivals, goods received, and money."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.generic.rest.simulator.books import MONEY, UNITS, Books, Refused

SERIES = {"purchases": "CG", "arrivals": "YD", "goods-in": "RK", "payments": "ZJ"}
"""Each kind at its path, with the letters its numbers begin with."""


@dataclass
class Papers:
    """The papers of one enterprise. Goods received and money are also seen in the lists of those names."""

    books: Books
    kept: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {path: [] for path in SERIES})
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, path: str, reference: str) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(each) for each in self.kept[path] if each["ref"] == reference]

    def of_day(self, path: str, day: str) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(each) for each in self.kept[path] if each["date"] == day]

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            facts = self._read(path, body)
            no = f"{SERIES[path]}2611-{len(self.kept[path]) + 1:05}"
            self.kept[path].append({"docId": f"id-{no}", "docNo": no, "state": "approved"} | facts)
            return dict(self.kept[path][-1])

    def change(self, path: str, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            paper = self._paper(path, id)
            if paper["state"] == "void":
                raise Refused(2005, "已作废的单据不能修改")
            paper.update(self._read(path, body))
            return dict(paper)

    def void(self, path: str, id: str) -> dict[str, Any]:
        with self._lock:
            paper = self._paper(path, id)
            paper["state"] = "void"
            return dict(paper)

    def listed(self, path: str) -> list[dict[str, Any]]:
        """Live goods received or money as the lists show them: `ref` is the order there."""
        with self._lock:
            return [_row(path, each) for each in self.kept.get(path, []) if each["state"] != "void"]

    def _paper(self, path: str, id: str) -> dict[str, Any]:
        for paper in self.kept[path]:
            if paper["docId"] == id:
                return paper
        raise Refused(2004, f"没有单据 {id}")

    def _read(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Our JSON in the ERP's words; raises Refused for what it does not know."""
        coming = path == "payments" and body["direction"] == "in"
        who = self.books.lists["customers" if coming else "suppliers"]
        partner = next((row for row in who if row["taxNo"] == body.get("partner")), None)
        if partner is None:
            raise Refused(3001, f"没有{'客户' if coming else '供应商'} {body.get('partner')}")
        if body.get("currency") not in MONEY:
            raise Refused(3002, f"没有币别 {body.get('currency')}")
        total = Decimal(str(body["total"]))
        rows = [] if path == "payments" else [self._line(line) for line in body["lines"]]
        if rows and sum(row["sum"] for row in rows) != total:
            raise Refused(3005, "行金额合计与总额不符")
        return {
            "ref": str(body["reference"]),
            "date": str(body.get("moved_on") or body.get("paid_on") or body.get("ordered_on")),
            "order": str(body.get("order_reference", "")),
            "customer": {"no": partner["no"], "code": partner["taxNo"]},
            "money": {"currency": body["currency"], "total": total},
            "rows": rows,
        }

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        if line["material"] not in {row["no"] for row in self.books.lists["items"]}:
            raise Refused(3003, f"没有物料 {line['material']}")
        if line["unit"] not in UNITS:
            raise Refused(3004, f"没有单位 {line['unit']}")
        exact = {"qty": line["quantity"], "price": line["price"], "sum": line["amount"]}
        return {
            "item": line["material"],
            "uom": line["unit"],
            "no": line.get("order_line", line["line"]),
            "order": line.get("order_reference", ""),
            **{name: Decimal(str(value)) for name, value in exact.items()},
        }


def _row(path: str, paper: Mapping[str, Any]) -> dict[str, Any]:
    row = {"docId": paper["docId"], "docNo": paper["docNo"], "date": paper["date"]}
    if path == "payments":
        money = paper["money"]
        return row | {"ref": paper["order"], "money": money["currency"], "sum": money["total"]}
    return row | {"ref": paper["rows"][0]["order"], "rows": paper["rows"]}

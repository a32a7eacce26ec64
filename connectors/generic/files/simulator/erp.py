"""The ERP behind the folders: takes order files in the order of their names, files them, and answers each."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tongshang.simulate import Fault, Faults

CUSTOMERS = {"91350100M000100Y43": "锡安达机电"}
SUPPLIERS = {"91310000MA1FL4XY7W": "华东联钢"}
SERIES = {
    "order": "WJ",
    "purchase_order": "CG",
    "inbound_order": "YD",
    "receipt": "RK",
    "payment": "ZJ",
}
"""What the name of a file begins with, and the letters of the numbers that such documents get."""
ITEMS = {"BRG-6204": "PCE", "RB-HRB400E-16": "TNE"}
NAMES = {"OrderNo": "reference", "Qty": "quantity"}


@dataclass
class Erp:
    """One enterprise. `answer_form` is json, csv or xml; `turn` does what is due."""

    root: Path
    faults: Faults
    answer_form: str = "json"
    orders: list[dict[str, Any]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # names of files in the order they were taken
    _owed: list[tuple[float, str, bytes]] = field(default_factory=list)  # answers that come late
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self) -> None:
        """Take every whole order file, and leave the answers that are due."""
        with self._lock:
            now = time.monotonic()
            for due in [each for each in self._owed if each[0] <= now]:
                self._owed.remove(due)
                self._leave(due[1], due[2])
            for path in sorted((self.root / "out").iterdir()):
                if path.suffix in (".csv", ".xlsx", ".xml", ".jsonl") and path.is_file():
                    self._take(path)

    def live(self) -> dict[str, list[dict[str, Any]]]:
        """Sales orders by our reference."""
        return self.kept("order")

    def kept(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """Documents of one kind (a word of `SERIES`) by our reference."""
        with self._lock:
            found: dict[str, list[dict[str, Any]]] = {}
            for order in (each for each in self.orders if each["kind"] == kind):
                found.setdefault(order["reference"], []).append(order)
            return found

    def _take(self, path: Path) -> None:
        order = self._read(path)
        fault = self.faults.pick("take", order["act"], order["reference"])
        self.taken.append(path.name)
        path.replace(self.root / "taken" / path.name)
        told = {"OrderNo": order["reference"]} | self._file(order, fault)
        if fault and fault.mode == "silent":
            return
        if fault and fault.mode == "wrong":
            told["OrderNo"] = "SO-ANOTHER"
        if fault and fault.mode == "wrong_total":
            told["Total"] = "1.00"
        stem = path.stem.removeprefix("order_")  # a sales order's answer is named without the word
        name = f"answer_{stem}.{self.answer_form}"
        data = self._answer(told)
        if fault and fault.mode == "partial":
            self._leave(name, data[: len(data) // 2])
        if fault and fault.mode in ("late", "partial"):
            self._owed.append((time.monotonic() + fault.seconds, name, data))
            return
        self._leave(name, data)

    def _file(self, order: dict[str, Any], fault: Fault | None) -> dict[str, str]:
        """File the order; what the answer says."""
        if fault and fault.mode == "refused":
            return {"State": "rejected", "Reason": "信用额度不足"}
        kind = order["kind"]
        selling = kind == "order" or order["direction"] == "in"
        if order["partner"] not in (CUSTOMERS if selling else SUPPLIERS):
            return {
                "State": "rejected",
                "Reason": f"没有{'客户' if selling else '供应商'} {order['partner']}",
            }
        same = [
            each for each in self.orders if (each["kind"], each["reference"]) == (kind, order["reference"])
        ]
        if order["act"] == "create" or not same:
            if order["act"] == "cancel":
                return {"State": "rejected", "Reason": "没有这张订单"}
            wrong = [
                line["material"]
                for line in order["lines"]
                if "material" in line and ITEMS.get(line["material"]) != line["unit"]
            ]
            if wrong:
                return {"State": "rejected", "Reason": f"没有物料或单位不符 {wrong[0]}"}
            no = sum(each["kind"] == kind for each in self.orders) + 1
            order |= {"number": f"{SERIES[kind]}-{no:05}", "state": "open"}
            self.orders.append(order)
        elif order["act"] == "cancel":
            same[-1]["state"] = "void"
            order = same[-1]
        else:
            same[-1] |= {"lines": order["lines"], "total": order["total"]}
            order = same[-1]
        return {"State": "done", "DocNo": order["number"], "Total": format(order["total"], "f")}

    def _leave(self, name: str, data: bytes) -> None:
        (self.root / "answers" / name).write_bytes(data)

    def _answer(self, told: Mapping[str, str]) -> bytes:
        if self.answer_form == "csv":
            out = io.StringIO(newline="")
            rows = csv.DictWriter(out, ["OrderNo", "State", "DocNo", "Total", "Reason"], restval="")
            rows.writeheader()
            rows.writerow(told)
            return out.getvalue().encode()
        if self.answer_form == "xml":
            inner = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
            return f"<Answers><Answer>{inner}</Answer></Answers>".encode()
        return json.dumps(told, ensure_ascii=False).encode()

    @staticmethod
    def _read(path: Path) -> dict[str, Any]:
        """A file of ours in any of its forms."""
        data = path.read_bytes()
        if path.suffix == ".jsonl":
            head = json.loads(data)
            rows = head.pop("lines")
        elif path.suffix == ".xml":
            from lxml import etree

            root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
            head = {child.tag: child.text or "" for child in root if child.tag != "lines"}
            rows = [{cell.tag: cell.text or "" for cell in line} for line in root.find("lines")]
        else:
            header, *cells = _cells(path.suffix, data)
            rows = [dict(zip(header, row, strict=True)) for row in cells]
            head = dict(rows[0])
            rows = [row for row in rows if row.get("line") or row.get("invoice")]
        head = {NAMES.get(name, name): str(value) for name, value in head.items()}
        lines = [{NAMES.get(name, name): str(value) for name, value in row.items()} for row in rows]
        kept = (*("line", "material", "unit", "quantity", "price", "amount"), *("invoice", "order_reference"))
        return {
            "kind": next((kind for kind in SERIES if path.name.startswith(f"{kind}_")), "order"),
            "direction": head.get("direction", ""),
            "reference": head["reference"],
            "act": head["act"],
            "partner": head["partner"],
            "note": head["note"],
            "total": Decimal(head["total"]),
            "lines": [{name: line[name] for name in kept if line.get(name)} for line in lines],
        }


def _cells(suffix: str, data: bytes) -> list[list[str]]:
    """The rows of a table as text."""
    if suffix == ".csv":
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    return [[_as_typed(cell) for cell in row] for row in sheet.to_python()]


def _as_typed(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)

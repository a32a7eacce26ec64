"""The facade: a text comes in, the books change or are looked into, a text goes out. Refusals are text too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.kingdee.eas.simulator.books import AUDITED, SAVED, SUBMITTED, VOID, Books, Order, Refusal
from connectors.kingdee.eas.text import encode, number

BILL_TYPE = "003"
MOST = 5000  # rows of one list


class Facade:
    """The operations of the facade over one set of books."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._calls: dict[str, Callable[[Sequence[str], float], Mapping[str, Any]]] = {
            "importBill": self._import,
            "queryBill": self._query,
            "submitBill": self._mover((SAVED,), SUBMITTED),
            "auditBill": self._mover((SUBMITTED,), AUDITED),
            "unauditBill": self._mover((SUBMITTED, AUDITED), SAVED),
            "cancelBill": self._mover((SAVED,), VOID),
            "exportMaterials": self._materials,
            "exportCustomers": self._customers,
            "exportInventory": self._stock,
        }

    def knows(self, operation: str) -> bool:
        return operation in self._calls

    def answer(self, operation: str, arguments: Sequence[str], lag: float = 0.0) -> str:
        """The text that the operation answers; look-ups lag `lag` seconds behind."""
        try:
            return encode(self._calls[operation](arguments, lag))
        except Refusal as refused:
            said = {"success": False, "errorCode": refused.code, "message": refused.message}
            return encode(said | {"field": refused.field})
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            return encode({"success": False, "errorCode": "INVALID", "message": f"参数格式有误：{error}"})

    # -- bills

    def _import(self, arguments: Sequence[str], _: float) -> Mapping[str, Any]:
        kind, text, status = arguments
        if kind != BILL_TYPE:
            raise Refusal("INVALID", f"不支持的单据类型 {kind}")
        if status != SAVED:
            raise Refusal("INVALID", f"不支持的单据状态 {status}")
        (bill,) = _read(text)
        head = {key: value for key, value in bill.items() if key not in ("id", "number", "baseStatus")}
        self._valid(bill)
        made = self.books.put(str(bill["number"]), head, str(bill.get("id") or ""))
        return _done(made)

    def _valid(self, bill: Mapping[str, Any]) -> None:
        for field, kind in (
            ("saleOrgUnit", "organisations"),
            ("orderCustomer", "customers"),
            ("salePerson", "salesmen"),
            ("currency", "currencies"),
        ):
            self._known(bill, field, kind)
        if not bill["number"] or not bill["entry"]:
            raise Refusal("INVALID", "单据编号和分录不能为空", "entry")
        total = Decimal(0)
        for entry in bill["entry"]:
            self._known(entry, "material", "materials")
            self._known(entry, "unit", "units")
            quantity, amount = number(entry["qty"]), number(entry["taxAmount"])
            if quantity <= 0 or abs(quantity * number(entry["taxPrice"]) - amount) > Decimal("0.01"):
                raise Refusal("INVALID", "数量、含税单价与价税合计不符", "taxAmount")
            total += amount
        if total != number(bill["totalTaxAmount"]):
            raise Refusal("INVALID", f"价税合计应为 {total}", "totalTaxAmount")

    def _known(self, row: Mapping[str, Any], field: str, kind: str) -> None:
        its = str((row.get(field) or {}).get("number") or "")
        if not its:
            raise Refusal("INVALID", f"字段 {field} 不能为空", field)
        if not self.books.knows(kind, its):
            raise Refusal("INVALID", f"{field} {its} 不存在", field)

    def _query(self, arguments: Sequence[str], lag: float) -> Mapping[str, Any]:
        asked = _read(arguments[0])
        return _list(self.books.find(str(asked["number"]), lag))

    def _mover(
        self, come_from: Sequence[str], to: str
    ) -> Callable[[Sequence[str], float], Mapping[str, Any]]:
        def move(arguments: Sequence[str], _: float) -> Mapping[str, Any]:
            asked = _read(arguments[0])
            return _done(self.books.move(str(asked["number"]), str(asked.get("id") or ""), come_from, to))

        return move

    # -- base data

    def _materials(self, arguments: Sequence[str], _: float) -> Mapping[str, Any]:
        asked = _read(arguments[0])
        return _list(self.books.materials(*_page(asked), str(asked.get("changedSince", ""))))

    def _customers(self, arguments: Sequence[str], _: float) -> Mapping[str, Any]:
        asked = _read(arguments[0])
        since, tax = str(asked.get("changedSince", "")), str(asked.get("taxCode", ""))
        return _list(self.books.customers(*_page(asked), since, tax))

    def _stock(self, arguments: Sequence[str], _: float) -> Mapping[str, Any]:
        return _list(self.books.stock(*_page(_read(arguments[0]))))


def number_in(arguments: Sequence[str]) -> str:
    """The bill's number inside the text of a call, empty when there is none."""
    for text in arguments:
        try:
            value = _read(text)
        except ValueError:
            continue
        row = value[0] if isinstance(value, list) and value else value
        if isinstance(row, dict) and row.get("number"):
            return str(row["number"])
    return ""


def _read(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _page(asked: Mapping[str, Any]) -> tuple[str, int]:
    return str(asked.get("afterNumber", "")), min(int(asked.get("limit", MOST)), MOST)


def _list(rows: list[dict[str, Any]]) -> Mapping[str, Any]:
    return {"success": True, "message": "", "data": rows}


def _done(order: Order) -> Mapping[str, Any]:
    return _list([{"id": order.id, "number": order.number, "baseStatus": order.state}])

"""The services behind the URLs: from a parsed body to an answer in Kingdee's shape."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.kingdee.simulator import acts, bills, query, shapes
from connectors.kingdee.simulator.bills import Caller
from connectors.kingdee.simulator.form import Form
from connectors.kingdee.simulator.forms import form_of
from connectors.kingdee.simulator.push import push, refuse_when_pushed
from connectors.kingdee.simulator.shapes import NoService, Problem, Touched
from connectors.kingdee.simulator.store import Document, Store

MOVING = {bills.audit: 1, bills.unaudit: -1}
"""Stock moves with the audit of a bill that moves goods, and back."""


class Services:
    """The calls of one data centre that need a caller."""

    def __init__(self, store: Store, unique: bool = True) -> None:
        self.store = store
        self.unique = unique  # a second bill of the same number is refused
        self._tasks: dict[str, Any] = {}
        self._asked: set[str] = set()

    def answer(self, caller: Caller, service: str, body: Mapping[str, Any], lag: float = 0.0) -> Any:
        """The answer of one call; business errors are answers. Raises NoService.

        With `lag` bills first saved less than so many seconds ago are not found.
        """
        is_query = service in ("ExecuteBillQuery", "BillQuery")
        try:
            if body.get("beginmethod"):
                return self._begin(caller, service, body)
            return self._answer(caller, service, body, lag)
        except Problem as problem:
            return shapes.query_refused(problem) if is_query else shapes.refused(problem)

    def _answer(self, caller: Caller, service: str, body: Mapping[str, Any], lag: float) -> Any:
        data = _data(body)
        if service == "ExecuteBillQuery":
            return query.run(self.store, data, caller.orgs, lag)[1]
        if service == "BillQuery":
            keys, rows = query.run(self.store, data, caller.orgs, lag)
            return [dict(zip(keys, row, strict=True)) for row in rows]
        if service == "GetInventoryData":
            return self._inventory(body)
        if service == "QueryAsyncResult":
            return self._poll(body)
        form = _form(body, data)
        if service == "QueryBusinessInfo":
            return _business_info(form)
        if service == "View":
            return self._view(form, data, lag)
        if service == "Save":
            with self.store.lock:
                saved = bills.save(self.store, caller, form, data.get("Model") or {}, data, self.unique)
            return shapes.saved(saved, data.get("NeedReturnFields") or [], form.number)
        if service == "BatchSave":
            return self._batch(caller, form, data)
        if service == "Push":
            return self._push(form, data)
        if service == "Delete":
            return self._each(form, data, self._delete)
        if service in bills.VERBS:
            return self._each(form, data, bills.VERBS[service])
        if service == "ExcuteOperation":
            operation = bills.OPERATIONS.get(str(body.get("opNumber") or "").lower())
            if operation is None:
                raise Problem(3, f"操作“{body.get('opNumber')}”不存在")
            return self._each(form, data, operation)
        raise NoService(f"找不到服务：{service}")

    def _each(self, form: Form, data: Mapping[str, Any], verb: Any) -> Any:
        touched: list[tuple[int, Touched]] = []
        errors: list[tuple[int, Problem]] = []
        with self.store.lock:
            for index, document in enumerate(bills.selected(self.store, form, data)):
                if isinstance(document, Problem):
                    errors.append((index, document))
                    continue
                try:
                    if verb is bills.unaudit:
                        refuse_when_pushed(self.store, document)
                    verb(document)
                    if verb in MOVING:
                        acts.move(self.store, document, MOVING[verb])
                except Problem as problem:
                    errors.append((index, problem))
                    continue
                if self.store.by_id(form.id, document.id):
                    self.store.put(document)
                touched.append((index, Touched(document.id, document.number)))
        return shapes.result(touched, errors)

    def _delete(self, document: Document) -> None:
        if document.status not in bills.EDITABLE:
            raise Problem(12, f"单据“{document.number}”已审核或审核中，不允许删除")
        self.store.remove(document)

    def _push(self, form: Form, data: Mapping[str, Any]) -> Any:
        made, errors = push(self.store, form, data)
        touched = list(enumerate(made))
        status = shapes.status(touched, list(enumerate(errors)))
        return {"Result": {"ConvertResponseStatus": shapes.status((), ()), "ResponseStatus": status}}

    def _batch(self, caller: Caller, form: Form, data: Mapping[str, Any]) -> Any:
        models = data.get("Model")
        if not isinstance(models, list):
            raise Problem(8, "Model应为数组")
        touched: list[tuple[int, Touched]] = []
        errors: list[tuple[int, Problem]] = []
        for index, model in enumerate(models):
            try:
                touched.append((index, bills.save(self.store, caller, form, model, data, self.unique)))
            except Problem as problem:
                errors.append((index, problem))
        return shapes.result(touched, errors)

    def _begin(self, caller: Caller, service: str, body: Mapping[str, Any]) -> Any:
        task = secrets.token_hex(8)
        plain = {key: value for key, value in body.items() if key not in ("beginmethod", "querymethod")}
        self._tasks[task] = self.answer(caller, service, plain)
        return {"Status": 0, "TaskId": task, "Result": None}

    def _poll(self, body: Mapping[str, Any]) -> Any:
        asked = body.get("queryInfo") or "{}"
        task = str((json.loads(asked) if isinstance(asked, str) else asked).get("TaskId") or "")
        if task not in self._tasks:
            raise Problem(10, f"任务{task}不存在")
        if task not in self._asked:
            self._asked.add(task)
            return {"Status": 1, "TaskId": task, "Result": None}
        return {"Status": 2, "TaskId": task, "Result": self._tasks[task]}

    def _inventory(self, body: Mapping[str, Any]) -> Any:
        asked = body.get("parameters") or "[]"
        values = json.loads(asked) if isinstance(asked, str) else asked
        ask = values[0] if values else {}
        if isinstance(ask, str):
            ask = json.loads(ask)
        orgs = {part for part in str(ask.get("fstockorgnumbers") or "").split(",") if part}
        materials = {part for part in str(ask.get("fmaterialnumbers") or "").split(",") if part}
        page, size = int(ask.get("pageindex") or 1), int(ask.get("pagerows") or 1000)
        with self.store.lock:
            rows = [
                document
                for document in self.store.all("STK_Inventory")
                if (not orgs or document.head["FStockOrgId"] in orgs)
                and (not materials or document.head["FMaterialId"] in materials)
            ]
            shown = [self._inventory_row(document) for document in rows[(page - 1) * size : page * size]]
        return {"Success": True, "Message": None, "RowCount": len(rows), "Data": shown}

    def _inventory_row(self, document: Document) -> dict[str, Any]:
        head = document.head

        def id_of(form: str, key: str) -> int:
            referred = self.store.by_number(form, str(head[key]))
            return referred.id if referred else 0

        quantity, free = Decimal(str(head["FBaseQty"])), Decimal(str(head["FBaseAVBQty"]))
        return {
            "FId": f"{document.id:x}",
            "FStockOrgId": id_of("ORG_Organizations", "FStockOrgId"),
            "FStockId": id_of("BD_STOCK", "FStockId"),
            "FStockLocId": 0,
            "FMaterialId": id_of("BD_MATERIAL", "FMaterialId"),
            "FBaseUnitId": id_of("BD_UNIT", "FBaseUnitId"),
            "FBaseQty": quantity,
            "FBaseAvbQty": free,
            "FBASELOCKQTY": quantity - free,
            "FSecQty": Decimal(0),
            "FSecUnitId": 0,
        }

    def _view(self, form: Form, data: Mapping[str, Any], lag: float) -> Any:
        number, id = str(data.get("Number") or ""), str(data.get("Id") or "")
        with self.store.lock:
            found = self.store.by_number(form.id, number) if number else None
            if not found and id.isdigit():
                found = self.store.by_id(form.id, int(id))
            if found is None or (lag and form.is_bill and time.monotonic() - found.born < lag):
                raise Problem(10, f"传递的编码值“{number or id}”不存在")
            shown: dict[str, Any] = {"Id": found.id, form.number.removeprefix("F"): found.number}
            finance: dict[str, Any] = {}
            for key, value in found.head.items():
                inside = key in form.finance_fields or key in form.finance_references
                (finance if inside else shown)[key.removeprefix("F")] = self._shown(form, key, value)
            if form.finance:
                shown[form.finance.removeprefix("F")] = [{"Id": found.id, **finance}]
            for entry in form.entries:
                lines = found.lines_of(entry.key, form.entry.key if form.entry else "")
                shown[entry.key.removeprefix("F")] = [
                    {"Id": line[entry.pk], "Seq": seq}
                    | {
                        k.removeprefix("F"): self._shown(form, k, v)
                        for k, v in line.items()
                        if k not in (entry.pk, "FSeq")
                    }
                    for seq, line in enumerate(lines, 1)
                ]
        status = shapes.status((), ())
        return {"Result": {"ResponseStatus": status, "Result": shown}}

    def _shown(self, form: Form, key: str, value: Any) -> Any:
        target = form.target_of(key)
        referred = self.store.by_number(target, str(value)) if target and value else None
        if referred is None:
            return value
        name = [{"Key": 2052, "Value": referred.head.get("FName")}]
        return {"Id": referred.id, "Number": referred.number, "Name": name}


def _data(body: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` of a call: an object, the JSON text of one, or the last of `parameters`."""
    data = body.get("data", body.get("Data"))
    if data is None and isinstance(body.get("parameters"), list) and body["parameters"]:
        data = body["parameters"][-1]
    if isinstance(data, str) and data.strip():
        data = json.loads(data, parse_float=Decimal)
    return data if isinstance(data, dict) else {}


def _form(body: Mapping[str, Any], data: Mapping[str, Any]) -> Form:
    named = body.get("formid") or body.get("FormId") or data.get("FormId")
    if not named and isinstance(body.get("parameters"), list) and len(body["parameters"]) > 1:
        named = body["parameters"][0]
    if not named:
        raise Problem(5, "业务对象标识不能为空")
    form = form_of(str(named))
    if form is None:
        raise Problem(5, f"业务对象不存在：{named}")
    return form


def _business_info(form: Form) -> Any:
    head = [{"Key": key, "Name": key} for key in form.all_keys()]
    return {
        "Result": {
            "ResponseStatus": shapes.status((), ()),
            "NeedReturnData": {
                "Id": form.id,
                "Name": form.title,
                "Entrys": [{"Key": "FBillHead", "Fields": head}],
            },
        }
    }

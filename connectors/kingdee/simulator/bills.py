"""Save and the life of a document: created (A), in audit (B), audited (C), back (D), gone.

A model is read key by key in the order it came. The lines of a sales order are priced with what the
finance sub-head said so far, so a model that sends its lines before its sub-head loses the tax price and
is refused, as on the real server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.kingdee.simulator import rules
from connectors.kingdee.simulator.form import Entry, Form
from connectors.kingdee.simulator.forms import form_of
from connectors.kingdee.simulator.shapes import Problem, Touched
from connectors.kingdee.simulator.store import Document, Store, wall_clock

CENT = Decimal("0.01")
SCALE = Decimal("0.0000000001")  # the ten places Kingdee keeps
REFERENCE_KEYS = ("FNumber", "FNUMBER", "FNAME", "FUserID", "FUserId")
EDITABLE = {"Z", "A", "D"}
DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?")


@dataclass(frozen=True)
class Caller:
    """Who asks: the organisations this user may work in."""

    user: str
    orgs: frozenset[str]
    org: str  # the one he works in now


def save(
    store: Store,
    caller: Caller,
    form: Form,
    model: Mapping[str, Any],
    options: Mapping[str, Any],
    unique: bool = True,
) -> Touched:
    """Create or change one document and return it. Raises Problem; then nothing was changed.

    Without `unique` a second bill of the same number is taken, as sites do that number by rules of their own.
    """
    with store.lock:
        known = _known(store, form, model)
        if known and known.status not in EDITABLE:
            raise Problem(11, f"{form.title}“{known.number}”已审核或审核中，不允许修改")
        number = str(model.get(form.number) or (known.number if known else "")) if form.number else ""
        holder = store.by_number(form.id, number) if number else None
        if holder and (known is None or holder.id != known.id) and (unique or not form.is_bill):
            raise Problem(11, f"违反字段唯一性要求：编码为“{number}”的{form.title}已存在", form.number)
        document = Document(form.id, known.id if known else store.new_id(), number)
        document.head = dict(known.head) if known else _fresh_head(form)
        document.lines = [dict(line) for line in known.lines] if known else []
        document.more = (
            {key: [dict(line) for line in lines] for key, lines in known.more.items()} if known else {}
        )
        _apply(store, caller, form, model, document, options)
        if form.number and not document.number:
            document.number = f"{form.prefix or form.id}{document.id:06d}"
        _complete(form, document, caller)
        rules.keep(store, document)
        document.stamp("A" if document.head.get("FDocumentStatus") == "Z" else None)
        store.put(document)
        return Touched(document.id, document.number)


def _known(store: Store, form: Form, model: Mapping[str, Any]) -> Document | None:
    id = int(model.get(form.pk) or model.get("FID") or 0)
    if not id:
        return None
    document = store.by_id(form.id, id)
    if document is None:
        raise Problem(10, f"内码为{id}的{form.title}不存在")
    return document


def _fresh_head(form: Form) -> dict[str, Any]:
    head: dict[str, Any] = {"FDocumentStatus": "A", "FCreateDate": wall_clock(), "FApproveDate": None}
    return head | ({"FCancelStatus": "A", "FCloseStatus": "A"} if form.is_bill else {"FForbidStatus": "A"})


def _apply(
    store: Store,
    caller: Caller,
    form: Form,
    model: Mapping[str, Any],
    document: Document,
    options: Mapping[str, Any],
) -> None:
    head = document.head
    fixed = {"FDocumentStatus", "FCancelStatus", "FCloseStatus", "FModifyDate", "FCreateDate"}
    for key, value in model.items():
        if key in (form.pk, form.number, "FID") or key in fixed:
            continue
        entry = next((one for one in form.entries if one.key == key), None)
        if entry:
            _apply_lines(store, form, entry, value, document, options)
        elif form.finance and key == form.finance:
            for inner, given in dict(value).items():
                head[inner] = _value(store, form.finance_references, inner, given)
        else:
            head[key] = _value(store, form.references, key, value)
    org = str(head.get(form.org) or "") if form.org else ""
    if org and org not in caller.orgs:
        raise Problem(2, f"用户“{caller.user}”没有组织“{org}”的权限", form.org)


def _apply_lines(
    store: Store, form: Form, entry: Entry, given: Any, document: Document, options: Mapping[str, Any]
) -> None:
    if not isinstance(given, list):
        raise Problem(8, f"{entry.key}应为数组", entry.key)
    assert form.entry is not None
    lines = document.lines_of(entry.key, form.entry.key)
    deletes = str(options.get("IsDeleteEntry", "true")).lower() != "false"
    before = {line[entry.pk]: line for line in lines}
    kept: dict[int, dict[str, Any]] = {} if deletes else dict(before)
    for position, row in enumerate(given, 1):
        id = int(row.get(entry.pk) or 0)
        if id and id not in before:
            raise Problem(10, f"第{position}行分录：内码{id}不存在", entry.key)
        line = dict(before.get(id, {}))
        for key, value in row.items():
            if key != entry.pk:
                line[key] = _value(store, entry.references, key, value, position)
        line[entry.pk] = id or store.new_id()
        for key, title in entry.required.items():
            if line.get(key) in (None, ""):
                raise Problem(11, f"第{position}行分录：字段“{title}”是必填项", key)
        if entry.priced:
            _price(line, position, bool(document.head.get("FIsIncludedTax")), entry.quantity)
            _default_units(store, line)
        kept[line[entry.pk]] = line
    for seq, line in enumerate(kept.values(), 1):
        line["FSeq"] = seq
    lines[:] = kept.values()


def _default_units(store: Store, line: dict[str, Any]) -> None:
    material = store.by_number("BD_MATERIAL", str(line["FMaterialId"]))
    line["FPriceUnitId"] = line.get("FPriceUnitId") or line.get("FUnitID") or line.get("FUnitId")
    line["FStockUnitID"] = line.get("FStockUnitID") or (material.head["FBaseUnitId"] if material else None)
    line["FReserveType"] = line.get("FReserveType") or "1"
    line["FOUTLMTUNIT"] = line.get("FOUTLMTUNIT") or "SAL"


def _price(line: dict[str, Any], position: int, tax_included: bool, counted: str) -> None:
    quantity = _number(line.get(counted), counted, position)
    rate = _number(line.get("FEntryTaxRate"), "FEntryTaxRate", position) / 100
    if quantity <= 0:
        raise Problem(11, f"第{position}行分录：字段“数量”必须大于0", counted)
    if tax_included:
        gross = _number(line.get("FTaxPrice"), "FTaxPrice", position)
        net = gross / (1 + rate)
    else:
        net = _number(line.get("FPrice"), "FPrice", position)
        gross = net * (1 + rate)
    if gross <= 0 and not line.get("FIsFree"):
        raise Problem(11, f"第{position}行分录：字段“含税单价”必须大于0", "FTaxPrice")
    total = (quantity * gross).quantize(CENT, ROUND_HALF_UP)
    tax = (total - total / (1 + rate)).quantize(CENT, ROUND_HALF_UP)
    line |= {
        counted: quantity.quantize(SCALE),
        "FTaxPrice": gross.quantize(SCALE),
        "FPrice": net.quantize(SCALE),
    }
    line |= {"FEntryTaxRate": (rate * 100).quantize(SCALE), "FAllAmount": total, "FEntryTaxAmount": tax}
    line["FAmount"] = total - tax


def _complete(form: Form, document: Document, caller: Caller) -> None:
    if form.org and not document.head.get(form.org) and not form.is_bill:
        document.head[form.org] = caller.org
    for key, title in {**form.required, **form.finance_required}.items():
        if document.head.get(key) in (None, ""):
            raise Problem(11, f"字段[{title}]是必录字段", key)
    if form.entry and not document.lines:
        raise Problem(11, f"{form.title}的明细不能为空", form.entry.key)
    if form.entry and form.entry.priced:
        document.head["FBillAllAmount"] = sum((line["FAllAmount"] for line in document.lines), Decimal(0))
        document.head["FBillTaxAmount"] = sum(
            (line["FEntryTaxAmount"] for line in document.lines), Decimal(0)
        )
        document.head["FBillAmount"] = document.head["FBillAllAmount"] - document.head["FBillTaxAmount"]


def _value(store: Store, references: Mapping[str, str], key: str, given: Any, position: int = 0) -> Any:
    target = references.get(key)
    where = f"第{position}行分录：" if position else ""
    if target is None:
        if isinstance(given, dict):
            given = next((given[k] for k in REFERENCE_KEYS if k in given), None)
        if "DATE" in key.upper() and (day := DAY.fullmatch(str(given))):
            return f"{day[1]}T{day[2] or '00:00:00'}"  # a date is kept with a time, whatever was sent
        return str(given).lower() == "true" if str(given).lower() in ("true", "false") else given
    if not isinstance(given, dict):
        raise Problem(11, f"{where}字段{key}：编码值或内码值必须传其一", key)
    number = str(next((given[k] for k in REFERENCE_KEYS if given.get(k)), ""))
    form = form_of(target)
    assert form is not None
    if not number:
        return None
    referred = store.by_number(target, number)
    if referred is None:
        raise Problem(11, f"{where}编码“{number}”在{form.title}中不存在", key)
    if referred.head.get("FForbidStatus") == "B":
        raise Problem(11, f"{where}{form.title}“{number}”已禁用", key)
    if referred.status != "C":
        raise Problem(11, f"{where}{form.title}“{number}”未审核", key)
    return number


def _number(given: Any, field: str, position: int) -> Decimal:
    try:
        return Decimal(str(given or 0))
    except InvalidOperation:
        raise Problem(8, f"第{position}行分录：{field}不是数字", field) from None


# -- the life after Save


def submit(document: Document) -> None:
    _expect(document, "A" if document.status == "A" else "D", "提交")
    document.stamp("B")


def audit(document: Document) -> None:
    _expect(document, "B", "审核")
    document.head |= {"FApproveDate": wall_clock(), "FDocumentStatus": "C"}


def unaudit(document: Document) -> None:
    _expect(document, "C", "反审核")
    if document.head.get("FCloseStatus") == "B":
        raise Problem(12, f"单据“{document.number}”已关闭，不允许反审核")
    document.stamp("D")


def cancel(document: Document) -> None:
    if document.status not in EDITABLE:
        raise Problem(12, f"单据“{document.number}”已审核或审核中，不允许作废")
    document.head["FCancelStatus"] = "B"
    document.stamp()


def uncancel(document: Document) -> None:
    document.head["FCancelStatus"] = "A"
    document.stamp()


def close(document: Document) -> None:
    _expect(document, "C", "关闭")
    document.head["FCloseStatus"] = "B"
    document.stamp()


def reopen(document: Document) -> None:
    document.head["FCloseStatus"] = "A"
    document.stamp()


def forbid(document: Document) -> None:
    document.head |= {"FForbidStatus": "B", "FForbidDate": wall_clock()}


def enable(document: Document) -> None:
    document.head["FForbidStatus"] = "A"
    document.stamp()


VERBS: dict[str, Callable[[Document], None]] = {"Submit": submit, "Audit": audit, "UnAudit": unaudit}
OPERATIONS: dict[str, Callable[[Document], None]] = {
    "cancel": cancel,
    "uncancel": uncancel,
    "billclose": close,
    "billunclose": reopen,
    "ylbillclose": close,
    "ylunbillclose": reopen,
    "forbid": forbid,
    "enable": enable,
}


def _expect(document: Document, status: str, act: str) -> None:
    if document.status != status:
        raise Problem(12, f"单据编号为“{document.number}”的单据，当前数据状态不允许{act}")
    if document.head.get("FCancelStatus") == "B":
        raise Problem(12, f"单据“{document.number}”已作废，不允许{act}")


def selected(store: Store, form: Form, data: Mapping[str, Any]) -> list[Document | Problem]:
    """The documents a call names by `Numbers` (a list) or `Ids` (text with commas), or why one is missing."""
    numbers, ids = data.get("Numbers") or [], data.get("Ids") or ""
    if not isinstance(numbers, list) or not isinstance(ids, str):
        raise Problem(8, "Numbers应为数组，Ids应为逗号分隔的文本")
    wanted: list[Document | Problem] = []
    for number in numbers:
        found = store.all_by_number(form.id, str(number))
        wanted += found or [Problem(10, f"编码为“{number}”的{form.title}不存在")]
    for id in filter(None, (part.strip() for part in ids.split(","))):
        one = store.by_id(form.id, int(id)) if id.isdigit() else None
        wanted.append(one or Problem(10, f"内码为{id}的{form.title}不存在"))
    if not wanted:
        raise Problem(8, "编码值或内码值必须传其一")
    return wanted

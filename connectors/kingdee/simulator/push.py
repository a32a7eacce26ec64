"""Push: a bill made from another one. It is saved and linked, and still wants its own submit and audit.

What can still be pushed is counted from the bills that are there: a cancelled or deleted one gives its quantity back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.kingdee.simulator import bills
from connectors.kingdee.simulator.form import Form
from connectors.kingdee.simulator.forms import form_of
from connectors.kingdee.simulator.shapes import Problem, Touched
from connectors.kingdee.simulator.store import Document, Store, wall_clock

CENT = Decimal("0.01")
ZERO = Decimal(0)
HOME_STOCK = "CK001"
Line = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """How one kind of bill becomes another."""

    id: str
    source: str
    target: str
    head: Callable[[Document], dict[str, Any]]
    lines: Callable[[Store, Document, Sequence[Line]], tuple[list[Line], dict[str, list[Line]]]]


def push(store: Store, form: Form, data: Mapping[str, Any]) -> tuple[list[Touched], list[Problem]]:
    """The bills made, and why others were not. Raises Problem for a call that cannot be meant."""
    rule = _rule(form, data)
    entries = {part.strip() for part in str(data.get("EntryIds") or "").split(",") if part.strip()}
    made: list[Touched] = []
    errors: list[Problem] = []
    with store.lock:
        sources = _by_lines(store, form, entries) if entries else bills.selected(store, form, data)
        for source in sources:
            try:
                if isinstance(source, Problem):
                    raise source
                target = convert(store, rule, source, entries)
                store.put(target)
                made.append(Touched(target.id, target.number))
            except Problem as problem:
                errors.append(problem)
    return made, errors


def convert(
    store: Store, rule: Rule, source: Document, entries: frozenset[str] | set[str] = frozenset()
) -> Document:
    """One bill from one bill, with all that is still open of it, not stored yet. Raises Problem."""
    target_form = form_of(rule.target)
    assert target_form is not None
    if source.status != "C" or source.head.get("FCancelStatus") == "B":
        raise Problem(12, f"单据“{source.number}”未审核，不允许下推")
    wanted = [line for line in source.lines if not entries or str(line["FEntryID"]) in entries]
    lines, more = rule.lines(store, source, wanted)
    if not lines:
        raise Problem(11, f"单据“{source.number}”没有可下推的分录，源单关联数量已满")
    id = store.new_id()
    now = wall_clock()
    head: dict[str, Any] = {
        "FDocumentStatus": "A",
        "FCancelStatus": "A",
        "FCloseStatus": "A",
        "FCreateDate": now,
    }
    head |= {"FModifyDate": now, "FApproveDate": None, **rule.head(source)}
    target = Document(rule.target, id, f"{target_form.prefix}{id:06d}", head)
    for kind, rows in {target_form.entry.key: lines, **more}.items():  # type: ignore[union-attr]
        for seq, row in enumerate(rows, 1):
            row |= {"FEntryID": store.new_id(), "FSeq": seq}
        if target_form.entry and kind == target_form.entry.key:
            target.lines = rows
        else:
            target.more[kind] = rows
    return target


def rule_between(source: str, target: str) -> Rule:
    found = next((rule for rule in RULES if (rule.source, rule.target) == (source, target)), None)
    if found is None:
        raise Problem(8, f"没有从{source}到{target}的转换规则")
    return found


def joined(store: Store, target: str, key: str, entry_id: Any, quantity: str) -> Decimal:
    """How much of a source line is on live bills of another kind already."""
    return sum(
        (
            Decimal(str(line[quantity]))
            for document in store.all(target)
            if document.head.get("FCancelStatus") != "B"
            for line in document.lines
            if line.get(key) == entry_id
        ),
        ZERO,
    )


def refuse_when_pushed(store: Store, source: Document) -> None:
    """A bill others were made from stays audited. Raises Problem."""
    for rule in RULES:
        if rule.source != source.form:
            continue
        for target in store.all(rule.target):
            rows = [*target.lines, *(row for kind in target.more.values() for row in kind)]
            if target.head.get("FCancelStatus") != "B" and any(source.number in row.values() for row in rows):
                raise Problem(12, f"单据“{source.number}”存在下游单据“{target.number}”，不允许反审核")


def _rule(form: Form, data: Mapping[str, Any]) -> Rule:
    if data.get("RuleId"):
        found = next((rule for rule in RULES if rule.id == data["RuleId"] and rule.source == form.id), None)
        if found is None:
            raise Problem(8, f"转换规则{data['RuleId']}不存在")
        return found
    target = form_of(str(data.get("TargetFormId") or ""))
    if target is None or str(data.get("IsEnableDefaultRule")).lower() != "true":
        raise Problem(8, "RuleId与TargetFormId必传其一")
    return rule_between(form.id, target.id)


def _by_lines(store: Store, form: Form, entries: set[str]) -> list[Document | Problem]:
    return [
        document
        for document in store.all(form.id)
        if any(str(line["FEntryID"]) in entries for line in document.lines)
    ]


# -- what becomes of what


def _today() -> str:
    return wall_clock()[:10] + "T00:00:00"


def _shipped_head(order: Document) -> dict[str, Any]:
    org = order.head["FSaleOrgId"]
    return {"FDate": _today(), "FSaleOrgId": org, "FStockOrgId": org, "FCustomerID": order.head["FCustId"]}


def _shipped_lines(
    store: Store, order: Document, lines: Sequence[Line]
) -> tuple[list[Line], dict[str, list[Line]]]:
    made = []
    for line in lines:
        open_ = line["FQty"] - joined(store, "SAL_OUTSTOCK", "FSOEntryId", line["FEntryID"], "FRealQty")
        if open_ > 0:
            made.append(
                {"FMaterialID": line["FMaterialId"], "FUnitID": line["FUnitID"], "FStockID": HOME_STOCK}
                | {"FRealQty": open_, "FMustQty": open_, "FSoorDerno": order.number}
                | {"FSOEntryId": line["FEntryID"], "FSrcType": order.form, "FSrcBillNo": order.number}
            )
    return made, {}


def _received_head(order: Document) -> dict[str, Any]:
    org = order.head["FPurchaseOrgId"]
    return {
        "FDate": _today(),
        "FStockOrgId": org,
        "FPurchaseOrgId": org,
        "FSupplierId": order.head["FSupplierId"],
    }


def _received_lines(
    store: Store, order: Document, lines: Sequence[Line]
) -> tuple[list[Line], dict[str, list[Line]]]:
    made = []
    for line in lines:
        open_ = line["FQty"] - joined(store, "STK_InStock", "FPOORDERENTRYID", line["FEntryID"], "FRealQty")
        if open_ > 0:
            made.append(
                {"FMaterialId": line["FMaterialId"], "FUnitID": line["FUnitId"], "FStockId": HOME_STOCK}
                | {"FRealQty": open_, "FMustQty": open_, "FPOOrderNo": order.number}
                | {"FPOORDERENTRYID": line["FEntryID"], "FSrcType": order.form, "FSrcBillNo": order.number}
            )
    return made, {}


def _billed_head(order: Document) -> dict[str, Any]:
    org, customer = order.head["FSaleOrgId"], order.head["FCustId"]
    head = {"FDATE": _today(), "FCUSTOMERID": customer, "FCURRENCYID": order.head["FSettleCurrId"]}
    return head | {"FSETTLEORGID": org, "FSALEORGID": org}


def _billed_lines(
    store: Store, order: Document, lines: Sequence[Line]
) -> tuple[list[Line], dict[str, list[Line]]]:
    made = []
    for line in lines:
        open_ = line["FQty"] - joined(store, "AR_receivable", "FORDERENTRYID", line["FEntryID"], "FPriceQty")
        if open_ > 0:
            amount = (line["FAllAmount"] * open_ / line["FQty"]).quantize(CENT, ROUND_HALF_UP)
            made.append(
                {"FMATERIALID": line["FMaterialId"], "FPRICEUNITID": line["FUnitID"], "FPriceQty": open_}
                | {"FTaxPrice": line["FTaxPrice"], "FEntryTaxRate": line["FEntryTaxRate"]}
                | {"FALLAMOUNTFOR_D": amount, "FORDERNUMBER": order.number}
                | {"FORDERENTRYID": line["FEntryID"], "FSourceBillNo": order.number}
            )
    return made, {}


def _paid_ahead_head(order: Document) -> dict[str, Any]:
    head = {"FDATE": _today(), "FCONTACTUNITTYPE": "BD_Customer", "FCONTACTUNIT": order.head["FCustId"]}
    return head | {"FCURRENCYID": order.head["FSettleCurrId"], "FPAYORGID": order.head["FSaleOrgId"]}


def _paid_ahead_lines(
    store: Store, order: Document, _: Sequence[Line]
) -> tuple[list[Line], dict[str, list[Line]]]:
    line = {"FPURPOSEID": "SFKYT02_SYS", "FSALEORDERNO": order.number}
    return [line | {"FRECTOTALAMOUNTFOR": order.head["FBillAllAmount"]}], {}


def _paid_head(bill: Document) -> dict[str, Any]:
    head = {"FDATE": _today(), "FCONTACTUNITTYPE": "BD_Customer", "FCONTACTUNIT": bill.head["FCUSTOMERID"]}
    return head | {"FCURRENCYID": bill.head["FCURRENCYID"], "FPAYORGID": bill.head["FSETTLEORGID"]}


def _paid_lines(
    store: Store, bill: Document, lines: Sequence[Line]
) -> tuple[list[Line], dict[str, list[Line]]]:
    amounts: dict[str, Decimal] = {}
    for line in lines:
        amounts[line["FORDERNUMBER"]] = amounts.get(line["FORDERNUMBER"], ZERO) + line["FALLAMOUNTFOR_D"]
    sources = [
        {
            "FSRCBILLTYPEID": bill.form,
            "FSRCBILLNO": bill.number,
            "FORDERBILLNO": order,
            "FREALRECAMOUNTFOR_S": amount,
        }
        for order, amount in amounts.items()
    ]
    line = {"FPURPOSEID": "SFKYT01_SYS", "FRECTOTALAMOUNTFOR": sum(amounts.values(), ZERO)}
    return [line], {"FRECEIVEBILLSRCENTRY": sources}


RULES = (
    Rule("SaleOrder-OutStock", "SAL_SaleOrder", "SAL_OUTSTOCK", _shipped_head, _shipped_lines),
    Rule("SAL_OrderToAR", "SAL_SaleOrder", "AR_receivable", _billed_head, _billed_lines),
    Rule("SAL_OrderToRecBill", "SAL_SaleOrder", "AR_RECEIVEBILL", _paid_ahead_head, _paid_ahead_lines),
    Rule("AR_recableToRecBill", "AR_receivable", "AR_RECEIVEBILL", _paid_head, _paid_lines),
    Rule("PUR_OrderToInStock", "PUR_PurchaseOrder", "STK_InStock", _received_head, _received_lines),
)

"""What people do in the ERP, as acts of the drill master: ship, receive, bill and pay, through Push, submit and audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.kingdee.simulator import bills
from connectors.kingdee.simulator.push import convert, joined, rule_between
from connectors.kingdee.simulator.shapes import Problem
from connectors.kingdee.simulator.store import Document, Store

FIELDS: dict[str, tuple[str, ...]] = {
    "ship": ("order", "material", "quantity", "tracking"),
    "receive": ("order", "material", "quantity"),
    "invoice": ("order", "amount"),
    "pay": ("order", "invoice", "amount"),
}
"""Acts and what they may be told. Without a quantity or an amount all that is open is meant."""


def act(store: Store, what: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Do one act; answers the bill that was made. Raises ValueError with Kingdee's own words for what cannot be done."""
    unknown = set(given) - set(FIELDS[what]) - {"audit"}
    if unknown:
        raise ValueError(f"{what} knows {', '.join(FIELDS[what])}, not {', '.join(sorted(unknown))}")
    told = {key: str(value).strip() for key, value in given.items() if str(value).strip()}
    with store.lock:
        try:
            bill = ACTS[what](store, told)
            bills.submit(bill)
            if told.get("audit", "true").lower() != "false":
                bills.audit(bill)
                move(store, bill)
        except Problem as problem:
            raise ValueError(problem.message) from problem
        store.put(bill)
    return {"form": bill.form, "id": bill.id, "number": bill.number}


def _ship(store: Store, told: Mapping[str, str]) -> Document:
    bill = convert(store, rule_between("SAL_SaleOrder", "SAL_OUTSTOCK"), _order(store, "SAL_SaleOrder", told))
    bill.head["FCarriageNO"] = told.get("tracking", "")
    _cut(store, bill, told, "FMaterialID", "FSOEntryId")
    return bill


def _receive(store: Store, told: Mapping[str, str]) -> Document:
    order = _order(store, "PUR_PurchaseOrder", told)
    bill = convert(store, rule_between("PUR_PurchaseOrder", "STK_InStock"), order)
    _cut(store, bill, told, "FMaterialId", "FPOORDERENTRYID")
    return bill


def _invoice(store: Store, told: Mapping[str, str]) -> Document:
    bill = convert(
        store, rule_between("SAL_SaleOrder", "AR_receivable"), _order(store, "SAL_SaleOrder", told)
    )
    if "amount" in told:
        rest = _decimal(told["amount"])
        for line in bill.lines[:-1]:
            rest -= line["FALLAMOUNTFOR_D"]
        bill.lines[-1]["FALLAMOUNTFOR_D"] = rest
    bill.head["FALLAMOUNTFOR"] = sum((line["FALLAMOUNTFOR_D"] for line in bill.lines), Decimal(0))
    return bill


def _pay(store: Store, told: Mapping[str, str]) -> Document:
    """Against a bill of receivables, or, with an order, ahead of any bill."""
    if "invoice" in told:
        receivable = store.by_number("AR_receivable", told["invoice"])
        if receivable is None:
            raise ValueError(f"there is no AR_receivable {told['invoice']}")
        bill = convert(store, rule_between("AR_receivable", "AR_RECEIVEBILL"), receivable)
    else:
        bill = convert(
            store, rule_between("SAL_SaleOrder", "AR_RECEIVEBILL"), _order(store, "SAL_SaleOrder", told)
        )
    if "amount" in told:
        bill.lines[0]["FRECTOTALAMOUNTFOR"] = _decimal(told["amount"])
        for source in bill.more.get("FRECEIVEBILLSRCENTRY", ())[:1]:
            source["FREALRECAMOUNTFOR_S"] = _decimal(told["amount"])
    bill.head["FRECEIVEAMOUNTFOR"] = bill.lines[0]["FRECTOTALAMOUNTFOR"]
    return bill


ACTS: dict[str, Callable[[Store, Mapping[str, str]], Document]] = {
    "ship": _ship,
    "receive": _receive,
    "invoice": _invoice,
    "pay": _pay,
}


def _order(store: Store, form: str, told: Mapping[str, str]) -> Document:
    found = store.by_number(form, told.get("order", ""))
    if found is None:
        raise ValueError(f"there is no {form} {told.get('order', '')}")
    return found


def _cut(store: Store, bill: Document, told: Mapping[str, str], material: str, entry: str) -> None:
    """Leave on the bill what was told: one material, a quantity of each line."""
    lines = [line for line in bill.lines if told.get("material", line[material]) == line[material]]
    if not lines:
        raise ValueError(f"{told['material']} is not open on this order")
    for line in lines:
        line["FRealQty"] = _decimal(told["quantity"]) if "quantity" in told else line["FRealQty"]
        if line["FRealQty"] > line["FMustQty"]:
            done = joined(store, bill.form, entry, line[entry], "FRealQty")
            raise ValueError(f"超出源单关联数量：可下推{line['FMustQty']}，已下推{done}")
    bill.lines = lines


MOVES = {"SAL_OUTSTOCK": ("FMaterialID", "FStockID", -1), "STK_InStock": ("FMaterialId", "FStockId", 1)}
"""Bills that move goods once they are audited: where their lines name the material and the warehouse, and which way."""


def move(store: Store, bill: Document, way: int = 1) -> None:
    """Goods go where the bill says; with -1 they go back, as when it is un-audited."""
    material, warehouse, sign = MOVES.get(bill.form, ("", "", 0))
    sign *= way
    for line in bill.lines if sign else ():
        for stock in store.all("STK_Inventory"):
            if (stock.head["FMaterialId"], stock.head["FStockId"]) == (line[material], line[warehouse]):
                stock.head["FBaseQty"] += sign * line["FRealQty"]
                stock.head["FBaseAVBQty"] += sign * line["FRealQty"]
                store.put(stock)
                break


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None

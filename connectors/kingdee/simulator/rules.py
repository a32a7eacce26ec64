"""What a form asks for beside its required fields: links that hold, bank accounts where a bank is used.

A receipt saved with rows of links hangs on the lines of its order as one made by Push does: the order has to be audited, and no
more may be taken in than is open. Kingdee's words, as public clients of the WebAPI met them.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from connectors.kingdee.simulator.shapes import Problem
from connectors.kingdee.simulator.store import Document, Store

BY_BANK = {"JSFS03_SYS", "JSFS04_SYS"}  # cheque and wire transfer: ways of settlement a bank carries out
LINK = "FInStockEntry_Link"
MONEY = {"AR_RECEIVEBILL": "FRECTOTALAMOUNTFOR", "AP_PAYBILL": "FPAYTOTALAMOUNTFOR"}


def keep(store: Store, document: Document) -> None:
    """Raises Problem for a bill that breaks a rule of its form."""
    if document.form in MONEY:
        _money(document, MONEY[document.form])
    if document.form == "STK_InStock":
        for position, line in enumerate(document.lines, 1):
            for link in line.get(LINK) or ():
                _link(store, document, position, line, link)


def _money(document: Document, amount: str) -> None:
    for position, line in enumerate(document.lines, 1):
        try:
            good = Decimal(str(line.get(amount) or 0)) > 0
        except InvalidOperation:
            good = False
        if not good:
            raise Problem(11, f"第{position}行分录：金额必须大于0", amount)
        if line.get("FSETTLETYPEID") in BY_BANK and not line.get("FACCOUNTID"):
            raise Problem(11, f"第{position}行分录，银行业务的结算方式，我方银行相关信息必录！", "FACCOUNTID")


def _link(
    store: Store, document: Document, position: int, line: dict[str, object], link: dict[str, object]
) -> None:
    where = f"第{position}行分录："
    if link.get(f"{LINK}_FRuleId") != "PUR_PurchaseOrder-STK_InStock":
        raise Problem(11, f"{where}转换规则不存在", LINK)
    order = store.by_id("PUR_PurchaseOrder", int(str(link.get(f"{LINK}_FSBillId") or 0)))
    id = int(str(link.get(f"{LINK}_FSId") or 0))
    source = next((each for each in order.lines if each["FEntryID"] == id), None) if order else None
    if order is None or source is None:
        raise Problem(10, f"{where}源单分录不存在", LINK)
    if order.status != "C" or order.head.get("FCancelStatus") == "B":
        raise Problem(12, f"{where}源单“{order.number}”未审核")
    taken = sum(
        (
            Decimal(str(each["FRealQty"]))
            for other in store.all("STK_InStock")
            if other.id != document.id and other.head.get("FCancelStatus") != "B"
            for each in other.lines
            if each.get("FPOORDERENTRYID") == id
        ),
        Decimal(0),
    )
    if taken + Decimal(str(line["FRealQty"])) > source["FQty"]:
        raise Problem(11, f"{where}超出源单关联数量，已关联{taken}", "FRealQty")

"""One site's words for ours: units, currencies, types of bills, its own fields; and its numbers as numbers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from tongshang.connect import Access, SkipRecord

SALES_ORDER, MATERIAL, CUSTOMER = "SAL_SaleOrder", "BD_MATERIAL", "BD_Customer"
PURCHASE_ORDER, RECEIPT, SUPPLIER = "PUR_PurchaseOrder", "STK_InStock", "BD_Supplier"
RECEIVE_BILL, PAY_BILL = "AR_RECEIVEBILL", "AP_PAYBILL"
AUDITED, IN_AUDIT, CANCELLED = "C", "B", "B"
LARGEST = Decimal(10) ** 15

UNITS = {
    "pcs": "Pcs",
    "kpcs": "1000pcs",
    "piece": "Pcs",
    "t": "t",
    "kg": "kg",
    "m": "m",
    "set": "set",
    "box": "box",
    "roll": "roll",
    "sheet": "sheet",
}
CURRENCIES = {"CNY": "PRE001", "USD": "PRE007"}

COUNT = "COUNT(1)"  # what a query is asked for to tell only how many rows there are

BILL_TYPES = {
    "purchase": "CGDD01_SYS",
    "receipt": "RKD01_SYS",
    "payment": "SKDLX01_SYS",
    "payout": "FKDLX01_SYS",
}
PURPOSES = {
    "in.invoice": "SFKYT01_SYS",
    "in.ahead": "SFKYT02_SYS",
    "out.invoice": "SFKYT08_SYS",
    "out.ahead": "SFKYT09_SYS",
}
"""What money is for: received or paid, for an invoice or ahead of one. Numbers of a fresh account set."""

MARK = "通商"
"""Begins the note of every bill we file: by it a bill of the platform is told from the site's own."""

FIELDS = {
    "order.reference": "FBillNo",
    "partner.code": "FTAXREGISTERCODE",
    "supplier.code": "FSOCIALCRECODE",
    "purchase.reference": "FBillNo",
    "purchase.unit": "FUnitId",
    "purchase.line": "FNote",
    "purchase.note": "",
    "price.organisation": "FUseOrgId",
    "price.line": "FEntity_FEntryID",
    "price.customer": "FCustID",
    "delivery.order": "FSoorDerno",
    "delivery.line": "FSOEntryId",
    "delivery.carrier": "FCarrierID.FName",
    "delivery.tracking": "FCarriageNO",
    "receipt.reference": "FBillNo",
    "receipt.order": "FPOOrderNo",
    "receipt.note": "FNote",
    "invoice.order": "FORDERNUMBER",
    "invoice.amount": "FALLAMOUNTFOR_D",
    "payment.reference": "FBillNo",
    "payment.order": "FORDERBILLNO",
    "payment.invoice": "FSRCBILLNO",
    "payment.amount": "FREALRECAMOUNTFOR_S",
    "prepayment.order": "FSALEORDERNO",
    "prepayment.amount": "FRECTOTALAMOUNTFOR",
    "payout.reference": "FBillNo",
    "payout.order": "",
}
"""Fields that differ from site to site, under our names; a site names its own in the settings. "": it has none."""


class SiteMapping:
    """One site's way to file things: its organisation, types of bills, people, units, currencies and fields."""

    def __init__(self, access: Access) -> None:
        self.organisation = access.organisation
        self.bill_type = access["bill_type"] or "XSDD01_SYS"
        self.bill_types = access.table("bill_types", BILL_TYPES)
        self.purposes = access.table("purposes", PURPOSES)
        self.saler, self.purchaser = access["saler"], access["purchaser"]
        self.warehouse = access["warehouse"]
        self.receipt_rule = access["receipt_rule"] or "PUR_PurchaseOrder-STK_InStock"
        self.settle_type = access["settle_type"] or "JSFS04_SYS"
        self.bank_account = access["bank_account"]
        self.deletes = access["undo"] == "delete"
        self.counts = access["count"].strip() if "count" in access.settings else COUNT
        self.all_orders = access["foreign"] == "list"
        self.units = access.table("units", UNITS)
        self.currencies = access.table("currencies", CURRENCIES)
        self.fields = access.table("fields", FIELDS)
        self.our_units = {theirs: ours for ours, theirs in reversed(self.units.items())}
        self.our_currencies = {theirs: ours for ours, theirs in reversed(self.currencies.items())}

    @property
    def reference(self) -> str:
        """The field of a sales order that carries our reference."""
        return self.fields["order.reference"]

    # -- in

    def our_unit(self, theirs: Any, number: str) -> str:
        """Our word for their unit; SkipRecord names the record it stood on."""
        unit = self.our_units.get(str(theirs))
        if unit is None:
            raise SkipRecord("kingdee.unit_unknown", f"no unit of ours for {theirs}", field=number)
        return unit

    def our_currency(self, theirs: Any, number: str) -> str:
        currency = self.our_currencies.get(str(theirs))
        if currency is None:
            raise SkipRecord("kingdee.currency_unknown", f"no currency of ours for {theirs}", field=number)
        return currency


def number_of(value: Any) -> Decimal:
    """A number of a query row; nothing is 0. Raises SkipRecord for what is none, or none a document can hold."""
    try:
        found = Decimal(str(value or 0))
    except InvalidOperation:
        raise SkipRecord("kingdee.number_unreadable", f"{value!r} is no number") from None
    if not found.is_finite() or abs(found) >= LARGEST:
        raise SkipRecord("kingdee.number_unreadable", f"{value!r} is no number of a document")
    return found

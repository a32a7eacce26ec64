"""One site's words for ours: units, currencies, its own fields; and an order of ours as a bill of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from tongshang.connect import (
    Access,
    Ambiguous,
    Bill,
    Found,
    LineOut,
    OrderOut,
    Rejected,
    RemoteLine,
    RetryLater,
    SkipRecord,
)

SALES_ORDER, MATERIAL, CUSTOMER = "SAL_SaleOrder", "BD_MATERIAL", "BD_Customer"
AUDITED, IN_AUDIT, CANCELLED = "C", "B", "B"
PRICE = Decimal("0.0000000001")  # Kingdee keeps ten places
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

ORDER_FIELDS = (
    "FID",
    "FBillNo",
    "FDocumentStatus",
    "FCancelStatus",
    "FCustId.FNumber",
    "FSettleCurrId.FNumber",
    "FBillAllAmount",
    "FMaterialId.FNumber",
    "FUnitID.FNumber",
    "FQty",
    "FTaxPrice",
    "FAllAmount",
)
ORDER_BY = "FID ASC,FSaleOrderEntry_FEntryID ASC"
MARK = "通商"
"""Begins the note of every order we file: by it an order of the platform is told from the site's own."""

FIELDS = {
    "order.reference": "FBillNo",
    "partner.code": "FTAXREGISTERCODE",
    "price.organisation": "FUseOrgId",
    "price.line": "FEntity_FEntryID",
    "price.customer": "FCustID",
    "delivery.order": "FSoorDerno",
    "delivery.line": "FSOEntryId",
    "delivery.carrier": "FCarrierID.FName",
    "delivery.tracking": "FCarriageNO",
    "receipt.order": "FPOOrderNo",
    "invoice.order": "FORDERNUMBER",
    "invoice.amount": "FALLAMOUNTFOR_D",
    "payment.order": "FORDERBILLNO",
    "payment.invoice": "FSRCBILLNO",
    "payment.amount": "FREALRECAMOUNTFOR_S",
    "prepayment.order": "FSALEORDERNO",
    "prepayment.amount": "FRECTOTALAMOUNTFOR",
}
"""Fields that differ from site to site, under our names; a site names its own in the settings."""


class SiteMapping:
    """One site's way to file things: its organisation, bill type, salesperson, units, currencies and fields."""

    def __init__(self, access: Access) -> None:
        self.organisation = access.organisation
        self.bill_type = access["bill_type"] or "XSDD01_SYS"
        self.saler = access["saler"]
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

    # -- out

    def bill(
        self,
        order: OrderOut,
        customer: str,
        material_of: Callable[[Any], str | None],
        learned: Mapping[tuple[str, str], str],
    ) -> Bill:
        """The order as a model for Save; raises Rejected where Kingdee has no word for ours."""
        currency = self.currencies.get(order.currency)
        if currency is None:
            said = f"no currency for {order.currency}"
            raise Rejected("kingdee.currency_missing", said, field="FSettleCurrId")
        lines: list[RemoteLine] = []
        entries: list[dict[str, Any]] = []
        for line in order.lines:
            unit = self.units.get(line.unit)
            if unit is None:
                raise Rejected("kingdee.unit_missing", f"no unit for {line.unit}", field="FUnitID")
            material = material_of(line.sku_id) or line.material
            price = (line.gross / line.quantity).quantize(PRICE, ROUND_HALF_UP)
            lines.append(RemoteLine(material, line.quantity, unit, price, line.gross))
            entries.append(self._entry(order, line, material, unit, price))
        return Bill(
            reference=order.reference,
            partner=customer,
            currency=currency,
            total=order.total,
            lines=tuple(lines),
            body=self._model(order, customer, currency, entries),
            learned=learned,
        )

    def _model(
        self, order: OrderOut, customer: str, currency: str, entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        # The order of the keys counts: head, then the finance block, then the lines, or the tax prices are lost.
        note = " ".join(filter(None, (MARK, order.buyer_po, order.note)))[:250]
        return {
            "FID": 0,
            "FBillTypeID": {"FNUMBER": self.bill_type},
            self.reference: order.reference,
            "FDate": order.ordered_on.isoformat(),
            "FSaleOrgId": {"FNumber": self.organisation},
            "FCustId": {"FNumber": customer},
            "FSalerId": {"FNumber": self.saler},
            "FNote": note,
            "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": currency}, "FIsIncludedTax": "true"},
            "FSaleOrderEntry": list(entries),
        }

    def _entry(
        self, order: OrderOut, line: LineOut, material: str, unit: str, price: Decimal
    ) -> dict[str, Any]:
        delivery = order.delivery_on or order.ordered_on
        return {
            "FEntryID": 0,
            "FMaterialId": {"FNumber": material},
            "FUnitID": {"FNumber": unit},
            "FQty": line.quantity,
            "FTaxPrice": price,
            "FEntryTaxRate": line.vat_rate * 100,
            "FDeliveryDate": f"{delivery.isoformat()} 00:00:00",
            "FSettleOrgIds": {"FNumber": self.organisation},
            "FEntryNote": str(line.no),  # by it a delivery finds our line again
        }

    @classmethod
    def found(cls, rows: Sequence[Sequence[Any]]) -> Found | None:
        """The document that the rows of a query describe: one row per line, the head repeated."""
        try:
            return cls._found(rows)
        except SkipRecord as unreadable:
            raise RetryLater("kingdee.unreadable", unreadable.message) from None

    @staticmethod
    def _found(rows: Sequence[Sequence[Any]]) -> Found | None:
        if not rows:
            return None
        id, number, status, cancelled, customer, currency, total = rows[0][:7]
        if not str(id).isdecimal():
            raise SkipRecord("kingdee.number_unreadable", f"{id!r} is no internal id")
        twice = sorted({str(row[1]) for row in rows if row[0] != id})
        if twice:
            said = f"our reference is on {number} and {', '.join(twice)}"
            raise Ambiguous("kingdee.reference_twice", said)
        lines = tuple(
            RemoteLine(str(material), number_of(quantity), str(unit), number_of(price), number_of(amount))
            for _, _, _, _, _, _, _, material, unit, quantity, price, amount in rows
        )
        return Found(
            remote_id=str(id),
            number=str(number),
            partner=str(customer or ""),
            currency=str(currency or ""),
            total=number_of(total),
            lines=lines,
            finished=status == AUDITED and cancelled != CANCELLED,
            cancelled=cancelled == CANCELLED,
            status=str(status),
        )

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

"""Kingdee's names and codes, and nothing of them beyond this file: orders out, materials and stock in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tongshang.connect import Bill, Found, OrderOut, ProductIn, Rejected, RemoteLine, SkipRecord, StockIn

SALES_ORDER, MATERIAL, CUSTOMER, INVENTORY = "SAL_SaleOrder", "BD_MATERIAL", "BD_Customer", "STK_Inventory"
AUDITED, IN_AUDIT, CANCELLED, FORBIDDEN = "C", "B", "B", "B"
USABLE = "KCZT01_SYS"  # stock status: free for use
PRICE = Decimal("0.0000000001")  # Kingdee keeps ten places

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
MATERIAL_FIELDS = (
    "FMATERIALID",
    "FNumber",
    "FName",
    "FSpecification",
    "FBaseUnitId.FNumber",
    "FMaterialGroup",
    "FForbidStatus",
    "FModifyDate",
)
INVENTORY_FIELDS = ("FMaterialId.FNumber", "FStockId.FNumber", "FBaseUnitId.FNumber", "FBaseQty")


def pairs(text: str, standard: Mapping[str, str]) -> dict[str, str]:
    """`ours=theirs` pairs, one a line or with commas, on top of the standard ones."""
    told = dict(standard)
    for part in text.replace(",", "\n").splitlines():
        ours, equals, theirs = part.partition("=")
        if equals and ours.strip() and theirs.strip():
            told[ours.strip()] = theirs.strip()
    return told


class SiteMapping:
    """One site's way to file things: its organisation, bill type, salesperson, units and currencies."""

    def __init__(self, organisation: str, setting: Callable[[str], str]) -> None:
        self.organisation = organisation
        self.bill_type = setting("bill_type") or "XSDD01_SYS"
        self.saler = setting("saler")
        self.units = pairs(setting("units"), UNITS)
        self.currencies = pairs(setting("currencies"), CURRENCIES)
        self.our_units = {theirs: ours for ours, theirs in reversed(self.units.items())}

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
            entries.append(self._entry(order, line.quantity, line.vat_rate, material, unit, price))
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
        note = " ".join(filter(None, ("通商", order.buyer_po, order.note)))[:250]
        return {
            "FID": 0,
            "FBillTypeID": {"FNUMBER": self.bill_type},
            "FBillNo": order.reference,
            "FDate": order.ordered_on.isoformat(),
            "FSaleOrgId": {"FNumber": self.organisation},
            "FCustId": {"FNumber": customer},
            "FSalerId": {"FNumber": self.saler},
            "FNote": note,
            "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": currency}, "FIsIncludedTax": "true"},
            "FSaleOrderEntry": list(entries),
        }

    def _entry(
        self, order: OrderOut, quantity: Decimal, rate: Decimal, material: str, unit: str, price: Decimal
    ) -> dict[str, Any]:
        delivery = order.delivery_on or order.ordered_on
        return {
            "FEntryID": 0,
            "FMaterialId": {"FNumber": material},
            "FUnitID": {"FNumber": unit},
            "FQty": quantity,
            "FTaxPrice": price,
            "FEntryTaxRate": rate * 100,
            "FDeliveryDate": f"{delivery.isoformat()} 00:00:00",
            "FSettleOrgIds": {"FNumber": self.organisation},
        }

    @staticmethod
    def found(rows: Sequence[Sequence[Any]]) -> Found | None:
        """The document that the rows of a query describe: one row per line, the head repeated."""
        if not rows:
            return None
        id, number, status, cancelled, customer, currency, total = rows[0][:7]
        lines = tuple(
            RemoteLine(str(material), _number(quantity), str(unit), _number(price), _number(amount))
            for _, _, _, _, _, _, _, material, unit, quantity, price, amount in rows
        )
        return Found(
            remote_id=str(id),
            number=str(number),
            partner=str(customer or ""),
            currency=str(currency or ""),
            total=_number(total),
            lines=lines,
            finished=status == AUDITED and cancelled != CANCELLED,
            cancelled=cancelled == CANCELLED,
            status=str(status),
        )

    # -- in

    def product(self, row: Mapping[str, Any]) -> ProductIn:
        number = str(row["FNumber"] or "")
        unit = self._our_unit(row.get("FBaseUnitId.FNumber"), number)
        if not row.get("FName"):
            raise SkipRecord("kingdee.name_missing", "the material has no name", field=number)
        return ProductIn(
            external_id=str(row["FMATERIALID"]),
            code=number,
            name=str(row["FName"]),
            unit=unit,
            specification=str(row.get("FSpecification") or ""),
            group=str(row.get("FMaterialGroup") or ""),
            active=row.get("FForbidStatus") != FORBIDDEN,
        )

    def stock(self, row: Mapping[str, Any]) -> StockIn:
        material = str(row["FMaterialId.FNumber"] or "")
        unit = self._our_unit(row.get("FBaseUnitId.FNumber"), material)
        warehouse = str(row["FStockId.FNumber"] or "")
        quantity = _number(row["FBaseQty"]).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        if quantity < 0:
            said = f"{warehouse}: {quantity} is below zero"
            raise SkipRecord("kingdee.negative_stock", said, field=material)
        return StockIn(f"{material}@{warehouse}", material, warehouse, unit, quantity)

    def _our_unit(self, theirs: Any, number: str) -> str:
        unit = self.our_units.get(str(theirs))
        if unit is None:
            raise SkipRecord("kingdee.unit_unknown", f"no unit of ours for {theirs}", field=number)
        return unit


def _number(value: Any) -> Decimal:
    return Decimal(str(value or 0))

"""SAP's names and codes, and nothing of them beyond this file: orders out, master data and documents in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import v2
from connectors.sap.odata.dialect import V2, dialect_of
from tongshang.connect import (
    Access,
    Bill,
    DeliveryIn,
    Found,
    InvoiceIn,
    LineOut,
    Lookup,
    MovedLine,
    OrderOut,
    PartnerIn,
    ProductIn,
    Rejected,
    RemoteLine,
    SkipRecord,
    StockIn,
)

ORDERS, PRODUCTS = V2.service, v2("API_PRODUCT_SRV")
PARTNERS, STOCK = v2("API_BUSINESS_PARTNER"), v2("API_MATERIAL_STOCK_SRV")
DELIVERIES, INVOICES = v2("API_OUTBOUND_DELIVERY_SRV"), v2("API_BILLING_DOCUMENT_SRV")

CENT, PRICE, STOCK_PLACES = Decimal("0.01"), Decimal("0.000001"), Decimal("0.000001")
PRICE_UNITS = (1, 10, 100, 1000, 10000)  # "per" of a condition; the field has five digits
PLACES = 3  # decimals of a quantity on an order
REFERENCE_LENGTH = 35
TAX_CLASS = "D"  # condition class of taxes
TAX_TYPES = frozenset({"MWST", "MWSI", "TTX1"})  # for systems that do not send the class
COMPLETE = "C"
UNRESTRICTED = "01"
INVOICE, UNSAID = "M", ""  # billing category of an invoice; credit and debit memos have others
USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")

UNITS = {
    "pcs": "PC",
    "piece": "PC",
    "kpcs": "TS",
    "t": "TO",
    "kg": "KG",
    "m": "M",
    "set": "SET",
    "box": "BOX",
    "roll": "ROL",
}
CURRENCIES = {"CNY": "CNY", "USD": "USD", "EUR": "EUR", "HKD": "HKD"}


class SiteMapping:
    """One site's way to file things: its sales area, order type, condition type, plants, units and currencies."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.organisation = access.organisation
        self.channel, self.division = access["channel"] or "10", access["division"] or "00"
        self.order_type = access["order_type"] or "OR"
        self.condition_type = access["condition_type"] or "PPR0"
        self.with_tax = access["price_basis"] == "gross"
        self.rejection = access["rejection_reason"]
        self.ship_to_function = access["ship_to_function"] or "SH"
        self.language = access["language"] or "ZH"
        self.plants = [part for part in re.split(r"[\s,;，；、]+", access["plants"]) if part]
        self.units = access.table("units", UNITS)
        self.currencies = access.table("currencies", CURRENCIES)
        self.materials, self.partners = access.table("materials", {}), access.table("partners", {})
        self.ship_to = access.table("ship_to", {})
        self.orders = dialect_of(access["odata_version"])
        self.our_units = {theirs: ours for ours, theirs in reversed(self.units.items())}
        self.our_materials = {theirs: ours for ours, theirs in self.materials.items()}
        self.our_currencies = {theirs: ours for ours, theirs in reversed(self.currencies.items())}

    # -- out

    def bill(
        self, order: OrderOut, customer: str, lookup: Lookup, learned: Mapping[tuple[str, str], str]
    ) -> Bill:
        """The order as a deep insert; raises Rejected where SAP has no word for ours."""
        if len(order.reference) > REFERENCE_LENGTH:
            raise Rejected(
                "sap.reference_too_long",
                f"{order.reference}: {REFERENCE_LENGTH} characters",
                field="reference",
            )
        currency = self.currencies.get(order.currency)
        if currency is None:
            raise Rejected("sap.currency_missing", f"no currency for {order.currency}", field="currency")
        made = [self._line(order, line, currency, lookup) for line in order.lines]
        lines = tuple(line for line, _ in made)
        tails = sum((line.amount for line in lines), Decimal(0)) - sum(
            (line.gross for line in order.lines), Decimal(0)
        )
        return Bill(
            reference=order.reference,
            partner=customer,
            currency=currency,
            total=order.total + tails,
            lines=lines,
            body=self._head(order, customer, currency, [item for _, item in made]),
            learned=learned,
        )

    def _head(
        self, order: OrderOut, customer: str, currency: str, items: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        head: dict[str, Any] = {
            "SalesOrderType": self.order_type,
            "SalesOrganization": self.organisation,
            "DistributionChannel": self.channel,
            "OrganizationDivision": self.division,
            "SoldToParty": customer,
            "PurchaseOrderByCustomer": order.reference,
            "CustomerPurchaseOrderDate": wire.ticks(order.ordered_on),
            "RequestedDeliveryDate": wire.ticks(order.delivery_on or order.ordered_on),
            "TransactionCurrency": currency,
        }
        if place := self.ship_to.get(order.ship_to.strip()):
            head["to_Partner"] = {"results": [{"PartnerFunction": self.ship_to_function, "Customer": place}]}
        return head | {"to_Item": {"results": list(items)}}

    def _line(
        self, order: OrderOut, line: LineOut, currency: str, lookup: Lookup
    ) -> tuple[RemoteLine, dict[str, Any]]:
        unit = self.units.get(line.unit)
        if unit is None:
            raise Rejected("sap.unit_missing", f"no unit for {line.unit}", field="unit")
        if line.quantity != round(line.quantity, PLACES) or line.quantity <= 0:
            said = f"{line.material}: {line.quantity} {line.unit}, SAP keeps {PLACES} decimals"
            raise Rejected("sap.quantity_digits", said, field="quantity")
        material = self.materials.get(line.material) or lookup("product", line.sku_id) or line.material
        priced, amount = self._amounts(line)
        rate, per = rate_of(priced, line.quantity, line.material)
        condition = {
            "ConditionType": self.condition_type,
            "ConditionRateValue": rate,
            "ConditionCurrency": currency,
            "ConditionQuantity": Decimal(per),
            "ConditionQuantityUnit": unit,
        }
        item = {
            "SalesOrderItem": str(item_number(line.no)),
            "Material": material,
            "RequestedQuantity": line.quantity,
            "RequestedQuantityUnit": unit,
            "to_PricingElement": {"results": [condition]},
        }
        return RemoteLine(material, line.quantity, unit, _price(amount, line.quantity), amount), item

    def _amounts(self, line: LineOut) -> tuple[Decimal, Decimal]:
        """What the condition carries, and the amount with tax SAP will come to.

        With a net condition type SAP rounds the net amount first and the tax on it after: the amount with tax may then
        be one cent beside ours, and no net price exists that gives ours. With a condition type that holds prices with
        tax, ours stands as it is.
        """
        if self.with_tax:
            return line.gross, line.gross
        net = (line.gross / (1 + line.vat_rate)).quantize(CENT, ROUND_HALF_UP)
        return net, net + (net * line.vat_rate).quantize(CENT, ROUND_HALF_UP)

    def customer_by_hand(self, order: OrderOut) -> str | None:
        return self.partners.get(order.partner_code) or self.partners.get(order.partner_name)

    # -- back

    def found(self, order: Mapping[str, Any]) -> Found:
        """An order as SAP has it; rejected items are no lines of it. Raises wire.Unreadable."""
        items = live_items(order)
        rejected = [item for item in main_items(order) if wire.text(item, "SalesDocumentRjcnReason")]
        cancelled = wire.text(order, "OverallSDDocumentRejectionSts") == COMPLETE or (
            bool(rejected) and not items
        )
        lines, taxes = [], Decimal(0)
        for item in items if not cancelled else rejected:
            quantity, tax = wire.number(item, "RequestedQuantity"), tax_of(item)
            amount = wire.number(item, "NetAmount") + tax
            taxes += tax
            lines.append(
                RemoteLine(
                    wire.text(item, "Material"),
                    quantity,
                    wire.text(item, "RequestedQuantityUnit"),
                    _price(amount, quantity),
                    amount,
                )
            )
        number = wire.text(order, "SalesOrder")
        if not number:
            raise wire.Unreadable("an order without a number")
        return Found(
            remote_id=number,
            number=number,
            partner=wire.text(order, "SoldToParty"),
            currency=wire.text(order, "TransactionCurrency"),
            total=wire.number(order, "TotalNetAmount") + taxes,
            lines=tuple(lines),
            finished=True,
            cancelled=cancelled,
            status=wire.text(order, "OverallSDProcessStatus"),
        )

    # -- in

    def product(self, row: Mapping[str, Any]) -> ProductIn:
        code = _needed(row, "Product")
        said = {
            wire.text(one, "Language").upper(): wire.text(one, "ProductDescription")
            for one in wire.many(row, "to_Description")
        }
        names = [said.get(self.language.upper()), said.get("ZH"), said.get("EN"), *said.values()]
        return ProductIn(
            external_id=code,
            code=self.our_materials.get(code, code),
            name=next(filter(None, names), code),
            unit=self.our_unit(wire.text(row, "BaseUnit")),
            specification=wire.text(row, "SizeOrDimensionText"),
            group=wire.text(row, "ProductGroup"),
            active=not wire.flag(row, "IsMarkedForDeletion"),
        )

    def partner(self, row: Mapping[str, Any]) -> PartnerIn:
        id = _needed(row, "BusinessPartner")
        taxes = [
            wire.text(one, name).upper()
            for one in wire.many(row, "to_BusinessPartnerTax")
            for name in ("BPTaxNumber", "BPTaxLongNumber")
        ]
        codes = [code for code in taxes if USCC.fullmatch(code)] + [code for code in taxes if code]
        parts = [wire.text(row, f"OrganizationBPName{no}") for no in range(1, 5)]
        name = "".join(parts) or wire.text(row, "BusinessPartnerFullName")
        return PartnerIn(
            external_id=id,
            number=wire.text(row, "Customer") or wire.text(row, "Supplier") or id,
            name=name or id,
            code=codes[0] if codes else "",
            active=not (wire.flag(row, "BusinessPartnerIsBlocked") or wire.flag(row, "IsMarkedForArchiving")),
        )

    def stock(self, row: Mapping[str, Any]) -> StockIn:
        material, plant = _needed(row, "Material"), _needed(row, "Plant")
        quantity = wire.number(row, "MatlWrhsStkQtyInMatlBaseUnit").quantize(STOCK_PLACES, ROUND_HALF_UP)
        return StockIn(
            external_id=f"{material}/{plant}",
            material=self.our_materials.get(material, material),
            warehouse=plant,
            unit=self.our_unit(wire.text(row, "MaterialBaseUnit")),
            quantity=quantity,
        )

    def delivery(self, row: Mapping[str, Any]) -> DeliveryIn:
        """A delivery of one order; `pull` has split it by order and put our reference beside it."""
        number, order = _needed(row, "DeliveryDocument"), _needed(row, "ReferenceSDDocument")
        lines = tuple(
            MovedLine(
                line=line_of(wire.text(item, "ReferenceSDDocumentItem")),
                material=self.our_materials.get(material := wire.text(item, "Material"), material),
                quantity=wire.number(item, "ActualDeliveryQuantity"),
                unit=self.our_unit(wire.text(item, "DeliveryQuantityUnit")),
            )
            for item in wire.many(row, "items")
            if wire.number(item, "ActualDeliveryQuantity") > 0
        )
        if not lines:
            raise SkipRecord("sap.delivery_empty", f"{number}: nothing was shipped", field=number)
        return DeliveryIn(
            external_id=f"{number}/{order}",
            number=number,
            reference=_needed(row, "reference"),
            day=self._day(row, "ActualGoodsMovementDate", number),
            lines=lines,
            tracking=wire.text(row, "BillOfLading"),
        )

    def invoice(self, row: Mapping[str, Any]) -> InvoiceIn:
        number = _needed(row, "BillingDocument")
        if wire.flag(row, "BillingDocumentIsCancelled"):
            raise SkipRecord("sap.invoice_cancelled", f"{number} was cancelled in SAP", field=number)
        currency = wire.text(row, "TransactionCurrency")
        if currency not in self.our_currencies:
            raise SkipRecord("sap.currency_missing", f"{number}: no currency for {currency}", field=number)
        return InvoiceIn(
            external_id=number,
            number=number,
            reference=_needed(row, "PurchaseOrderByCustomer"),
            day=self._day(row, "BillingDocumentDate", number),
            currency=self.our_currencies[currency],
            total=wire.number(row, "TotalGrossAmount"),
        )

    def our_unit(self, theirs: str) -> str:
        ours = self.our_units.get(theirs)
        if ours is None:
            raise SkipRecord("sap.unit_missing", f"no unit for {theirs or 'an empty unit'}")
        return ours

    @staticmethod
    def _day(row: Mapping[str, Any], name: str, number: str) -> date:
        found = wire.day(row, name)
        if found is None:
            raise SkipRecord("sap.no_date", f"{number}: {name} is empty", field=number)
        return found


def readable(map: Callable[[Mapping[str, Any]], Any], row: Mapping[str, Any]) -> Any:
    """A row through its map; a field of the wrong kind leaves out this row only."""
    try:
        return map(row)
    except wire.Unreadable as error:
        raise SkipRecord("sap.unreadable", str(error)) from None


def rate_of(amount: Decimal, quantity: Decimal, material: str) -> tuple[Decimal, int]:
    """The rate, to the cent as SAP keeps it, and the quantity it is for, that give the amount of the line exactly."""
    for per in PRICE_UNITS:
        rate = (amount * per / quantity).quantize(CENT, ROUND_HALF_UP)
        if (rate * quantity / per).quantize(CENT, ROUND_HALF_UP) == amount:
            return rate, per
    said = f"{material}: no price per {PRICE_UNITS[-1]} comes to {amount} for {quantity}"
    raise Rejected("sap.price_not_exact", said, field="price")


def item_number(line: int) -> int:
    """Lines are filed in steps of ten; what replaces a line is filed behind it (20, then 21), so both tell their line."""
    return line * 10


def line_of(item: str) -> int:
    """The number of our line an item stands for, 0 when it is none of ours."""
    return int(item) // 10 if item.isdecimal() else 0


def live_items(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Items that are not rejected, in the order of their numbers."""
    return [item for item in main_items(order) if not wire.text(item, "SalesDocumentRjcnReason")]


def main_items(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Items of their own, without the ones SAP adds below them (parts of a set, free goods)."""
    items = [
        item
        for item in wire.many(order, "to_Item")
        if not wire.text(item, "HigherLevelItem").strip("0") and wire.text(item, "SalesOrderItem").isdecimal()
    ]
    return sorted(items, key=lambda item: int(wire.text(item, "SalesOrderItem")))


def tax_of(item: Mapping[str, Any]) -> Decimal:
    """The tax SAP counted for an item: told by the item itself where the service does, else by its conditions."""
    if wire.text(item, "TaxAmount"):
        return wire.number(item, "TaxAmount")
    return sum(
        (
            wire.number(one, "ConditionAmount")
            for one in wire.many(item, "to_PricingElement")
            if (
                wire.text(one, "ConditionClass") == TAX_CLASS
                or (not wire.text(one, "ConditionClass") and wire.text(one, "ConditionType") in TAX_TYPES)
            )
            and not wire.text(one, "ConditionInactiveReason")
            and not wire.flag(one, "ConditionIsForStatistics")
        ),
        Decimal(0),
    )


def _price(amount: Decimal, quantity: Decimal) -> Decimal:
    return (amount / quantity).quantize(PRICE, ROUND_HALF_UP) if quantity else Decimal(0)


def _needed(row: Mapping[str, Any], name: str) -> str:
    told = wire.text(row, name)
    if not told:
        raise SkipRecord("sap.field_missing", f"{name} is empty", field=name)
    return told

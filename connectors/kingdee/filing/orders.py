"""Orders: sales orders in the seller's books, purchase orders in the buyer's."""

from __future__ import annotations

from connectors.kingdee.filing.bills import BillFiling
from connectors.kingdee.filing.partners import CUSTOMERS, SUPPLIERS, number_of_partner
from connectors.kingdee.filing.shape import Shape
from connectors.kingdee.mapping import MARK, PURCHASE_ORDER, SALES_ORDER, SiteMapping
from tongshang.connect import Bill, Lookup, OrderOut, Rejected

SALES = Shape(
    form=SALES_ORDER,
    partner="FCustId.FNumber",
    currency="FSettleCurrId.FNumber",
    total="FBillAllAmount",
    entry="FSaleOrderEntry",
    item="FMaterialId.FNumber",
    unit="FUnitID.FNumber",
    quantity="FQty",
    price="FTaxPrice",
    amount="FAllAmount",
    note="FEntryNote",
    house="FSaleOrgId",
    mark="FNote",
)


class SalesOrders(BillFiling):
    """`SAL_SaleOrder`. By the number of our line in its note a delivery finds the line again."""

    def shaped(self, site: SiteMapping) -> Shape:
        return SALES

    def referred(self, site: SiteMapping) -> str:
        return site.reference

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        site = self.site
        if not site.saler:
            # Of this document alone: a wrong setting would stop the connection, and with it what needs no salesperson.
            said = "the number of the salesperson is missing"
            raise Rejected("kingdee.saler_missing", said, field="FSalerId")
        customer, learned = number_of_partner(self.client, site, CUSTOMERS, order, lookup, "FCustId")
        currency = self._currency(order.currency)
        delivery = order.delivery_on or order.ordered_on
        lines, entries = [], []
        for line in order.lines:
            held, entry = self._goods(line, lookup)
            entry |= {
                "FDeliveryDate": f"{delivery.isoformat()} 00:00:00",
                "FSettleOrgIds": {"FNumber": site.organisation},
                "FEntryNote": str(line.no),
            }
            lines.append(held)
            entries.append(entry)
        # The order of the keys counts: head, then the finance block, then the lines, or the tax prices are lost.
        body = {
            "FID": 0,
            "FBillTypeID": {"FNUMBER": site.bill_type},
            self.reference: order.reference,
            "FDate": order.ordered_on.isoformat(),
            "FSaleOrgId": {"FNumber": site.organisation},
            "FCustId": {"FNumber": customer},
            "FSalerId": {"FNumber": site.saler},
            "FNote": " ".join(filter(None, (MARK, order.buyer_po, order.note)))[:250],
            "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": currency}, "FIsIncludedTax": "true"},
            "FSaleOrderEntry": entries,
        }
        return Bill(order.reference, customer, currency, order.total, tuple(lines), body, learned)


class PurchaseOrders(BillFiling):
    """`PUR_PurchaseOrder`. By the number of our line in its note a receipt finds the line again."""

    def shaped(self, site: SiteMapping) -> Shape:
        return Shape(
            form=PURCHASE_ORDER,
            partner="FSupplierId.FNumber",
            currency="FSettleCurrId.FNumber",
            total="FBillAllAmount",
            entry="FPOOrderEntry",
            item="FMaterialId.FNumber",
            unit=f"{site.fields['purchase.unit']}.FNumber",
            quantity="FQty",
            price="FTaxPrice",
            amount="FAllAmount",
            note=site.fields["purchase.line"],
            house="FPurchaseOrgId",
            mark=site.fields["purchase.note"],
        )

    def referred(self, site: SiteMapping) -> str:
        return site.fields["purchase.reference"]

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        site = self.site
        supplier, learned = number_of_partner(self.client, site, SUPPLIERS, order, lookup, "FSupplierId")
        currency = self._currency(order.currency)
        delivery = order.delivery_on or order.ordered_on
        lines, entries = [], []
        for line in order.lines:
            held, entry = self._goods(line, lookup)
            entry |= {
                "FDeliveryDate": f"{delivery.isoformat()} 00:00:00",
                self.shape.note: str(line.no),
            }
            lines.append(held)
            entries.append(entry)
        body = {
            "FID": 0,
            "FBillTypeID": {"FNUMBER": site.bill_types["purchase"]},
            self.reference: order.reference,
            "FDate": order.ordered_on.isoformat(),
            "FPurchaseOrgId": {"FNumber": site.organisation},
            "FSupplierId": {"FNumber": supplier},
            **({"FPurchaserId": {"FNumber": site.purchaser}} if site.purchaser else {}),
            **self._note(order),
            "FPOOrderFinance": {"FSettleCurrId": {"FNumber": currency}, "FIsIncludedTax": "true"},
            "FPOOrderEntry": entries,
        }
        return Bill(order.reference, supplier, currency, order.total, tuple(lines), body, learned)

    def _note(self, order: OrderOut) -> dict[str, str]:
        """The head of a purchase order has no field for notes of its own; a site may have made one."""
        field = self.site.fields["purchase.note"]
        said = " ".join(filter(None, (MARK, order.buyer_po, order.note)))[:250]
        return {field: said} if field else {}

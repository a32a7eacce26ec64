"""Receipts: what the buyer counted in, as a purchase receipt that hangs on the lines of its purchase orders.

Kingdee's own way is Push, which makes a bill of all that is open and gives it a number of its own. A Push whose answer is lost
leaves a bill nobody can find by our reference, and a second one would be pushed. So the receipt is saved under our reference
with the rows of links that Push would make: one write, and one bill.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connectors.kingdee.client import literal
from connectors.kingdee.filing.bills import BillFiling
from connectors.kingdee.filing.partners import SUPPLIERS, number_of_partner
from connectors.kingdee.filing.shape import Shape
from connectors.kingdee.mapping import AUDITED, CANCELLED, MARK, PURCHASE_ORDER, RECEIPT, SiteMapping
from connectors.kingdee.streams import Receipts as Stream
from tongshang.connect import Bill, GoodsOut, LineOut, Lookup, Premature, Rejected, RetryLater

AGAIN = timedelta(minutes=5)  # a receipt looks again for its order
SOURCE_TABLE = "t_PUR_POOrderEntry"


@dataclass
class Order:
    """A purchase order there: its lines as (material, note) by their ids."""

    id: int
    number: str
    lines: dict[int, tuple[str, str]] = field(default_factory=dict)


class Receipts(BillFiling):
    """`STK_InStock`."""

    def shaped(self, site: SiteMapping) -> Shape:
        return Shape(
            form=RECEIPT,
            partner="FSupplierId.FNumber",
            currency="FSettleCurrId.FNumber",
            entry="FInStockEntry",
            item="FMaterialId.FNumber",
            unit="FUnitID.FNumber",
            quantity="FRealQty",
            price="FTaxPrice",
            amount="FAllAmount",
            note=site.fields["receipt.note"],
            house="FStockOrgId",
            mark=site.fields["receipt.note"],
        )

    def referred(self, site: SiteMapping) -> str:
        return site.fields["receipt.reference"]

    def remote_id(self, id: str) -> str:
        return Stream(self.client, self.site).comes_back_as(int(id))

    def bill(self, goods: GoodsOut, lookup: Lookup) -> Bill:
        site = self.site
        supplier, learned = number_of_partner(self.client, site, SUPPLIERS, goods, lookup, "FSupplierId")
        currency = self._currency(goods.currency)
        orders = self._orders({line.order_reference for line in goods.lines})
        lines, entries = [], []
        for line in goods.lines:
            held, entry = self._goods(line, lookup)
            order = orders[line.order_reference]
            entry |= self._source(order, self._line_of(order, line, held.material))
            entry[self.shape.note] = f"{MARK} {line.no}"  # tells a bill of the platform from the site's own
            lines.append(held)
            entries.append(entry)
        here = {"FNumber": site.organisation}
        body = {
            "FID": 0,
            "FBillTypeID": {"FNUMBER": site.bill_types["receipt"]},
            self.reference: goods.reference,
            "FDate": goods.moved_on.isoformat(),
            "FStockOrgId": here,
            "FPurchaseOrgId": here,
            "FSupplierId": {"FNumber": supplier},
            "FOwnerTypeIdHead": "BD_OwnerOrg",
            "FOwnerIdHead": here,
            "FInStockFin": {
                "FSettleOrgId": here,
                "FSettleCurrId": {"FNumber": currency},
                "FIsIncludedTax": "true",
            },
            "FInStockEntry": entries,
        }
        return Bill(goods.reference, supplier, currency, goods.total, tuple(lines), body, learned)

    def look(self) -> None:
        super().look()
        self.client.query(PURCHASE_ORDER, self._order_keys(), "", "FID ASC", limit=1)

    def _order_keys(self) -> tuple[str, ...]:
        fields = self.site.fields
        head = ("FID", "FBillNo", "FDocumentStatus", "FCancelStatus", fields["purchase.reference"])
        line = ("FPOOrderEntry_FEntryID", "FMaterialId.FNumber", fields["purchase.line"])
        return tuple(dict.fromkeys((*head, *line)))

    def _orders(self, references: set[str]) -> dict[str, Order]:
        """The purchase orders by our references. Raises Premature while one is not there, or not audited yet."""
        reference, note = self.site.fields["purchase.reference"], self.site.fields["purchase.line"]
        where = f"{reference} in ({','.join(literal(each) for each in sorted(references))})"
        found: dict[str, Order] = {}
        order_by = "FID ASC,FPOOrderEntry_FEntryID ASC"
        for _, rows in self.client.pages(PURCHASE_ORDER, self._order_keys(), where, order_by):
            for row in rows:
                named, number = str(row[reference]), str(row["FBillNo"])
                if row["FCancelStatus"] == CANCELLED:
                    raise Rejected("kingdee.order_void", number, field=self.site.fields["receipt.order"])
                if row["FDocumentStatus"] != AUDITED:
                    said = f"purchase order {number} is not audited yet"
                    raise Premature("kingdee.order_awaited", said, after=AGAIN)
                id = _id(row["FID"])
                order = found.setdefault(named, Order(id, number))
                if order.id != id:
                    raise Rejected("kingdee.reference_twice", f"{named}: {order.number}, {number}")
                told = (str(row["FMaterialId.FNumber"]), str(row[note] or "").strip())
                order.lines[_id(row["FPOOrderEntry_FEntryID"])] = told
        if missing := sorted(references - set(found)):
            said = f"purchase order {', '.join(missing)} is not there yet"
            raise Premature("kingdee.order_awaited", said, after=AGAIN)
        return found

    def _line_of(self, order: Order, line: LineOut, material: str) -> int:
        """The line of the order: the one with our number in its note, else the only one of the material."""
        same = [id for id, (of, _) in order.lines.items() if of == material]
        noted = [id for id in same if order.lines[id][1] == str(line.order_line)]
        if len(noted) == 1:
            return noted[0]
        if len(same) == 1:
            return same[0]
        said = f"{order.number} {line.order_line}: {material} stands on {len(same)} lines"
        raise Rejected("kingdee.order_line_missing", said, field="FPOORDERENTRYID")

    def _source(self, order: Order, entry: int) -> dict[str, Any]:
        """Which line of the order it is, and the link by which Kingdee counts what is still open."""
        site = self.site
        link = {
            "FInStockEntry_Link_FRuleId": site.receipt_rule,
            "FInStockEntry_Link_FSTableName": SOURCE_TABLE,
            "FInStockEntry_Link_FSBillId": order.id,
            "FInStockEntry_Link_FSId": entry,
        }
        return {
            **({"FStockId": {"FNumber": site.warehouse}} if site.warehouse else {}),
            site.fields["receipt.order"]: order.number,
            "FPOORDERENTRYID": entry,
            "FSRCBILLTYPEID": PURCHASE_ORDER,
            "FSRCBillNo": order.number,
            "FInStockEntry_Link": [link],
        }


def _id(value: Any) -> int:
    if not str(value).isdecimal():
        raise RetryLater("kingdee.unreadable", f"{PURCHASE_ORDER}: {value!r} is no internal id")
    return int(value)

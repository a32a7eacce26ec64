"""Inbound orders in Qimen's words: goods announced to the buyer's warehouse, made, looked up and taken back like any order.

`entryorder.create` takes the announcement, `entryorder.query` shows its planned quantities, `order.cancel` ends it; what the
warehouse then counts in comes by `entryorder.confirm`, under the same code.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from connectors.wms import signing
from connectors.wms.figures import plain
from connectors.wms.goods import NONE
from connectors.wms.qimen.mapping import CANCELLED, GOOD, Mapping, numbered
from connectors.wms.xmltext import leaf, leaves, tag
from tongshang.connect import Access, Bill, GoodsOut, Lookup, Rejected, SyncError


class Entries(Mapping):
    """Announcements to one warehouse."""

    head: ClassVar[str] = "entryOrder"
    unproven: ClassVar[type[SyncError]] = Rejected  # orders out may be proven all the same: they must not stop for it

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self.document = "entryorder"
        self.order_type = access["entry_type"] or "CGRK"
        self.constants = {}  # those of the settings stand on outbound orders
        self.ends = (CANCELLED, "CLOSED")

    def bill(self, goods: GoodsOut, lookup: Lookup) -> Bill:  # type: ignore[override]  # another kind of document
        """The announcement; who sends the goods is known there by the number that was mapped, else by our own code of him."""
        lines = tuple(self.goods.line(line, lookup) for line in goods.lines)
        supplier = lookup("supplier", goods.partner_id) or goods.partner_code
        return Bill(
            reference=goods.reference,
            partner=numbered(goods.reference, goods.version) if self.by_code else self.owner,
            currency="",
            total=NONE,
            lines=() if self.by_code else lines,
            body={"goods": goods, "lines": lines, "supplier": supplier},
        )

    def create(self, bill: Bill, code: str, now: datetime) -> str:
        """What stands inside `request` of entryorder.create."""
        goods: GoodsOut = bill.body["goods"]
        head = leaves(
            entryOrderCode=code,
            ownerCode=self.owner,
            purchaseOrderCode=goods.order_reference,
            warehouseCode=self.warehouse,
            orderCreateTime=signing.stamp(now),
            orderType=self.order_type,
            expectStartTime=f"{goods.moved_on.isoformat()} 00:00:00",
            logisticsName=goods.carrier[:200],
            expressCode=goods.waybill[:50],
            supplierCode=bill.body["supplier"],
            supplierName=goods.partner_name[:200],
            remark=goods.note[:500],
        )
        lines = [
            tag(
                "orderLine",
                leaves(
                    orderLineNo=sent.no,
                    ownerCode=self.owner,
                    itemCode=line.material,
                    itemName=sent.name[:200],
                    planQty=plain(line.quantity),
                    inventoryType=GOOD,
                ),
            )
            for sent, line in zip(goods.lines, bill.body["lines"], strict=True)
        ]
        return tag("entryOrder", head, leaves(**self.constants)) + tag("orderLines", *lines)

    def ask(self, code: str, page: int, size: int, *, stockout: bool) -> str:
        """A look-up by our code."""
        owner = leaves(ownerCode=self.owner, warehouseCode=self.warehouse)
        return leaf("entryOrderCode", code) + owner + leaves(page=page, pageSize=size)

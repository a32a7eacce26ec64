"""FLUX's words, and nothing of them beyond this folder: orders out, and orders as the warehouse tells of them.

A look-up there tells that an order exists and how far it is, not what is in it. What is in it is settled otherwise:
sending an order again under its number replaces it until the warehouse works on it, and is refused from then on.
"""

from __future__ import annotations

from collections.abc import Mapping as Mapped
from datetime import datetime
from typing import Any, ClassVar

from connectors.wms import signing
from connectors.wms.calls import MOBILE
from connectors.wms.figures import plain
from connectors.wms.flux.wire import said
from connectors.wms.goods import NONE, Goods, constants
from tongshang.connect import Access, Bill, Found, GoodsOut, Lookup, Rejected

CANCELLED = "90"


class Mapping:
    """One owner's goods in one warehouse."""

    verbs: ClassVar[str] = ""  # behind put, cancel and state, see `wire.METHODS`

    def __init__(self, access: Access) -> None:
        self.warehouse, self.owner = access.organisation, access["owner"]
        self.order_type = access["order_type"] or "SO"
        self.carrier = access["carrier"]
        self.form = (access["gateway"] or "form") == "form"
        told = (access["cancelled"] or CANCELLED).replace("，", ",")
        self.cancelled = {code.strip() for code in told.split(",") if code.strip()}
        self.constants = constants(access, ("header", "details", "detailsItem"))
        self.goods = Goods(access, "flux")

    # -- out

    def bill(self, order: Any, lookup: Lookup) -> Bill:
        """The order; its lines stand in the body alone, because a look-up cannot show them."""
        if not order.ship_to:
            raise Rejected("flux.address_missing", f"{order.reference} has no address", field="ship_to")
        phone = MOBILE.search(order.ship_to)
        delivery = order.delivery_on or order.ordered_on
        details = []
        for line in order.lines:
            counted = self.goods.line(line, lookup)
            details.append(
                {
                    "lineNo": str(line.no),
                    "customerId": self.owner,
                    "sku": counted.material,
                    "qtyOrdered": plain(counted.quantity),
                }
            )
        head = {
            **self.constants,
            **self.key(order.reference),
            "expectedShipmentTime1": f"{delivery.isoformat()} 00:00:00",
            "soReference1": order.buyer_po,
            "consigneeName": order.partner_name,
            "consigneeAddress1": order.ship_to,
            "consigneeTel1": phone.group() if phone else "",
            "carrierId": self.carrier,
            "notes": order.note,
        }
        told = {name: value for name, value in head.items() if value}
        body = {"head": told, "lines": details}
        return Bill(order.reference, self.owner, "", NONE, (), body)

    def put(self, bill: Bill, now: datetime) -> Any:
        lines = "detailsItem" if self.form else "details"
        head = {**bill.body["head"], "orderTime": signing.stamp(now), lines: bill.body["lines"]}
        return self._around({"header": [head]})

    def key(self, number: str) -> dict[str, str]:
        """What names an order there."""
        return {
            "orderNo": number,
            "orderType": self.order_type,
            "customerId": self.owner,
            "warehouseId": self.warehouse,
        }

    def named(self, number: str, **more: str) -> Any:
        """An order by its number, for a look-up or a cancellation."""
        one = {**self.key(number), **more}
        return {"xmldata": {"header": [one]}} if self.form else {"data": {"ordernos": one}}

    def shelves(self, page: int, size: int) -> Any:
        asked = {
            "customerId": self.owner,
            "warehouseId": self.warehouse,
            "pageNo": str(page),
            "pageSize": str(size),
        }
        return {"xmldata": {"data": {"header": asked}}} if self.form else {"data": {"header": [asked]}}

    def _around(self, inside: Any) -> Any:
        return {"xmldata": inside} if self.form else {"data": inside}

    def found(self, row: Mapped[str, Any]) -> Found:
        """An order as its state tells it; never `finished`, because what is in it is not told."""
        number, status = said(row, "orderno", "omsorderno"), said(row, "status")
        return Found(
            remote_id=said(row, "wmsorderno") or number,
            number=number,
            partner=self.owner,
            currency="",
            total=NONE,
            lines=(),
            finished=False,
            cancelled=status in self.cancelled,
            status=status,
        )


class Announcements(Mapping):
    """Inbound orders (ASN): goods announced to the buyer's warehouse, put, looked up and cancelled like any order."""

    verbs: ClassVar[str] = "_asn"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self.order_type = access["asn_type"] or "PO"

    def bill(self, order: Any, lookup: Lookup) -> Bill:
        """The announcement; who sends the goods is known there by the number that was mapped, else by our own code of him."""
        goods: GoodsOut = order
        details = []
        for line in goods.lines:
            counted = self.goods.line(line, lookup)
            details.append(
                {
                    "lineNo": str(line.no),
                    "customerId": self.owner,
                    "sku": counted.material,
                    "expectedQty": plain(counted.quantity),
                }
            )
        head = {
            **self.key(goods.reference),
            "expectedArriveTime1": f"{goods.moved_on.isoformat()} 00:00:00",
            "asnReference1": goods.order_reference,
            "supplierId": lookup("supplier", goods.partner_id) or goods.partner_code,
            "supplierName": goods.partner_name,
            "carrierName": goods.carrier,
            "deliveryNo": goods.waybill,
            "notes": goods.note,
        }
        told = {name: value for name, value in head.items() if value}
        return Bill(goods.reference, self.owner, "", NONE, (), {"head": told, "lines": details})

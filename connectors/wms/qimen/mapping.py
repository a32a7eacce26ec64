"""Qimen's words, and nothing of them beyond this folder: orders out, and orders as the warehouse holds them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from connectors.wms import signing
from connectors.wms.figures import plain, quantity
from connectors.wms.goods import NONE, Goods, constants
from connectors.wms.xmltext import leaf, leaves, said, tag
from tongshang.connect import (
    Access,
    Bill,
    FixSettings,
    Found,
    Lookup,
    OrderOut,
    Rejected,
    RemoteLine,
    RetryLater,
    SyncError,
)

CANCELLED, REJECTED = "CANCELED", "REJECT"
FILLED = (
    "deliveryOrderCode",
    "orderType",
    "warehouseCode",
    "createTime",
    "placeOrderTime",
    "scheduleDate",
    "logisticsCode",
    "remark",
    "receiverInfo",
)
GOOD = "ZP"  # inventory type: free for sale
VERSION = re.compile(r"_v(\d+)$")
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
PLACE = re.compile(
    r"^(?P<province>[^省市区县]{2,8}(?:省|自治区|特别行政区))?(?P<city>[^省市区县]{2,9}(?:市|自治州|地区|盟))?"
    r"(?P<area>[^省市]{1,9}?(?:区|县|旗|市))?"
)
MUNICIPALITIES = ("北京市", "上海市", "天津市", "重庆市")


def numbered(reference: str, version: int) -> str:
    """The code of an order there: our number, and `_v2` and on behind it for those that came after the first."""
    return reference if version == 1 else f"{reference}_v{version}"


def reference_of(code: str) -> str:
    return VERSION.sub("", code)


def version_of(code: str) -> int:
    told = VERSION.search(code)
    return int(told[1]) if told else 1


class Mapping:
    """One warehouse's way to file things: its code, the owner of the goods, the kind of documents."""

    head: ClassVar[str] = "deliveryOrder"  # the element of an order; its code and id are named after it
    unproven: ClassVar[type[SyncError]] = FixSettings  # what a look-up without planned quantities asks for

    def __init__(self, access: Access) -> None:
        self.warehouse = access.organisation
        self.owner = access["owner"]
        self.document = access["document"] or "stockout"
        self.order_type = access["order_type"] or ("B2BCK" if self.document == "stockout" else "JYCK")
        self.carrier = access["carrier"] or "OTHER"
        self.by_code = access["proof"] == "code"
        self.constants = constants(access, FILLED)
        self.ends: tuple[str, ...] = (CANCELLED,)  # statuses of an order that makes room for another
        self.goods = Goods(access, "qimen")

    # -- out

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        """The order. Where a look-up shows no quantities, the code stands for what is in it: one for each version."""
        lines = tuple(self.goods.line(line, lookup) for line in order.lines)
        if not order.ship_to:
            raise Rejected("qimen.address_missing", f"{order.reference} has no address", field="ship_to")
        return Bill(
            reference=order.reference,
            partner=numbered(order.reference, order.version) if self.by_code else self.owner,
            currency="",
            total=NONE,
            lines=() if self.by_code else lines,
            body={"order": order, "lines": lines},
        )

    def create(self, bill: Bill, code: str, now: datetime) -> str:
        """What stands inside `request` of a create call."""
        order: OrderOut = bill.body["order"]
        delivery = order.delivery_on or order.ordered_on
        head = leaves(
            deliveryOrderCode=code,
            orderType=self.order_type,
            warehouseCode=self.warehouse,
            createTime=signing.stamp(now),
            placeOrderTime=f"{order.ordered_on.isoformat()} 00:00:00"
            if self.document == "deliveryorder"
            else "",
            scheduleDate=delivery.isoformat(),
            logisticsCode=self.carrier,
            remark=" ".join(filter(None, (order.buyer_po, order.note)))[:500],
        )
        lines = [
            tag(
                "orderLine",
                leaves(
                    orderLineNo=ordered.no,
                    ownerCode=self.owner,
                    itemCode=line.material,
                    itemName=ordered.name[:200],
                    inventoryType=GOOD,
                    planQty=plain(line.quantity),
                ),
            )
            for ordered, line in zip(order.lines, bill.body["lines"], strict=True)
        ]
        inside = tag("deliveryOrder", head, leaves(**self.constants), tag("receiverInfo", _receiver(order)))
        return inside + tag("orderLines", *lines)

    def cancel(self, found: Found) -> str:
        return leaves(
            warehouseCode=self.warehouse,
            ownerCode=self.owner,
            orderCode=found.number,
            orderId=found.remote_id if found.remote_id != found.number else "",
            orderType=self.order_type,
            cancelReason="订单变更或取消",
        )

    def ask(self, code: str, page: int, size: int, *, stockout: bool) -> str:
        """A look-up by our code; the two calls name it differently."""
        name = "deliveryOrderCode" if stockout else "orderCode"
        owner = leaves(ownerCode=self.owner, warehouseCode=self.warehouse)
        return leaf(name, code) + owner + leaves(page=page, pageSize=size)

    def found(self, head: Any, rows: Sequence[Any]) -> Found:
        """An order as the warehouse holds it. `rows` are its lines from all pages."""
        code = said(head, f"{self.head}Code")
        status = said(head, "status").upper()
        told = [] if self.by_code else rows
        lines = [(_line_no(row, place), self._held(row)) for place, row in enumerate(told, 1)]
        return Found(
            remote_id=said(head, f"{self.head}Id") or code,
            number=code,
            partner=code if self.by_code else self.owner,
            currency="",
            total=NONE,
            lines=tuple(line for _, line in sorted(lines, key=lambda each: each[0])),
            finished=True,
            cancelled=status in (*self.ends, REJECTED),
            status=status,
        )

    def _held(self, row: Any) -> RemoteLine:
        item, planned = said(row, "itemCode"), said(row, "planQty")
        if not planned:
            raise self.unproven("qimen.plan_missing", f"{item}: the look-up answers no planQty")
        try:
            return self.goods.held(item, quantity(planned))
        except ValueError as error:
            raise RetryLater("qimen.unreadable", f"{item}: {error}") from None


def _line_no(row: Any, place: int) -> int:
    told = said(row, "orderLineNo")
    return int(told) if told.isdecimal() and len(told) < 10 else place


def _receiver(order: OrderOut) -> str:
    """Who receives, with province, city and district where the address begins with them."""
    phone = MOBILE.search(order.ship_to)
    address = order.ship_to.strip()
    place = _place(address)
    return leaves(
        name=order.partner_name[:50],
        mobile=phone.group() if phone else "",
        **place,
        detailAddress=address[:200],
    )


def _place(address: str) -> dict[str, str]:
    for city in MUNICIPALITIES:
        if address.startswith(city):
            rest = re.match(r"[^省市]{1,9}?(?:区|县)", address[len(city) :])
            return {"province": city, "city": city, "area": rest.group() if rest else ""}
    told = PLACE.match(address)
    if told is None or not (told["province"] or told["city"]):
        return {}
    return {name: value or "" for name, value in told.groupdict().items()}

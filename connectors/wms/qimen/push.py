"""What the warehouse sends by itself: shipped, received, counted, moved. Verified first, read after, answered in its own XML.

The signature covers the parameters in the URL and every byte of the body, the time among them, so a call that was
overheard cannot be changed and is worth nothing ten minutes later. Within them it is told apart by its `outBizCode`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.wms import signing, xmltext
from connectors.wms.figures import quantity
from connectors.wms.goods import Goods
from connectors.wms.qimen.client import PREFIX, Account
from connectors.wms.qimen.mapping import GOOD, reference_of
from connectors.wms.xmltext import leaf, said, tag
from tongshang.connect import (
    DeliveryIn,
    Heard,
    Incoming,
    MovedLine,
    Push,
    PushAnswer,
    PushRefused,
    ReceiptIn,
    StockIn,
    StockMoveIn,
)

XML = "text/xml; charset=utf-8"
NOTICES = ("orderprocess.report", "itemlack.report")  # taken with thanks, and nothing is made of them
DONE = "0"


def answer(flag: str, code: str, message: str) -> PushAnswer:
    inside = leaf("flag", flag) + leaf("code", code) + leaf("message", message)
    return PushAnswer(xmltext.document(tag("response", inside)), content_type=XML)


def refused(code: str, theirs: str, message: str) -> PushRefused:
    """`theirs` is the code the warehouse reads: S04 signature, S03 parameters."""
    return PushRefused(code, message, answer("failure", theirs, message))


class Ear:
    """Hears the calls of one connection."""

    def __init__(self, account: Account, goods: Goods, warehouse: str) -> None:
        self.account, self.goods, self.warehouse = account, goods, warehouse
        self.readers: dict[str, Callable[[Any, Push, str], tuple[Incoming, ...]]] = {
            "deliveryorder.confirm": self._delivery,
            "stockout.confirm": self._delivery,
            "entryorder.confirm": self._receipt,
            "inventory.report": self._counts,
            "stockchange.report": self._counts,
        }

    def hear(self, push: Push) -> Heard:
        method = self._verified(push).removeprefix(PREFIX)
        try:
            root = xmltext.read(push.body)
        except xmltext.Unreadable as error:
            raise refused("qimen.unreadable", "S03", str(error)) from None
        if root.tag != "request":
            raise refused("qimen.unreadable", "S03", "no request element")
        key = _key(method, root, push.body)
        records: tuple[Incoming, ...] = ()
        if method in self.readers:
            try:
                records = self.readers[method](root, push, key)
            except ValueError as error:
                raise refused("qimen.unreadable", "S03", str(error)) from None
        elif method not in NOTICES:
            raise refused("qimen.unknown_method", "S03", f"{method} is not taken here")
        return Heard(key, records, answer("success", DONE, ""), method)

    def _verified(self, push: Push) -> str:
        """The method of a call whose signature, key and time are right."""
        account, told = self.account, dict(push.query)
        expected = signing.qimen(told, push.body, account.secret, both_ends=account.both_ends)
        if not account.secret or not signing.same(told.get("sign", "").upper(), [expected]):
            raise refused("qimen.push_signature", "S04", "the signature is wrong")
        if told.get("app_key") != account.app_key:
            raise refused("qimen.push_signature", "S04", "the app_key is another one")
        if not signing.fresh(told.get("timestamp", ""), push.at):
            raise refused("qimen.push_clock", "S04", "the timestamp is not of these ten minutes")
        method = told.get("method", "")
        if push.method != "POST" or not method:
            raise refused("qimen.unknown_method", "S03", "no method")
        return method

    # -- what was moved

    def _delivery(self, root: Any, push: Push, key: str) -> tuple[Incoming, ...]:
        head = root.find("deliveryOrder")
        code = said(head, "deliveryOrderCode")
        if not code:
            raise ValueError("no deliveryOrderCode")
        lines = _moved(self._lines(root) or self._packed(root), self.goods)
        if not lines:
            return ()  # cancelled, closed or only accepted: nothing left the warehouse
        packages = root.findall("packages/package")
        tracking = [said(package, "expressCode") for package in packages] or [said(head, "expressCode")]
        carriers = [said(one, "logisticsName") or said(one, "logisticsCode") for one in (*packages, head)]
        number = said(head, "deliveryOrderId") or code
        when = said(head, "orderConfirmTime") or said(head, "operateTime")
        return (
            DeliveryIn(
                external_id=key,
                number=number,
                reference=reference_of(code),
                day=_day(when, push),
                lines=lines,
                carrier=next(filter(None, carriers), "")[:100],
                tracking=",".join(filter(None, dict.fromkeys(tracking)))[:200],
            ),
        )

    def _receipt(self, root: Any, push: Push, key: str) -> tuple[Incoming, ...]:
        head = root.find("entryOrder")
        code = said(head, "entryOrderCode")
        if not code:
            raise ValueError("no entryOrderCode")
        lines = _moved(self._lines(root), self.goods)
        if not lines:
            return ()
        number, when = said(head, "entryOrderId") or code, said(head, "operateTime")
        return (ReceiptIn(key, number, reference_of(code), _day(when, push), lines),)

    def _lines(self, root: Any) -> list[tuple[int, str, str]]:
        rows = []
        for row in root.findall("orderLines/orderLine"):
            no, item, count = said(row, "orderLineNo"), said(row, "itemCode"), said(row, "actualQty")
            if not item:
                raise ValueError("an order line without an itemCode")
            if count:
                rows.append((int(no) if no.isdecimal() and len(no) < 10 else 0, item, count))
        return rows

    def _packed(self, root: Any) -> list[tuple[int, str, str]]:
        """What the packages say, where the lines say nothing."""
        rows = root.findall("packages/package/items/item")
        return [(0, said(row, "itemCode"), said(row, "quantity")) for row in rows if said(row, "itemCode")]

    # -- what was counted

    def _counts(self, root: Any, push: Push, key: str) -> tuple[Incoming, ...]:
        """What lies there now, where the warehouse tells it (`totalQty`), and what moved (`quantity`, signed).

        A change is evidence of why stock differs and never turned into a stock.
        """
        return (*self._counted(root), *self._moved(root, push, key))

    def _moved(self, root: Any, push: Push, key: str) -> Iterator[StockMoveIn]:
        here = said(root, "warehouseCode") or self.warehouse
        names: dict[str, int] = {}
        for row in root.findall("items/item"):
            item, told = said(row, "itemCode"), said(row, "quantity")
            change = quantity(told) if told else Decimal(0)
            if not change or (said(row, "inventoryType") or GOOD) != GOOD:
                continue
            name = f"{said(row, 'outBizCode') or key}:{item}"
            names[name] = names.get(name, 0) + 1  # batch by batch, an item stands in several rows
            words = (
                said(row, "orderType"),
                said(row, "changeType"),
                said(root, "adjustType"),
                said(row, "remark"),
            )
            yield StockMoveIn(
                external_id=name if names[name] == 1 else f"{name}#{names[name]}",
                material=self.goods.material(item),
                warehouse=said(row, "warehouseCode") or here,
                unit=self.goods.unit_of(item),
                quantity=change,
                day=_day(said(row, "changeTime") or said(root, "checkTime"), push),
                reason=next(filter(None, words), key.partition(":")[0]),
                reference=said(row, "orderCode") or said(root, "checkOrderCode"),
            )

    def _counted(self, root: Any) -> Iterator[StockIn]:
        here = said(root, "warehouseCode") or self.warehouse
        for row in root.findall("items/item"):
            item, kind, total = said(row, "itemCode"), said(row, "inventoryType"), said(row, "totalQty")
            if not item:
                raise ValueError("an item without an itemCode")
            if not total or (kind or GOOD) != GOOD:
                continue
            count, warehouse = quantity(total), said(row, "warehouseCode") or here
            if count >= 0:
                material, unit = self.goods.material(item), self.goods.unit_of(item)
                yield StockIn(f"{item}@{warehouse}", material, warehouse, unit, count)


def _moved(rows: list[tuple[int, str, str]], goods: Goods) -> tuple[MovedLine, ...]:
    """Lines with a quantity; those of one order line and item, told batch by batch, added up."""
    total: dict[tuple[int, str], Decimal] = {}
    for line, item, text in rows:
        count = quantity(text)
        if count < 0:
            raise ValueError(f"{item}: {count} is below zero")
        total[line, item] = total.get((line, item), Decimal(0)) + count
    return tuple(
        MovedLine(line, goods.material(item), count, goods.unit_of(item))
        for (line, item), count in total.items()
        if count
    )


def _key(method: str, root: Any, body: bytes) -> str:
    """The warehouse's own name of the message, or what it is about with a digest of what it says."""
    for place in ("deliveryOrder", "entryOrder", ".", "items/item"):
        own = list(dict.fromkeys(filter(None, (said(row, "outBizCode") for row in root.findall(place)))))
        if len(own) > 1:  # changes that came one by one may come again in other company
            return f"{method}:{hashlib.sha256(chr(10).join(own).encode()).hexdigest()[:32]}"
        if own:
            return f"{method}:{own[0]}"
    code = next(
        (
            code
            for path in ("deliveryOrder/deliveryOrderCode", "entryOrder/entryOrderCode", "checkOrderCode")
            if (code := said(root, path))
        ),
        "",
    )
    status = said(root, "deliveryOrder/status") or said(root, "entryOrder/status")
    return ":".join(filter(None, (method, code, status, hashlib.sha256(body).hexdigest()[:24])))


def _day(when: str, push: Push) -> date:
    """The day in China; the day it was told where the warehouse names none that can be read."""
    try:
        return signing.read_stamp(when).date()
    except ValueError:
        return push.at.astimezone(signing.CHINA).date()

"""What the warehouse sends by itself: shipped, received, counted, moved. Verified first, read after, answered in its own JSON.

The signature covers the data and the secret, not the time: a call that was overheard can be played again with a new
timestamp. What keeps that harmless is the key, made of what the message says, so that the same news counts once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

from connectors.wms import signing
from connectors.wms.figures import quantity
from connectors.wms.flux.client import Account
from connectors.wms.flux.wire import encode, objects, read, rows, said
from connectors.wms.goods import Goods
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

NOTICES = ("confirmsostatus",)  # taken with thanks, and nothing is made of them
# Sites name these as they like; the first that is there counts. A change is signed.
CHANGES = {  # a bare qty of a report may be what lies there
    "inventoryreport": ("quantity", "adjqty", "qtychange"),
    "confirminvadddata": ("adjqty", "qtychange", "quantity", "qty"),
}
DOCUMENTS = ("adjno", "checkordercode", "omsorderno", "wmsorderno", "orderno")
REASONS = ("adjreason", "reason", "adjtype", "ordertype", "remark", "notes")
TIMES = ("adjtime", "changetime", "checktime", "operatetime")
RECEIVED = ("40", "99")  # states of a receipt that is over: whole, or closed
MOST_FIELDS = 30
LONGEST = 5 * 1024 * 1024  # bytes


def answer(flag: str, code: str, text: str) -> PushAnswer:
    told = {"returnCode": code, "returnDesc": text, "returnFlag": flag, "resultInfo": []}
    return PushAnswer(encode({"Response": {"return": told}}).encode())


def refused(code: str, theirs: str, text: str) -> PushRefused:
    """`theirs` is the code the warehouse reads: S001 signature, S003 data."""
    return PushRefused(code, text, answer("0", theirs, text))


class Ear:
    """Hears the calls of one connection."""

    def __init__(self, account: Account, goods: Goods, warehouse: str) -> None:
        self.account, self.goods, self.warehouse = account, goods, warehouse
        self.readers: dict[str, Callable[[Mapping[str, Any], Push], Incoming | None]] = {
            "confirmsodata": self._delivery,
            "confirmasndata": self._receipt,
        }

    def hear(self, push: Push) -> Heard:
        method, text = self._verified(push)
        try:
            value = read(text)
            orders = _orders(value)
            records: tuple[Incoming, ...] = ()
            if method in CHANGES:
                records = tuple(record for order in orders for record in self._report(method, order, push))
            elif method in self.readers:
                told = [self.readers[method](order, push) for order in orders]
                records = tuple(record for record in told if record is not None)
            elif method not in NOTICES:
                raise refused("flux.unknown_method", "S003", f"{method} is not taken here")
        except ValueError as error:
            raise refused("flux.unreadable", "S003", str(error)) from None
        key = ":".join((method, _digest(_text_of(orders))))
        return Heard(key, records, answer("1", "0000", "ok"), method)

    def _verified(self, push: Push) -> tuple[str, str]:
        """Method, in lower case, and data of a call whose signature and time are right."""
        account = self.account
        if len(push.body) > LONGEST:
            raise refused("flux.unreadable", "S003", f"longer than {LONGEST} bytes")
        try:
            body = push.body.decode("utf-8")
            told = dict(push.query)
            text = body
            if account.gateway == "form":
                told |= dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))
                text = told.get("data", "")
        except ValueError as error:
            raise refused("flux.unreadable", "S003", str(error)) from None
        expected = unquote(signing.flux(text, account.secret, account.variant))
        if not account.secret or not text or not signing.same(unquote(told.get("sign", "")), [expected]):
            raise refused("flux.push_signature", "S001", "the signature is wrong")
        for name, own in (("appkey", account.app_key), ("apptoken", account.app_token)):
            if told.get(name) and not signing.same(told[name], [own]):
                raise refused("flux.push_signature", "S001", f"the {name} is another one")
        if not signing.fresh(told.get("timestamp", ""), push.at):
            raise refused("flux.push_clock", "S001", "the timestamp is not of these ten minutes")
        method = told.get("method", "")
        if push.method != "POST" or not method:
            raise refused("flux.unknown_method", "S003", "no method")
        return method.lower(), text

    # -- what was moved

    def _delivery(self, order: Mapping[str, Any], push: Push) -> DeliveryIn | None:
        number = said(order, "omsorderno", "orderno")
        if not number:
            raise ValueError("an order without OMSOrderNo")
        items = rows(order, "item") or rows(order, "details")
        lines = self._moved(items, "qtyshipped")
        if not lines:
            return None
        own = said(order, "wmsorderno") or number
        tracking = dict.fromkeys([said(order, "deliveryno"), *(said(item, "deliveryno") for item in items)])
        return DeliveryIn(
            external_id=f"{own}:{_digest(_text_of(items))}",
            number=own,
            reference=number,
            day=_day([said(item, "shippedtime") for item in items], push),
            lines=lines,
            carrier=(said(order, "carriername") or said(order, "carrierid"))[:100],
            tracking=",".join(filter(None, tracking))[:200],
        )

    def _receipt(self, order: Mapping[str, Any], push: Push) -> ReceiptIn | None:
        number = said(order, "omsorderno", "orderno")
        if not number:
            raise ValueError("an order without OMSOrderNo")
        items = rows(order, "item") or rows(order, "details")
        lines = self._moved(items, "receivedqty")
        if not lines or said(order, "status") not in RECEIVED:
            return None  # partly received: the numbers grow until the receipt is over
        own = said(order, "wmsorderno") or number
        day = _day([said(item, "receivedtime") for item in items], push)
        return ReceiptIn(f"{own}:{_digest(_text_of(items))}", own, number, day, lines)

    def _moved(self, items: list[Mapping[str, Any]], name: str) -> tuple[MovedLine, ...]:
        """Lines with a quantity; those of one order line and item, told lot by lot, added up."""
        total: dict[tuple[int, str], Decimal] = {}
        for item in items:
            sku, no, text = said(item, "sku"), said(item, "lineno"), said(item, name)
            if not sku:
                raise ValueError("a line without SKU")
            count = quantity(text) if text else Decimal(0)
            if count < 0:
                raise ValueError(f"{sku}: {count} is below zero")
            line = int(no) if no.isdecimal() and len(no) < 10 else 0
            total[line, sku] = total.get((line, sku), Decimal(0)) + count
        return tuple(
            MovedLine(line, self.goods.material(sku), count, self.goods.unit_of(sku))
            for (line, sku), count in total.items()
            if count
        )

    # -- what was counted

    def _report(self, method: str, order: Mapping[str, Any], push: Push) -> list[Incoming]:
        """What lies there now, where it is told, and what moved: a change is evidence and never becomes a stock."""
        found: list[Incoming] = []
        here = said(order, "warehouseid") or self.warehouse
        number = said(order, *DOCUMENTS)
        names: dict[str, int] = {}
        for item in rows(order, "items", "item") or rows(order, "item") or rows(order, "details"):
            sku, total = said(item, "itemcode", "sku"), said(item, "totalqty")
            if not sku:
                raise ValueError("an item without itemCode")
            if total and said(item, "inventorytype").upper() in ("", "ZP"):
                count = quantity(total)
                if count >= 0:
                    unit = self.goods.unit_of(sku)
                    found.append(StockIn(f"{sku}@{here}", self.goods.material(sku), here, unit, count))
            change = quantity(said(item, *CHANGES[method]) or "0")
            if change and said(item, "inventorytype").upper() in ("", "ZP"):
                # Without a number the message is told apart by all it says, so that the same news counts once.
                name = f"{method}:{number or _digest(_text_of([order]))}:{sku}"
                names[name] = names.get(name, 0) + 1  # lot by lot, an item stands in several rows
                found.append(
                    StockMoveIn(
                        external_id=name if names[name] == 1 else f"{name}#{names[name]}",
                        material=self.goods.material(sku),
                        warehouse=here,
                        unit=self.goods.unit_of(sku),
                        quantity=change,
                        day=_day([said(item, *TIMES) or said(order, *TIMES)], push),
                        reason=said(item, *REASONS) or said(order, *REASONS) or method,
                        reference=number,
                    )
                )
        return found


def _orders(value: Any) -> list[Mapping[str, Any]]:
    """The orders of a message, wherever a site wraps them."""
    for one in objects(value):
        for name in ("orderinfo", "header"):
            if found := rows(one, name):
                return found
    raise ValueError("no order in the message")


def _text_of(found: list[Mapping[str, Any]]) -> str:
    """One text for what is told, however a site orders its fields or writes its numbers."""
    return encode(_texts(found))


def _texts(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _texts(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return "" if value is None else str(value)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _day(told: list[str], push: Push) -> date:
    """The latest day in China; the day it was told where the warehouse names none that can be read."""
    days = []
    for text in told:
        try:
            days.append(signing.read_stamp(text).date())
        except ValueError:
            continue
    return max(days) if days else push.at.astimezone(signing.CHINA).date()

"""The socket: signed forms and signed JSON, and confirmations pushed to the portal."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlencode

from connectors.wms import signing
from connectors.wms.figures import quantity
from connectors.wms.flux.simulator.world import DEMO_ACCOUNT, DemoAccount, Line, Order, Refusal, World
from connectors.wms.flux.wire import METHODS, Unreadable, encode, objects, read, rows, said
from connectors.wms.pushing import MODES, SKEW, Sending, deliver
from tongshang.simulate import Call, Fault, NoSuchAct, Practice, Reply

PATH = "/datahub/FluxWmsJsonApi/"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON = "application/json; charset=utf-8"
MOST_ROWS = 100
VERBS = {name.lower(): verb for names in METHODS.values() for verb, name in names.items()}


class Simulator(Practice):
    """One FLUX warehouse; it takes calls at both gateways and pushes through one of them."""

    title: ClassVar[str] = "富勒仓库 FLUX warehouse"
    modes: ClassVar[dict[str, str]] = MODES
    acts: ClassVar[dict[str, tuple[str, ...]]] = {
        "confirm": ("code", "url"),
        "allocate": ("code",),
        "receive": ("code", "url"),
        "count": ("item", "quantity", "url"),
        "change": ("item", "quantity", "url"),
        "stock": ("item", "quantity"),
    }

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        account: DemoAccount = DEMO_ACCOUNT,
        variant: str = "base64",
        gateway: str = "form",
    ) -> None:
        self.account, self.variant, self.gateway = account, variant, gateway
        self.world = World()
        self.over = threading.Event()
        super().__init__(host=host, port=port, seed=seed)

    @property
    def url(self) -> str:
        return self.address + PATH

    def stop(self) -> None:
        self.over.set()
        super().stop()

    def logins(self) -> dict[str, object]:
        account = self.account
        return {
            "appkey": account.app_key,
            "apptoken": account.app_token,
            "appSecret": account.secret,
            "customerId": account.owner,
            "warehouseId": account.warehouse,
        }

    def state(self) -> dict[str, object]:
        with self.world.lock:
            return {
                "orders": {
                    order.number: f"{order.id} {order.status} "
                    + ", ".join(f"{line.sku} {line.shipped}/{line.ordered}" for line in order.lines)
                    for order in self.world.orders.values()
                },
                "stock": {sku: sum(lots, Decimal(0)) for sku, lots in self.world.stock.items()},
                "pushed": list(self.world.pushed),
            }

    # -- calls that come in

    def name_of(self, call: Call) -> tuple[str, str, str]:
        told, text = _fields(call)
        heads = _heads(read(text)) or [{}]
        return VERBS.get(told.get("method", "").lower(), ""), "", said(heads[0], "orderno")

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        verb, _, number = self.name_of(call)
        if fault.mode == "wrong_sign":
            return _reply("0", "S001", "签名错误")
        if fault.mode == "busy":
            return _reply("0", "S002", "系统繁忙")
        if fault.mode == "partial_rows" and verb.startswith("put"):
            # Of several rows the first is done; a single one is the one that is not.
            heads = _heads(read(_fields(call)[1]))
            done, left = (heads[:1], heads[1:]) if len(heads) > 1 else ([], heads)
            for head in done:
                self.world.put(_order(head, verb.partition("_")[2]))
            return _reply("2", "0001", "部分失败", [_row(head, "S002", "未处理") for head in left])
        if fault.mode == "look_up_lag":
            if verb.startswith("state"):
                return _reply("1", "0000", "ok", more={"ordernos": {"orderinfo": []}})
            reply = self.answer(call)
            with self.world.lock:
                if number in self.world.orders:
                    self.world.orders[number].seen_from = call.at + fault.seconds
            return reply
        return None

    def answer(self, call: Call) -> Reply:
        if call.path != PATH or call.method != "POST":
            return Reply("请用 POST 调用接口".encode(), content_type="text/plain; charset=utf-8")
        try:
            told, text = _fields(call)
            value = read(text)
        except (Unreadable, ValueError) as error:
            return _reply("0", "S003", f"报文有误：{error}")
        expected = unquote(signing.flux(text, self.account.secret, self.variant))
        sign = told.get("sign", "")
        sent_right = unquote(sign) == expected and (self.variant == "twice") == ("%" in sign)
        if not sent_right or told.get("apptoken") != self.account.app_token:
            return _reply("0", "S001", "签名错误")
        verb = VERBS.get(told.get("method", "").lower(), "")
        verb, _, kind = verb.partition("_")  # put_asn: the same of inbound orders
        if verb == "stock":
            return self._stock(value)
        if verb == "state":
            return self._state(_heads(value), call.at, kind)
        if verb in ("put", "cancel"):
            return self._write(verb, _heads(value), kind)
        return _reply("0", "0001", "找不到指定方法")

    def _write(self, verb: str, heads: list[Mapping[str, Any]], kind: str) -> Reply:
        """Row by row: 1 when all went well, 0 when none did, 2 for a part."""
        bad = []
        for head in heads:
            try:
                if said(head, "customerid") != self.account.owner:
                    raise Refusal("S004", "货主不存在")
                if said(head, "warehouseid") != self.account.warehouse:
                    raise Refusal("S003", "仓库不存在")
                if verb == "put":
                    self.world.put(_order(head, kind))
                else:
                    self.world.cancel(said(head, "orderno"), kind)
            except Refusal as refusal:
                bad.append(_row(head, refusal.code, refusal.message))
            except ValueError as error:
                bad.append(_row(head, "S003", str(error)))
        if not bad and heads:
            return _reply("1", "0000", "ok")
        return _reply("2" if len(bad) < len(heads) else "0", "0001", "存在错误", bad)

    def _state(self, heads: list[Mapping[str, Any]], at: float, kind: str) -> Reply:
        found = []
        with self.world.lock:
            for head in heads:
                held = self.world.orders.get(said(head, "orderno"))
                if held and held.seen_from <= at and held.kind == kind:
                    row = {"OrderNo": held.number, "WMSOrderNo": held.id, "OrderType": held.type}
                    row |= {"CustomerID": self.account.owner, "WarehouseID": self.account.warehouse}
                    found.append(row | {"Status": held.status, "Time": signing.stamp(datetime.now(UTC))})
        return _reply("1", "0000", "ok", more={"ordernos": {"orderinfo": found}})

    def _stock(self, value: Any) -> Reply:
        asked = (_heads(value) or [{}])[0]
        page, size = int(said(asked, "pageno") or 1), min(int(said(asked, "pagesize") or 10), MOST_ROWS)
        with self.world.lock:
            lots = [(sku, lot) for sku in sorted(self.world.stock) for lot in self.world.stock[sku]]
        here = {"CustomerID": self.account.owner, "WarehouseID": self.account.warehouse}
        some = [
            {**here, "SKU": sku, "Qty": str(lot), "QtyAllocated": "0"}
            for sku, lot in lots[(page - 1) * size : page * size]
        ]
        return _reply("1", "0000", "ok", str(len(lots)), more={"items": {"item": some}})

    # -- calls that go out

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what == "stock":
            with self.world.lock:
                self.world.stock[str(given["item"])] = [Decimal(str(given["quantity"]))]
            return {}
        if what == "allocate":
            return {"status": self.world.allocate(str(given["code"])).status}
        if what not in ("confirm", "receive", "count", "change"):
            raise NoSuchAct(what)
        code = str(given.get("code") or given.get("item") or "")
        fault = self.faults.pick(what, "", code)
        mode = fault.mode if fault else ""
        method, order = getattr(self, f"_{what}")(given, mode)
        heard = deliver(
            lambda: self.signed(method, order, str(given["url"]), mode), _taken, given, mode, self.over
        )
        with self.world.lock:
            self.world.pushed.append({"method": method, "code": code, **heard})
        return heard

    def signed(self, method: str, order: Mapping[str, Any], url: str, mode: str = "") -> Sending:
        """One call of ours as it goes out, its clock right unless `clock_skew`."""
        inside = {"data": {"orderinfo": [order]}}
        text = encode({"xmldata": inside} if self.gateway == "form" else inside)
        at = datetime.now(UTC) - (SKEW if mode == "clock_skew" else timedelta(0))
        secret = "wrong" if mode == "wrong_sign" else self.account.secret
        fields = {
            "method": method,
            "client_customerid": self.account.owner,
            "apptoken": self.account.app_token,
            "appkey": self.account.app_key,
            "timestamp": signing.stamp(at),
            "sign": signing.flux(text, secret, self.variant),
            "format": "JSON",
        }
        if self.gateway == "form":
            return Sending(url, urlencode({**fields, "data": text}).encode(), FORM)
        return Sending(f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}", text.encode(), JSON)

    def _confirm(self, given: Mapping[str, Any], mode: str) -> tuple[str, dict[str, Any]]:
        number = str(given["code"])
        asked = {str(no): Decimal(str(count)) for no, count in (given.get("quantities") or {}).items()}
        if mode == "partial_rows" and not asked:
            first = self.world.orders[number].lines[0]
            asked = {first.no: first.left}
        went = self.world.ship(number, asked)
        order, when = self.world.orders[number], signing.stamp(datetime.now(UTC))
        return "confirmSOData", {
            **self._key(number, order.type),
            "WMSOrderNo": order.id,
            "DeliveryNo": f"SF{order.id[1:]}",
            "CarrierId": "SF",
            "CarrierName": "顺丰速运",
            "item": [
                {
                    "OrderNo": order.id,
                    "LineNo": line.no,
                    "SKU": line.sku,
                    "QtyOrdered": str(line.ordered),
                    "QtyShipped": str(count),
                    "ShippedTime": when,
                }
                for line, count in went
            ],
        }

    def _receive(self, given: Mapping[str, Any], _: str) -> tuple[str, dict[str, Any]]:
        """Goods came: of an announcement what `quantities` say or all that is left, else of `item` the `quantity`."""
        number = str(given["code"])
        order = self.world.orders.get(number)
        if order is None:
            count = Decimal(str(given["quantity"]))
            went = [(Line("1", str(given["item"]), count), count)]
        else:
            asked = {str(no): Decimal(str(each)) for no, each in (given.get("quantities") or {}).items()}
            went = self.world.ship(number, asked)
        when = signing.stamp(datetime.now(UTC))
        items = [
            {
                "SKU": line.sku,
                "LineNo": line.no,
                "ExpectedQty": str(line.ordered),
                "ReceivedQty": str(count),
                "ReceivedTime": when,
            }
            for line, count in went
        ]
        status = str(given.get("status") or "40")
        head = {**self._key(number, "PO"), "WMSOrderno": f"R-{number}", "Status": status}
        return "confirmASNData", {**head, "item": items}

    def _count(self, given: Mapping[str, Any], _: str) -> tuple[str, dict[str, Any]]:
        sku, count = str(given["item"]), Decimal(str(given["quantity"]))
        with self.world.lock:
            change = count - sum(self.world.stock.get(sku, []), Decimal(0))
            self.world.stock[sku] = [count]
            self.world.serial += 1
            number = f"PD{self.world.serial:06}"
        row = {"itemCode": sku, "inventoryType": "ZP", "quantity": str(change)}
        if given.get("total"):
            row["totalQty"] = str(count)
        return "inventoryReport", {
            "checkOrderCode": number,
            "WarehouseID": self.account.warehouse,
            "items": {"item": [row]},
        }

    def _change(self, given: Mapping[str, Any], _: str) -> tuple[str, dict[str, Any]]:
        sku, change = str(given["item"]), Decimal(str(given["quantity"]))
        with self.world.lock:
            self.world.stock[sku] = [sum(self.world.stock.get(sku, []), Decimal(0)) + change]
            self.world.serial += 1
            number = f"ADJ{self.world.serial:06}"
        row = {
            "LineNo": "1",
            "SKU": sku,
            "AdjQty": str(change),
            "AdjReason": str(given.get("reason") or "盘亏"),
        }
        head = {"AdjNo": number, "CustomerID": self.account.owner, "WarehouseID": self.account.warehouse}
        return "confirmINVADDData", {**head, "AdjTime": signing.stamp(datetime.now(UTC)), "item": [row]}

    def _key(self, number: str, type: str) -> dict[str, str]:
        account = self.account
        return {
            "OMSOrderNo": number,
            "OrderType": type,
            "CustomerID": account.owner,
            "WarehouseID": account.warehouse,
        }


def _fields(call: Call) -> tuple[dict[str, str], str]:
    """The fields of a call and the text that is signed, by the gateway its content type names."""
    body = call.body.decode("utf-8")
    if "json" in call.headers.get("content-type", ""):
        return call.query, body
    told = dict(parse_qsl(body, keep_blank_values=True))
    return told, told.get("data", "")


def _heads(value: Any) -> list[Mapping[str, Any]]:
    for one in objects(value):
        for name in ("header", "ordernos"):
            if found := rows(one, name):
                return found
    return []


def _order(head: Mapping[str, Any], kind: str) -> Order:
    items = rows(head, "detailsitem") or rows(head, "details")
    name = "expectedqty" if kind == "asn" else "qtyordered"
    lines = [Line(said(row, "lineno"), said(row, "sku"), quantity(said(row, name))) for row in items]
    return Order(said(head, "orderno"), said(head, "ordertype"), lines, kind)


def _row(head: Mapping[str, Any], code: str, message: str) -> dict[str, str]:
    return {
        "OrderNo": said(head, "orderno"),
        "OrderType": said(head, "ordertype"),
        "CustomerID": said(head, "customerid"),
        "WarehouseID": said(head, "warehouseid"),
        "errorcode": code,
        "errordescr": message,
    }


def _taken(body: bytes) -> bool:
    try:
        value = read(body)
    except Unreadable:
        return False
    return any(said(one, "returnflag") == "1" for one in objects(value))


def _reply(flag: str, code: str, text: str, info: Any = "", more: Mapping[str, Any] | None = None) -> Reply:
    told = {"returnCode": code, "returnDesc": text, "returnFlag": flag, "resultInfo": info}
    return Reply(encode({"Response": {"return": told, **(more or {})}}).encode(), content_type=JSON)

"""The socket: signed calls to the warehouse's services, and confirmations pushed to the portal."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from connectors.wms import signing, xmltext
from connectors.wms.pushing import MODES, SKEW, Sending, deliver
from connectors.wms.qimen.simulator.world import DEMO_ACCOUNT, DemoAccount, Line, Order, Refusal, World
from connectors.wms.xmltext import leaf, leaves, said, tag
from tongshang.simulate import Call, Fault, NoSuchAct, Practice, Reply

PREFIX = "taobao.qimen."
HEADS = {"stockout": "deliveryOrder", "deliveryorder": "deliveryOrder", "entryorder": "entryOrder"}
"""Kinds of orders by the element that names each."""
XML = "text/xml; charset=utf-8"
MOST_ROWS = 100


class Simulator(Practice):
    """One Qimen warehouse."""

    title: ClassVar[str] = "奇门仓库 Qimen warehouse"
    modes: ClassVar[dict[str, str]] = MODES
    acts: ClassVar[dict[str, tuple[str, ...]]] = {
        "confirm": ("code", "url"),
        "pick": ("code",),
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
        both_ends: bool = True,
        tells_plan: bool = True,
    ) -> None:
        self.account, self.both_ends, self.tells_plan = account, both_ends, tells_plan
        self.world = World()
        self.over = threading.Event()
        super().__init__(host=host, port=port, seed=seed)

    @property
    def url(self) -> str:
        return f"{self.address}/router/qimen/service"

    def stop(self) -> None:
        self.over.set()
        super().stop()

    def logins(self) -> dict[str, object]:
        account = self.account
        return {
            "app_key": account.app_key,
            "secret": account.secret,
            "customerId": account.customer_id,
            "ownerCode": account.owner,
            "warehouseCode": account.warehouse,
        }

    def state(self) -> dict[str, object]:
        with self.world.lock:
            return {
                "orders": {
                    order.code: f"{order.id} {order.kind} {order.status} "
                    + ", ".join(f"{line.item} {line.shipped}/{line.planned}" for line in order.lines)
                    for order in self.world.orders.values()
                },
                "stock": dict(self.world.stock),
                "pushed": list(self.world.pushed),
            }

    # -- calls that come in

    def name_of(self, call: Call) -> tuple[str, str, str]:
        operation = call.query.get("method", "").removeprefix(PREFIX)
        root = xmltext.read(call.body)
        code = (
            said(root, ".//deliveryOrderCode") or said(root, ".//entryOrderCode") or said(root, "orderCode")
        )
        return operation, "", code

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        operation, _, code = self.name_of(call)
        if fault.mode == "wrong_sign":
            return _failure("sign-check-failure", "Illegal request")
        if fault.mode == "busy":
            return _failure("S05", "系统繁忙，请稍后再试")
        if fault.mode == "look_up_lag":
            if operation.endswith("query"):
                return _failure("ORDER_NOT_EXIST", f"单据不存在：{code}")
            reply = self.answer(call)
            with self.world.lock:
                if code in self.world.orders:
                    self.world.orders[code].seen_from = call.at + fault.seconds
            return reply
        return None

    def answer(self, call: Call) -> Reply:
        if call.path != "/router/qimen/service" or call.method != "POST":
            return Reply("请用 POST 调用奇门服务".encode(), 200, content_type="text/plain; charset=utf-8")
        told = call.query
        expected = signing.qimen(told, call.body, self.account.secret, both_ends=self.both_ends)
        at = datetime.fromtimestamp(call.at, UTC)
        if told.get("app_key") != self.account.app_key or not signing.same(told.get("sign", ""), [expected]):
            return _failure("sign-check-failure", "Illegal request")
        if not signing.fresh(told.get("timestamp", ""), at):
            return _failure("S04", "timestamp 超出允许的范围")
        if told.get("customerId") != self.account.customer_id:
            return _failure("S04", "customerId 不存在")
        try:
            return self._service(
                told.get("method", "").removeprefix(PREFIX), xmltext.read(call.body), call.at
            )
        except Refusal as refusal:
            return _failure(refusal.code, refusal.message)
        except (xmltext.Unreadable, InvalidOperation) as error:
            return _failure("S03", f"报文有误：{error}")

    def _service(self, operation: str, root: Any, at: float) -> Reply:
        kind, _, verb = operation.partition(".")
        if verb == "create" and kind in HEADS:
            return self._create(kind, root)
        if verb == "query" and kind in HEADS:
            return self._query(HEADS[kind], root, at)
        if operation == "order.cancel":
            self.world.cancel(said(root, "orderCode"))
            return _success()
        if operation == "stock.query":
            return self._stock(root)
        if operation == "inventory.query":
            asked = [said(row, "itemCode") for row in root.findall("criteriaList/criteria")]
            with self.world.lock:
                rows = [(item, self.world.stock[item]) for item in asked if item in self.world.stock]
            return _success(self._items(rows))
        raise Refusal("S03", f"没有这个接口：{operation}")

    def _create(self, kind: str, root: Any) -> Reply:
        name = HEADS[kind]
        head = root.find(name)
        if said(head, "warehouseCode") != self.account.warehouse:
            raise Refusal("S03", "仓库编码不存在")
        lines = [
            Line(said(row, "orderLineNo"), said(row, "itemCode"), Decimal(said(row, "planQty") or "0"))
            for row in root.findall("orderLines/orderLine")
        ]
        if any(said(row, "ownerCode") != self.account.owner for row in root.findall("orderLines/orderLine")):
            raise Refusal("S03", "货主编码不存在")
        code, type = said(head, f"{name}Code"), said(head, "orderType")
        order = self.world.create(Order("", code, type, self.account.warehouse, kind, lines))
        return _success(leaf("createTime", signing.stamp(datetime.now(UTC))) + leaf(f"{name}Id", order.id))

    def _query(self, name: str, root: Any, at: float) -> Reply:
        code = said(root, f"{name}Code") or said(root, "orderCode")
        page, size = int(said(root, "page") or 1), min(int(said(root, "pageSize") or 10), MOST_ROWS)
        with self.world.lock:
            order = self.world.look(code, at)
            if HEADS[order.kind] != name:
                raise Refusal("ORDER_NOT_EXIST", f"单据不存在：{code}")
            some = order.lines[(page - 1) * size : page * size]
            rows = [
                tag(
                    "orderLine",
                    leaves(
                        orderLineNo=line.no,
                        itemCode=line.item,
                        inventoryType="ZP",
                        planQty=line.planned if self.tells_plan else "",
                        actualQty=line.shipped,
                    ),
                )
                for line in some
            ]
            head = leaf(f"{name}Code", order.code) + leaf(f"{name}Id", order.id)
            head += leaves(
                warehouseCode=order.warehouse,
                orderType=order.type,
                status=order.status,
            )
            total = len(order.lines)
        return _success(leaf("totalLines", total) + tag(name, head) + tag("orderLines", *rows))

    def _stock(self, root: Any) -> Reply:
        page, size = int(said(root, "page") or 1), min(int(said(root, "pageSize") or 10), MOST_ROWS)
        with self.world.lock:
            rows = sorted(self.world.stock.items())
        some = rows[(page - 1) * size : page * size]
        return _success(leaf("totalLines", len(rows)) + self._items(some))

    def _items(self, rows: list[tuple[str, Decimal]]) -> str:
        return tag(
            "items",
            *(
                tag(
                    "item",
                    leaves(
                        warehouseCode=self.account.warehouse,
                        itemCode=item,
                        inventoryType="ZP",
                        quantity=count,
                        lockQuantity=0,
                    ),
                )
                for item, count in rows
            ),
        )

    # -- calls that go out

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what == "stock":
            with self.world.lock:
                self.world.stock[str(given["item"])] = _number(given["quantity"])
            return {}
        if what == "pick":
            return {"status": self.world.pick(str(given["code"])).status}
        if what not in ("confirm", "receive", "count", "change"):
            raise NoSuchAct(what)
        code = str(given.get("code") or given.get("item") or "")
        fault = self.faults.pick(what, "", code)
        mode = fault.mode if fault else ""
        method, inside = getattr(self, f"_{what}")(given, mode)
        heard = self.push(method, inside, str(given["url"]), given, mode)
        with self.world.lock:
            self.world.pushed.append({"method": method, "code": code, **heard})
        return heard

    def push(
        self, method: str, inside: str, url: str, given: Mapping[str, Any], mode: str = ""
    ) -> dict[str, Any]:
        """Sign and send until the portal answers success."""
        body = xmltext.document(tag("request", inside))
        return deliver(lambda: self.signed(method, body, url, mode), _taken, given, mode, self.over)

    def signed(self, method: str, body: bytes, url: str, mode: str = "") -> Sending:
        """One call of ours as it goes out, its clock right unless `clock_skew`."""
        account, at = self.account, datetime.now(UTC) - (SKEW if mode == "clock_skew" else timedelta(0))
        params = {
            "method": PREFIX + method,
            "timestamp": signing.stamp(at),
            "format": "xml",
            "app_key": account.app_key,
            "v": "2.0",
            "sign_method": "md5",
            "customerId": account.customer_id,
        }
        secret = "wrong" if mode == "wrong_sign" else account.secret
        params["sign"] = signing.qimen(params, body, secret, both_ends=self.both_ends)
        return Sending(f"{url}{'&' if '?' in url else '?'}{urlencode(params, quote_via=quote)}", body, XML)

    def _confirm(self, given: Mapping[str, Any], mode: str) -> tuple[str, str]:
        code = str(given["code"])
        asked = {str(no): _number(count) for no, count in (given.get("quantities") or {}).items()}
        if mode == "partial_rows" and not asked:
            first = self.world.orders[code].lines[0]
            asked = {first.no: first.left}
        went = self.world.ship(code, asked)
        order = self.world.orders[code]
        head = leaves(
            deliveryOrderCode=code,
            deliveryOrderId=order.id,
            warehouseCode=order.warehouse,
            orderType=order.type,
            status=order.status,
            outBizCode=f"{order.id}-{order.confirmations}",
            confirmType=0 if order.status == "DELIVERED" else 1,
            orderConfirmTime=signing.stamp(datetime.now(UTC)),
        )
        lines = [
            leaves(orderLineNo=line.no, itemCode=line.item, planQty=line.planned, actualQty=count)
            for line, count in went
        ]
        goods = [leaves(itemCode=line.item, quantity=count) for line, count in went if count]
        package = leaves(
            logisticsCode="SF", logisticsName="顺丰速运", expressCode=f"SF{order.id[1:]}{order.confirmations}"
        )
        packed = tag("items", *(tag("item", one) for one in goods))
        return f"{order.kind}.confirm", (
            tag("deliveryOrder", head)
            + tag("packages", tag("package", package, packed))
            + tag("orderLines", *(tag("orderLine", one) for one in lines))
        )

    def _receive(self, given: Mapping[str, Any], _: str) -> tuple[str, str]:
        """Goods came: of an announcement what `quantities` say or all that is left, else of `item` the `quantity`."""
        code = str(given["code"])
        order = self.world.orders.get(code)
        if order is None:
            count = _number(given["quantity"])
            went = [(Line("1", str(given["item"]), count), count)]
        else:
            asked = {str(no): _number(each) for no, each in (given.get("quantities") or {}).items()}
            went = self.world.ship(code, asked)
        head = leaves(
            entryOrderCode=code,
            ownerCode=self.account.owner,
            warehouseCode=self.account.warehouse,
            entryOrderId=order.id if order else f"R-{code}",
            entryOrderType="CGRK",
            outBizCode=self._serial("R"),
            confirmType=0,
            status="FULFILLED",
            operateTime=signing.stamp(datetime.now(UTC)),
        )
        lines = [
            leaves(
                orderLineNo=line.no,
                itemCode=line.item,
                inventoryType="ZP",
                planQty=line.planned,
                actualQty=count,
            )
            for line, count in went
        ]
        return "entryorder.confirm", tag("entryOrder", head) + tag(
            "orderLines", *(tag("orderLine", one) for one in lines)
        )

    def _count(self, given: Mapping[str, Any], _: str) -> tuple[str, str]:
        item, count = str(given["item"]), _number(given["quantity"])
        with self.world.lock:
            change = count - self.world.stock.get(item, Decimal(0))
            self.world.stock[item] = count
        head = leaves(
            warehouseCode=self.account.warehouse,
            ownerCode=self.account.owner,
            checkOrderCode=self._serial("PD"),
            outBizCode=self._serial("C"),
            checkTime=signing.stamp(datetime.now(UTC)),
        )
        row = leaves(itemCode=item, inventoryType="ZP", quantity=change, totalQty=count)
        return "inventory.report", head + tag("items", tag("item", row))

    def _change(self, given: Mapping[str, Any], _: str) -> tuple[str, str]:
        item, change = str(given["item"]), _number(given["quantity"])
        with self.world.lock:
            self.world.stock[item] = self.world.stock.get(item, Decimal(0)) + change
        row = leaves(
            ownerCode=self.account.owner,
            warehouseCode=self.account.warehouse,
            orderCode=self._serial("YD"),
            outBizCode=self._serial("M"),
            itemCode=item,
            inventoryType="ZP",
            quantity=change,
        )
        return "stockchange.report", tag("items", tag("item", row))

    def _serial(self, letter: str) -> str:
        with self.world.lock:
            self.world.serial += 1
            return f"{letter}{self.world.serial:06}"


def _number(value: object) -> Decimal:
    return Decimal(str(value))


def _taken(body: bytes) -> bool:
    try:
        return said(xmltext.read(body), "flag") == "success"
    except xmltext.Unreadable:
        return False


def _success(more: str = "") -> Reply:
    inside = leaf("flag", "success") + leaf("code", "0") + leaf("message", "") + more
    return Reply(xmltext.document(tag("response", inside)), content_type=XML)


def _failure(code: str, message: str) -> Reply:
    inside = leaf("flag", "failure") + leaf("code", code) + leaf("message", message)
    return Reply(xmltext.document(tag("response", inside)), content_type=XML)

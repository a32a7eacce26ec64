"""What a practice warehouse holds: orders with their life, and goods on its shelves."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class DemoAccount:
    app_key: str = "tsdemo"
    secret: str = "qimen-practice-secret"
    customer_id: str = "TSCUST01"
    owner: str = "TSOWNER"
    warehouse: str = "WH01"


DEMO_ACCOUNT = DemoAccount()


class Refusal(Exception):
    """The warehouse answers failure with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass
class Line:
    no: str
    item: str
    planned: Decimal
    shipped: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        return self.planned - self.shipped


@dataclass
class Order:
    """One outbound or inbound order. Life: ACCEPT, PICK, PARTDELIVERED, DELIVERED; or CANCELED before it is picked."""

    id: str
    code: str
    type: str
    warehouse: str
    kind: str  # stockout, deliveryorder or entryorder
    lines: list[Line]
    status: str = "ACCEPT"
    seen_from: float = 0.0  # seconds since the epoch; a look-up does not show it before
    confirmations: int = 0


@dataclass
class World:
    """Everything one warehouse knows."""

    orders: dict[str, Order] = field(default_factory=dict)
    stock: dict[str, Decimal] = field(default_factory=dict)  # good stock by item
    known_items: set[str] = field(default_factory=set)  # empty: every item is known
    pushed: list[dict[str, object]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    serial: int = 0

    def create(self, order: Order) -> Order:
        """Take an order; raises Refusal."""
        with self.lock:
            if not order.code or not order.lines:
                raise Refusal("S03", "单号或明细为空")
            if order.code in self.orders:
                raise Refusal("S07", f"ORDER_ALREADY_EXISTS {order.code}")
            for line in order.lines:
                if self.known_items and line.item not in self.known_items:
                    raise Refusal("S12", f"商品不存在：{line.item}")
                if line.planned <= 0 or line.planned != line.planned.to_integral_value():
                    raise Refusal("S03", f"数量不是正整数：{line.planned}")
            self.serial += 1
            order.id = f"W{self.serial:06}"
            self.orders[order.code] = order
            return order

    def look(self, code: str, at: float) -> Order:
        with self.lock:
            order = self.orders.get(code)
            if order is None or order.seen_from > at:
                raise Refusal("ORDER_NOT_EXIST", f"单据不存在：{code}")
            return order

    def cancel(self, code: str) -> Order:
        with self.lock:
            order = self.orders.get(code)
            if order is None:
                raise Refusal("ORDER_NOT_EXIST", f"单据不存在：{code}")
            if order.status not in ("ACCEPT", "CANCELED"):
                raise Refusal("ORDER_IN_WORK", f"单据已在作业，不能取消：{order.status}")
            order.status = "CANCELED"
            return order

    def pick(self, code: str) -> Order:
        with self.lock:
            order = self.orders[code]
            if order.status != "ACCEPT":
                raise ValueError(f"{code} is {order.status}")
            order.status = "PICK"
            return order

    def ship(self, code: str, quantities: dict[str, Decimal]) -> list[tuple[Line, Decimal]]:
        """Ship, or of an inbound order take in, these quantities by line number, or all that is left; what went."""
        with self.lock:
            order = self.orders[code]
            if order.status in ("CANCELED", "DELIVERED"):
                raise ValueError(f"{code} is {order.status}")
            went = []
            for line in order.lines:
                count = min(quantities.get(line.no, Decimal(0)), line.left) if quantities else line.left
                line.shipped += count
                if order.kind == "entryorder":
                    self.stock[line.item] = self.stock.get(line.item, Decimal(0)) + count
                elif item_stock := self.stock.get(line.item):
                    self.stock[line.item] = max(Decimal(0), item_stock - count)
                went.append((line, count))
            order.status = "DELIVERED" if all(not line.left for line in order.lines) else "PARTDELIVERED"
            order.confirmations += 1
            return went

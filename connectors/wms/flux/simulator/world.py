"""What a practice warehouse holds: orders with their life, and goods on its shelves."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from decimal import Decimal

OPEN, ALLOCATED, PARTLY, CANCELLED, DONE = "00", "40", "65", "90", "99"


@dataclass(frozen=True)
class DemoAccount:
    app_key: str = "test"
    app_token: str = "80AC1A3F-PRACTICE"
    secret: str = "flux-practice-secret"
    owner: str = "TSCUST01"
    warehouse: str = "WH01"


DEMO_ACCOUNT = DemoAccount()


class Refusal(Exception):
    """The warehouse refuses one row with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass
class Line:
    no: str
    sku: str
    ordered: Decimal
    shipped: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        return self.ordered - self.shipped


@dataclass
class Order:
    """One order. Life: 00 open, 40 allocated, 65 partly shipped, 99 done; or 90 cancelled while it is open."""

    number: str
    type: str
    lines: list[Line]
    kind: str = ""  # asn: an inbound order
    id: str = ""
    status: str = OPEN
    puts: int = 1
    seen_from: float = 0.0  # seconds since the epoch; a look-up does not show it before


@dataclass
class World:
    """Everything one warehouse knows."""

    orders: dict[str, Order] = field(default_factory=dict)
    stock: dict[str, list[Decimal]] = field(default_factory=dict)  # lots by item
    pushed: list[dict[str, object]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    serial: int = 0

    def put(self, order: Order) -> Order:
        """Take an order, or replace one that is still open; raises Refusal."""
        with self.lock:
            if not order.number or not order.lines or any(line.ordered <= 0 for line in order.lines):
                raise Refusal("S003", "单号、明细或数量有误")
            held = self.orders.get(order.number)
            if held is None:
                self.serial += 1
                order.id = f"X{self.serial:08}"
                self.orders[order.number] = order
                return order
            if held.status != OPEN:
                raise Refusal("S006", f"订单已存在且不允许修改：{held.status}")
            held.lines, held.puts = order.lines, held.puts + 1
            return held

    def cancel(self, number: str, kind: str = "") -> Order:
        with self.lock:
            held = self.orders.get(number)
            if held is None or held.kind != kind:
                raise Refusal("S007", f"订单不存在：{number}")
            if held.status not in (OPEN, CANCELLED):
                raise Refusal("S006", f"订单已在作业：{held.status}")
            held.status = CANCELLED
            return held

    def allocate(self, number: str) -> Order:
        with self.lock:
            held = self.orders[number]
            if held.status != OPEN:
                raise ValueError(f"{number} is {held.status}")
            held.status = ALLOCATED
            return held

    def ship(self, number: str, quantities: dict[str, Decimal]) -> list[tuple[Line, Decimal]]:
        """Ship, or of an inbound order take in, these quantities by line number, or all that is left; what went."""
        with self.lock:
            held = self.orders[number]
            if held.status in (CANCELLED, DONE):
                raise ValueError(f"{number} is {held.status}")
            went = []
            for line in held.lines:
                count = min(quantities.get(line.no, Decimal(0)), line.left) if quantities else line.left
                line.shipped += count
                went.append((line, count))
            held.status = DONE if all(not line.left for line in held.lines) else PARTLY
            return went

"""An EAS server to talk to, links that talk to it, and a seller whose orders go there through the real engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectors.kingdee.eas.simulator import Simulator
from connectors.kingdee.eas.system import Eas, EasLink
from core.db import Unit
from core.kernel import uuid7
from core.orders import TradeOrder
from core.sync import NewConnection, OutboundRule, Registry, connect, enqueue
from core.tenancy import register_enterprise
from tests.sync.conftest import BUYER_CODE, SELLER_CODE, House
from tongshang.connect import Access, LineOut, OrderOut, session

VALUES = dict(Eas().demo_values())
BASE: Mapping[str, Any] = {
    "customers": [{"number": "C0217", "name": "锡安达机电", "tax_code": BUYER_CODE}],
    "materials": [
        {"number": "BRG-6204", "name": "深沟球轴承 6204", "unit": "PCS", "specification": "20×47×14"},
        {"number": "RB-HRB400E-16", "name": "螺纹钢 HRB400E Φ16", "unit": "T"},
    ],
    "stock": [
        {"material": "BRG-6204", "quantity": "500", "lot": "A"},
        {"material": "BRG-6204", "quantity": "20.5", "lot": "B"},
        {"material": "RB-HRB400E-16", "quantity": "62"},
    ],
}
FACADE = "WSSCMWebServiceFacade"


def access(url: str, **told: str) -> Access:
    """Access with the simulator's login; `told` goes over it."""
    settings = {**VALUES, **told}
    secrets = {"password": settings.pop("password")}
    return Access(url, settings.pop("organisation", "100"), settings, secrets)


def link_to(simulator: Simulator, timeout: tuple[float, float] = (2, 2), **told: str) -> EasLink:
    """A link whose calls end within `timeout` seconds."""
    http = session([OutboundRule.parse(f"127.0.0.1:{simulator.port}")])
    link = Eas().open(access(simulator.url, **told), http)
    link.wire.timeout = timeout
    return link


def order(number: str = "TS-1", **changes: Any) -> OrderOut:
    """120 bearings and two tonnes of rebar."""
    lines = (
        LineOut(1, UUID(int=1), "BRG-6204", "轴承", "pcs", Decimal(120), Decimal("0.13"), Decimal("4380.00")),
        LineOut(
            2, UUID(int=2), "RB-HRB400E-16", "螺纹钢", "t", Decimal(2), Decimal("0.13"), Decimal("7936.00")
        ),
    )
    told: dict[str, Any] = {
        "object_id": UUID(int=9),
        "reference": number,
        "version": 1,
        "partner_id": UUID(int=8),
        "partner_name": "锡安达机电",
        "partner_code": BUYER_CODE,
        "buyer_po": "PO-77",
        "currency": "CNY",
        "total": Decimal("12316.00"),
        "ordered_on": date(2026, 11, 22),
        "delivery_on": date(2026, 12, 5),
        "ship_to": "",
        "note": "",
        "lines": lines,
    }
    return OrderOut(**{**told, **changes})


def nobody(kind: str, id: UUID) -> None:
    """No object of ours has a number there yet."""


class EasHouse(House):
    """The seller's side of the platform, wired to an EAS server."""

    def __init__(self, app: Unit, worker: Unit, eas: Simulator) -> None:
        self.app, self.worker, self.eas = app, worker, eas
        self.kingdee = eas  # type: ignore[assignment]  # where the rules lead
        self.seller, self.buyer = uuid7(), uuid7()
        self.registry = Registry([Eas()])
        for tenant, name, code in (
            (self.seller, "华东联钢", SELLER_CODE),
            (self.buyer, "锡安达机电", BUYER_CODE),
        ):
            with app.system(tenant, "test") as ctx:
                register_enterprise(ctx, name=name, uscc=code, kind="trader")
        eas.books.merge(BASE)
        self.connection_id = self.connect("金蝶 EAS")

    def connect(self, name: str, **values: str) -> UUID:
        with self.app.system(self.seller, "test") as ctx:
            given = NewConnection(name, self.eas.url, "100", VALUES | values)
            return connect(ctx, Eas(), given).id

    def change(self, order_id: UUID, intent: str) -> None:
        """A second wish for an order of 120 bearings: `change` to 100 of them, or `cancel`."""
        if intent == "change":
            self.sql(
                "UPDATE ts.order_line SET quantity = 100, gross = 3650, net = 3230.09, tax = 419.91 WHERE no = 1"
            )
            self.sql("UPDATE ts.trade_order SET total = 11586, net = 10253.10, tax = 1332.90")
        with self.app.system(self.seller, "test") as ctx:
            found = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id))
            assert found is not None
            enqueue(ctx, found, intent, 4)

    def bills(self) -> dict[str, list[dict[str, Any]]]:
        """What EAS holds, by number."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self.eas.books.lock:
            for one in self.eas.books.orders.values():
                found.setdefault(one.number, []).append(one.row())
        return found

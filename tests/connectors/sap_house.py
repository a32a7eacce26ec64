"""A practice SAP, clients that talk to it, and a seller with confirmed orders wired to it: fixtures for the OData tests."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from connectors.sap.odata.addresses import System
from connectors.sap.odata.client import Client
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import SiteMapping
from connectors.sap.odata.signin import Basic
from connectors.sap.odata.simulator import DEMO, Gateway
from connectors.sap.odata.system import SapOData
from core.db import Database, Unit
from core.kernel import uuid7
from core.orders import OrderLine, TradeOrder
from core.sync import Engine, NewConnection, Puller, Registry, connect, enqueue
from core.tenancy import register_enterprise
from tests.conftest import make_unit
from tongshang.connect import Access, LineOut, OrderOut, OutboundRule, Trace, session

SELLER_CODE, BUYER_CODE = "91310000MA1FL4XY7W", "91350100M000100Y43"
CUSTOMER = "10100001"
FAST = timedelta(seconds=0.05)
USER = Basic(DEMO.user, DEMO.password)
BUYER = {"customers": [{"number": CUSTOMER, "name": "锡安达机电", "tax_code": BUYER_CODE}]}


def access_to(gateway: Gateway, **values: str) -> Access:
    """What the platform would hand over for this gateway."""
    told = {each.key: each.default for each in SapOData.settings if each.default}
    told |= {**SapOData().demo_values(), **values}
    kinds = {each.key: each.kind for each in SapOData.settings}
    secrets = {key: value for key, value in told.items() if kinds.get(key) == "secret"}
    settings = {key: value for key, value in told.items() if key not in secrets}
    return Access(gateway.url, "1010", settings, secrets)


def order_out(reference: str = "TS-1", *lines: tuple[int, str, str, str, str], **changes: Any) -> OrderOut:
    """An order of bearings and rebar; lines are (no, material, unit, quantity, amount with tax)."""
    lines = lines or ((1, "BRG-6204", "pcs", "120", "4380.00"), (2, "RB-HRB400E-16", "t", "2", "7936.00"))
    made = tuple(
        LineOut(no, uuid7(), code, code, unit, Decimal(quantity), Decimal("0.13"), Decimal(gross))
        for no, code, unit, quantity, gross in lines
    )
    values = {
        "object_id": uuid7(),
        "reference": reference,
        "version": 1,
        "partner_id": uuid7(),
        "partner_name": "锡安达机电",
        "partner_code": BUYER_CODE,
        "buyer_po": "PO-77",
        "currency": "CNY",
        "total": sum((line.gross for line in made), Decimal(0)),
        "ordered_on": date(2026, 11, 22),
        "delivery_on": date(2026, 12, 5),
        "ship_to": "无锡市新吴区 1 号",
        "note": "",
        "lines": made,
    }
    return OrderOut(**{**values, **changes})


def nothing_known(kind: str, id: UUID) -> str | None:
    return None


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as made:
        made.load(BUYER)
        yield made


@pytest.fixture
def client_of(gateway: Gateway) -> Iterator[Callable[..., Client]]:
    """Clients of the gateway; their trace is at `client.trace`."""
    opened = []

    def make(**options: Any) -> Client:
        http = session([OutboundRule.parse(f"127.0.0.1:{gateway.port}")])
        opened.append(http)
        system = options.pop("system", System(gateway.url, DEMO.client))
        credentials = options.pop("credentials", USER)
        return Client(http, system, credentials, **{"trace": Trace(20), "timeout": (2, 2), **options})

    yield make
    for http in opened:
        http.close()


@pytest.fixture
def link(gateway: Gateway, client_of: Callable[..., Client]) -> SapLink:
    return SapLink(client_of(), SiteMapping(access_to(gateway)))


class House:
    """The seller's side of the platform in a database of its own, wired to a practice SAP."""

    def __init__(self, app: Unit, worker: Unit, gateway: Gateway) -> None:
        self.app, self.worker, self.gateway = app, worker, gateway
        self.seller, self.buyer = uuid7(), uuid7()
        self.registry = Registry([SapOData()])
        for tenant, name, code in (
            (self.seller, "华东联钢", SELLER_CODE),
            (self.buyer, "锡安达机电", BUYER_CODE),
        ):
            with app.system(tenant, "test") as ctx:
                register_enterprise(ctx, name=name, uscc=code, kind="trader")
        self.connection_id = self.connect("SAP")

    def connect(self, name: str, **values: str) -> UUID:
        access = access_to(self.gateway, **values)
        told = {**access.settings, **access.secrets}
        with self.app.system(self.seller, "test") as ctx:
            return connect(ctx, SapOData(), NewConnection(name, self.gateway.url, "1010", told)).id

    def rules(self) -> list[OutboundRule]:
        return [OutboundRule.parse(f"127.0.0.1:{self.gateway.port}")]

    def engine(self, **options: object) -> Engine:
        told = {"settle": FAST, "first_wait": 0.01, "at_once": 8} | options
        return Engine(self.worker, self.registry, self.rules, **told)  # type: ignore[arg-type]

    def puller(self) -> Puller:
        return Puller(self.worker, self.registry, self.rules)

    def order(self, number: str, quantity: str = "120", price: str = "36.50") -> UUID:
        """A confirmed order of bearings and rebar, on its way to SAP."""
        id = uuid7()
        with self.app.system(self.seller, "test") as ctx:
            order = TradeOrder(
                id=id,
                buyer_id=self.buyer,
                seller_id=self.seller,
                number=number,
                buyer_po="PO-77",
                mode="spot",
                state="confirmed",
                version=3,
                net=Decimal(0),
                tax=Decimal(0),
                total=Decimal(0),
                delivery_date=date(2026, 12, 5),
                created_at=ctx.now,
                confirmed_at=ctx.now,
            )
            self._price(order, Decimal(quantity) * Decimal(price))
            ctx.session.add(order)
            ctx.session.flush()
            for no, (code, unit, ordered, amount) in enumerate(self._lines(quantity, price), 1):
                ctx.session.add(self._line(id, no, code, unit, ordered, amount))
            ctx.session.flush()
            enqueue(ctx, order, "create", 3)
        return id

    def change(self, id: UUID, version: int, quantity: str, price: str = "35.20") -> None:
        """The buyer wants another quantity of bearings at another price; both sides agreed."""
        with self.app.system(self.seller, "test") as ctx:
            order = ctx.session.get(TradeOrder, id)
            assert order is not None
            line = ctx.session.query(OrderLine).filter_by(order_id=id, no=1).one()
            line.quantity = Decimal(quantity)
            line.unit_price = Decimal(price)
            line.gross = Decimal(quantity) * line.unit_price
            line.net = (line.gross / Decimal("1.13")).quantize(Decimal("0.01"))
            line.tax = line.gross - line.net
            self._price(order, line.gross)
            order.version = version
            ctx.session.flush()
            enqueue(ctx, order, "change", version)

    def cancel(self, id: UUID, version: int) -> None:
        with self.app.system(self.seller, "test") as ctx:
            order = ctx.session.get(TradeOrder, id)
            assert order is not None
            enqueue(ctx, order, "cancel", version)

    @staticmethod
    def _lines(quantity: str, price: str) -> list[tuple[str, str, Decimal, Decimal]]:
        bearings = Decimal(quantity) * Decimal(price)
        return [
            ("BRG-6204", "pcs", Decimal(quantity), bearings),
            ("RB-HRB400E-16", "t", Decimal(2), Decimal("7936.00")),
        ]

    @staticmethod
    def _price(order: TradeOrder, bearings: Decimal) -> None:
        order.total = bearings + Decimal("7936.00")
        order.net = (order.total / Decimal("1.13")).quantize(Decimal("0.01"))
        order.tax = order.total - order.net

    def _line(self, id: UUID, no: int, code: str, unit: str, ordered: Decimal, amount: Decimal) -> OrderLine:
        net = (amount / Decimal("1.13")).quantize(Decimal("0.01"))
        return OrderLine(
            order_id=id,
            buyer_id=self.buyer,
            seller_id=self.seller,
            no=no,
            sku_id=uuid7(),
            sku_code=code,
            name_zh=code,
            name_en="",
            unit=unit,
            quantity=ordered,
            unit_price=amount / ordered,
            tax_incl=True,
            vat_rate=Decimal("0.13"),
            net=net,
            tax=amount - net,
            gross=amount,
        )

    def push(self, engine: Engine, rounds: int = 40) -> list[str]:
        """Let one worker do what is due, again and again; the states tasks ended in."""
        ended = []
        for _ in range(rounds):
            tasks = engine.claim()
            ended += [engine.run(task) for task in tasks]
            if not self.waiting():
                break
            if not tasks:
                self.later(30)
        engine.close()
        return ended

    def later(self, seconds: float) -> None:
        """Let what waits for its time be due."""
        self.sql(f"UPDATE ts.sync_document SET not_before = not_before - interval '{seconds} s'")
        self.sql("UPDATE ts.erp_connection SET open_until = NULL")

    def sql(self, statement: str) -> list[tuple]:
        with self.app.system(self.seller, "test") as ctx:
            found = ctx.session.connection().exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    def waiting(self) -> int:
        asked = "SELECT count(*) FROM ts.sync_document WHERE state IN ('new', 'sending', 'unknown')"
        return int(self.sql(asked)[0][0])

    def documents(self) -> list[tuple]:
        """(reference, intent, state, cause, remote id), oldest first."""
        return self.sql(
            "SELECT reference, intent, state, cause, remote_id FROM ts.sync_document ORDER BY reference, version"
        )

    def orders(self) -> dict[str, list[dict[str, Any]]]:
        """What SAP holds, by our reference: items that live, and whether the whole is rejected."""
        books = self.gateway.books
        found: dict[str, list[dict[str, Any]]] = {}
        with books.lock:
            for row in books.rows("A_SalesOrder"):
                items = books.below("A_SalesOrder", row, "to_Item")
                live = [item for item in items if not item["SalesDocumentRjcnReason"]]
                told = {"number": row["SalesOrder"], "rejected": bool(items) and not live, "items": live}
                found.setdefault(row["PurchaseOrderByCustomer"], []).append(told)
        return found


@pytest.fixture
def house(fresh_db: Database, worker_db: Database, gateway: Gateway) -> House:
    return House(make_unit(fresh_db), make_unit(worker_db), gateway)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that give up before the server's delays end."""
    plain = Client.__init__

    def hasty(self: Client, *args: Any, **options: Any) -> None:
        plain(self, *args, **{**options, "timeout": (0.3, 0.3)})

    monkeypatch.setattr(Client, "__init__", hasty)

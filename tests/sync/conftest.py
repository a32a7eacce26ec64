"""A seller with confirmed orders, wired to a Kingdee server that can misbehave."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from connectors.kingdee.simulator import DEMO_ACCOUNT, Simulator
from connectors.kingdee.system import Kingdee
from core.db import Database, Unit
from core.kernel import Actor, uuid7
from core.orders import OrderLine, TradeOrder
from core.sync import Engine, NewConnection, OutboundRule, Puller, Registry, connect, enqueue
from core.tenancy import register_enterprise
from tests.conftest import make_unit

SELLER_CODE, BUYER_CODE = "91310000MA1FL4XY7W", "91350100M000100Y43"
FAST = timedelta(seconds=0.05)
MATERIALS = {"BRG-6204": ("深沟球轴承 6204", "pcs", "Pcs"), "RB-HRB400E-16": ("螺纹钢 HRB400E Φ16", "t", "t")}


class House:
    """The seller's side of the platform in a database of its own."""

    def __init__(self, app: Unit, worker: Unit, kingdee: Simulator) -> None:
        self.app, self.worker, self.kingdee = app, worker, kingdee
        self.seller, self.buyer = uuid7(), uuid7()
        self.registry = Registry([Kingdee()])
        for tenant, name, code in (
            (self.seller, "华东联钢", SELLER_CODE),
            (self.buyer, "锡安达机电", BUYER_CODE),
        ):
            with app.system(tenant, "test") as ctx:
                register_enterprise(ctx, name=name, uscc=code, kind="trader")
        kingdee.world.merge(
            {
                "customers": [{"number": "C0217", "name": "锡安达机电", "tax_code": BUYER_CODE}],
                "materials": [
                    {"number": code, "name": name, "unit": unit}
                    for code, (name, _, unit) in MATERIALS.items()
                ],
            }
        )
        self.connection_id = self.connect("金蝶云·星空")

    def connect(self, name: str, **values: str) -> UUID:
        told = {
            "way": "signed",
            "acct_id": DEMO_ACCOUNT.acct_id,
            "username": "demo",
            "app_id": DEMO_ACCOUNT.app_id,
            "app_secret": DEMO_ACCOUNT.app_secret,
            "saler": "XS01",
        }
        with self.app.system(self.seller, "test") as ctx:
            given = NewConnection(name, self.kingdee.url, "100", told | values)
            return connect(ctx, Kingdee(), given).id

    def rules(self) -> list[OutboundRule]:
        return [OutboundRule.parse(f"127.0.0.1:{self.kingdee.port}")]

    def engine(self, **options: object) -> Engine:
        told = {"settle": FAST, "first_wait": 0.01, "at_once": 8} | options
        return Engine(self.worker, self.registry, self.rules, **told)  # type: ignore[arg-type]

    def puller(self) -> Puller:
        return Puller(self.worker, self.registry, self.rules)

    def order(self, number: str, quantity: str = "120", price: str = "36.50") -> UUID:
        """A confirmed order of bearings and rebar, on its way to the ERP."""
        id, gross = uuid7(), Decimal(quantity) * Decimal(price)
        rebar = Decimal("7936.00")
        total = gross + rebar
        net = (total / Decimal("1.13")).quantize(Decimal("0.01"))
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
                net=net,
                tax=total - net,
                total=total,
                delivery_date=date(2026, 12, 5),
                created_at=ctx.now,
                confirmed_at=ctx.now,
            )
            ctx.session.add(order)
            ctx.session.flush()
            for no, (code, unit, ordered, amount) in enumerate(
                [("BRG-6204", "pcs", Decimal(quantity), gross), ("RB-HRB400E-16", "t", Decimal(2), rebar)], 1
            ):
                without = (amount / Decimal("1.13")).quantize(Decimal("0.01"))
                ctx.session.add(
                    OrderLine(
                        order_id=id,
                        buyer_id=self.buyer,
                        seller_id=self.seller,
                        no=no,
                        sku_id=uuid7(),
                        sku_code=code,
                        name_zh=MATERIALS[code][0],
                        name_en="",
                        unit=unit,
                        quantity=ordered,
                        unit_price=amount / ordered,
                        tax_incl=True,
                        vat_rate=Decimal("0.13"),
                        net=without,
                        tax=amount - without,
                        gross=amount,
                    )
                )
            ctx.session.flush()
            enqueue(ctx, order, "create", 3)
        return id

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
        return self.sql("SELECT count(*) FROM ts.sync_document WHERE state IN ('new', 'sending', 'unknown')")[
            0
        ][0]

    def states(self) -> dict[str, str]:
        return dict(self.sql("SELECT reference, state FROM ts.sync_document ORDER BY reference, version"))

    def bills(self) -> dict[str, list[dict]]:
        """What Kingdee holds, by number."""
        found: dict[str, list[dict]] = {}
        for bill in self.kingdee.store.snapshot("SAL_SaleOrder").get("SAL_SaleOrder", []):
            found.setdefault(bill["number"], []).append(bill)
        return found


@pytest.fixture
def kingdee() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def house(fresh_db: Database, worker_db: Database, kingdee: Simulator) -> House:
    return House(make_unit(fresh_db), make_unit(worker_db), kingdee)


@pytest.fixture
def engine(house: House) -> Iterator[Engine]:
    made = house.engine()
    yield made
    made.close()


@pytest.fixture
def person() -> Callable[[UUID], Actor]:
    return lambda id: Actor("person", id, "陈工", person_id=id)

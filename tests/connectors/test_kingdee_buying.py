"""A buyer wired to K/3 Cloud, by the real engine: orders, receipts that wait for them, and money, through trouble, each once."""

from typing import Any
from uuid import UUID

import pytest

from connectors.kingdee.simulator import DEMO_ACCOUNT, Simulator
from connectors.kingdee.system import Kingdee
from core.db import Database
from core.sync import NewConnection, connect
from core.sync.documents import wish
from tests.conftest import make_unit
from tests.connectors.kingdee_house import (
    BEARINGS,
    SELLER_CODE,
    bought,
    counted,
    money,
    trouble,
)
from tests.sync.conftest import House

KINDS = ["purchase_order", "receipt", "payment"]
FORMS = ("PUR_PurchaseOrder", "STK_InStock", "AP_PAYBILL")


class Buying(House):
    """The house from the buyer's side."""

    def connect(self, name: str, **values: str) -> UUID:
        self.kingdee.world.merge({"suppliers": [{"number": "VEN01", "tax_code": SELLER_CODE}]})
        told = {"way": "signed", "acct_id": DEMO_ACCOUNT.acct_id, "username": "demo", "warehouse": "CK001"}
        told |= {
            "app_id": DEMO_ACCOUNT.app_id,
            "app_secret": DEMO_ACCOUNT.app_secret,
            "bank_account": "62220",
        }
        with self.app.system(self.buyer, "test") as ctx:
            given = NewConnection(name, self.kingdee.url, "100", told | values, KINDS)
            return connect(ctx, Kingdee(), given).id

    def sql(self, statement: str) -> list[tuple]:
        with self.app.system(self.buyer, "test") as ctx:
            found = ctx.session.connection().exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    def wants(self, document: Any, intent: str = "create", version: int = 1) -> None:
        with self.app.system(self.buyer, "test") as ctx:
            assert wish(ctx, document.kind, document.object_id, intent, version, lambda: document) == 1

    def refs(self) -> set[tuple[str, str]]:
        return {(kind, id) for kind, id in self.sql("SELECT kind, external_id FROM ts.external_ref")}


@pytest.fixture
def buying(fresh_db: Database, worker_db: Database, kingdee: Simulator) -> Buying:
    return Buying(make_unit(fresh_db), make_unit(worker_db), kingdee)


def receipt(number: int) -> Any:
    return counted(f"SH-{number}", (1, "BRG-6204", "pcs", "50", "1825.00", f"SO-{number}", 1))


def test_a_receipt_waits_until_its_order_is_there(buying: Buying, kingdee: Simulator):
    engine = buying.engine()
    buying.wants(receipt(1))
    (task,) = engine.claim()
    assert engine.run(task) == "new"
    assert buying.sql("SELECT cause FROM ts.sync_document") == [("kingdee.order_awaited",)]
    assert kingdee.store.all("STK_InStock") == []
    buying.wants(bought("SO-1", BEARINGS))
    buying.later(3600)
    buying.push(engine)
    assert buying.states() == {"SO-1": "done", "SH-1": "done"}
    assert ("supplier", "VEN01") in buying.refs()  # learned once, kept


def test_a_reversal_takes_the_receipt_back(buying: Buying, kingdee: Simulator):
    engine, goods = buying.engine(), receipt(1)
    buying.wants(bought("SO-1", BEARINGS))
    buying.wants(goods)
    buying.push(engine)
    buying.wants(goods, "cancel", 2)
    engine = buying.engine()
    kingdee.faults.set([{"match": "UnAudit", "mode": "drop_after", "times": 1}])
    buying.push(engine)
    (held,) = kingdee.store.all("STK_InStock")
    assert held.head["FCancelStatus"] == "B" and buying.states()["SH-1"] == "done"
    assert not [each for each in buying.refs() if each[0] == "receipt"]


def test_a_buyers_documents_through_trouble_are_there_once(buying: Buying, kingdee: Simulator):
    kingdee.faults.set(trouble(0.05))
    for number in range(10):
        buying.wants(receipt(number))  # before its order
        buying.wants(bought(f"SO-{number}", BEARINGS))
        buying.wants(money(f"FK-{number}", "out", "500.00", ("FP-1", "300.00")))
    engine = buying.engine()
    for _ in range(12):
        buying.push(engine, rounds=20)
        if not buying.waiting():
            break
        buying.later(3600)
    assert set(buying.states().values()) == {"done"}, buying.states()
    for form, prefix in zip(FORMS, ("SO", "SH", "FK"), strict=True):
        there = kingdee.store.all(form)
        assert sorted(each.number for each in there) == sorted(f"{prefix}-{n}" for n in range(10))
        assert {each.status for each in there} == {"C"}

"""A buyer's purchase orders through the engine: whatever breaks on the way, SAP holds one order, the one agreed."""

import pytest
from sqlalchemy import select, update

from connectors.sap.odata.system import SapOData
from core.orders import TradeOrder
from core.sync import ErpConnection, NewConnection, SyncDocument, connect, enqueue
from tests.connectors import sap_house
from tests.connectors.sap_house import access_to

gateway, house, impatient = sap_house.gateway, sap_house.house, sap_house.impatient

BREAKS = {
    "lost answer": {"mode": "drop_after"},
    "never sent": {"mode": "drop_before"},
    "502": {"mode": "status_500_after"},
    "slow": {"mode": "timeout_after", "seconds": 0.6},
    "locked": {"mode": "locked"},
    "token": {"mode": "csrf_expired"},
}


@pytest.fixture
def buyer(house):
    """The house, with its buyer wired to SAP for purchase orders; the seller is not."""
    access = access_to(house.gateway)
    told = {**access.settings, **access.secrets}
    with house.app.system(house.seller, "test") as ctx:
        ctx.session.execute(update(ErpConnection).values(documents=[]))
    with house.app.system(house.buyer, "test") as ctx:
        connect(ctx, SapOData(), NewConnection("SAP", house.gateway.url, "1010", told))
        ctx.session.execute(update(ErpConnection).values(documents=["purchase_order", "receipt"]))
    return house


def wish(house, id, intent, version):
    with house.app.system(house.buyer, "test") as ctx:
        order = ctx.session.get(TradeOrder, id)
        enqueue(ctx, order, intent, version)


def push(house):
    engine = house.engine()
    for _ in range(60):
        for task in engine.claim():
            engine.run(task)
        with house.app.system(house.buyer, "test") as ctx:
            rows = ctx.session.execute(
                select(SyncDocument.state, SyncDocument.cause, SyncDocument.remote_id).order_by(
                    SyncDocument.version
                )
            ).all()
            if {row.state for row in rows} <= {"done", "held", "failed", "superseded"}:
                break
            connection = ctx.session.connection()
            connection.exec_driver_sql(
                "UPDATE ts.sync_document SET not_before = not_before - interval '30 s'"
            )
            connection.exec_driver_sql("UPDATE ts.erp_connection SET open_until = NULL")
    engine.close()
    return rows


def break_it(house, how, operation):
    house.gateway.faults.set([{**BREAKS[how], "match": {"operation": operation}, "times": 1}])


@pytest.mark.parametrize("how", BREAKS)
def test_one_order_there_for_every_one_of_ours(buyer, impatient, how):
    break_it(buyer, how, "create")
    id = buyer.order("SO-2026-000123")
    wish(buyer, id, "create", 3)
    assert [(row.state, row.cause) for row in push(buyer)] == [("done", None)]
    (head,) = buyer.gateway.books.rows("A_PurchaseOrder")
    assert head["Supplier"] == "10300001"
    break_it(buyer, how, "change")
    buyer.change(id, 4, "150")
    wish(buyer, id, "change", 4)
    assert {row.state for row in push(buyer)} == {"done"}
    items = buyer.gateway.books.rows("A_PurchaseOrderItem")
    assert [item["OrderQuantity"] for item in items] == [150, 2]
    break_it(buyer, how, "change")
    wish(buyer, id, "cancel", 5)
    assert {row.state for row in push(buyer)} == {"done"}
    assert len(buyer.gateway.books.rows("A_PurchaseOrder")) == 1
    assert {item["PurchasingDocumentDeletionCode"] for item in items} == {"L"}


def test_an_unknown_tax_rate_waits_for_a_person_and_writes_nothing(buyer):
    with buyer.app.system(buyer.buyer, "test") as ctx:
        row = ctx.session.scalar(select(ErpConnection))
        row.settings = {**row.settings, "taxes": "0.09=J2"}
    id = buyer.order("SO-1")
    wish(buyer, id, "create", 3)
    assert [(row.state, row.cause) for row in push(buyer)] == [("failed", "sap.tax_missing")]
    assert buyer.gateway.books.rows("A_PurchaseOrder") == []

"""What `verify` says about documents out: real breaches, and no false alarms."""

from typing import Any

import pytest

from core.orders import TradeOrder
from core.orders.events import OrderConfirmed
from core.sync.invariants import CHECKS
from core.sync.refs import remember
from tests.sync.test_newer_and_older import wish

SQL = {ident: query for ident, _, query in CHECKS}


@pytest.fixture
def heard(house: Any) -> Any:
    """An order whose confirmation was heard, and whose document is gone."""
    order_id = house.order("SO-1")
    house.sql("DELETE FROM ts.sync_document")
    with house.app.system(house.seller, "test") as ctx:
        order = ctx.session.get(TradeOrder, order_id)
        ctx.publish(
            OrderConfirmed(
                order_id=order_id,
                buyer_id=house.buyer,
                seller_id=house.seller,
                number="SO-1",
                mode="spot",
                order_version=3,
                total=order.total,
                currency="CNY",
                at=ctx.now,
            )
        )
    house.sql("UPDATE ts.outbox_event SET state = 'done'")
    house.sql("UPDATE ts.trade_order SET confirmed_at = clock_timestamp()")
    return order_id


def test_an_order_without_its_document_is_told(house, heard):
    assert [row[1] for row in house.sql(SQL["ERP.complete"])] == [heard]


def test_a_system_that_takes_no_sales_orders_misses_none(house, heard):
    house.sql("UPDATE ts.erp_connection SET documents = '{receipt}'")
    assert house.sql(SQL["ERP.complete"]) == []


def test_an_order_that_came_from_there_is_not_missed_there(house, heard):
    with house.app.system(house.seller, "test") as ctx:
        remember(ctx, house.connection_id, "sales_order", heard, "100001", "XSDD-1")
    assert house.sql(SQL["ERP.complete"]) == []


def test_an_old_version_that_could_still_be_sent_is_told(house, engine):
    order_id = house.order("SO-1")
    wish(house, order_id, "change", 4)
    house.push(engine)
    assert house.sql(SQL["ERP.newest"]) == []
    house.sql("UPDATE ts.sync_document SET state = 'held' WHERE version = 3")
    assert [row[2] for row in house.sql(SQL["ERP.newest"])] == ["SO-1"]

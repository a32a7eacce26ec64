"""The drill itself is true: trouble really falls, one order is one document, and what was made is taken back."""

import time

import pytest
from sqlalchemy import select

from connectors.kingdee.system import Kingdee
from core.kernel import Actor
from core.orders import TradeOrder
from core.sync.documents import order_out
from core.sync.drill.rehearsal import CALLS, INTENTS, Rehearsal
from core.sync.model import ErpConnection
from core.sync.refs import lookup_of
from core.sync.secrets import access_of

pytestmark = pytest.mark.slow


@pytest.fixture
def rehearsal(house):
    order_id = house.order("SO-SAMPLE")
    engine = house.engine()
    with house.worker.acting(house.seller, Actor.system("test"), {}) as ctx:
        order = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id))
        sample = order_out(ctx, order, 1)
        connection = ctx.session.get(ErpConnection, house.connection_id)
        access, lookup = access_of(connection), lookup_of(ctx, connection.id, sample)
    return Rehearsal(
        engine,
        Kingdee(),
        access,
        sample,
        lookup,
        "DRILL-T",
        seconds=0.05,
        wait=lambda seconds: time.sleep(min(seconds, 0.05)),
    )


@pytest.mark.parametrize("intent", INTENTS)
@pytest.mark.parametrize("trouble", CALLS)
def test_whatever_falls_on_a_write_there_is_one_document_in_the_end(house, rehearsal, trouble, intent):
    case = rehearsal.case(1, trouble, intent)
    assert case.passed, case
    assert case.there == (0 if intent == "cancel" else 1) and not case.left
    assert case.state == "done", case
    assert [len(found) for found in house.bills().values()] == [1]

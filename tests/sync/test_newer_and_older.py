"""Several versions of one order on their way: the newest stands in the end, and nothing is sent behind its cancellation."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from connectors.kingdee.filing import SalesOrders
from core.orders import TradeOrder
from core.sync import Rejected, RetryLater, Uncertain, dismiss, enqueue, replay
from core.sync.model import SyncDocument


def wish(house: Any, order_id: Any, intent: str, version: int) -> None:
    with house.app.system(house.seller, "test") as ctx:
        enqueue(ctx, ctx.session.get(TradeOrder, order_id), intent, version)


def replay_all(house: Any) -> int:
    with house.app.system(house.seller, "test") as ctx:
        return replay(ctx, house.connection_id)


def rows(house: Any) -> list[tuple[Any, ...]]:
    return house.sql("SELECT intent, version, state FROM ts.sync_document ORDER BY version")


def head(house: Any, number: str = "SO-1") -> dict[str, Any]:
    (bill,) = house.bills()[number]
    return bill["head"]


def halved(house: Any) -> None:
    house.sql("UPDATE ts.order_line SET quantity = 100, gross = 3650, net = 3230.09, tax = 419.91 WHERE no = 1")
    house.sql("UPDATE ts.trade_order SET total = 11586, net = 10253.10, tax = 1332.90")


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> dict[int, Exception]:
    """What sending a version of an order runs into, before anything is written: by its version."""
    send, said = SalesOrders.send, {}

    def refuse(self: Any, bill: Any, found: Any) -> Any:
        for no in [no for no, total in TOTALS.items() if total == str(bill.total) and no in said]:
            raise said[no]
        return send(self, bill, found)

    monkeypatch.setattr(SalesOrders, "send", refuse)
    return said


TOTALS = {3: "12316.00", 4: "11586.00"}


def test_a_cancellation_reaches_what_may_be_there_under_a_version_that_was_replaced(house, engine):
    """Held, because its fate was unknown; then changed before anybody looked, then cancelled: it is there all the same."""
    order_id = house.order("SO-1")
    house.push(engine)
    house.sql("UPDATE ts.sync_document SET state = 'held', cause = 'kingdee.unclear', remote_id = NULL")
    wish(house, order_id, "change", 4)
    wish(house, order_id, "cancel", 5)
    house.push(engine)
    assert rows(house)[-1] == ("cancel", 5, "done")
    assert head(house)["FCancelStatus"] == "B"


def test_a_cancellation_reaches_what_somebody_settled_by_hand(house, engine):
    order_id = house.order("SO-1")
    house.push(engine)
    house.sql("UPDATE ts.sync_document SET state = 'held', cause = 'sync.differs'")
    with house.app.system(house.seller, "test") as ctx:
        dismiss(ctx, ctx.session.query(SyncDocument.id).scalar(), "已在星空核对")
    wish(house, order_id, "cancel", 4)
    house.push(engine)
    assert head(house)["FCancelStatus"] == "B"


def test_what_fails_under_way_does_not_outlive_the_newer_version(house, engine, spoilt):
    """Replayed later, it would put the old quantities over the new ones."""
    order_id = house.order("SO-1")
    house.push(engine)
    halved(house)
    wish(house, order_id, "change", 4)
    spoilt[4] = Rejected("kingdee.credit", "信用额度不足")
    (task,) = engine.claim()
    house.sql("UPDATE ts.order_line SET quantity = 120, gross = 4380, net = 3876.11, tax = 503.89 WHERE no = 1")
    house.sql("UPDATE ts.trade_order SET total = 12316, net = 10899.12, tax = 1416.88")
    wish(house, order_id, "change", 5)
    assert engine.run(task) == "superseded"
    spoilt.clear()
    assert house.push(engine) == ["done"]
    assert replay_all(house) == 0
    assert rows(house)[1:] == [("change", 4, "superseded"), ("change", 5, "done")]
    assert str(head(house)["FBillAllAmount"]) == "12316.00"


@pytest.mark.parametrize("said", [Rejected("kingdee.credit", "信用额度不足"), RetryLater("kingdee.locked", "正在编辑")])
def test_nothing_is_sent_behind_its_cancellation(house, engine, spoilt, said):
    order_id = house.order("SO-1")
    spoilt[3] = said
    (task,) = engine.claim()
    wish(house, order_id, "cancel", 4)
    engine.run(task)
    spoilt.clear()
    house.push(engine)
    assert replay_all(house) == 0 and house.push(engine) == []
    assert rows(house) == [("create", 3, "superseded"), ("cancel", 4, "done")]
    assert house.bills() == {}


@pytest.mark.parametrize("first", ["wish", "result"])
def test_a_result_and_a_newer_wish_at_the_same_moment_see_each_other(house, engine, spoilt, first):
    order_id = house.order("SO-1")
    spoilt[3] = Rejected("kingdee.credit", "信用额度不足")
    (task,) = engine.claim()
    if first == "wish":
        with ThreadPoolExecutor(1) as pool:
            with house.app.system(house.seller, "test") as ctx:
                enqueue(ctx, ctx.session.get(TradeOrder, order_id), "cancel", 4)
                ctx.session.flush()
                result = pool.submit(engine.run, task)
                with pytest.raises(TimeoutError):
                    result.result(0.3)  # it waits for what was written before it
            assert result.result(10) == "superseded"
    else:
        assert engine.run(task) == "failed"
        wish(house, order_id, "cancel", 4)
    assert house.push(engine) == ["done"]
    assert rows(house) == [("create", 3, "superseded"), ("cancel", 4, "done")]
    assert house.bills() == {}


def test_two_versions_written_down_at_the_same_moment_go_in_their_order(house, engine):
    order_id = house.order("SO-1")
    house.push(engine)
    halved(house)
    with house.app.system(house.seller, "one") as newer, house.app.system(house.seller, "two") as older:
        enqueue(older, older.session.get(TradeOrder, order_id), "change", 4)
        newer.session.connection().exec_driver_sql("SET LOCAL lock_timeout = '300ms'")
        with pytest.raises(OperationalError):  # the second one waits for the first one's look at what is there
            enqueue(newer, newer.session.get(TradeOrder, order_id), "cancel", 5)
        newer.session.rollback()
    wish(house, order_id, "cancel", 5)
    house.push(engine)
    assert rows(house)[1:] == [("change", 4, "superseded"), ("cancel", 5, "done")]
    assert head(house)["FCancelStatus"] == "B"


def test_what_is_unclear_is_found_out_before_the_newer_version_goes(house, engine, spoilt):
    order_id = house.order("SO-1")
    house.push(engine)
    halved(house)
    wish(house, order_id, "change", 4)
    spoilt[4] = Uncertain("kingdee.unclear", "cut")
    (task,) = engine.claim()
    wish(house, order_id, "cancel", 5)
    assert engine.run(task) == "unknown"
    spoilt.clear()
    house.push(engine)
    assert rows(house)[1:] == [("change", 4, "done"), ("cancel", 5, "done")]
    assert head(house)["FCancelStatus"] == "B"


@pytest.mark.parametrize("late", ["create", "change"])
def test_a_version_written_down_too_late_is_not_sent_over_a_newer_one(house, engine, late):
    """Events of one order come in their order, unless one of them failed for so long that it was laid aside."""
    order_id = house.order("SO-1")
    house.sql("DELETE FROM ts.sync_document")
    wish(house, order_id, "change", 6)
    house.push(engine)
    halved(house)
    wish(house, order_id, late, 5)
    assert house.push(engine) == []
    assert str(head(house)["FBillAllAmount"]) == "12316.00"


@pytest.mark.parametrize("intent", ["change", "cancel"])
def test_a_newer_version_finds_what_was_filed_a_moment_ago(house, intent):
    """Its look-up sees a new document only after a while: it must not make a second one, nor call nothing cancelled."""
    engine = house.engine(settle=timedelta(seconds=1.0))
    order_id = house.order("SO-1")
    assert [engine.run(task) for task in engine.claim()] == ["done"]
    house.kingdee.faults.set([{"match": "ExecuteBillQuery", "mode": "look_up_lag", "seconds": 0.5}])
    house.kingdee.services.unique = False
    halved(house)
    wish(house, order_id, intent, 4)
    assert [engine.run(task) for task in engine.claim()] == ["new"]
    time.sleep(0.6)
    house.later(30)
    assert [engine.run(task) for task in engine.claim()] == ["done"]
    engine.close()
    assert (head(house)["FCancelStatus"], str(head(house)["FBillAllAmount"])) == (
        ("B", "12316.00") if intent == "cancel" else ("A", "11586.00")
    )


@pytest.mark.parametrize("again", ["replay", "change"])
def test_what_was_held_for_an_unclear_answer_settles_before_it_is_looked_for(house, engine, again):
    """Twelve unclear answers, and the last call may still be carried out there while a person presses replay."""
    order_id = house.order("SO-1")
    house.sql("UPDATE ts.sync_document SET tries = 11")
    house.kingdee.faults.set([{"match": "Save", "mode": "drop_after", "times": 1}])
    (task,) = engine.claim()
    assert engine.run(task) == "held"
    if again == "replay":
        assert replay_all(house) == 1
    else:
        wish(house, order_id, "change", 4)
    assert engine.claim() == []
    house.later(11)
    assert [engine.run(task) for task in engine.claim()] == ["done"]
    assert len(house.bills()["SO-1"]) == 1

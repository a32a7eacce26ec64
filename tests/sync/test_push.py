"""Documents out: once, in order, looked up before they are sent again."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from connectors.kingdee.system import Kingdee
from core.kernel import Conflict
from core.orders import TradeOrder
from core.sync import (
    NewConnection,
    SyncDocument,
    bind,
    change_connection,
    dismiss,
    enqueue,
    outbound,
    pacing,
    pause,
    replay,
    resume,
    secrets,
)
from core.sync.engine import LEASE, MARGIN
from core.sync.outcome import LeaseLost
from core.sync.service import find_connection


def test_an_order_lands_audited_and_brings_its_number_back(house, engine):
    order_id = house.order("SO-1")
    assert house.push(engine) == ["done"]
    (bill,) = house.bills()["SO-1"]
    assert bill["head"]["FDocumentStatus"] == "C"
    assert bill["head"]["FCustId"] == "C0217"
    assert [str(line["FAllAmount"]) for line in bill["lines"]] == ["4380.00", "7936.00"]
    ((remote_id, number, cause),) = house.sql("SELECT remote_id, remote_number, cause FROM ts.sync_document")
    assert (remote_id, number, cause) == (str(bill["id"]), "SO-1", None)
    known = house.sql("SELECT kind, local_id, external_number FROM ts.external_ref ORDER BY kind")
    assert known == [("partner", house.buyer, "C0217"), ("sales_order", order_id, "SO-1")]
    ((told, payload),) = house.sql("SELECT name, payload FROM ts.outbox_event WHERE name LIKE 'Document%%'")
    assert (told, payload["remote_number"], payload["intent"]) == ("DocumentSynced", "SO-1", "create")


def test_writing_the_same_wish_twice_sends_one_document(house, engine):
    order_id = house.order("SO-1")
    with house.app.system(house.seller, "test") as ctx:
        order = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id))
        enqueue(ctx, order, "create", 3)
    house.push(engine)
    assert house.kingdee.store.calls["Save SAL_SaleOrder"] == 1


FAULTS = ["drop_before", "drop_after", "status_500_after", "html_200", "cut_body", "bad_charset"]
FAULTS += ["session_lost", "lock_conflict", "call_limit"]


@pytest.mark.parametrize("mode", FAULTS)
@pytest.mark.parametrize("service", ["Save", "Submit", "Audit", "ExecuteBillQuery"])
def test_one_document_whatever_breaks_once(house, engine, mode, service):
    house.kingdee.faults.set([{"match": service, "mode": mode, "times": 1}])
    house.order("SO-1")
    assert house.push(engine)[-1] == "done"
    (bill,) = house.bills()["SO-1"]
    assert bill["head"]["FDocumentStatus"] == "C"


@pytest.mark.parametrize("mode", FAULTS)
@pytest.mark.parametrize("intent", ["change", "cancel"])
def test_changes_and_cancellations_survive_what_breaks(house, engine, mode, intent):
    order_id = house.order("SO-1")
    house.push(engine)
    if intent == "change":
        house.sql(
            "UPDATE ts.order_line SET quantity = 100, gross = 3650, net = 3230.09, tax = 419.91 WHERE no = 1"
        )
        house.sql("UPDATE ts.trade_order SET total = 11586, net = 10253.10, tax = 1332.90")
    house.kingdee.faults.set([{"mode": mode, "probability": 0.4, "times": 6}])
    _cancel(house, order_id, intent, 4)
    assert house.push(engine)[-1] == "done"
    (bill,) = house.bills()["SO-1"]
    expected = ("D", "B", 12316) if intent == "cancel" else ("C", "A", 11586)
    head = bill["head"]
    assert (head["FDocumentStatus"], head["FCancelStatus"], head["FBillAllAmount"]) == expected


def test_an_answer_lost_after_the_commit_is_looked_up_not_sent_again(house, engine):
    house.kingdee.faults.set([{"match": "Save", "mode": "drop_after", "times": 1}])
    house.order("SO-1")
    assert house.push(engine) == ["unknown", "done"]
    assert house.kingdee.store.calls["Save SAL_SaleOrder"] == 1


def test_nothing_is_looked_up_before_the_settle_time(house):
    engine = house.engine(settle=timedelta(seconds=60))
    house.kingdee.faults.set([{"match": "Save", "mode": "drop_after", "times": 1}])
    house.order("SO-1")
    assert [engine.run(task) for task in engine.claim()] == ["unknown"]
    assert engine.claim() == []
    house.later(61)
    assert [engine.run(task) for task in engine.claim()] == ["done"]
    engine.close()


def test_two_workers_make_one_call(house):
    one, other = house.engine(), house.engine()
    house.order("SO-1")
    claimed = [one.claim(), other.claim()]
    assert sorted(len(tasks) for tasks in claimed) == [0, 1]
    house.order("SO-2")
    house.order("SO-3")
    claimed += [one.claim(1), other.claim(5)]
    for engine, tasks in zip((one, other, one, other), claimed, strict=True):
        assert {engine.run(task) for task in tasks} <= {"done"}
    assert house.kingdee.store.calls["Save SAL_SaleOrder"] == 3
    one.close()
    other.close()


def test_a_worker_that_slept_past_its_lease_writes_nothing_anywhere(house):
    sleeper = house.engine(lease=timedelta(seconds=0.2), margin=timedelta(0))
    house.order("SO-1")
    (task,) = sleeper.claim()
    time.sleep(0.3)
    awake = house.engine()
    (again,) = awake.claim()
    assert (again.state, again.token) == ("unknown", task.token + 1)
    assert awake.run(again) == "done"
    assert sleeper.run(task) == "lost"
    assert house.kingdee.store.calls["Save SAL_SaleOrder"] == 1
    assert house.states() == {"SO-1": "done"}
    sleeper.close()
    awake.close()


def test_a_result_under_an_old_token_is_refused(house):
    first = house.engine(lease=timedelta(seconds=0.2), margin=timedelta(seconds=-60))  # believes it has time
    house.order("SO-1")
    (task,) = first.claim()
    time.sleep(0.3)
    second = house.engine()
    (again,) = second.claim()
    assert first.run(task) == "lost"
    assert house.states() == {"SO-1": "unknown"}
    assert second.run(again) == "done"
    assert len(house.bills()["SO-1"]) == 1
    first.close()
    second.close()


def test_what_a_killed_worker_may_have_sent_settles_before_it_is_looked_for(house):
    """An IDoc may be posted by a job ten minutes later: found too early to be missing, it would be sent a second time."""
    killed = house.engine(lease=timedelta(seconds=0.2), margin=timedelta(0))
    house.order("SO-1")
    (_gone,) = killed.claim()
    time.sleep(0.3)
    next_one = house.engine(settle=timedelta(seconds=60))
    assert next_one.claim() == []
    house.later(61)
    (task,) = next_one.claim()
    assert (task.state, next_one.run(task)) == ("unknown", "done")
    next_one.close()


def test_no_write_begins_that_could_outlast_the_lease():
    assert outbound.LONGEST_ANSWER + pacing.LONGEST < MARGIN.total_seconds() < LEASE.total_seconds() / 2


def test_another_organisation_waits_for_what_is_under_way(house, engine):
    house.kingdee.faults.set([{"match": "Save", "mode": "drop_after", "times": 1}])
    house.order("SO-1")
    (task,) = engine.claim()
    assert engine.run(task) == "unknown"
    given = NewConnection("金蝶云·星空", house.kingdee.url, "200", {"way": "signed", "saler": "XS01"})
    with house.app.system(house.seller, "test") as ctx, pytest.raises(Conflict, match="under_way"):
        change_connection(ctx, Kingdee(), house.connection_id, 1, given)
    house.later(30)
    house.push(engine)
    with house.app.system(house.seller, "test") as ctx:
        found = secrets.access_of(find_connection(ctx, house.connection_id))
        given = replace(given, values=dict(found.settings))
        assert change_connection(ctx, Kingdee(), house.connection_id, 1, given).organisation == "200"


def test_a_customer_that_is_missing_fails_with_its_cause_and_replays_once_bound(house, engine):
    house.kingdee.world.merge({"customers": [{"number": "C0217", "name": "别人", "tax_code": "X"}]})
    house.kingdee.world.merge({"customers": [{"number": "C0500", "name": "锡安达机电"}]})
    house.order("SO-1")
    assert house.push(engine) == ["failed"]
    assert house.sql("SELECT cause, cause_field FROM ts.sync_document") == [
        ("kingdee.customer_missing", "FCustId")
    ]
    ((told, payload),) = house.sql("SELECT name, payload FROM ts.outbox_event WHERE name LIKE 'Document%%'")
    assert (told, payload["state"], payload["cause"]) == ("DocumentStuck", "failed", "kingdee.customer_missing")
    with house.app.system(house.seller, "test") as ctx:
        bind(ctx, house.connection_id, "partner", house.buyer, "C0500")
        assert replay(ctx, house.connection_id, cause="kingdee.customer_missing") == 1
    assert house.push(engine) == ["done"]
    assert house.bills()["SO-1"][0]["head"]["FCustId"] == "C0500"


def test_a_material_that_is_missing_is_rejected_in_kingdees_words(house, engine):
    house.kingdee.world.merge({"materials": [{"number": "BRG-6204", "name": "x", "forbidden": True}]})
    house.order("SO-1")
    assert house.push(engine) == ["failed"]
    ((cause, said),) = house.sql("SELECT cause, cause_text FROM ts.sync_document")
    assert cause == "kingdee.validation" and "已禁用" in said
    ((exchanges,),) = house.sql("SELECT exchanges FROM ts.sync_document")
    assert exchanges[-1]["operation"] == "Save" and "BRG-6204" in exchanges[-1]["request"]


def test_a_document_there_that_is_not_ours_is_held(house, engine):
    house.order("SO-1")
    house.kingdee.faults.set([{"match": "Save", "mode": "drop_before", "times": 1}])
    (task,) = engine.claim()
    assert engine.run(task) == "unknown"
    house.kingdee.faults.set([])
    other = house.kingdee.services
    from connectors.kingdee.simulator.bills import Caller
    from tests.connectors.conftest import order as model

    house.kingdee.world.merge({"customers": [{"number": "CUST0001", "name": "手工客户"}]})
    other.answer(
        Caller("demo", frozenset({"100"}), "100"),
        "Save",
        {"formid": "SAL_SaleOrder", "data": {"Model": model("SO-1")}},
    )
    house.later(1)
    assert house.push(engine) == ["held"]
    ((cause, said),) = house.sql("SELECT cause, cause_text FROM ts.sync_document")
    assert cause == "sync.differs" and "C0217 → CUST0001" in said
    with house.app.system(house.seller, "test") as ctx:
        document = ctx.session.scalar(select(SyncDocument))
        dismiss(ctx, document.id, "已在星空核对")
    assert house.states() == {"SO-1": "superseded"}


def _cancel(house, order_id, intent="cancel", version=5):
    with house.app.system(house.seller, "test") as ctx:
        order = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id))
        enqueue(ctx, order, intent, version)


def test_a_cancellation_before_the_first_send_takes_the_order_off_the_queue(house, engine):
    order_id = house.order("SO-1")
    _cancel(house, order_id)
    assert house.push(engine) == []
    assert house.sql("SELECT intent, state FROM ts.sync_document ORDER BY version") == [
        ("create", "superseded"),
        ("cancel", "done"),
    ]
    assert house.bills() == {}


def test_a_cancellation_after_the_order_landed_voids_it_there(house, engine):
    order_id = house.order("SO-1")
    house.push(engine)
    _cancel(house, order_id)
    assert house.push(engine) == ["done"]
    (bill,) = house.bills()["SO-1"]
    assert (bill["head"]["FDocumentStatus"], bill["head"]["FCancelStatus"]) == ("D", "B")
    assert house.sql("SELECT kind FROM ts.external_ref ORDER BY kind") == [("partner",)]


def test_a_cancellation_waits_for_what_is_under_way(house, engine):
    house.kingdee.faults.set([{"match": "Save", "mode": "drop_after", "times": 1}])
    order_id = house.order("SO-1")
    (task,) = engine.claim()
    assert engine.run(task) == "unknown"
    _cancel(house, order_id)
    house.later(1)
    (task,) = engine.claim()
    assert task.intent == "create"
    assert engine.run(task) == "done"
    assert house.push(engine) == ["done"]
    assert house.bills()["SO-1"][0]["head"]["FCancelStatus"] == "B"


def test_a_change_replaces_the_lines_there_and_audits_again(house, engine):
    order_id = house.order("SO-1")
    house.push(engine)
    with house.app.system(house.seller, "test") as ctx:
        ctx.session.connection().exec_driver_sql(
            "UPDATE ts.order_line SET quantity = 100, gross = 3650, net = 3230.09, tax = 419.91 WHERE no = 1"
        )
        ctx.session.connection().exec_driver_sql(
            "UPDATE ts.trade_order SET total = 11586, net = 10253.10, tax = 1332.90"
        )
    _cancel(house, order_id, "change", 4)
    assert house.push(engine) == ["done"]
    (bill,) = house.bills()["SO-1"]
    assert bill["head"]["FDocumentStatus"] == "C"
    assert [str(line["FAllAmount"]) for line in bill["lines"]] == ["3650.00", "7936.00"]


def test_a_paused_connection_sends_nothing_until_it_is_resumed(house, engine):
    with house.app.system(house.seller, "test") as ctx:
        pause(ctx, house.connection_id, "盘点")
    house.order("SO-1")
    assert engine.claim() == []
    with house.app.system(house.seller, "test") as ctx:
        resume(ctx, house.connection_id)
    assert house.push(engine) == ["done"]


def test_a_dead_server_opens_the_circuit_and_costs_no_tries(house):
    engine = house.engine(first_wait=2.0)
    house.kingdee.stop()
    house.order("SO-1")
    for _ in range(6):
        house.sql("UPDATE ts.erp_connection SET open_until = NULL")
        house.sql("UPDATE ts.sync_document SET not_before = ts.clock()")
        assert [engine.run(task) for task in engine.claim()] == ["new"]
    assert engine.claim() == []
    ((failures, is_open),) = house.sql("SELECT failures, open_until > ts.clock() FROM ts.erp_connection")
    assert (failures, is_open) == (6, True)
    engine.close()


def test_refused_credentials_stop_the_connection_before_every_order_has_failed(house, engine):
    house.sql('UPDATE ts.erp_connection SET settings = settings || \'{"acct_id": "another"}\'')
    for number in range(6):
        house.order(f"SO-{number}")
    for task in engine.claim(3):
        engine.run(task)
    assert engine.claim() == []
    ((state, reason),) = house.sql("SELECT state, state_reason FROM ts.erp_connection")
    assert state == "stopped" and "session_lost" in reason
    assert set(house.states().values()) == {"new"}


def test_settings_that_open_no_link_change_no_document(house, engine):
    house.sql('UPDATE ts.erp_connection SET settings = settings || \'{"way": "password"}\'')
    house.order("SO-1")
    assert [engine.run(task) for task in engine.claim()] == ["new"]
    assert house.sql("SELECT cause FROM ts.sync_document") == [("kingdee.credentials_missing",)]


def test_an_operator_rule_that_cannot_be_read_keeps_documents_waiting(house):
    def broken():
        raise ValueError("outbound rule without a port: '10.0.0.1'")

    house.rules = broken
    engine = house.engine()
    house.order("SO-1")
    assert [engine.run(task) for task in engine.claim()] == ["new"]
    assert house.kingdee.store.calls == {}


def test_at_most_so_many_documents_of_a_connection_are_under_way(house):
    engine = house.engine(at_once=2)
    for number in range(5):
        house.order(f"SO-{number}")
    assert len(engine.claim(5)) == 2
    assert engine.claim(5) == []


def test_a_mistake_of_the_connector_is_held_not_lost(house, engine, monkeypatch):
    from connectors.kingdee.filing import SalesOrders

    monkeypatch.setattr(SalesOrders, "send", lambda self, bill, found: {}["gone"])
    house.order("SO-1")
    assert house.push(engine)[-1] == "held"
    assert house.sql("SELECT cause FROM ts.sync_document") == [("sync.connector_error",)]


def test_lease_lost_is_not_an_outcome(house, engine):
    house.order("SO-1")
    (task,) = engine.claim()
    house.sql("UPDATE ts.sync_document SET attempt = attempt + 1")
    assert engine.run(task) == "lost"
    assert issubclass(LeaseLost, Exception)


def test_what_waits_for_another_document_is_no_trouble(house, engine, monkeypatch):
    """A receipt whose order is not there yet: it waits, the circuit stays closed, and others go by."""
    from connectors.kingdee.filing import SalesOrders
    from core.sync import Premature

    send = SalesOrders.send

    def early(self, bill, found):
        if bill.reference == "SO-1" and len(calls) < 14:
            calls.append(bill.reference)
            raise Premature("kingdee.order_awaited", "the order is not there yet")
        return send(self, bill, found)

    calls: list[str] = []
    monkeypatch.setattr(SalesOrders, "send", early)
    house.order("SO-1")
    house.order("SO-2")
    house.push(engine, rounds=60)
    assert house.states() == {"SO-1": "done", "SO-2": "done"}
    assert len(calls) == 14  # more often than a failure would be tried
    assert house.sql("SELECT failures FROM ts.erp_connection") == [(0,)]

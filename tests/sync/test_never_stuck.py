"""What could keep a document from ever going on, or others behind it: mistakes, unreadable rows, slow calls, outages."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.kingdee.filing import SalesOrders
from core.sync import Exchange, Pusher, Rejected, RetryLater
from core.sync.outcome import Found
from core.sync.verdict import MOST_TRIES
from tests.sync.test_newer_and_older import halved, head, wish

STRANGE = "编号\x00重复\ud800"


@pytest.mark.parametrize("broken", [AssertionError("never"), RecursionError("too deep"), OSError("disk"), SystemExit(1)])
@pytest.mark.parametrize("where", ["bill", "find", "send"])
def test_a_mistake_of_any_kind_is_noted_and_ends_with_a_person(house, engine, monkeypatch, where, broken):
    def fail(*_: Any) -> None:
        raise broken

    house.order("SO-1")
    if where == "find":
        house.sql("UPDATE ts.sync_document SET state = 'unknown', attempt = 1")
    monkeypatch.setattr(SalesOrders, where, fail)
    assert house.push(engine)[-1] == "held"
    ((cause, said),) = house.sql("SELECT cause, cause_text FROM ts.sync_document")
    assert cause == "sync.connector_error" and said.startswith(type(broken).__name__)


def test_a_mistake_ends_no_duty(house, monkeypatch):
    monkeypatch.setattr(SalesOrders, "bill", lambda *_: exec("raise SystemExit"))
    house.order("SO-1")
    pusher = Pusher(house.engine(), threads=1)
    while pusher.turn():
        house.sql("UPDATE ts.sync_document SET not_before = clock_timestamp() + interval '1 hour'")
    assert house.sql("SELECT state, cause FROM ts.sync_document") == [("unknown", "sync.connector_error")]


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE ts.sync_document SET body = '{}' WHERE reference = 'SO-1'",
        """UPDATE ts.sync_document SET body = jsonb_set(body, '{total}', '"much"') WHERE reference = 'SO-1'""",
    ],
)
def test_a_row_that_cannot_be_read_keeps_no_other_from_going(house, engine, spoil):
    house.order("SO-1")
    house.order("SO-2")
    house.sql(spoil)
    assert house.push(engine) == ["done"]
    assert house.states() == {"SO-1": "held", "SO-2": "done"}
    assert house.sql("SELECT cause, tries FROM ts.sync_document WHERE reference = 'SO-1'") == [("sync.unreadable", MOST_TRIES)]
    told = "SELECT payload ->> 'reference', payload ->> 'cause' FROM ts.outbox_event WHERE name = 'DocumentStuck'"
    assert house.sql(told) == [("SO-1", "sync.unreadable")]


def test_a_connection_whose_secrets_cannot_be_opened_keeps_no_other_from_going(house, engine):
    other = house.connect("另一套")
    house.sql(f"UPDATE ts.erp_connection SET secrets = 'lost' WHERE id = '{other}'")
    house.order("SO-1")
    house.push(engine)
    assert sorted(house.sql("SELECT state, cause FROM ts.sync_document"), key=str) == [
        ("done", None),
        ("held", "sync.unreadable"),
    ]


@pytest.mark.parametrize("error", [Rejected("kingdee.validation", STRANGE, field=STRANGE), RetryLater("kingdee.busy", STRANGE)])
def test_what_no_database_takes_is_written_down_without_it(house, engine, monkeypatch, error):
    def send(self: Any, bill: Any, found: Any) -> Found:
        ((_, link),) = engine._links.by_connection.values()
        link.trace(Exchange("Save", "http://x", STRANGE, 200, STRANGE, 3))
        raise error

    monkeypatch.setattr(SalesOrders, "send", send)
    house.order("SO-1")
    (task,) = engine.claim()
    assert engine.run(task) in ("failed", "new")
    ((said, exchanges),) = house.sql("SELECT cause_text, exchanges FROM ts.sync_document")
    assert said == "编号重复?" and exchanges[-1]["response"] == "编号重复?"
    assert house.sql("SELECT last_error FROM ts.erp_connection")[0][0] in ("", "kingdee.busy: 编号重复?")


def test_a_number_there_that_no_database_takes_is_no_end_of_a_document(house, engine, monkeypatch):
    send = SalesOrders.send
    monkeypatch.setattr(SalesOrders, "send", lambda *told: replace(send(*told), number="SO-1\x00"))
    house.order("SO-1")
    assert house.push(engine) == ["done"]
    assert house.sql("SELECT remote_number FROM ts.sync_document") == [("SO-1",)]


def test_a_document_whose_calls_take_too_long_says_so_and_is_held_in_the_end(house, monkeypatch):
    """Its time is over before its first write, whatever worker has it; what was learned on the way is kept."""
    bill = SalesOrders.bill

    def slow(self: Any, *told: Any) -> Any:
        time.sleep(0.06)
        return bill(self, *told)

    monkeypatch.setattr(SalesOrders, "bill", slow)
    engine = house.engine(lease=timedelta(seconds=60.05), margin=timedelta(seconds=60))
    house.order("SO-1")
    (task,) = engine.claim()
    assert engine.run(task) == "unknown"
    assert house.sql("SELECT cause, tries, lease_until FROM ts.sync_document") == [("sync.too_slow", 1, None)]
    assert house.sql("SELECT external_number FROM ts.external_ref") == [("C0217",)]
    assert house.push(engine)[-1] == "held"
    assert house.kingdee.store.calls.get("Save SAL_SaleOrder", 0) == 0


def test_an_outage_that_lasts_makes_no_work_for_people(house, engine):
    """A gateway before the dead system answers everything with 503 for half a day; then all goes out by itself."""
    house.kingdee.faults.set([{"mode": "call_limit"}])
    for no in range(3):
        house.order(f"SO-{no}")
    for _ in range(3 * MOST_TRIES):
        house.sql("UPDATE ts.erp_connection SET open_until = clock_timestamp() WHERE open_until IS NOT NULL")
        house.sql("UPDATE ts.sync_document SET not_before = clock_timestamp()")
        for task in engine.claim():
            engine.run(task)
    assert house.waiting() == 3 and house.sql("SELECT max(tries) > 12 FROM ts.sync_document") == [(True,)]
    house.kingdee.faults.set([])
    house.push(engine)
    assert set(house.states().values()) == {"done"}


def test_one_document_that_is_locked_for_ever_is_held_while_others_go(house, engine, monkeypatch):
    send = SalesOrders.send

    def locked(self: Any, bill: Any, found: Any) -> Found:
        if bill.reference == "SO-0":
            raise RetryLater("kingdee.locked", "正在编辑")
        return send(self, bill, found)

    monkeypatch.setattr(SalesOrders, "send", locked)
    house.order("SO-0")
    house.sql("UPDATE ts.sync_document SET tries = 8")
    for no in range(1, 6):
        house.order(f"SO-{no}")
        house.push(engine, rounds=1)
        house.later(30)
    assert house.states()["SO-0"] == "held"


def test_one_document_there_is_not_the_counterpart_of_two_of_ours(house, engine, monkeypatch):
    """A bulk service that matches what looks alike takes the second order as a change of the first."""
    send = SalesOrders.send
    first: list[Found] = []

    def merged(self: Any, bill: Any, found: Any) -> Found:
        first.append(first[0] if first else send(self, bill, found))
        return first[-1]

    monkeypatch.setattr(SalesOrders, "send", merged)
    house.order("SO-1")
    house.order("SO-2")
    assert house.push(engine) == ["done", "held"]
    ((cause, said),) = house.sql("SELECT cause, cause_text FROM ts.sync_document WHERE reference = 'SO-2'")
    assert cause == "sync.differs" and "SO-1" in said


def test_a_cancellation_that_cancelled_nothing_is_not_done(house, engine, monkeypatch):
    order_id = house.order("SO-1")
    house.push(engine)
    monkeypatch.setattr(SalesOrders, "cancel", lambda self, found: found)
    wish(house, order_id, "cancel", 4)
    assert house.push(engine) == ["held"]


def test_a_document_there_that_was_never_ours_is_not_overwritten_by_a_change(house, engine, monkeypatch):
    """Held, since somebody had keyed one in by hand under its number; then the order was amended."""
    order_id = house.order("SO-1")
    house.push(engine)
    house.sql("UPDATE ts.sync_document SET state = 'held', cause = 'sync.differs'")
    halved(house)
    wish(house, order_id, "change", 4)
    assert house.push(engine) == ["held"]
    assert str(head(house)["FBillAllAmount"]) == "12316.00"


def test_what_the_operator_allows_holds_at_once(house, engine):
    rules, house.rules = house.rules, lambda: []
    engine.rules = lambda: house.rules()
    house.order("SO-1")
    assert [engine.run(task) for task in engine.claim()] == ["new"]
    house.rules = rules
    assert house.push(engine)[-1] == "done"
    house.rules = lambda: []
    house.order("SO-2")
    assert [engine.run(task) for task in engine.claim()] == ["new"]




def test_what_was_refused_before_anything_was_called_closes_no_circuit(house, engine, monkeypatch):
    def refuse(*_: Any) -> None:
        raise Rejected("kingdee.saler_missing", "the number of the salesperson is missing")

    monkeypatch.setattr(SalesOrders, "bill", refuse)
    house.sql("UPDATE ts.erp_connection SET failures = 7, open_until = clock_timestamp()")
    house.order("SO-1")
    assert [engine.run(task) for task in engine.claim()] == ["failed"]
    assert house.sql("SELECT failures, open_until IS NULL, last_ok_at FROM ts.erp_connection") == [(7, False, None)]


def test_a_document_of_several_calls_goes_where_one_call_a_minute_is_allowed(house, engine):
    house.sql("UPDATE ts.erp_connection SET per_minute = 1")
    house.order("SO-1")
    assert house.push(engine) == ["done"]

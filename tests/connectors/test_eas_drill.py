"""Orders through the real engine: the matrix of faults, look-ups that lag, people in between, and a drill."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.kingdee.eas import soap
from connectors.kingdee.eas.simulator import Simulator
from connectors.kingdee.eas.simulator.books import AUDITED, VOID
from tests.conftest import make_unit
from tests.connectors.eas_house import BASE, FACADE, EasHouse, link_to, nobody, order
from tests.sync.draining import drain
from tongshang.connect import call as call_there


@pytest.fixture
def eas():
    with Simulator() as simulator:
        simulator.books.merge(BASE)
        yield simulator


@pytest.fixture
def house(fresh_db, worker_db, eas):
    return EasHouse(make_unit(fresh_db), make_unit(worker_db), eas)


@pytest.fixture
def engine(house):
    made = house.engine()
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch):
    """Clients that give up before the server's delays end."""
    plain = soap.Wire.__init__
    monkeypatch.setattr(soap.Wire, "__init__", lambda self, http, timeout=None: plain(self, http, (0.3, 0.3)))


def proof(house: EasHouse, number: str, state: str, total: str) -> None:
    """One bill of that number, in that state, over that sum; and the platform knows it is done."""
    (bill,) = house.bills()[number]
    assert (bill["baseStatus"], bill["totalTaxAmount"]) == (state, Decimal(total))
    assert set(house.states().values()) <= {"done", "superseded"}


MATRIX = {
    "timeout before commit": "timeout_before",
    "timeout after commit": "timeout_after",
    "502": "status_500_after",
    "duplicate": "duplicate",
    "locked": "locked",
    "bad charset": "bad_charset",
    "slow": "slow",
    "lost session": "session_lost",
    "fault after commit": "soap_fault",
}
STEPS_OF = {
    "create": ("importBill", "submitBill", "auditBill"),
    "change": ("unauditBill", "importBill", "auditBill"),
    "cancel": ("unauditBill", "cancelBill", "queryBill"),
}
ENDS = {"create": (AUDITED, "12316.00"), "change": (AUDITED, "11586"), "cancel": (VOID, "12316.00")}


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize("intent", STEPS_OF)
@pytest.mark.parametrize("trouble", MATRIX)
def test_one_bill_as_wished_whatever_breaks_once(house, engine, impatient, trouble, intent, step):
    seconds = 0.1 if trouble == "slow" else 0.5
    fault = {"match": STEPS_OF[intent][step], "mode": MATRIX[trouble], "times": 1, "seconds": seconds}
    if intent == "create":
        house.eas.faults.set([fault])
    order_id = house.order("SO-1")
    house.push(engine)
    if intent != "create":
        house.eas.faults.set([fault])
        house.change(order_id, intent)
        assert house.push(engine)[-1] == "done"
    assert [one["hits"] for one in house.eas.faults.as_json()] == [1]
    proof(house, "SO-1", *ENDS[intent])


def test_an_answer_lost_after_the_commit_is_looked_up_not_sent_again_where_numbers_may_repeat(house, engine):
    house.eas.books.unique = False
    house.eas.faults.set([{"match": "importBill", "mode": "drop_after", "times": 1}])
    house.order("SO-1")
    assert house.push(engine) == ["unknown", "done"]
    assert house.eas.calls[f"importBill {FACADE}"] == 1


def test_a_look_up_that_lags_behind_is_waited_out(house):
    """The engine looks no earlier than the settle time, and that is longer than the lag."""
    house.eas.books.unique = False
    house.eas.faults.set(
        [
            {"match": "importBill", "mode": "drop_after", "times": 1},
            {"match": "queryBill", "mode": "look_up_lag", "seconds": 0.4},
        ]
    )
    engine = house.engine(settle=timedelta(seconds=0.8))
    house.order("SO-1")
    ended = []
    over = threading.Event()
    for _ in range(60):
        ended += [engine.run(task) for task in engine.claim()]
        if not house.waiting():
            break
        over.wait(0.1)
    engine.close()
    assert ended[-1] == "done"
    proof(house, "SO-1", AUDITED, "12316.00")


def test_a_bill_that_a_person_holds_open_waits_for_its_turn(house, engine):
    house.eas.books.locked.add("SO-1")
    house.order("SO-1")
    assert [engine.run(task) for task in engine.claim()] == ["new"]
    house.eas.books.locked.clear()
    assert house.push(engine)[-1] == "done" or house.states() == {"SO-1": "done"}
    proof(house, "SO-1", AUDITED, "12316.00")


def test_a_bill_that_was_changed_by_a_person_is_held_for_one(house, engine):
    link = link_to(house.eas)
    bill = link.bill(order("SO-1", total=Decimal("4380.00"), lines=order().lines[:1]), nobody)
    link.send(bill, None)
    house.order("SO-1")
    ended = house.push(engine)
    assert ended[-1] == "held"
    assert len(house.bills()["SO-1"]) == 1


class Killed(BaseException):
    """The worker is gone in the middle of its work."""


@pytest.mark.parametrize("call", range(1, 8))
def test_a_worker_that_dies_after_any_call_leaves_one_bill(house, monkeypatch, call):
    """customers, import, submit, audit, look-up: killed right after the server did it, before anything is written down."""
    made = []

    def deadly(send, asked, *more):
        response = call_there(send, asked, *more)
        made.append(asked.operation)
        if len(made) == call:
            raise Killed
        return response

    house.order("SO-1")
    monkeypatch.setattr(soap, "call", deadly)
    first = house.engine(lease=timedelta(seconds=0.3), margin=timedelta(0))
    (task,) = first.claim()
    if call <= 6:  # login, customers, import, submit, audit, look-up
        with pytest.raises(Killed):
            first.run(task)
    else:
        assert first.run(task) == "done"
    monkeypatch.setattr(soap, "call", call_there)
    threading.Event().wait(0.4)
    second = house.engine()
    house.push(second)
    proof(house, "SO-1", AUDITED, "12316.00")
    assert house.states() == {"SO-1": "done"}
    assert house.eas.calls[f"importBill {FACADE}"] == 1


TROUBLE = (
    "drop_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "status_500_after",
    "html_200",
    "html_500",
    "soap_fault",
    "cut_body",
    "bad_charset",
    "gbk_answer",
    "session_lost",
    "locked",
    "duplicate",
)


def drill(house: EasHouse, count: int, probability: float) -> None:
    """Two workers push `count` orders at once while every kind of trouble falls on the calls."""
    # Where numbers may repeat, nobody can keep a network that sends a call twice from making two bills.
    modes = [mode for mode in TROUBLE if house.eas.books.unique or mode != "duplicate"]
    share = probability / len(modes)
    house.eas.faults.set([{"mode": mode, "probability": share, "seconds": 0.5} for mode in modes])
    for number in range(count):
        house.order(f"SO-{number:04}", quantity=str(number + 1))
    drain(house)


def drilled(house: EasHouse, count: int) -> int:
    """One bill for every order, or a reason; nothing twice, nothing without an order. How many are done."""
    rows = house.sql("SELECT reference, state, cause, cause_text, remote_id FROM ts.sync_document")
    assert len(rows) == count
    bills = house.bills()
    assert all(len(found) == 1 for found in bills.values())
    assert set(bills) <= {reference for reference, *_ in rows}
    done = 0
    for reference, state, cause, said, remote_id in rows:
        if state == "done":
            (bill,) = bills[reference]
            assert (bill["baseStatus"], bill["id"]) == (AUDITED, remote_id)
            done += 1
        else:
            assert state == "held" and cause and said, (reference, state, cause)
    return done


def test_orders_through_a_misbehaving_server_become_one_bill_each(house, impatient):
    drill(house, 12, 0.3)
    assert drilled(house, 12) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("unique", [True, False])
def test_two_hundred_orders_through_a_server_that_breaks_a_third_of_its_calls(house, impatient, unique):
    house.eas.books.unique = unique
    drill(house, 200, 0.35)
    assert drilled(house, 200) >= 170

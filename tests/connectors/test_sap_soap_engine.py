"""Orders into SAP through the real engine: one order for each of ours, whatever breaks."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from connectors.sap.soap.simulator import DEMO_VALUES, Simulator
from core.orders import TradeOrder
from core.sync import enqueue
from tests.conftest import make_unit
from tests.connectors.sap_soap_house import BASE, SapHouse
from tests.sync.draining import drain

CREATE, CHANGE, CANCEL = "Z_TS_SALESORDER_CREATE", "Z_TS_SALESORDER_CHANGE", "Z_TS_SALESORDER_CANCEL"


@pytest.fixture
def sap():
    with Simulator() as simulator:
        simulator.world.merge(BASE)
        yield simulator


@pytest.fixture
def house(fresh_db, worker_db, sap):
    return SapHouse(make_unit(fresh_db), make_unit(worker_db), sap)


@pytest.fixture
def engine(house):
    made = house.engine()
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch):
    """Clients that give up before the server's delays end."""
    from connectors.sap.soap import wire

    monkeypatch.setattr(wire, "PATIENCE", (0.3, 0.3))


def wish(house, order_id, intent, version):
    with house.app.system(house.seller, "test") as ctx:
        enqueue(ctx, ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id)), intent, version)


FAULTS = {
    "timeout before commit": {"mode": "timeout_before", "seconds": 0.5},
    "timeout after commit": {"mode": "timeout_after", "seconds": 0.5},
    "502": {"mode": "status_500_after"},
    "duplicate": {"mode": "drop_after"},
    "locked": {"mode": "locked"},
    "bad charset": {"mode": "bad_charset"},
    "slow": {"mode": "slow", "seconds": 0.1},
    "busy": {"mode": "soap_fault_busy"},
    "page with 500": {"mode": "html_500"},
    "login page": {"mode": "html_200"},
    "new field": {"mode": "extra_element"},
}
INTENTS = {"create": CREATE, "change": CHANGE, "cancel": CANCEL}


@pytest.mark.parametrize("intent", INTENTS)
@pytest.mark.parametrize("trouble", FAULTS)
def test_whatever_breaks_there_is_one_order_as_it_was_agreed(house, engine, sap, impatient, trouble, intent):
    order_id = house.order("SO-1")
    if intent != "create":
        assert house.push(engine)[-1] == "done"
        if intent == "change":
            house.sql(
                "UPDATE ts.order_line SET quantity = 100, gross = 3650, net = 3230.09, tax = 419.91 WHERE no = 1"
            )
            house.sql("UPDATE ts.trade_order SET total = 11586, net = 10253.10, tax = 1332.90")
        wish(house, order_id, intent, 4)
    sap.faults.set([{"match": INTENTS[intent], "times": 2, **FAULTS[trouble]}])
    ended = house.push(engine)
    assert ended[-1] == "done", house.sql("SELECT cause, cause_text FROM ts.sync_document")
    (held,) = house.orders()["SO-1"]
    assert (held["total"], held["cancelled"]) == {
        "create": ("12316.00", False),
        "change": ("11586.00", False),
        "cancel": ("12316.00", True),
    }[intent]
    if trouble == "duplicate" and intent == "create":
        assert sap.calls[f"{CREATE} SOAP"] == 1  # found by our reference, not sent again
    if trouble not in ("slow", "new field"):
        assert len(ended) > 1 and set(ended[:-1]) <= {"unknown", "new"}


def test_a_wrapper_that_never_commits_ends_with_a_person_not_with_a_success(house, sap):
    sap.faults.set([{"match": CREATE, "mode": "no_commit"}])
    engine = house.engine()
    house.order("SO-1")
    ended = house.push(engine)
    assert ended[-1] == "held" and "done" not in ended
    ((cause, said),) = house.sql("SELECT cause, cause_text FROM ts.sync_document")
    assert cause == "sap.vanished" and "does it commit" in said
    assert house.orders() == {}


def test_an_order_that_readers_see_late_is_not_sent_twice(house, sap):
    sap.faults.set([{"match": CREATE, "mode": "look_up_lag", "seconds": 0.2, "times": 1}])
    engine = house.engine(settle=timedelta(seconds=1))
    house.order("SO-1")
    assert [engine.run(task) for task in engine.claim()] == ["unknown"]
    assert engine.claim() == []  # not before the settle time
    threading.Event().wait(1.1)
    assert house.push(engine)[-1] == "done"
    assert len(house.orders()["SO-1"]) == 1


def test_where_a_second_order_is_refused_a_reader_that_lags_beyond_settling_makes_none(house, sap):
    """The site's refusal of a reference given twice says that ours is there, so it is looked for again."""
    sap.world.unique = True
    sap.faults.set([{"match": CREATE, "mode": "look_up_lag", "seconds": 0.6, "times": 1}])
    engine, causes = house.engine(), []
    house.order("SO-1")
    for _ in range(200):
        for task in engine.claim():
            engine.run(task)
            causes += house.sql("SELECT state, cause FROM ts.sync_document")
        if not house.waiting():
            break
        threading.Event().wait(0.02)
    engine.close()
    assert causes[0] == ("unknown", "sap.vanished") and causes[-1][0] == "done"
    assert ("unknown", "sap.reference_taken") in causes
    assert len(house.orders()["SO-1"]) == 1


def test_a_refusal_is_failed_with_the_message_and_nothing_there(house, engine, sap):
    del sap.world.materials["BRG-6204"]
    house.order("SO-1")
    assert house.push(engine) == ["failed"]
    ((cause, said),) = house.sql("SELECT cause, cause_text FROM ts.sync_document")
    assert cause == "sap.refused" and "V1 382" in said
    ((exchanges,),) = house.sql("SELECT exchanges FROM ts.sync_document")
    assert exchanges[-1]["operation"] == CREATE and DEMO_VALUES["password"] not in str(exchanges)


MODES = (
    "drop_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "status_500_after",
    "html_200",
    "html_500",
    "cut_body",
    "bad_charset",
    "soap_fault_busy",
    "locked",
)


def drill(house: SapHouse, count: int, probability: float) -> None:
    """Two workers push `count` orders at once while every kind of trouble falls on the calls."""
    share = probability / (len(MODES) + 1)
    faults = [{"mode": mode, "probability": share, "seconds": 0.6} for mode in MODES]
    house.sap.faults.set([*faults, {"mode": "extra_element", "probability": share}])
    for number in range(count):
        house.order(f"SO-{number:04}", quantity=str(number + 1))
    drain(house)


def proof(house: SapHouse, count: int) -> int:
    """One document for every order, or a reason; nothing twice, nothing without an order. How many are done."""
    rows = house.sql("SELECT reference, state, cause, cause_text, remote_id, total FROM ts.sync_document")
    assert len(rows) == count
    held = house.orders()
    assert all(len(found) == 1 for found in held.values())
    done = 0
    for reference, state, cause, said, remote_id, total in rows:
        if state == "done":
            done += 1
            (one,) = held[reference]
            assert one["number"].lstrip("0") == remote_id and Decimal(one["total"]) == total
        else:
            assert state == "held" and cause and said, (reference, state)
    assert set(held) <= {reference for reference, *_ in rows}
    return done


def test_orders_through_a_misbehaving_server_become_one_document_each(house, impatient):
    drill(house, 16, 0.35)
    assert proof(house, 16) >= 13


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["soamanager", "bulk", "idoc"])
def test_two_hundred_orders_through_a_server_that_breaks_half_of_its_calls(
    fresh_db, worker_db, sap, impatient, kind
):
    house = SapHouse(make_unit(fresh_db), make_unit(worker_db), sap, kind)
    count = int(os.environ.get("TS_ORDERS", "200"))
    drill(house, count, 0.53)
    assert proof(house, count) >= count * 3 // 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["soamanager", "icf", "bulk", "idoc"])
def test_the_fault_drill_of_the_console_passes(fresh_db, worker_db, sap, kind):
    from core.kernel import Actor
    from core.sync.documents import order_out
    from core.sync.drill import CATALOGUE, Rehearsal
    from core.sync.model import ErpConnection
    from core.sync.refs import lookup_of
    from core.sync.secrets import access_of

    house = SapHouse(make_unit(fresh_db), make_unit(worker_db), sap, kind)
    order_id = house.order("SO-SAMPLE")
    with house.worker.acting(house.seller, Actor.system("test"), {}) as ctx:
        sample = order_out(ctx, ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id)), 1)
        connection = ctx.session.get(ErpConnection, house.connection_id)
        told, lookup = access_of(connection), lookup_of(ctx, connection.id, sample)
    drill = Rehearsal(
        house.engine(),
        house.connector,
        told,
        sample,
        lookup,
        "DRILL-T",
        seconds=0.05,
        wait=lambda seconds: threading.Event().wait(min(seconds, 0.05)),
    )
    cases = [(trouble, intent) for trouble in CATALOGUE for intent in ("create", "change", "cancel")]
    for number, (trouble, intent) in enumerate(cases, 1):
        case = drill.case(number, trouble, intent)
        alive = 0 if case.intent == "cancel" else 1
        assert case.passed and case.state == "done" and case.there == alive and not case.left, case

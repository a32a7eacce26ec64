"""Several new documents in one call: each row of the answer is its own document's; what is unclear is looked up row by row."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text

from connectors.kingdee.system import Kingdee
from core.orders import TradeOrder
from core.sync import (
    Bill,
    Filing,
    FixSettings,
    Found,
    Pusher,
    Registry,
    Rejected,
    RetryLater,
    SyncError,
    Uncertain,
    enqueue,
)
from tests.sync.test_claim import Line

CARRIES = 5


class Truckload(Filing):
    """Files each bill through the true protocol, and answers for all of them at once; `says` spoils the answer."""

    loads: list[list[str]] = []
    says: dict[str, SyncError] = {}
    whole: list[SyncError] = []
    short = False

    def __init__(self, true: Filing) -> None:
        self.bill, self.find, self.send, self.cancel = true.bill, true.find, true.send, true.cancel

    bill = find = send = cancel = None  # each truck has those of its own link

    def send_many(self, bills: Sequence[Bill]) -> Sequence[Found | SyncError]:
        self.loads.append([bill.reference for bill in bills])
        answers: list[Found | SyncError] = []
        for bill in bills:
            told = self.says.get(bill.reference)
            answers.append(told if isinstance(told, Rejected | RetryLater) else self.send(bill, None))
            if isinstance(told, Uncertain):
                answers[-1] = told
        if self.whole:
            raise self.whole.pop()
        return answers[:-1] if self.short else answers


class Truck(Kingdee):
    together = CARRIES

    def open(self, access, http):
        link = super().open(access, http)
        true = link.filing
        link.filing = lambda kind: Truckload(true(kind))
        return link


@pytest.fixture
def pusher(house):
    Truckload.loads, Truckload.says, Truckload.whole, Truckload.short = [], {}, [], False
    house.registry = Registry([Truck()])
    pusher = Pusher(house.engine(at_once=2), threads=1)
    yield pusher
    pusher.engine.close()


def drained(house, pusher) -> dict[str, str]:
    for _ in range(60):
        under_way = pusher.turn()
        if not house.waiting() and not under_way:
            break
        if not under_way:
            house.later(30)
    return house.states()


def test_new_documents_travel_together_and_each_is_done(house, pusher):
    for no in range(12):
        house.order(f"SO-{no:02}")
    assert set(drained(house, pusher).values()) == {"done"}
    assert sorted(len(load) for load in Truckload.loads) == [2, 5, 5]
    assert [len(found) for found in house.bills().values()] == [1] * 12
    assert {number for (number,) in house.sql("SELECT remote_number FROM ts.sync_document")} == set(house.bills())


def test_what_one_row_says_concerns_that_row_alone(house, pusher):
    for no in range(5):
        house.order(f"SO-{no}")
    Truckload.says = {
        "SO-1": Rejected("kingdee.credit", "信用额度不足"),
        "SO-2": Uncertain("kingdee.unclear", "cut"),
        "SO-3": RetryLater("kingdee.locked", "正在编辑"),
    }
    states = drained(house, pusher)
    assert states == {"SO-0": "done", "SO-1": "failed", "SO-2": "done", "SO-3": "done", "SO-4": "done"}
    assert Truckload.loads == [["SO-0", "SO-1", "SO-2", "SO-3", "SO-4"]]  # what was tried once travels alone
    assert {name: len(found) for name, found in house.bills().items()} == {"SO-0": 1, "SO-2": 1, "SO-3": 1, "SO-4": 1}
    assert house.sql("SELECT cause, cause_text FROM ts.sync_document WHERE state = 'failed'") == [
        ("kingdee.credit", "信用额度不足")
    ]


@pytest.mark.parametrize("spoilt", ["lost", "short"])
def test_an_unclear_call_is_looked_up_row_by_row(house, pusher, spoilt):
    for no in range(5):
        house.order(f"SO-{no}")
    Truckload.whole = [Uncertain("kingdee.no_answer", "the line broke")] if spoilt == "lost" else []
    Truckload.short = spoilt == "short"
    assert set(drained(house, pusher).values()) == {"done"}
    assert len(Truckload.loads) == 1
    assert [len(found) for found in house.bills().values()] == [1] * 5


def test_a_bill_that_cannot_be_made_stays_behind(house, pusher):
    for no in range(4):
        house.order(f"SO-{no}")
    house.sql("""UPDATE ts.sync_document SET body = jsonb_set(body, '{currency}', '"XYZ"') WHERE reference = 'SO-2'""")
    states = drained(house, pusher)
    assert states == {"SO-0": "done", "SO-1": "done", "SO-2": "failed", "SO-3": "done"}
    assert Truckload.loads == [["SO-0", "SO-1", "SO-3"]]


def test_changes_and_second_tries_travel_alone(house, pusher):
    first = house.order("SO-0")
    assert drained(house, pusher) == {"SO-0": "done"}
    with house.app.system(house.seller, "test") as ctx:
        enqueue(ctx, ctx.session.get(TradeOrder, first), "change", 4)
    house.order("SO-1")
    house.order("SO-2")
    assert set(drained(house, pusher).values()) == {"done"}
    assert Truckload.loads == [["SO-1", "SO-2"]]


@pytest.mark.parametrize(
    "said", [RetryLater("kingdee.busy", "busy"), FixSettings("kingdee.no_right", "no right to the form")]
)
def test_a_call_that_failed_as_a_whole_is_one_failure_of_the_connection(house, pusher, said):
    for no in range(5):
        house.order(f"SO-{no}")
    Truckload.whole = [said]
    (task,) = pusher.engine.claim(1)
    pusher.engine.run_together(task)
    assert Truckload.loads == [[f"SO-{no}" for no in range(5)]]
    assert house.sql("SELECT state, failures, refusals FROM ts.erp_connection") == [
        ("active", 1, 1 if isinstance(said, FixSettings) else 0)
    ]
    assert set(drained(house, pusher).values()) == {"done"}


def test_a_load_whose_time_is_over_is_looked_up_row_by_row(house, pusher):
    for no in range(3):
        house.order(f"SO-{no}")
    engine = house.engine(lease=timedelta(seconds=60), margin=timedelta(seconds=60))
    (task,) = engine.claim(1)
    assert engine.run_together(task) == ["unknown"] * 3
    engine.close()
    assert house.sql("SELECT DISTINCT cause, tries, lease_until FROM ts.sync_document") == [("sync.too_slow", 1, None)]
    assert set(drained(house, pusher).values()) == {"done"}
    assert [len(found) for found in house.bills().values()] == [1] * 3


@pytest.mark.parametrize("analyzed", [False, True], ids=["stale", "analyzed"])
def test_a_claim_of_more_reads_no_long_line(house, analyzed):
    """Also where the server believes the table to be as empty as it was."""
    line = Line(house)
    only = line.connection("满")
    line.wait(only, "A", 5_000)
    if analyzed:
        line.run("ANALYZE ts.sync_document")
    asked = f"SELECT * FROM ts.sync_claim_more('{only}', 'sales_order', 5, interval '2 minutes')"
    with house.worker.database.session() as session:
        session.execute(text(asked))
        session.rollback()
        (told,) = session.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked}")).scalar_one()
        session.rollback()
    assert told["Plan"]["Actual Rows"] == 5
    assert told["Plan"]["Shared Hit Blocks"] + told["Plan"]["Shared Read Blocks"] < 500

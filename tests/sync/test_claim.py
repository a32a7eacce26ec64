"""Which documents a claim takes: in what order, how many of whom, and what it passes without being held up."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

DOCUMENTS = """INSERT INTO ts.sync_document (id, tenant_id, connection_id, kind, object_id, intent, version, idem_key, reference,
  total, body, state, not_before)
SELECT gen_random_uuid(), :tenant, :connection, :kind, o.id, 'create', :version, o.id || ':' || :version,
  :name || o.no, 1, '{}', :state, CAST(:now AS timestamptz) + :due + o.no * interval '1 millisecond'
FROM (SELECT no, md5(:name || no)::uuid AS id FROM generate_series(1, :count) AS no) o"""
AGO, LATER = timedelta(hours=-1), timedelta(hours=1)


class Line:
    """Documents of one seller, written straight into the table, and what a claim takes of them."""

    def __init__(self, house: Any) -> None:
        self.house = house
        ((self.now,),) = self.run(
            "SELECT clock_timestamp()"
        )  # one for all, so that places in the line are exact

    def connection(self, name: str, at_once: int | None = None) -> UUID:
        id: UUID = self.house.connect(name)
        self.run("UPDATE ts.erp_connection SET at_once = :most WHERE id = :id", id=id, most=at_once)
        return id

    def wait(self, connection: UUID, name: str, count: int = 1, **facts: Any) -> None:
        """`count` documents `name1`, `name2`, ..., each of an object of that name, due one after the other."""
        told = {"kind": "sales_order", "version": 1, "state": "new", "due": AGO} | facts
        tenant = self.house.seller
        self.run(
            DOCUMENTS, now=self.now, tenant=tenant, connection=connection, name=name, count=count, **told
        )

    def run(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.house.app.system(self.house.seller, "test") as ctx:
            found = ctx.session.execute(text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def claim(self, batch: int = 20, at_once: int = 8, lease: timedelta = timedelta(minutes=2)) -> list[str]:
        """The references of what is taken, the longest waiting first."""
        with self.house.worker.database.session() as session:
            asked = text(
                "SELECT reference FROM ts.sync_claim(:batch, :lease, :at_once) ORDER BY not_before, id"
            )
            rows = session.scalars(asked, {"batch": batch, "lease": lease, "at_once": at_once}).all()
            session.commit()
        return list(rows)

    def finish(self, state: str = "done") -> None:
        """Whatever is under way has come to its end."""
        self.run(
            "UPDATE ts.sync_document SET state = :state, lease_until = NULL WHERE lease_until IS NOT NULL",
            state=state,
        )

    def explained(self) -> int:
        """Blocks that a claim reads or writes, as the server counts them; nothing stays claimed."""
        claim = "SELECT * FROM ts.sync_claim(20, interval '2 minutes', 8)"
        with self.house.worker.database.session() as session:
            session.execute(text(claim))  # a connection's first plan reads the catalogue
            session.rollback()
            (told,) = session.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {claim}")).scalar_one()
            session.rollback()
        return int(told["Plan"]["Shared Hit Blocks"] + told["Plan"]["Shared Read Blocks"])


@pytest.fixture
def line(house: Any) -> Line:
    return Line(house)


def test_who_waited_longest_goes_first_over_all_connections(line: Line) -> None:
    first, second = line.connection("甲"), line.connection("乙")
    line.wait(first, "A", 3)
    line.wait(second, "B", 3, due=AGO + timedelta(microseconds=500))
    assert line.claim(batch=3) == ["A1", "B1", "A2"]
    assert line.claim(batch=9) == ["B2", "A3", "B3"]


def test_a_long_line_does_not_keep_a_short_one_waiting(line: Line) -> None:
    long, short = line.connection("长", at_once=2), line.connection("短")
    line.wait(long, "L", 300)
    line.wait(short, "S", 1, due=timedelta(seconds=-1))
    assert line.claim(batch=4) == ["L1", "L2", "S1"]
    assert line.claim(batch=4) == []


def test_each_connection_has_its_own_number_under_way(line: Line) -> None:
    one, three, plain = line.connection("一", 1), line.connection("三", 3), line.connection("常")
    for connection, name in ((one, "A"), (three, "B"), (plain, "C")):
        line.wait(connection, name, 9)
    assert sorted(line.claim(at_once=2)) == ["A1", "B1", "B2", "B3", "C1", "C2"]
    line.run("UPDATE ts.sync_document SET state = 'done', lease_until = NULL WHERE reference IN ('A1', 'B2')")
    assert sorted(line.claim(at_once=2)) == ["A2", "B4"]


def test_what_is_uncertain_counts_only_while_somebody_has_it(line: Line) -> None:
    only = line.connection("甲", 1)
    line.wait(only, "U", 5, state="unknown", due=LATER)
    line.wait(only, "A", 2)
    assert line.claim() == ["A1"]
    assert line.claim() == []


def test_a_lease_that_ran_out_comes_back_as_unknown_and_alone(line: Line) -> None:
    only = line.connection("甲", 1)
    line.wait(only, "A", 2)
    assert line.claim(lease=timedelta(milliseconds=20)) == ["A1"]
    time.sleep(0.05)
    assert line.claim() == ["A1"]
    assert line.run("SELECT state, attempt FROM ts.sync_document WHERE reference = 'A1'") == [("unknown", 2)]
    assert line.claim() == []


def test_an_order_goes_version_after_version_and_its_receipt_beside_it(line: Line) -> None:
    only = line.connection("甲")
    line.wait(only, "A", version=2, due=AGO * 2)
    line.wait(only, "A", version=1)
    line.wait(only, "A", version=1, kind="receipt")
    asked = "SELECT kind, version FROM ts.sync_document WHERE lease_until IS NOT NULL ORDER BY kind"
    assert line.claim() == ["A1", "A1"] and line.run(asked) == [("receipt", 1), ("sales_order", 1)]
    line.finish()
    assert line.claim() == ["A1"] and line.run(asked) == [("sales_order", 2)]


@pytest.mark.parametrize("ended", ["done", "failed", "held", "superseded"])
def test_the_newer_version_goes_as_soon_as_the_older_one_has_ended(line: Line, ended: str) -> None:
    only = line.connection("甲")
    line.wait(only, "A", version=1)
    assert line.claim() == ["A1"]
    line.wait(only, "A", version=2)
    assert line.claim() == []
    line.finish(ended)
    assert line.claim() == ["A1"]


def test_a_version_behind_one_that_waits_is_due_right_after_it(line: Line) -> None:
    only = line.connection("甲")
    line.wait(only, "A", version=1, state="unknown", due=LATER)
    line.wait(only, "A", version=2)
    line.wait(only, "B")
    assert line.claim() == ["B1"]
    line.finish()
    behind = "SELECT max(not_before) - min(not_before) FROM ts.sync_document WHERE reference = 'A1'"
    assert line.run(behind) == [(timedelta(microseconds=1),)]
    line.house.later(3601)
    assert line.claim() == ["A1"]
    line.finish()
    assert line.claim() == ["A1"]


def test_a_head_full_of_waiting_orders_is_passed_and_never_passed_again(line: Line) -> None:
    """More than one claim may move; others are not held up by it, and soon the rest of the same line is not either."""
    full, other = line.connection("满"), line.connection("旁")
    line.wait(full, "A", 750, state="unknown", due=LATER)
    line.wait(full, "A", 750, version=2, due=AGO * 2)
    line.wait(full, "F", 3)
    line.wait(other, "O", 1)
    taken: list[str] = []
    claims = 0
    while len(taken) < 4:
        found = line.claim()
        taken += found
        claims += 1
        assert claims < 12
        if claims == 1:
            assert found == ["O1"]
    assert taken == ["O1", "F1", "F2", "F3"]
    line.finish()
    assert line.claim() == []
    assert line.explained() < 3_000  # looked through once more, they would be 750 rows of ten blocks each


def test_a_row_somebody_holds_is_passed_not_waited_for(line: Line) -> None:
    only = line.connection("甲", 1)
    line.wait(only, "A", 2)
    with line.house.app.system(line.house.seller, "test") as ctx:
        ctx.session.execute(text("SELECT 1 FROM ts.sync_document WHERE reference = 'A1' FOR UPDATE"))
        assert line.claim() == ["A2"]


STOPPED: dict[str, str] = {
    "breaker": "open_until = clock_timestamp() + interval '1 hour'",
    "paused": "state = 'paused'",
    "stopped": "state = 'stopped'",
}


@pytest.mark.parametrize("how", STOPPED)
def test_who_may_not_send_holds_nobody_up(line: Line, how: str) -> None:
    dead, living = line.connection("死"), line.connection("生")
    line.wait(dead, "D", 40, due=AGO * 2)
    line.wait(living, "A", 2)
    line.run(f"UPDATE ts.erp_connection SET {STOPPED[how]} WHERE id = :id", id=dead)
    assert line.claim() == ["A1", "A2"]
    line.run("UPDATE ts.erp_connection SET state = 'active', open_until = NULL")
    assert line.claim(batch=2) == ["D1", "D2"]


def test_one_document_tries_whether_the_system_is_back(line: Line) -> None:
    """All that waited would otherwise rush at a system that has just come up."""
    line.wait(line.connection("死", at_once=8), "D", 40)
    line.run("UPDATE ts.erp_connection SET failures = 5, open_until = clock_timestamp()")
    assert line.claim() == ["D1"]
    assert line.claim() == []
    line.finish()
    line.run("UPDATE ts.erp_connection SET failures = 0, open_until = NULL")
    assert line.claim() == [f"D{no}" for no in range(2, 10)]


def test_a_long_line_with_many_places_leaves_the_next_free_one_to_others(line: Line) -> None:
    """A thread that comes free goes to the connection that has none, however long the other one's documents waited."""
    long, short = line.connection("长", at_once=16), line.connection("短", at_once=16)
    line.wait(long, "L", 100)
    line.wait(short, "S", 2, due=timedelta(seconds=-1))
    assert line.claim(batch=3) == ["L1", "L2", "S1"]
    assert line.claim(batch=1) == ["S2"]
    assert line.claim(batch=1) == ["L3"]


def test_what_a_dead_worker_may_have_sent_at_the_last_moment_settles_first(line: Line) -> None:
    def claim() -> int:
        asked = "SELECT count(*) FROM ts.sync_claim(9, interval '2 minutes', 8, CAST(:settles AS jsonb), interval '25 s')"
        with line.house.worker.database.session() as session:
            taken = int(session.scalar(text(asked), {"settles": '{"kingdee": 600}'}))
            session.commit()
        return taken

    line.wait(line.connection("甲"), "A", 1)
    assert line.claim(lease=timedelta(milliseconds=20)) == ["A1"]
    time.sleep(0.05)
    assert claim() == 0
    found = "SELECT state, lease_until, round(extract(epoch FROM not_before - clock_timestamp())) FROM ts.sync_document"
    assert line.run(found) == [("unknown", None, 575)]
    line.run("UPDATE ts.erp_connection SET settle_seconds = 30")  # what the connection says comes first
    line.run("UPDATE ts.sync_document SET not_before = clock_timestamp(), lease_until = clock_timestamp()")
    assert claim() == 0
    assert line.run(found) == [("unknown", None, 5)]


def _thousands(line: Line) -> None:
    line.wait(line.connection("众", 2), "A", 5_000)


def _dead(line: Line) -> None:
    dead = line.connection("死")
    line.wait(dead, "A", 5_000, due=AGO * 2)
    line.run(
        "UPDATE ts.erp_connection SET open_until = clock_timestamp() + interval '1 hour' WHERE id = :id",
        id=dead,
    )
    line.wait(line.connection("生"), "B", 2)


def _later(line: Line) -> None:
    only = line.connection("晚")
    line.wait(only, "A", 5_000, state="unknown", due=LATER)
    line.wait(only, "B", 2)


@pytest.mark.parametrize("analyzed", [False, True], ids=["stale", "analyzed"])
@pytest.mark.parametrize("fill", [_thousands, _dead, _later])
def test_a_claim_reads_no_more_of_a_long_line_than_of_a_short_one(
    line: Line, fill: Callable[[Line], None], analyzed: bool
) -> None:
    """Also where the server believes the table to be as empty as it was, and a plan was made for that."""
    line.claim()
    fill(line)
    if analyzed:
        line.run("ANALYZE ts.sync_document")
    # One for each would be 5,000; what earlier tests deleted is passed page by page.
    assert line.explained() < 2_500
    assert len(line.claim()) == 2

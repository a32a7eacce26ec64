"""Processes report every second, hear of stopped plugins at once, and leave when other plugins are current."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from core.db import Database
from core.hooks import Dispatch, Fault
from core.host import Host
from core.host.pulse import Pulse
from tests.conftest import Server

pytestmark = pytest.mark.slow

SOON = 2.0  # seconds: the promise


@dataclass
class Process:
    """A process of the platform, as far as its heartbeat goes."""

    pulse: Pulse
    host: Host
    left: threading.Event = field(default_factory=threading.Event)


Begin = Callable[..., Process]
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def sql(server: Server, fresh_db: Database) -> Sql:
    """Statements as the tables' superuser."""
    admin = server.admin.set(database=fresh_db.name)  # type: ignore[attr-defined]
    address = admin.render_as_string(hide_password=False).replace("+psycopg", "", 1)

    def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def begin(server: Server, fresh_db: Database, sql: Sql) -> Iterator[Begin]:
    """`begin("web", one_by_one=True)`: a process that runs the current set of plugins."""
    sql("INSERT INTO ts.plugin (name, version, installed_by) VALUES ('ear', '1.0', 'test') ON CONFLICT DO NOTHING")
    sql("INSERT INTO ts.plugin_epoch (epoch) VALUES (7) ON CONFLICT (only_one) DO UPDATE SET epoch = 7")
    begun: list[Process] = []

    def start(kind: str, **more: Any) -> Process:
        host = Host(Dispatch(), broken={"odd": "made for core >=9"})
        url = server.url_for("ts_app" if kind == "web" else "ts_worker", fresh_db.name)  # type: ignore[attr-defined]
        process = Process(Pulse(url, host, kind, 7, lambda: process.left.set(), **more), host)
        process.pulse.begin()
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.pulse.end()


def soon(true: Callable[[], bool], within: float = SOON) -> bool:
    until = time.monotonic() + within
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def a_fault(opened: bool) -> Fault:
    return Fault("ear", "check_transition", "late", "took longer\0 than 2 s", None, datetime.now(UTC), opened)


def test_a_process_reports_what_it_runs(begin: Begin, sql: Sql) -> None:
    begin("web")
    begin("worker")
    assert soon(lambda: len(sql("SELECT 1 FROM ts.plugin_process")) == 2)
    rows = sql("SELECT kind, epoch, broken, memory FROM ts.plugin_process ORDER BY kind")
    assert [row[:3] for row in rows] == [(kind, 7, {"odd": "made for core >=9"}) for kind in ("web", "worker")]
    assert all(row[3] > 10_000_000 for row in rows)
    broken = "SELECT plugin, hook, kind, reason FROM ts.plugin_fault"
    assert soon(lambda: sql(broken) == [("odd", "start", "import", "made for core >=9")] * 2)


def test_a_stop_reaches_every_process_and_so_does_its_end(begin: Begin, sql: Sql) -> None:
    web, worker = begin("web"), begin("worker")
    sql("UPDATE ts.plugin SET stopped_by = 'operator', stopped_reason = 'it misbehaves' WHERE name = 'ear'")
    for process in (web, worker):
        assert soon(lambda process=process: process.host.dispatch.stopped == {"ear": "it misbehaves"})
    sql("UPDATE ts.plugin SET stopped_by = NULL WHERE name = 'ear'")
    for process in (web, worker):
        assert soon(lambda process=process: process.host.dispatch.stopped == {})


def test_a_breaker_that_opens_in_one_process_opens_in_all(begin: Begin, sql: Sql) -> None:
    web, worker = begin("web"), begin("worker")
    web.host.dispatch.heard(a_fault(opened=False))
    web.host.dispatch.heard(a_fault(opened=True))
    assert soon(lambda: "ear" in worker.host.dispatch.stopped)
    rows = sql("SELECT stopped_by, stopped_until - clock_timestamp() < interval '61 seconds' FROM ts.plugin WHERE name = 'ear'")
    assert rows == [("platform", True)]
    assert soon(lambda: len(sql("SELECT 1 FROM ts.plugin_fault WHERE kind = 'late'")) == 2)


def test_what_plugins_did_is_counted_across_processes_and_swept_after_a_fortnight(
    begin: Begin, sql: Sql, worker_db: Database
) -> None:
    for process in (begin("web"), begin("worker")):
        for seconds in (0.0004, 0.003, 5.0):
            process.host.dispatch.meter.note("ear", "check_transition", seconds, seconds > 1)
    counted = "SELECT sum(calls), sum(errors), sum(micros), array_agg(slower) FROM ts.plugin_minute"
    assert soon(lambda: sql(counted)[0][0] == 6)
    [(_, errors, micros, places)] = sql(counted)
    assert (errors, micros) == (2, 2 * 5_003_400)
    assert [sum(column) for column in zip(*places, strict=True)][:3] == [2, 0, 2]
    sql("INSERT INTO ts.plugin_fault (plugin, hook, kind, reason, process) VALUES ('ear', 'search', 'error', 'no', 'x')")
    sweep = text("SELECT ts.plugin_sweep()")
    with worker_db.session() as session:
        assert session.scalar(sweep) == 0
        session.rollback()
    sql("UPDATE ts.plugin_minute SET minute = minute - interval '15 days'")
    sql("UPDATE ts.plugin_fault SET at = at - interval '15 days'")
    values = "'gone', 'web', 7, '{}', '{}', 1, now() - interval '1 day', now() - interval '11 seconds'"
    sql(f"INSERT INTO ts.plugin_process VALUES ({values})")
    with worker_db.session() as session:
        assert session.scalar(sweep) >= 3
        session.commit()
    assert sql("SELECT 1 FROM ts.plugin_minute UNION ALL SELECT 1 FROM ts.plugin_fault") == []
    assert sql("SELECT 1 FROM ts.plugin_process WHERE id = 'gone'") == []


def test_a_process_that_grew_past_its_limit_names_the_suspects_and_leaves(begin: Begin, sql: Sql) -> None:
    worker = begin("worker", memory=1)
    dog = worker.host.dispatch.watchdog
    assert soon(lambda: worker.pulse.growth.before > 0)
    key, call = dog.begin("ear.event:OrderSubmitted", float("inf"), None)
    ballast = b"x" * (100 * 1024 * 1024)
    assert worker.left.wait(SOON)
    dog.end(key, call)
    assert soon(lambda: bool(sql("SELECT 1 FROM ts.plugin_fault WHERE kind = 'memory'")))
    [(plugin, hook, reason)] = sql("SELECT plugin, hook, reason FROM ts.plugin_fault WHERE kind = 'memory'")
    assert (plugin, hook) == ("ear", "event:OrderSubmitted") and "memory grew by" in reason
    assert soon(lambda: sql("SELECT stopped_by FROM ts.plugin WHERE name = 'ear'") == [("platform",)])
    del ballast


def test_a_process_leaves_once_when_other_plugins_are_current(begin: Begin, sql: Sql) -> None:
    worker = begin("worker")
    assert not worker.left.wait(1.2)
    sql("UPDATE ts.plugin_epoch SET epoch = 8")
    assert worker.left.wait(SOON)
    worker.left.clear()
    assert not worker.left.wait(1.5)


def test_web_processes_leave_one_after_the_other(begin: Begin, sql: Sql) -> None:
    both = [begin("web", one_by_one=True) for _ in range(2)]
    sql("UPDATE ts.plugin_epoch SET epoch = 8")
    assert soon(lambda: any(each.left.is_set() for each in both))
    assert not soon(lambda: all(each.left.is_set() for each in both), 1.5)
    first, second = sorted(both, key=lambda each: not each.left.is_set())
    first.pulse.end()
    assert second.left.wait(SOON)


def test_a_lost_database_is_waited_for(
    begin: Begin, sql: Sql, fresh_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    worker = begin("worker")
    mine = "FROM pg_stat_activity WHERE application_name = 'tongshang pulse' AND datname = current_database()"
    assert soon(lambda: bool(sql(f"SELECT 1 {mine}")))
    sql(f"ALTER DATABASE {fresh_db.name} CONNECTION LIMIT 0")  # type: ignore[attr-defined]
    try:
        sql(f"SELECT pg_terminate_backend(pid) {mine}")
        time.sleep(3.2)
    finally:
        sql(f"ALTER DATABASE {fresh_db.name} CONNECTION LIMIT -1")  # type: ignore[attr-defined]
    assert len([each for each in caplog.records if "no heartbeat" in each.message]) == 1
    sql("UPDATE ts.plugin_epoch SET epoch = 8")
    assert worker.left.wait(3.0)

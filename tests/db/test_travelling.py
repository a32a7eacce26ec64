"""What travels together, what is not waited for, and that nothing is lost by either."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import Integer, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from core.db import Database, TenantSession
from core.db.straight import Prepared, rows

NOW = "SELECT ts.clock(), pg_current_xact_id_if_assigned() IS NULL, pg_backend_pid()"
OFTEN = 7  # psycopg prepares a statement when it was said five times


def driver(session: TenantSession) -> Any:
    return session.connection().connection.driver_connection


@pytest.fixture
def one(fresh_db: Database) -> Iterator[Database]:
    """A database by one connection, on which `NOW` is prepared."""
    database = Database(fresh_db.engine.url.render_as_string(hide_password=False), pool_size=1)
    for _ in range(OFTEN):
        with database.session() as session:
            rows(session, NOW, ())
            session.commit()
    yield database
    database.dispose()


def messages(session: TenantSession, act: Callable[[], object], trace: Path) -> int:
    """How many messages that ask for an answer went to the server while `act` ran."""
    wire = driver(session).pgconn
    with trace.open("w+") as file:
        wire.trace(file.fileno())
        try:
            act()
        finally:
            wire.untrace()
        file.seek(0)
        said = file.read()
    return said.count("\tSync") + said.count("\tQuery")


def test_begin_travels_with_the_first_statement_once_that_is_prepared(one: Database, tmp_path: Path) -> None:
    with one.session() as session:
        assert messages(session, lambda: session.execute(text("SELECT 1")), tmp_path / "new") == 2
        session.commit()  # a rollback would have psycopg prepare everything anew
        assert messages(session, lambda: rows(session, NOW, ()), tmp_path / "known") == 1
        assert driver(session).pgconn.transaction_status == TransactionStatus.INTRANS
        assert messages(session, lambda: rows(session, NOW, ()), tmp_path / "second") == 1


def test_a_reader_does_not_wait_for_the_end_and_the_end_comes(one: Database, fresh_db: Database) -> None:
    with one.session() as session:
        wire = driver(session)
        [(_, _, process)] = rows(session, NOW, ())
        session.commit()
        assert wire.owed
    asked = text("SELECT state FROM pg_stat_activity WHERE pid = :pid")
    with fresh_db.session() as other:
        for _ in range(100):
            if other.scalar(asked, {"pid": process}) == "idle":
                break
            other.rollback()
            time.sleep(0.02)
        else:
            pytest.fail("the transaction goes on")
    with one.session() as session:
        assert rows(session, NOW, ())[0][2] == process and not wire.owed
        session.commit()
        session.commit()


def test_who_did_not_declare_that_he_only_reads_waits(one: Database) -> None:
    with one.session() as session:
        rows(session, NOW, ())
        session.execute(text("SELECT 1"))
        wire = driver(session)
        session.commit()
        assert not wire.owed and wire.pgconn.transaction_status == TransactionStatus.IDLE


def test_the_tenant_of_a_transaction_does_not_outlive_it(one: Database, tenant: UUID) -> None:
    with one.session(tenant) as session:
        assert rows(session, "SELECT ts.tenant()", ()) == [(tenant,)]
        session.commit()
    with one.session() as session:
        assert rows(session, "SELECT ts.tenant()", ()) == [(None,)]


def test_a_statement_that_fails_on_the_way_fails_as_any_other(one: Database) -> None:
    broken = "SELECT 1 / (%s::int - 1)"
    for _ in range(OFTEN):
        with one.session() as session:
            assert rows(session, broken, (2,)) == [(1,)]
            session.commit()
    with one.session() as session:
        with pytest.raises(DBAPIError, match="division by zero") as failed:
            rows(session, broken, (1,))
        assert failed.value.statement == broken and not failed.value.connection_invalidated
        assert driver(session).pgconn.transaction_status == TransactionStatus.INERROR
        session.rollback()
        assert rows(session, broken, (2,)) == [(1,)]


@pytest.mark.parametrize("owing", [True, False])
def test_a_server_that_went_away_is_noticed_and_the_next_one_is_asked(
    one: Database, fresh_db: Database, owing: bool
) -> None:
    with one.session() as session:
        [(_, _, process)] = rows(session, NOW, ())
        if not owing:
            session.execute(text("SELECT 1"))
        session.commit()
    with fresh_db.session() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": process})
    with one.session() as session, pytest.raises(OperationalError) as lost:
        rows(session, NOW, ())
    assert lost.value.connection_invalidated
    with one.session() as session:
        assert rows(session, NOW, ())[0][2] != process


def test_a_select_is_worded_once_and_takes_its_values_with_each_call(ctx: Any) -> None:
    numbers = func.generate_series(1, bindparam("most", type_=Integer())).table_valued("n").render_derived()
    asked = Prepared(select(numbers.c.n).where(numbers.c.n > 2).order_by(numbers.c.n))
    assert asked.rows(ctx.session, {"most": 4}) == [(3,), (4,)]
    assert asked.rows(ctx.session, {"most": 2}) == []

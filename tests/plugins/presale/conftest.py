"""A database in which presales are at home; its clock stands where a test puts it."""

from collections.abc import Iterator

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import plugins.presale
from core.billing import wiring
from core.db import Database, TenantSession, roles
from tests.conftest import Server, make_unit
from tests.orders.trade import Trade
from tests.plugins.bringing import bring, migrate
from tests.plugins.presale.fair import Fair

STOPPABLE = """CREATE OR REPLACE FUNCTION ts.clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE RETURN
  coalesce(nullif(current_setting('ts.clock_stop', true), '')::timestamptz, clock_timestamp())
  + coalesce(nullif(current_setting('ts.clock_shift', true), '')::interval, interval '0')"""


@pytest.fixture(scope="session")
def presale_db(server: Server, keys: None) -> Iterator[Database]:
    name = server.clone()
    server.run(*roles.access_statements(name))
    migrate(server.url_for("ts_migrator", name), plugins.presale)
    engine = create_engine(server.url_for("ts_migrator", name), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE ts_owner"))
        connection.execute(text(STOPPABLE))
    engine.dispose()
    database = Database(server.url_for("ts_app", name), pool_size=20)
    database.name = name  # type: ignore[attr-defined]
    yield database
    database.dispose()


@pytest.fixture
def fair(presale_db: Database) -> Iterator[Fair]:
    """A seller and two buyers; everything a test does is rolled back, after all deferred checks have held."""
    wiring.wire()
    with presale_db.session() as session:
        trade = Trade(make_unit(presale_db, bring(plugins.presale).dispatch), session).set_up()
        yield Fair(trade).set_up()
        if not failed(session):
            session.flush()
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # every posting sums to zero
        session.rollback()


def failed(session: TenantSession) -> bool:
    """A test that fails in the database shall show its own reason, not that of the checks after it."""
    driver = session.connection().connection.driver_connection
    return bool(driver and driver.info.transaction_status == TransactionStatus.INERROR)

"""Databases in which a plugin is at home, and the small trade of the order tests with it switched on."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import plugins.rfq
import plugins.spot
from core.db import Database, roles
from core.hooks import Dispatch
from tests.conftest import Server, make_unit
from tests.orders.trade import Trade
from tests.plugins.asking import Market
from tests.plugins.bringing import bring, migrate
from tests.plugins.fair import fair, rfq_installed  # noqa: F401  fixtures of the pages and answers of requests


@pytest.fixture(scope="session")
def spot_db(server: Server, keys: None) -> Iterator[Database]:
    name = server.clone()
    server.run(*roles.access_statements(name))  # a clone does not inherit who may create schemas in it
    migrate(server.url_for("ts_migrator", name), plugins.spot)
    database = Database(server.url_for("ts_app", name), pool_size=20)
    database.name = name  # type: ignore[attr-defined]
    yield database
    database.dispose()


@pytest.fixture
def dispatch() -> Dispatch:
    return bring(plugins.spot).dispatch


@pytest.fixture
def trade(spot_db: Database, dispatch: Dispatch) -> Iterator[Trade]:
    """Everything a test does here is rolled back."""
    with spot_db.session() as session:
        yield Trade(make_unit(spot_db, dispatch), session).set_up()
        session.rollback()


STOPPABLE = """CREATE OR REPLACE FUNCTION ts.clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE RETURN
  coalesce(nullif(current_setting('ts.clock_stop', true), '')::timestamptz, clock_timestamp())
  + coalesce(nullif(current_setting('ts.clock_shift', true), '')::interval, interval '0')"""


@pytest.fixture(scope="session")
def rfq_db(server: Server, keys: None) -> Iterator[Database]:
    """With requests and quotes; its clock runs ahead with `shift` and stands where `shift_to` puts it."""
    name = server.clone()
    server.run(*roles.access_statements(name))
    migrate(server.url_for("ts_migrator", name), plugins.rfq)
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
def market(rfq_db: Database) -> Iterator[Market]:
    """A buyer and two sellers with requests switched on; everything a test does is rolled back."""
    with rfq_db.session() as session:
        trade = Trade(make_unit(rfq_db, bring(plugins.rfq).dispatch), session).set_up()
        yield Market(trade).set_up()
        session.rollback()

"""Databases in which the spot plugin is at home, and the small trade of the order tests with it switched on."""

from collections.abc import Iterator

import pytest

import plugins.spot
from core.db import Database, roles
from core.hooks import Dispatch
from tests.conftest import Server, make_unit
from tests.orders.trade import Trade
from tests.plugins.bringing import bring, migrate


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

"""The trade of `tests.orders.trade`, rolled back after each test, or committed in a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.db import Database
from core.hooks import Dispatch
from core.orders import TradeOrder
from tests.app.installation import app_over
from tests.conftest import Server, make_unit
from tests.orders.portal import Portal, Visitor, bring_modes
from tests.orders.trade import Trade, dispatch


@pytest.fixture
def plugins() -> Dispatch:
    return dispatch()


@pytest.fixture
def trade(shared_db: Database, plugins: Dispatch) -> Iterator[Trade]:
    with shared_db.session() as session:
        yield Trade(make_unit(shared_db, plugins), session).set_up()
        session.rollback()


@pytest.fixture
def committed(fresh_db: Database, plugins: Dispatch) -> Iterator[Trade]:
    """The same trade, committed: threads, requests and workers see it."""
    with fresh_db.session() as session:
        made = Trade(make_unit(fresh_db, plugins), session).set_up()
        made.unit.finish(made.system(made.seller_id))
        yield made


@pytest.fixture(scope="session")
def portal(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One application over one trade for all tests of pages and JSON; they find their orders by what they wrote on them."""
    yield from open_portal(server, tmp_path_factory.mktemp("portal"))


def open_portal(server: Server, data: Path) -> Iterator[Portal]:
    """An application over a database of its own in which two enterprises trade."""
    name, plugins = server.lend(), dispatch()
    database = Database(server.url_for("ts_app", name))
    with database.session() as session:
        trade = Trade(make_unit(database, plugins), session).set_up()
        trade.unit.finish(trade.system(trade.seller_id))
        with app_over(server, name, data) as app:
            bring_modes(app, plugins)
            yield Portal(app, trade, database)
    database.dispose()
    server.take_back(name)


@pytest.fixture(scope="session")
def buying(portal: Portal) -> Visitor:
    return portal.visitor("Wang Fang", "buyer.clerk")


@pytest.fixture(scope="session")
def selling(portal: Portal) -> Visitor:
    return portal.visitor("Li Min", "seller.sales")


@pytest.fixture
def submitted_order(trade: Trade) -> TradeOrder:
    return trade.place()


@pytest.fixture
def confirmed_order(trade: Trade) -> TradeOrder:
    """With an open payment gate, so it stays confirmed."""
    return trade.confirmed(mode="prepaid")


@pytest.fixture
def running_order(trade: Trade) -> TradeOrder:
    return trade.confirmed()

"""An application over empty tables: enough to ask it about its routes."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from core.app import create_app
from core.host import shipping
from tests.app.conftest import house
from tests.app.installation import config_of
from tests.conftest import Server

__all__ = ["house", "plain_app"]


@pytest.fixture(scope="session")
def plain_app(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    database = server.clone()
    engine = create_engine(server.url_for("ts_migrator", database), poolclass=NullPool)
    with engine.begin() as connection:
        shipping.install_shipped(connection)
    engine.dispose()
    app = create_app(config_of(server, database, tmp_path_factory.mktemp("plain")))
    yield app
    app.extensions["ts"].unit.database.dispose()

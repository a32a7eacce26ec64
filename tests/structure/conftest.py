"""An application over empty tables: enough to ask it about its routes."""

from collections.abc import Iterator

import pytest
from flask import Flask

from core.app import create_app
from tests.app.conftest import house
from tests.app.installation import config_of
from tests.conftest import Server

__all__ = ["house", "plain_app"]


@pytest.fixture(scope="session")
def plain_app(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    app = create_app(config_of(server, server.clone(), tmp_path_factory.mktemp("plain")))
    yield app
    app.extensions["ts"].unit.database.dispose()

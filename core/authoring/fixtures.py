"""Fixtures for tests of plugins, as a pytest plugin: `pytest_plugins = ["tongshang.testing"]` in conftest.py.

One installation for the run with the plugin of the folder in it, its migrations run; two new enterprises for each test,
so that no test sees the rows of another and nothing needs to be rolled back.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask

from core.app import create_app
from core.authoring import entering, scratch, source
from core.authoring.trading import Side, Trade
from core.config import Config
from core.identity import password


@pytest.fixture(scope="session")
def plugin_source(request: pytest.FixtureRequest) -> source.Source:
    """The plugin under test: the one of pytest's root folder."""
    return source.find(request.config.rootpath)


@pytest.fixture(scope="session")
def plugin_config(plugin_source: source.Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """A database with the platform's tables and the plugin's. `TS_TEST_ADMIN_URL` names a server, else one is started."""
    folder = tmp_path_factory.mktemp("installation")
    entering.put_on_path(plugin_source.stand_beside(folder / "beside"))
    password.hasher = PasswordHasher(
        time_cost=1, memory_cost=64, parallelism=1
    )  # people of tests have no secrets
    with scratch.try_server(Path(folder)) as server, scratch.installation(server, folder / "data") as config:
        entering.enter(config.url("migrate"), config.data, plugin_source)
        yield config


@pytest.fixture(scope="session")
def plugin_app(plugin_config: Config, plugin_source: source.Source) -> Iterator[Flask]:
    """The whole application over that database; a plugin that does not come in fails with its reason."""
    app = create_app(plugin_config)
    host = app.extensions["ts.host"]
    assert plugin_source.name in host.loaded, (
        f"the plugin does not come in: {host.broken.get(plugin_source.name)}"
    )
    yield app
    app.extensions["ts"].unit.database.dispose()


@pytest.fixture
def trade(plugin_app: Flask, plugin_source: source.Source) -> Trade:
    """A buyer and a seller with the plugin on, and the acts of an order: see `Trade`."""
    return Trade(plugin_app, plugin_source.name)


@pytest.fixture
def buyer(trade: Trade) -> Side:
    return trade.buyer


@pytest.fixture
def seller(trade: Trade) -> Side:
    return trade.seller

"""An installation on a database of the test server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from core.app import create_app
from core.config import DATA_VERSION, Config
from tests.conftest import Server

MASTER = b"k" * 32  # the same as the keyring of the tests: a process has one
SECRET = b"s" * 32


def write_keys(data: Path) -> None:
    """Give a data folder the keys of the tests, so that a process of its own opens what a test sealed."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "keys").write_text(json.dumps({"secret_key": SECRET.hex(), "master_key": MASTER.hex()}), encoding="utf-8")
    (data / "version").write_text(f"{DATA_VERSION}\n", encoding="utf-8")


def config_of(server: Server, database: str, data: Path) -> Config:
    return Config(
        data=data,
        embedded=False,
        app_url=server.url_for("ts_app", database),
        worker_url=server.url_for("ts_worker", database),
        migrate_url=server.url_for("ts_migrator", database),
        admin_url=None,
        secret_key=SECRET,
        master_key=MASTER,
    )


@contextmanager
def app_over(server: Server, database: str, data: Path) -> Iterator[Flask]:
    """The application over a lent database, counting its statements; made once and used again when that is lent again."""
    if database not in server.apps:
        server.apps[database] = create_app(config_of(server, database, data))
        server.apps[database].extensions["ts"].count_sql = True
    app = server.apps[database]
    yield app
    app.extensions["ts"].unit.database.dispose()

"""An installation on a database of the test server."""

from pathlib import Path

from core.config import Config
from tests.conftest import Server

MASTER = b"k" * 32  # the same as the keyring of the tests: a process has one


def config_of(server: Server, database: str, data: Path) -> Config:
    return Config(
        data=data,
        embedded=False,
        app_url=server.url_for("ts_app", database),
        worker_url=server.url_for("ts_worker", database),
        migrate_url=server.url_for("ts_migrator", database),
        admin_url=None,
        secret_key=b"s" * 32,
        master_key=MASTER,
    )

"""An installation made for a try: a database of its own on a real server, migrated, and dropped when the try is over."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from core.config import Config
from core.db import roles
from core.db.embedded import EmbeddedPostgres
from core.migrate import upgrade

VARIABLE = "TS_TEST_ADMIN_URL"
"""Address of a superuser on a server for tries; without it an embedded one is started."""
MASTER, SECRET = b"k" * 32, b"s" * 32  # a scratch installation holds nothing that is secret
_serial = itertools.count(1)


@dataclass(frozen=True)
class TryServer:
    """A PostgreSQL to make databases on. `url_for(role, database)` is how a role reaches one."""

    admin: URL
    url_for: Callable[[str, str], str]

    def run(self, statement: str) -> None:
        """One statement as the superuser, outside a transaction."""
        engine = create_engine(self.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def try_server(folder: Path) -> Iterator[TryServer]:
    """The server named by the environment, or an embedded one whose files lie in `folder` until the end."""
    given = os.environ.get(VARIABLE)
    if given:
        admin = make_url(given)
        yield TryServer(
            admin,
            lambda role, database: admin.set(username=role, database=database).render_as_string(
                hide_password=False
            ),
        )
        return
    embedded = EmbeddedPostgres(folder / "postgres", fsync=False)
    embedded.start()
    try:
        yield TryServer(make_url(embedded.url("postgres", "postgres")), embedded.url)
    finally:
        embedded.stop()
        embedded.destroy()


@contextmanager
def installation(server: TryServer, data: Path) -> Iterator[Config]:
    """A fresh installation with the plugins that come with the platform, none of them switched on."""
    name = f"ts_try_{os.getpid()}_{next(_serial)}"
    admin = server.admin.render_as_string(hide_password=False)
    try:
        roles.provision(admin, name)
        upgrade(server.url_for("ts_migrator", name))
        yield config_of(server, name, data)
    finally:
        server.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def config_of(server: TryServer, database: str, data: Path) -> Config:
    data.mkdir(parents=True, exist_ok=True)
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

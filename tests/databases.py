"""The databases of a run: one server, its templates, and databases that are lent, cleaned and lent again."""

import fcntl
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from core import rooms
from core.db import Model, roles, schema

LENT_AT_MOST = 25
"""Times; then the dead rows of those who had it would slow down the next."""


class Server:
    """The PostgreSQL of this run: makes databases from templates and says how each role reaches them.

    All processes of a run share it and its templates. What they agree on lies in `folder`, whose `lock` is held by
    the one who makes or unmakes something for all.
    """

    def __init__(self, admin: URL, url_for: Callable[[str, str], str], folder: Path) -> None:
        self.admin, self.url_for, self.folder = admin, url_for, folder
        self.serial = 0
        self.prefix = f"tst_{os.getpid()}"
        self.shared = f"tst_{folder.parent.name.replace('-', '_')}_{folder.stat().st_ino}"
        self.template = f"{self.shared}_template"
        self.made: list[str] = []
        self.apps: dict[str, Flask] = {}  # by database
        self._clean: list[str] = []
        self._lent: dict[str, int] = {}
        self._original: Original | None = None

    def run(self, *lines: str) -> None:
        engine = create_engine(self.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for line in lines:
                connection.execute(text(line))
        engine.dispose()

    def once(self, name: str, make: Callable[[str], Any]) -> tuple[str, Any]:
        """The template database of that name and what `make(database)` told about it; made by whoever asks first."""
        database, told = f"{self.shared}_{name}", self.folder / f"{name}.told"
        with alone(self.folder):
            if not told.exists():
                told.write_bytes(pickle.dumps(make(database)))
                self.run(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        return database, pickle.loads(told.read_bytes())

    def make_template(self) -> None:
        self.once("template", self._fill_template)

    def _fill_template(self, database: str) -> None:
        roles.provision(self.admin.render_as_string(hide_password=False), database)
        rooms.load_models()
        engine = create_engine(self.url_for("ts_migrator", database), poolclass=NullPool)
        with engine.begin() as connection:
            schema.apply(connection, schema.statements(Model.metadata, rooms.ddl()))
        if identity := rooms.part("identity", "roles"):
            with engine.begin() as connection:
                identity.sync_roles(connection, rooms.collected("permissions", "PERMISSIONS"))
        engine.dispose()

    def clone(self, template: str | None = None) -> str:
        """A new database with all that is in the template. Copying files is quicker than logging every page."""
        self.serial += 1
        name = f"{self.prefix}_{self.serial}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template or self.template} STRATEGY file_copy")
        self.made.append(name)
        return name

    def lend(self) -> str:
        """A database in which all is as in the template, to be given back."""
        name = self._clean.pop() if self._clean else self.clone()
        self._lent[name] = self._lent.get(name, 0) + 1
        if self._original is None:
            with self._inside(name) as connection:
                self._original = Original.read(connection)
        return name

    def take_back(self, name: str) -> None:
        """Clean a lent database for the next. One whose tables or rights were changed is not lent again."""
        assert self._original is not None
        if self._lent[name] >= LENT_AT_MOST:
            return
        with self._inside(name) as connection:
            if self._original.restore(connection):
                self._clean.append(name)

    def _inside(self, name: str) -> psycopg.Connection[Any]:
        url = self.url_for(self.admin.username or "postgres", name)
        return psycopg.connect(url.replace("+psycopg", ""))

    def drop_all(self, *, templates: bool) -> None:
        made = [*reversed(self.made)]
        if templates:
            made += [f"{self.shared}_{told.stem}" for told in self.folder.glob("*.told")]
        self.run(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in made))


OURS = "oid >= 16384"  # what the server itself does not bring
SHAPE = f"""
SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
    SELECT concat_ws(' ', oid, relname, relkind, relnatts, relhastriggers, relrowsecurity, relforcerowsecurity, relacl) AS line
    FROM pg_class WHERE {OURS} AND relkind IN ('r', 'i', 'S', 'v')
    UNION ALL SELECT concat_ws(' ', attrelid, attnum, xmin, attacl) FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
    UNION ALL SELECT concat_ws(' ', 'f', oid, xmin) FROM pg_proc WHERE {OURS}
    UNION ALL SELECT concat_ws(' ', 'p', oid, xmin) FROM pg_policy
    UNION ALL SELECT concat_ws(' ', 't', oid, xmin, tgenabled) FROM pg_trigger WHERE {OURS}
    UNION ALL SELECT concat_ws(' ', 'c', oid, xmin) FROM pg_constraint WHERE {OURS}
    UNION ALL SELECT concat_ws(' ', 'n', oid, nspname, nspacl) FROM pg_namespace
    UNION ALL SELECT concat_ws(' ', 's', setdatabase, setrole, setconfig) FROM pg_db_role_setting
) AS everything
"""
TABLES = f"SELECT oid::regclass::text FROM pg_class WHERE {OURS} AND relkind = 'r' AND pg_relation_size(oid) > 0"
SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename), start_value, last_value FROM pg_sequences"
OTHERS = """
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Original:
    """How a database was before anybody had it: the shape of its tables, the rows in them, its sequences."""

    shape: str
    rows: dict[str, bytes]
    sequences: dict[str, tuple[int, bool]]

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> "Original":
        rows = {}
        for (table,) in connection.execute(TABLES).fetchall():
            with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
                rows[table] = b"".join(bytes(block) for block in copy)
        sequences = {name: (last or start, last is not None) for name, start, last in connection.execute(SEQUENCES)}
        return cls(_shape(connection), rows, sequences)

    def restore(self, connection: psycopg.Connection[Any]) -> bool:
        """Put the rows back; False when more than rows was changed."""
        connection.execute(OTHERS)
        if _shape(connection) != self.shape:
            return False
        connection.execute("SET session_replication_role = replica")  # no trigger, no foreign key has a say
        touched = [table for (table,) in connection.execute(TABLES)]
        connection.execute(";".join(f"DELETE FROM {table}" for table in touched).encode())
        for table, content in self.rows.items():
            with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(content)
        for name, (value, called) in self.sequences.items():
            connection.execute("SELECT setval(%s::regclass, %s, %s)", (name, value, called))
        return True


def _shape(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute(SHAPE.encode()).fetchone()
    assert row is not None
    return str(row[0])


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one process of this run at a time."""
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def among(folder: Path) -> Iterator[Callable[[], bool]]:
    """One of the users of what lies in `folder`; the yielded question leaves and says whether it was the last."""
    with (folder / "users").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)

        def last() -> bool:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fcntl.flock(held, fcntl.LOCK_UN)
                return False
            return True

        yield last

"""Migrations: the core's history, then each plugin's own, each with its version table in its own schema.

A plugin that is gone never blocks the core, because nothing of the core's history knows it.
"""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from core import identity, rooms
from core.hooks import Dispatch
from core.host import Host, load

FOLDER = Path(__file__).parent.parent / "migrations"
LOCK = 7_208_451_193  # any number of ours: one migrator at a time


def upgrade(url: str, note: Callable[[str], None] = lambda line: None) -> list[str]:
    """Bring every history to its head, roles and permissions in step. Answers the steps taken. May be repeated."""
    host = load(Dispatch())
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            connection.commit()
            steps = _history(connection, "ts", FOLDER / "versions", note)
            for plugin in host.loaded.values():
                if (folder := plugin.manifest.folder / "migrations").is_dir():
                    steps += _history(connection, plugin.manifest.schema, folder, note)
            _permissions(connection, host)
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
            connection.commit()
    finally:
        engine.dispose()
    return steps


def pending(connection: Connection) -> bool:
    """Whether the core's tables are older than this release."""
    script = ScriptDirectory.from_config(_config("ts", FOLDER / "versions"))
    found = MigrationContext.configure(connection, opts={"version_table": "version", "version_table_schema": "ts"})
    return found.get_current_revision() != script.get_current_head()


def _config(schema: str, versions: Path) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.attributes["schema"] = schema
    return config


def _history(connection: Connection, schema: str, versions: Path, note: Callable[[str], None]) -> list[str]:
    config = _config(schema, versions)
    steps: list[str] = []
    config.attributes["connection"] = connection
    config.attributes["note"] = lambda revision: (steps.append(f"{schema}:{revision}"), note(f"{schema}: {revision}"))
    command.upgrade(config, "head")
    connection.commit()
    return steps


def _permissions(connection: Connection, host: Host) -> None:
    identity.sync_roles(connection, [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")])
    connection.commit()

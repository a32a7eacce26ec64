"""Migrations: the core's history, then each plugin's own, each with its version table in its own schema.

A plugin that is gone never blocks the core, because nothing of the core's history knows it. The core's steps run as
`ts_owner`, a plugin's as `ts_plugin_owner`, who can touch nothing of the core.
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
from core.host import Host, load, shipping, standing, tables
from core.host.manifest import Manifest

FOLDER = Path(__file__).parent.parent / "migrations"
LOCK = 7_208_451_193  # any number of ours: one migrator at a time
Note = Callable[[str], None]


def upgrade(url: str, note: Note = lambda line: None, data: Path | None = None) -> list[str]:
    """Bring every history to its head, roles and permissions in step. Answers the steps taken. May be repeated.

    Plugins that came as wheels take part when `data` says where their packages lie.
    """
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            connection.commit()
            steps = _history(connection, "ts", FOLDER / "versions", "ts_owner", note)
            shipping.install_shipped(connection)
            found = standing.read(connection)
            folders = standing.placed(found, connection, data) if data else []
            connection.commit()
            host = load(Dispatch(), standing=found, folders=folders)
            for plugin in host.loaded.values():
                steps += plugin_history(connection, plugin.manifest, note)
                connection.commit()
            sync_permissions(connection, host)
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
            connection.commit()
    finally:
        engine.dispose()
    return steps


def plugin_history(connection: Connection, manifest: Manifest, note: Note = lambda line: None) -> list[str]:
    """Bring one plugin's tables to the head of its code, in the open transaction. Code older than its tables is left be."""
    folder = manifest.folder / "migrations"
    if not folder.is_dir():
        return []
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {manifest.schema} AUTHORIZATION ts_plugin_owner"))
    script = ScriptDirectory.from_config(_config(manifest.schema, folder))
    if (at := revision(connection, manifest.schema)) and at not in {each.revision for each in script.walk_revisions()}:
        return []  # a roll-back: migrations only expand, so the older code goes on with the newer tables
    steps = _history(connection, manifest.schema, folder, "ts_plugin_owner", note)
    tables.open_to_their_owner(connection, manifest.schema)
    return steps


def revision(connection: Connection, schema: str) -> str | None:
    """The step a schema stands at; None before the first."""
    context = MigrationContext.configure(connection, opts={"version_table": "version", "version_table_schema": schema})
    return context.get_current_revision()


def pending(connection: Connection) -> bool:
    """Whether the core's tables are older than this release."""
    script = ScriptDirectory.from_config(_config("ts", FOLDER / "versions"))
    return revision(connection, "ts") != script.get_current_head()


def sync_permissions(connection: Connection, host: Host) -> None:
    """Write down what the rooms and the plugins of `host` declare; raises ValueError for two of one name."""
    identity.sync_roles(connection, [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")])


def _config(schema: str, versions: Path) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.attributes["schema"] = schema
    return config


def _history(connection: Connection, schema: str, versions: Path, role: str, note: Note) -> list[str]:
    config = _config(schema, versions)
    steps: list[str] = []
    config.attributes["connection"] = connection
    config.attributes["role"] = role
    config.attributes["note"] = lambda revision: (steps.append(f"{schema}:{revision}"), note(f"{schema}: {revision}"))
    command.upgrade(config, "head")
    return steps

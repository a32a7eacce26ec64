"""Migrations: the core's history, then each plugin's own, each with its version table in its own schema.

A plugin that is gone never blocks the core, because nothing of the core's history knows it. The core's steps run as
`ts_owner`, a plugin's as `ts_plugin_owner`, who can touch nothing of the core.
"""

from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from core import identity, rooms
from core.db import history
from core.db.keeping import TransactionKept
from core.hooks import Dispatch
from core.host import Manifest, ManifestError, load, shipping, standing, tables

VERSIONS = history.FOLDER / "versions"


def upgrade(url: str, note: history.Note = lambda line: None, data: Path | None = None) -> list[str]:
    """Bring every history to its head, roles and permissions in step. Answers the steps taken. May be repeated.

    Plugins that came as wheels take part when `data` says where their packages lie.
    """
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": history.LOCK})
            connection.commit()
            steps = history.to_head(connection, "ts", VERSIONS, "ts_owner", note)
            shipping.install_shipped(connection)
            new = shipping.install_beside(connection)
            found = standing.read(connection)
            folders = standing.placed(found, connection, data) if data else []
            connection.commit()
            host = load(Dispatch(), standing=found, folders=folders)
            for name, plugin in list(host.loaded.items()):
                try:
                    steps += tables.migrate(connection, plugin.manifest, note)
                    _look_at(connection, plugin.manifest, name in new)
                except (SQLAlchemyError, TransactionKept, ManifestError) as wrong:
                    if name not in new:
                        raise
                    connection.rollback()
                    shipping.forget(connection, name)
                    host.put_out(name, wrong)
                    note(f"{name} is not installed: {wrong}"[:500])
                connection.commit()
            identity.sync_roles(connection, [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")])
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": history.LOCK})
            connection.commit()
    finally:
        engine.dispose()
    return steps


def _look_at(connection: Connection, manifest: Manifest, new: bool) -> None:
    """What somebody put beside ours must keep enterprises apart, like whatever comes through the store."""
    if new and (wrong := tables.complaints(connection, manifest.schema, manifest.definers)):
        raise ManifestError("; ".join(wrong))


def pending(connection: Connection) -> bool:
    """Whether the core's tables are older than this release."""
    return history.revision(connection, "ts") != history.head("ts", VERSIONS)

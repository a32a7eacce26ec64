"""Bringing a plugin in from its author's folder, without a package: its tables, its permissions, its row."""

import json
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import identity, rooms
from core.authoring.source import Source, find
from core.config import UserError
from core.db import history
from core.hooks import Dispatch
from core.host import load, shipping, standing, tables

BY = "author"
RAN = "author-migrations.json"


def put_on_path(folders: Sequence[Path]) -> None:
    """Let this process import what lies there, and find its entry point."""
    for folder in reversed(folders):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def changed_after_running(data: Path, folder: Path) -> list[str]:
    """Names of migrations that are other ones than when they ran here, so that the tables do not show it."""
    kept = data / RAN
    known: dict[str, str] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    steps = sorted((find(folder).manifest.folder / "migrations").glob("*.py"))
    now = {path.name: sha256(path.read_bytes()).hexdigest() for path in steps}
    kept.write_text(json.dumps({**now, **known}), "utf-8")
    return [name for name in sorted(now) if known.get(name, now[name]) != now[name]]


def enter(url: str, data: Path, source: Source) -> list[str]:
    """Make the plugin part of the installation behind the migrator's `url`. Answers the migrations that were run.

    May be repeated: only what is new is done. Raises UserError where a package of the same name is installed.
    """
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": history.LOCK})
            known = standing.read(connection).plugins.get(source.name)
            if known is not None and known.packages:
                raise UserError(
                    f"The plugin {source.name} is installed here from a package.",
                    str(data),
                    "Choose another data folder with --data.",
                )
            connection.execute(
                text(
                    "INSERT INTO ts.plugin (name, version, installed_by) VALUES (:name, :version, :by)"
                    " ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version, changed_at = ts.clock()"
                ),
                {"name": source.name, "version": source.manifest.version, "by": BY},
            )
            steps = tables.migrate(connection, source.manifest)
            if wrong := tables.complaints(connection, source.manifest.schema, source.manifest.definers):
                raise UserError(
                    "The tables are not closed: " + "; ".join(wrong),
                    str(source.manifest.folder / "migrations"),
                    "Write the policies as the reference shows.",
                )
            found = standing.read(connection)
            host = load(Dispatch(), standing=found, folders=standing.placed(found, connection, data))
            if source.name in host.broken:
                raise UserError(
                    f"The plugin does not come in: {host.broken[source.name]}", str(source.manifest.folder)
                )
            identity.sync_roles(
                connection, [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")]
            )
            if known is None or steps:
                shipping.next_epoch(connection)
            connection.commit()
    finally:
        engine.dispose()
    return steps

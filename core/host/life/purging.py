"""Export and purge: every row handed out as CSV, then nothing left that bears the plugin's name."""

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO

from sqlalchemy import Connection, text

from core.host import tables
from core.host.life.archiving import checksums
from core.host.life.work import Work
from core.kernel import Conflict, Refused

PIECE = 1_048_576
# What bears a plugin's name outside its schema: (word for the report, how to count it, how to remove it).
TRACES = (
    ("enterprises' choices", "ts.plugin_enablement WHERE plugin = :name"),
    ("settings", "ts.plugin_settings WHERE plugin = :name"),
    ("defaults", "ts.plugin_default WHERE plugin = :name"),
    ("measurements", "ts.plugin_minute WHERE plugin = :name"),
    ("faults", "ts.plugin_fault WHERE plugin = :name"),
    ("role permissions", "auth.role_permission WHERE starts_with(permission, :name || '.')"),
    ("permissions", "auth.permission WHERE starts_with(code, :name || '.')"),
    ("limits", "auth.membership_limit WHERE starts_with(permission, :name || '.')"),
    ("deliveries", "ts.delivery WHERE starts_with(handler, :name || '.')"),
)
SCOPES = "auth.api_key WHERE EXISTS (SELECT 1 FROM unnest(scopes) each WHERE starts_with(each, :name || '.'))"


def export(work: Work) -> None:
    """Every table as CSV with a list of what is inside, as one zip kept in the database until the operator fetches it."""
    row = work.run("SELECT * FROM ts.plugin WHERE name = :name", name=work.plugin).one_or_none()
    if row is None:
        raise Conflict("plugin.not_installed", plugin=work.plugin)
    schema, connection = f"plugin_{work.plugin}", work.session.connection()
    with work.step("count"):
        sums = checksums(connection, schema)
    with work.step("export"), tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            about = {
                "plugin": row.name,
                "version": row.version,
                "revision": row.revision,
                "manifest": row.manifest,
                "tables": sums,
            }
            archive.writestr("about.json", json.dumps(about, ensure_ascii=False, indent=2))
            for name in sums:
                with archive.open(f"{name}.csv", "w", force_zip64=True) as entry:
                    _copy(connection, schema, name, entry)
            _settings(work, archive)
        size = _keep(work, file)
    work.facts.update(tables=sums, bytes=size)


def purge(work: Work) -> None:
    """Remove an archived plugin for good. Refused without an export made after it was archived."""
    row = work.run("SELECT * FROM ts.plugin WHERE name = :name FOR UPDATE", name=work.plugin).one_or_none()
    if row is None or row.state != "archived":
        raise Conflict("plugin.not_archived", plugin=work.plugin)
    exported = work.run(
        "SELECT 1 FROM ts.plugin_export WHERE plugin = :name AND made_at >= :since LIMIT 1",
        name=work.plugin,
        since=row.changed_at,
    ).scalar()
    if not exported:
        raise Conflict("plugin.export_first", plugin=work.plugin)
    with work.step("remove"):
        work.run(f"DROP SCHEMA IF EXISTS plugin_{work.plugin} CASCADE")
        for _, place in TRACES:
            work.run(f"DELETE FROM {place}", name=work.plugin)
        work.run(
            "UPDATE auth.api_key SET scopes ="
            " ARRAY(SELECT each FROM unnest(scopes) each WHERE NOT starts_with(each, :name || '.'))"
            f" WHERE id IN (SELECT id FROM {SCOPES})",
            name=work.plugin,
        )
        work.run("DELETE FROM ts.plugin WHERE name = :name", name=work.plugin)
        work.run("DELETE FROM ts.plugin_package WHERE plugin = :name", name=work.plugin)
    with work.step("leftovers"):
        if left := leftovers(work.session.connection(), work.plugin):
            raise Refused("plugin.leftovers", plugin=work.plugin, left="; ".join(left))
    work.next_epoch()


def leftovers(connection: Connection, name: str) -> list[str]:
    """Everything that still bears a plugin's name; empty after a purge. History (changes, audit, orders) is no leftover."""
    found = []
    if connection.execute(
        text("SELECT 1 FROM pg_namespace WHERE nspname = :schema"), {"schema": f"plugin_{name}"}
    ).scalar():
        found.append(
            f"schema plugin_{name} ({', '.join(tables.names(connection, f'plugin_{name}')) or 'empty'})"
        )
    counted = (*TRACES, ("scopes of API keys", SCOPES), ("packages", "ts.plugin_package WHERE plugin = :name"),
               ("the plugin's own row", "ts.plugin WHERE name = :name"),
               ("open gates", "ts.gate WHERE plugin = :name AND state IN ('open', 'failed')"))  # fmt: skip
    for what, place in counted:
        count = connection.execute(text(f"SELECT count(*) FROM {place}"), {"name": name}).scalar()
        if count:
            found.append(f"{what}: {count}")
    return found


def _copy(connection: Connection, schema: str, name: str, out: IO[bytes]) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f'COPY (SELECT * FROM {schema}."{name}") TO STDOUT (FORMAT csv, HEADER)') as rows:
        for piece in rows:
            out.write(piece)


def _settings(work: Work, archive: zipfile.ZipFile) -> None:
    """What enterprises chose; secrets stay encrypted in it."""
    rows = work.run(
        "SELECT tenant_id, state, settings, plugin_version FROM ts.plugin_enablement WHERE plugin = :name",
        name=work.plugin,
    ).mappings()
    archive.writestr(
        "enterprises.json", json.dumps([dict(row) for row in rows], ensure_ascii=False, indent=2, default=str)
    )


def _keep(work: Work, file: IO[bytes]) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    for no, piece in enumerate(_pieces(file)):
        work.run(
            "INSERT INTO ts.plugin_export (change_id, no, plugin, content, made_at)"
            " VALUES (:change, :no, :name, :piece, ts.clock())",
            change=work.change, no=no, name=work.plugin, piece=piece,
        )  # fmt: skip
    return size


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece

"""Plugins of the Python environment: those that come with the platform, and those somebody installed beside it with pip.

Migrating writes them down as installed; ours are upgraded with the platform, the others with their package. Whoever may
install into the environment owns the machine, so nobody is asked again; a stranger's tables are looked at all the same.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from core.host.manifest import Manifest, discover

OURS = "plugins."


def shipped() -> dict[str, Manifest]:
    """Manifests of the plugins in our own package, by name."""
    return {name: found for name, found in _environment().items() if found.module.startswith(OURS)}


def beside() -> dict[str, Manifest]:
    """Manifests of the plugins somebody else installed into this environment, by name."""
    return {name: found for name, found in _environment().items() if not found.module.startswith(OURS)}


def _environment() -> dict[str, Manifest]:
    return {name: found for name, found in discover() if isinstance(found, Manifest)}


def install_shipped(connection: Connection) -> list[str]:
    """Write ours down, new ones as installed and newer ones as upgraded. Answers the names that changed."""
    return _write_down(connection, shipped(), "platform")


def install_beside(connection: Connection) -> list[str]:
    """The same for those that stand beside ours. Call it before packages of the store are made importable."""
    return _write_down(connection, beside(), "environment")


def forget(connection: Connection, name: str) -> None:
    """Take back what `install_beside` wrote down for a plugin whose tables will not do."""
    connection.execute(text("DELETE FROM ts.plugin WHERE name = :name"), {"name": name})
    next_epoch(connection)


def _write_down(connection: Connection, found: Mapping[str, Manifest], by: str) -> list[str]:
    known = {
        row.name: row for row in connection.execute(text("SELECT name, version, packages FROM ts.plugins()"))
    }
    changed = []
    for name, manifest in found.items():
        if name not in known:
            statement = "INSERT INTO ts.plugin (name, version, installed_by) VALUES (:name, :version, :by)"
        elif not known[name].packages and known[name].version != manifest.version:
            statement = "UPDATE ts.plugin SET version = :version, changed_at = ts.clock() WHERE name = :name"
        else:
            continue
        connection.execute(text(statement), {"name": name, "version": manifest.version, "by": by})
        changed.append(name)
    if changed:
        next_epoch(connection)
    return changed


def next_epoch(connection: Connection) -> int:
    """Tell every process that the plugin set is another one; they hear of it with their next heartbeat."""
    row = connection.execute(
        text(
            "INSERT INTO ts.plugin_epoch (epoch) VALUES (1)"
            " ON CONFLICT (only_one) DO UPDATE SET epoch = ts.plugin_epoch.epoch + 1 RETURNING epoch"
        )
    )
    return int(row.scalar_one())

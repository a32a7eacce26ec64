"""The plugins that come with the platform itself: installed by migrating, upgraded with it, archived like any other."""

from sqlalchemy import Connection, text

from core.host.manifest import Manifest, discover

OURS = "plugins."


def shipped() -> dict[str, Manifest]:
    """Manifests of the plugins in our own package, by name."""
    return {
        name: found
        for name, found in discover()
        if isinstance(found, Manifest) and found.module.startswith(OURS)
    }


def install_shipped(connection: Connection) -> list[str]:
    """Write new ones down as installed and newer ones as upgraded. Answers the names that changed."""
    known = {
        row.name: row for row in connection.execute(text("SELECT name, version, packages FROM ts.plugins()"))
    }
    changed = []
    for name, manifest in shipped().items():
        if name not in known:
            statement = (
                "INSERT INTO ts.plugin (name, version, installed_by) VALUES (:name, :version, 'platform')"
            )
        elif not known[name].packages and known[name].version != manifest.version:
            statement = "UPDATE ts.plugin SET version = :version, changed_at = ts.clock() WHERE name = :name"
        else:
            continue
        connection.execute(text(statement), {"name": name, "version": manifest.version})
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

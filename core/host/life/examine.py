"""Looks at a plugin set from inside a process of its own: `python -m core.host.life.examine`, JSON in, JSON out.

It imports strangers' code, so it is given no address of a database and no key, and its parent kills it when it takes too
long. It says what came in, what did not and why, and what each plugin declares.
"""

import contextlib
import json
import resource
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

MEMORY = 1_500_000_000  # bytes of address space beyond what a start needs


def main() -> int:
    """Read `{"plugins": [...], "folders": [...]}` from standard input, write the findings to standard output."""
    asked = json.load(sys.stdin)
    out = sys.stdout
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with contextlib.redirect_stdout(sys.stderr):  # what a plugin prints is not our answer
        found = examine(asked)
    json.dump(found, out, ensure_ascii=False)
    return 0


def examine(asked: dict[str, Any]) -> dict[str, Any]:
    """What the set would be: `{"loaded": {name: declared}, "broken": {name: reason}}`."""
    from core import rooms
    from core.hooks import Dispatch
    from core.host import Installed, Standing, load

    rooms.load_models()
    plugins = {
        each["name"]: Installed(each["name"], "installed", each["version"]) for each in asked["plugins"]
    }
    host = load(
        Dispatch(),
        standing=Standing(0, MappingProxyType(plugins)),
        folders=[Path(each) for each in asked["folders"]],
    )
    _permissions_do_not_clash(host)
    return {
        "loaded": {name: _declared(host, plugin) for name, plugin in host.loaded.items()},
        "broken": host.broken,
    }


def _permissions_do_not_clash(host: Any) -> None:
    from core.identity import ROLES

    for name, plugin in list(host.loaded.items()):
        unknown = {role for permission in plugin.permissions for role in permission.roles} - set(ROLES)
        if unknown:
            host.put_out(
                name, ValueError(f"its permissions name unknown roles: {', '.join(sorted(unknown))}")
            )


def _declared(host: Any, plugin: Any) -> dict[str, Any]:
    from core.db import Model
    from core.hooks import POLICIES
    from core.host import tables

    name, manifest = plugin.manifest.name, plugin.manifest
    fields = plugin.settings_schema().fields if plugin.settings_schema else {}
    return {
        "version": manifest.version,
        "title": manifest.title,
        "permissions": [
            {"code": each.code, "title": str(each.title), "roles": list(each.roles)}
            for each in plugin.permissions
        ],
        "hooks": sorted(
            hook for hook in POLICIES if any(by == name for by, _ in host.dispatch.implementers(hook))
        ),
        "tables": sorted(
            table.name for table in Model.metadata.tables.values() if table.schema == manifest.schema
        ),
        "modes": [mode.key for mode in plugin.modes],
        "routes": sorted(
            f"{endpoint.method} {endpoint.path}"
            for routes in (*plugin.pages, *plugin.apis)
            for endpoint in routes.endpoints
        ),
        "menu": [entry.key for entry in plugin.menu],
        "events": sorted({each.event.__name__ for each in plugin.subscriptions}),
        "jobs": [job.name for job in plugin.jobs],
        "providers": sorted({type(each).__name__ for each in plugin.providers}),
        "settings": sorted(fields),
        "slots": list(manifest.slots),
        "hosts": list(manifest.hosts),
        "definers": list(manifest.definers),
        "revision": tables.head(manifest),
    }


if __name__ == "__main__":
    sys.exit(main())

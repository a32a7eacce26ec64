"""What a plugin brings must be its own: its tables, its addresses, its permissions. Whatever is somebody else's keeps it out.

Found out while the plugin comes in, so that neither the application nor the mapping of other tables is half made by it.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy.orm import configure_mappers

from core import rooms
from core.db import Model
from core.kernel import Permission
from core.web import PREFIX, Api, Pages

Columns = dict[str, tuple[str, ...]]
VARIABLE = re.compile(r"<[^>]*>")
SHELL = frozenset({"shell", "platform", "static", "healthz", "menu", "keys", "preferences", "api", "robots.txt", "favicon.ico"})


def columns() -> Columns:
    """Every mapped table with its columns, to be compared with what is there after an import."""
    rooms.load_models()  # a plugin's import may be the first that needs some of them
    return {name: tuple(table.columns.keys()) for name, table in Model.metadata.tables.items()}


def own_tables(schema: str, before: Columns) -> None:
    """Raise ValueError when an import mapped a table outside the plugin's schema, changed one, or mapped what does not fit."""
    for name, now in columns().items():
        if name in before and before[name] != now:
            raise ValueError(f"it changes the table {name}, which is not its own")
        if name not in before and not name.startswith(f"{schema}."):
            raise ValueError(f"it maps the table {name}; its own lie in {schema}")
    configure_mappers()


def own_routes(name: str, collections: Iterable[Pages | Api], others: Mapping[str, str]) -> None:
    """Raise ValueError for routes that collide: with one another, with the platform's, with those of another plugin.

    `others` says which plugin brought a collection of that name already.
    """
    mine: set[tuple[str, str]] = set()
    seen: dict[tuple[str, str], str] = {}
    for each in collections:
        kind = type(each).__name__
        if each.room != name and not each.room.startswith(f"{name}_"):
            raise ValueError(f"its {kind} are called {each.room}; the name begins with {name}")
        if (kind, each.room) in mine:
            raise ValueError(f"it has two {kind} called {each.room}")
        if (by := others.get(each.room)) is not None:
            raise ValueError(f"its {kind} are called {each.room}, as those of {by} are")
        if each.endpoints and name in _places():
            raise ValueError(f"/{name} is a place of the platform")
        mine.add((kind, each.room))
        views: dict[tuple[str, str], str] = {}
        for endpoint in each.endpoints:
            shape = (endpoint.method, VARIABLE.sub("<>", endpoint.path))
            if shape in seen:
                raise ValueError(f"{endpoint.method} {endpoint.path} is there twice: {seen[shape]}, {endpoint.view.__name__}")
            view = (endpoint.view.__name__, endpoint.method if kind == "Api" else "")
            if view in views:
                raise ValueError(f"two routes have a view called {endpoint.view.__name__}: {views[view]}, {endpoint.path}")
            seen[shape], views[view] = endpoint.view.__name__, endpoint.path


def own_permissions(name: str, permissions: Iterable[Permission]) -> None:
    """Raise ValueError for a permission outside the plugin's own names, one there twice, or one of the platform's."""
    seen: set[str] = set()
    for permission in permissions:
        if not permission.code.startswith(f"{name}."):
            raise ValueError(f"permission {permission.code} must start with {name}.")
        if permission.code in seen:
            raise ValueError(f"permission {permission.code} is there twice")
        if permission.code in _codes():
            raise ValueError(f"permission {permission.code} is the platform's")
        seen.add(permission.code)


@cache
def _places() -> frozenset[str]:
    """First parts of the platform's own addresses."""
    collections: list[Any] = [module.pages for module in rooms.parts("views")] + [module.api for module in rooms.parts("api")]
    paths = (endpoint.path.removeprefix(PREFIX) for each in collections for endpoint in each.endpoints)
    return SHELL | {path.split("/")[1] for path in paths if path.startswith("/")} | {each.room for each in collections}


@cache
def _codes() -> frozenset[str]:
    found: list[Permission] = rooms.collected("permissions", "PERMISSIONS")
    return frozenset(each.code for each in found)

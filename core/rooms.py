"""The rooms of the house from the ground up, and what the platform collects from each of them.

A room that has tables has `model.py` (or a `models` folder), SQL of its own in `ddl.sql`, `PERMISSIONS` in
`permissions.py`, routes in `views.py` and `api.py`, invariants in `invariants.py`. A missing file means a missing concern.
"""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

ROOMS = (
    "workbench",
    "audit",
    "outbox",
    "files",
    "work",
    "identity",
    "tenancy",
    "ledger",
    "catalog",
    "stock",
    "orders",
    "fulfilment",
    "billing",
    "sync",
    "host",
)
CORE = Path(__file__).parent


def part(room: str, concern: str) -> ModuleType | None:
    """The module of one concern of a room, None where the room has no such concern."""
    name = f"core.{room}.{concern}"
    try:
        if importlib.util.find_spec(name) is None:
            return None
    except ModuleNotFoundError:
        return None
    return importlib.import_module(name)


def parts(concern: str) -> list[ModuleType]:
    return [module for room in ROOMS if (module := part(room, concern)) is not None]


def load_models() -> None:
    """Make every core table known to the metadata, those of a room's own sub-rooms among them."""
    for room in ROOMS:
        part(room, "model")
        for path in sorted((CORE / room).glob("*/model.py")):
            part(f"{room}.{path.parent.name}", "model")


def ddl() -> list[str]:
    """The SQL of rooms and their sub-rooms (functions, triggers, grants), statement by statement, in the order of the rooms."""
    found = []
    for room in ROOMS:
        for path in sorted([*(CORE / room).glob("ddl.sql"), *(CORE / room).glob("*/ddl.sql")], key=lambda at: len(at.parts)):
            found += [text.strip() for text in path.read_text(encoding="utf-8").split("-- ;;") if text.strip()]
    return found


def collected(concern: str, attribute: str) -> list[Any]:
    """All entries of a list that rooms declare, such as `permissions.PERMISSIONS` or `views.NAV`."""
    return [entry for module in parts(concern) for entry in getattr(module, attribute, ())]

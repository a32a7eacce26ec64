"""What of the contract is not a name of the door: hooks, events, slots, and what the shipped plugins bring."""

import ast
import importlib
from dataclasses import dataclass
from typing import Any

from core import rooms
from core.host.reference.reading import Entry, entry, names, parsed, signature
from core.kernel import Event, Permission

SPECS = "core.hooks.specs"


@dataclass(frozen=True)
class Hook:
    """One hook: its policy, the arguments an implementation may name, what it answers."""

    name: str
    policy: str
    arguments: tuple[tuple[str, str], ...]  # name, type
    answer: str
    doc: str


@dataclass(frozen=True)
class Setting:
    """One setting of a shipped plugin, as its schema says it."""

    plugin: str
    name: str
    kind: str
    default: str
    needed: bool
    title: str
    hint: str


def hooks() -> list[Hook]:
    """The hooks in the order of the specifications."""
    from core.hooks import POLICIES

    found = []
    for each in parsed(SPECS)[0].body:
        if isinstance(each, ast.FunctionDef) and each.name in POLICIES:
            arguments = tuple((a.arg, ast.unparse(a.annotation) if a.annotation else "Any") for a in each.args.args)
            answer = signature(each).rpartition(" -> ")[2]
            found.append(Hook(each.name, POLICIES[each.name], arguments, answer, ast.get_docstring(each) or ""))
    return found


def events() -> list[Entry]:
    """Every event of the core, whether the door names it or not; the classes they share are left out."""
    rooms.load_models()
    for room in rooms.ROOMS:
        rooms.part(room, "events")
    kinds = sorted((each for each in _below(Event) if each.__module__.startswith("core.")), key=lambda each: each.__name__)
    return [entry(each.__module__, each.__name__) for each in kinds if not _below(each)]


def promised(event: Entry) -> bool:
    """Whether plugins may name it: what the door does not name may change without notice."""
    return event.name in names()


def _below(kind: type[Event]) -> list[type[Event]]:
    return [found for each in kind.__subclasses__() for found in (each, *_below(each))]


def shipped() -> dict[str, Any]:
    """The plugins that come with the platform, loaded: name -> `Loaded`."""
    from core.hooks import Dispatch
    from core.host.loading import load
    from core.host.shipping import shipped as ours

    host = load(Dispatch(), only=list(ours()))
    if host.broken:
        raise ValueError(f"a shipped plugin does not come in: {host.broken}")
    return dict(sorted(host.loaded.items()))


def settings(plugins: dict[str, Any]) -> list[Setting]:
    """Every setting of the shipped plugins."""
    found = []
    for name, plugin in plugins.items():
        if plugin.settings_schema is None:
            continue
        for key, field in plugin.settings_schema().fields.items():
            about, default = field.metadata, field.load_default
            shown = "" if field.required else repr(default() if callable(default) else default)
            if shown.startswith("Decimal("):
                shown = shown[9:-2]
            kind = type(field).__name__.removesuffix("Field").replace("DecimalText", "Decimal")
            found.append(Setting(name, key, kind, shown, field.required, str(about.get("title", "")), str(about.get("hint", ""))))
    return found


def permissions(plugins: dict[str, Any]) -> list[tuple[str, Permission]]:
    """(who brings it, permission): those of the rooms and of the shipped plugins, by code."""
    found: list[tuple[str, Permission]] = []
    for room in rooms.ROOMS:
        module = rooms.part(room, "permissions")
        found += [(f"core.{room}", each) for each in getattr(module, "PERMISSIONS", ())]
    found += [(name, each) for name, plugin in plugins.items() for each in plugin.permissions]
    return sorted(found, key=lambda each: each[1].code)


def slots() -> dict[str, Any]:
    """The named places on pages, by name: `core.hooks.places.Place`."""
    return dict(importlib.import_module("core.hooks.places").SLOTS)

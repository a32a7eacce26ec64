"""The mapping of a connection as people handle it: read, saved as a new version, compared, gone back to, carried in a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.kernel import Conflict, Context, Invalid, exact
from core.sync.contract import Connector
from core.sync.mapping import history
from core.sync.mapping.document import Document, checked
from core.sync.mapping.history import Version
from core.sync.model import ErpConnection
from core.sync.registry import connectors
from core.sync.service import find_connection, lock_connection

FORMAT = 1
LONGEST_FILE = 4_000_000  # bytes
LONGEST_NOTE = 300


@dataclass(frozen=True)
class Change:
    """One thing that differs between two documents, both sides as text; empty where there is nothing."""

    path: str
    before: str
    after: str


def read_mapping(ctx: Context, connection_id: UUID, no: int | None = None) -> Version:
    """The mapping in force, or an older version of it."""
    ctx.require("connection.view")
    find_connection(ctx, connection_id)
    return history.latest(ctx, connection_id) if no is None else history.version(ctx, connection_id, no)


def save_mapping(
    ctx: Context, connection_id: UUID, document: Any, base_version: int, note: str = ""
) -> Version:
    """Keep a whole document as the next version. Saying the same again makes none.

    Raises Invalid with the path of each thing that is wrong, Conflict when `base_version` is not the newest any more.
    """
    ctx.require("connection.edit")
    connection = lock_connection(ctx, connection_id)
    now = history.latest(ctx, connection_id)
    if now.no != base_version:
        raise Conflict("mapping.changed", by=now.author or "—", no=now.no)
    wanted = checked(document, connector_of(connection))
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise Invalid.one("note", "connection.text", most=LONGEST_NOTE)
    changes = differences(now.document, wanted)
    if not changes:
        return now
    version = history.append(ctx, connection_id, now.no + 1, wanted, note.strip())
    told = [f"{each.path}: {each.before[:100]} → {each.after[:100]}" for each in changes[:50]]
    ctx.record("connection.mapping", connection, no=version.no, note=version.note, count=len(changes), changes=told)
    return version


def undo_mapping(ctx: Context, connection_id: UUID, no: int, base_version: int, note: str = "") -> Version:
    """Keep what version `no` said as the next version; 0 takes every rule and table away."""
    ctx.require("connection.edit")
    find_connection(ctx, connection_id)
    document = history.version(ctx, connection_id, no).document
    return save_mapping(ctx, connection_id, document, base_version, note or f"← {no}")


def compare(ctx: Context, connection_id: UUID, older: int, newer: int) -> list[Change]:
    """What differs between two versions."""
    before, after = (read_mapping(ctx, connection_id, no).document for no in (older, newer))
    return differences(before, after)


def differences(before: Document, after: Document) -> list[Change]:
    old, new = _flat(before), _flat(after)
    return [
        Change(path, old.get(path, ""), new.get(path, ""))
        for path in [*old, *(path for path in new if path not in old)]
        if old.get(path, "") != new.get(path, "")
    ]


def _flat(document: Document) -> dict[str, str]:
    found = {
        f"tables.{name}.{ours}": theirs for name, rows in document["tables"].items() for ours, theirs in rows.items()
    }
    for way, key in (("out", "target"), ("in", "field")):
        for section, rules in document[way].items():
            for rule in rules:
                found[f"{way}.{section}.{rule[key]}"] = said(rule)
            if len(rules) > 1:  # the order of the rules is the order they are laid over the message
                found[f"{way}.{section}"] = ", ".join(rule[key] for rule in rules)
    return found


def said(rule: Mapping[str, str]) -> str:
    """A rule on one line: its expression, then whatever else it says."""
    more = [f"{key} {rule[key]}" for key in ("format", "default", "table") if rule[key]]
    return " · ".join([rule["value"], *([rule["type"]] if rule["type"] != "text" else []), *more])


def exported(ctx: Context, connection_id: UUID, no: int | None = None) -> bytes:
    """A version as a file that `imported` takes, here or on another installation."""
    version = read_mapping(ctx, connection_id, no)
    connection = find_connection(ctx, connection_id)
    told = {"format": FORMAT, "connector": connection.connector, **version.document}
    return json.dumps(told, ensure_ascii=False, indent=2).encode()


def imported(ctx: Context, connection_id: UUID, file: bytes, base_version: int, note: str = "") -> Version:
    """Keep a file as the next version. It is checked whole; nothing of a file with a fault is kept."""
    if len(file) > LONGEST_FILE:
        raise Invalid.one("file", "mapping.file_long", most=LONGEST_FILE // 1_000_000)
    try:
        told = json.loads(file.decode("utf-8-sig"), parse_float=exact, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Invalid.one("file", "mapping.not_json") from None
    return take(ctx, connection_id, told, base_version, note)


def take(ctx: Context, connection_id: UUID, file: Any, base_version: int, note: str = "") -> Version:
    """Keep what a file says, already read as JSON."""
    ctx.require("connection.edit")
    connection = find_connection(ctx, connection_id)
    if not isinstance(file, dict):
        raise Invalid.one("file", "mapping.not_an_object")
    told = dict(file)
    if told.pop("format", None) != FORMAT:
        raise Invalid.one("format", "mapping.file_format", format=FORMAT)
    if (other := told.pop("connector", None)) != connection.connector:
        raise Invalid.one("connector", "mapping.other_connector", theirs=str(other)[:40], ours=connection.connector)
    return save_mapping(ctx, connection_id, told, base_version, note)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys stand once; a repeated one would silently lose a row."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def connector_of(connection: ErpConnection) -> Connector:
    return connectors()[connection.connector]

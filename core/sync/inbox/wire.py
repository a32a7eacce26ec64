"""Records as JSON and back, so that a call that waits can land later exactly as it was heard."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any, get_args

from core.sync.incoming import Incoming, MovedLine

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Incoming)}


def to_json(records: Sequence[Incoming]) -> list[dict[str, Any]]:
    """Decimals and days as text; characters that no database takes are left out."""
    return [{"is": type(each).__name__, **_plain(each)} for each in records]


def from_json(rows: Sequence[dict[str, Any]]) -> list[Incoming]:
    """The records that `to_json` wrote."""
    return [_typed(KINDS[row["is"]], row) for row in rows]


def _plain(item: Any) -> dict[str, Any]:
    return {field.name: _text(getattr(item, field.name)) for field in fields(item)}


def _text(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int):
        return value
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


def _typed(kind: type[Any], row: dict[str, Any]) -> Any:
    return kind(**{field.name: _value(str(field.type), row[field.name]) for field in fields(kind)})


def _value(type_name: str, told: Any) -> Any:
    """`type_name` is the annotation as it stands in `incoming`, where annotations are text."""
    if told is None:
        return None
    if type_name == "Decimal":
        return Decimal(told)
    if type_name.startswith("date"):
        return date.fromisoformat(told)
    if type_name.startswith("tuple"):
        return tuple(_typed(MovedLine, each) for each in told)
    return told

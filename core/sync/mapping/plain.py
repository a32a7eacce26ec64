"""Plain data for expressions: text, Decimal, date, yes or no, nothing, and lists and dictionaries of them. No objects."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

DEEPEST = 8


def plain(value: Any, depth: int = 0) -> Any:
    """A value of another system, or a frozen record of ours, as plain data; a number never as a float."""
    if value is None or isinstance(value, str | bool | Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        found = Decimal(repr(value))
        return found if found.is_finite() else None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if depth >= DEEPEST:
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name), depth + 1) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, depth + 1) for inner in value]
    return str(value)


def changeable(value: Any) -> Any:
    """A message as dictionaries and lists of its own, so that what the connector made stays as it is."""
    if isinstance(value, Mapping):
        return {key: changeable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [changeable(inner) for inner in value]
    return value


def leaves(value: Any, path: str = "") -> dict[str, str]:
    """Every value of a message by its path (`FSaleOrderEntry[0].FQty`), as text to compare and to show."""
    if isinstance(value, Mapping):
        parts = [(f"{path}.{key}" if path else str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{no}]", inner) for no, inner in enumerate(value)]
    else:
        return {path: shown(value)}
    return {name: text for here, inner in parts for name, text in leaves(inner, here).items()}


def shown(value: Any) -> str:
    """A value as text; numbers without trailing zeros, so that 36.50 and 36.5 are one number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        value = Decimal(str(value))
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value.is_finite() else str(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def readable(value: Any) -> Any:
    """A message as JSON: whole numbers, yes and no and nothing as they are, every other value as the text it is shown with."""
    if isinstance(value, Mapping):
        return {str(key): readable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [readable(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int) else shown(value)

"""Frozen values as JSON and back: decimals, days and ids as text, by the annotations of their classes."""

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A frozen value as JSON; characters that no database takes are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool | int):
        return value
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


def typed(kind: type[T], told: dict[str, Any]) -> T:
    """The value that `plain` wrote; what is not told has its default. Raises KeyError, TypeError or ValueError."""
    hints = _hints(kind)  # type: ignore[arg-type]  # a class has a hash
    return kind(**{name: _value(hint, told[name]) for name, hint in hints.items() if name in told})


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, told: Any) -> Any:
    if told is None:
        return None
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], each) for each in told)
    kinds = [each for each in get_args(hint) if each is not type(None)] or [hint]
    kind: Any = kinds[0]
    if kind in (Decimal, UUID):
        return kind(told)
    if kind is date:
        return date.fromisoformat(told)
    return typed(kind, told) if is_dataclass(kind) else told  # type: ignore[arg-type]

"""Facts in the past tense. An event is written to the outbox with its change and handled after the commit."""

import types
import typing
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

_KNOWN: dict[str, type["Event"]] = {}


@dataclass(frozen=True)
class Event:
    """Base of every event: a frozen dataclass of ids and values. `version` grows when its fields change."""

    version: ClassVar[int] = 1
    plugin: ClassVar[str | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _KNOWN[cls.__name__] = cls

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def shared(self) -> bool:
        """Whether the counterparty hears it too, where the event names a buyer and a seller."""
        return True


def event_class(name: str) -> type[Event] | None:
    """The class of an event by its name, None when the plugin that declared it is gone."""
    return _KNOWN.get(name)


def to_payload(event: Event) -> dict[str, Any]:
    """JSON-ready fields: ids, decimals and times as text."""
    return {field.name: _plain(getattr(event, field.name)) for field in fields(event)}


def from_payload(kind: type[Event], payload: dict[str, Any]) -> Event:
    hints = typing.get_type_hints(kind)
    return kind(**{f.name: _typed(payload[f.name], hints[f.name]) for f in fields(kind) if f.name in payload})


def _plain(value: Any) -> Any:
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _typed(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(arm for arm in typing.get_args(hint) if arm is not type(None))
    if typing.get_origin(hint) is tuple:
        return tuple(_typed(item, typing.get_args(hint)[0]) for item in value)
    if hint is UUID:
        return UUID(value)
    if hint is Decimal:
        return Decimal(value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    return value

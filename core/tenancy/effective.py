"""What a plugin reads as its settings: its schema's defaults, below the platform's, below the enterprise's own.

Whatever the running code does not know any more is left out, so a setting that a newer version dropped breaks nothing.
Values stand as JSON does: a Decimal as text, a date as 2026-11-22.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from marshmallow import Schema, missing

from core.tenancy.sealing import is_sealed, place_of, unseal

NOTHING: Mapping[str, Any] = MappingProxyType({})


def schema_defaults(schema: type[Schema] | None) -> dict[str, Any]:
    """What the plugin's author gives each field that has a default."""
    if schema is None:
        return {}
    shape, given = schema(), {}
    for attribute, field in shape.fields.items():
        default = field.load_default
        if default is not missing:
            given[field.attribute or attribute] = default() if callable(default) else default
    return {name: as_json(value) for name, value in shape.dump(given).items()}


def as_json(value: Any) -> Any:
    """A dumped value as JSON holds it: whatever it has no word for becomes text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return {str(name): as_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(each) for each in value]
    return str(value)


@dataclass(frozen=True)
class Effective:
    """Settings merged, their secrets still sealed: `sealed` says where each of those lies."""

    values: Mapping[str, Any]
    sealed: Mapping[str, str]

    def opened(self) -> Mapping[str, Any]:
        """With the secrets readable. Conflict where one cannot be opened."""
        if not self.sealed:
            return self.values
        clear = {name: unseal(self.values[name], place, name) for name, place in self.sealed.items()}
        return MappingProxyType({**self.values, **clear})


def merged(
    schema: type[Schema] | None,
    plugin: str,
    tenant_id: UUID | None,
    platform: Mapping[str, Any],
    own: Mapping[str, Any],
) -> Effective:
    """The three layers as one. Without a schema everything that was set counts."""
    values = {**schema_defaults(schema), **platform, **own}
    if schema is not None:
        known = {field.data_key or name for name, field in schema().fields.items()}
        values = {name: value for name, value in values.items() if name in known}
    sealed = {
        name: place_of(plugin, tenant_id if name in own else None)
        for name, value in values.items()
        if is_sealed(value)
    }
    return Effective(MappingProxyType(values), MappingProxyType(sealed))

"""What a plugin's `Settings` schema says about each of its fields: enough to draw it, to read it back, and to judge it.

An author writes plain marshmallow and, where it helps people, metadata: `title`, `hint` and `group` (a sentence whose
translation is in the plugin's words, or {"zh": ..., "en": ...}), `unit`, `secret`, `long`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from core.tenancy import effective
from core.web import fields as house

Words = str | Mapping[str, str]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Setting:
    """One field. `kind` is check, whole, number, money, text, long, lines, choice, choices, date, url, secret or json.

    `choices` are (value, words). `least` and `most` are the range of a number, `longest` the characters of a text.
    """

    name: str
    kind: str
    field: fields.Field[Any]
    title: Words
    hint: Words
    group: Words
    unit: Words
    required: bool
    nullable: bool
    choices: tuple[tuple[Any, Words], ...] = ()
    least: Any = None
    most: Any = None
    longest: int | None = None

    @property
    def secret(self) -> bool:
        return self.kind == "secret"

    def plain(self, value: Any) -> Any:
        """A value as it is kept, in JSON: 3 for "3", "1.5" for "1.50". Raises marshmallow's ValidationError."""
        if value is None:
            if not self.nullable:
                raise ValidationError(self.field.error_messages["null"])
            return None
        loaded = self.field.deserialize(value)
        value = effective.as_json(self.field._serialize(loaded, self.name, None))
        _storable(value)
        return value


def _storable(value: Any) -> None:
    """PostgreSQL keeps no NUL, and UTF-8 has no lone surrogates; a free text deep inside may hold either."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValidationError("text.nul")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValidationError("text.not_unicode") from None
    elif isinstance(value, Mapping):
        for name, each in value.items():
            _storable(name)
            _storable(each)
    elif isinstance(value, list):
        for each in value:
            _storable(each)


def settings(schema: type[Schema] | None) -> dict[str, Setting]:
    """Every field of a plugin's schema by its name, in the author's order. Raises ValueError for what is no such schema."""
    if schema is None:
        return {}
    if not (isinstance(schema, type) and issubclass(schema, Schema)):
        raise ValueError("Settings must be a marshmallow Schema")
    found = {}
    for attribute, field in schema().fields.items():
        name = field.data_key or attribute
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"a setting cannot be called {name!r}: small letters, digits and _, a letter first"
            )
        found[name] = _setting(name, field)
    return found


def _setting(name: str, field: fields.Field[Any]) -> Setting:
    said = field.metadata
    kind, choices = _kind(field)
    bounds = list(_all(field, validate.Range))
    lengths = [each.max for each in _all(field, validate.Length) if each.max is not None]
    return Setting(
        name,
        kind,
        field,
        said.get("title") or name.replace("_", " ").capitalize(),
        said.get("hint") or "",
        said.get("group") or "",
        said.get("unit") or "",
        field.required,
        bool(field.allow_none),
        choices,
        max((each.min for each in bounds if each.min is not None), default=getattr(field, "minimum", None)),
        min((each.max for each in bounds if each.max is not None), default=None),
        min(lengths, default=None),
    )


def _kind(field: fields.Field[Any]) -> tuple[str, tuple[tuple[Any, Words], ...]]:
    if isinstance(field, house.Secret) or field.metadata.get("secret"):
        return "secret", ()
    if isinstance(field, fields.List):
        if offered := _choices(field.inner):
            return "choices", offered
        return ("lines" if isinstance(field.inner, fields.String) else "json"), ()
    if offered := _choices(field):
        return "choice", offered
    kinds: tuple[tuple[type[fields.Field[Any]], str], ...] = (
        (fields.Boolean, "check"),
        (fields.Integer, "whole"),
        (house.Money, "money"),
        (house.Decimal, "number"),
        (fields.Decimal, "number"),
        (fields.Date, "date"),
        (fields.Url, "url"),
        (fields.String, "long" if field.metadata.get("long") else "text"),
        (fields.UUID, "text"),
        (fields.DateTime, "text"),
        (fields.Time, "text"),
    )
    return next((kind for type_, kind in kinds if isinstance(field, type_)), "json"), ()


def _choices(field: fields.Field[Any]) -> tuple[tuple[Any, Words], ...]:
    offered = next(_all(field, validate.OneOf), None)
    if offered is None:
        return ()
    said = list(offered.labels)
    return tuple(
        (value, said[at] if at < len(said) and said[at] else str(value))
        for at, value in enumerate(offered.choices)
    )


def _all(field: fields.Field[Any], kind: type[Any]) -> Iterator[Any]:
    return (each for each in field.validators if isinstance(each, kind))

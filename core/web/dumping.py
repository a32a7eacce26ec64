"""Answers into JSON, by functions made once from the schema.

marshmallow asks every field of every row how to serialise itself; for a list of fifty orders that is a third of the
request. Here the questions are asked once per schema and kinds of values, most values go to the JSON writer as they are,
and what is answered is the same (a test compares the two).
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

import orjson
from marshmallow import fields, missing

from core.web.schema import DecimalText, Schema

Convert = Callable[[Any], Any]
Kinds = tuple[type, ...]


def written(data: Any) -> bytes:
    """Data as JSON in UTF-8. Moments are ISO 8601, ids text, decimals text without an exponent; other objects: TypeError."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError


def dumper(schema: Schema, many: bool) -> Convert:
    """A function that turns what `schema` describes into what `written` writes; a list of it when `many`."""
    one = _object(schema)
    return (lambda rows: [one(row) for row in rows]) if many else one


def _object(schema: Schema) -> Convert:
    if _needs_the_object(schema):
        return lambda value: schema.dump(value, many=False)
    shown = list(schema.dump_fields.items())
    attributes = [field.attribute or name for name, field in shown]
    keys = [field.data_key or name for name, field in shown]
    changes = _Changes(keys, [field for _, field in shown])
    of_object, of_mapping = _together(attrgetter, attributes), _together(itemgetter, attributes)

    def dump(value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        try:
            values = of_mapping(value) if isinstance(value, dict) else of_object(value)
        except (AttributeError, KeyError):
            return _what_is_there(value)
        found = dict(zip(keys, values))  # noqa: B905 - both are made from `shown`
        kinds = tuple(map(type, values))
        for key, convert in changes[kinds]:
            found[key] = convert(found[key])
        return found

    def _what_is_there(value: Any) -> dict[str, Any]:
        """As marshmallow has it: a key stays away where the object has no such attribute."""
        found = {}
        for key, attribute, (_, field) in zip(keys, attributes, shown, strict=True):
            part = value.get(attribute, missing) if isinstance(value, dict) else getattr(value, attribute, missing)
            if part is not missing:
                found[key] = part if _writable(field, type(part)) else _converter(field)(part)
        return found

    return dump


class _Changes(dict[Kinds, list[tuple[str, Convert]]]):
    """Which keys have to be converted, by the types of an object's values in their order; worked out once for each."""

    def __init__(self, keys: list[str], described: list[fields.Field[Any]]) -> None:
        super().__init__()
        self._columns = list(zip(keys, described, [_converter(field) for field in described], strict=True))

    def __missing__(self, kinds: Kinds) -> list[tuple[str, Convert]]:
        changes = [
            (key, convert)
            for (key, field, convert), kind in zip(self._columns, kinds, strict=True)
            if not _writable(field, kind)
        ]
        if len(self) < MOST_KINDS:
            self[kinds] = changes
        return changes


MOST_KINDS = 256
"""How many combinations of types one schema remembers: rows have few, and a schema fed with oddities must not grow."""


def _together(getter: Callable[..., Any], names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """All the values at once; the getters of `operator` answer a tuple from two names on."""
    if len(names) > 1:
        return getter(*names)
    singly = [getter(name) for name in names]
    return lambda value: tuple(get(value) for get in singly)


def _writable(field: fields.Field[Any], kind: type) -> bool:
    """Whether a value of this type stands in JSON as the field would have said it."""
    if kind is type(None):
        return True
    if isinstance(field, DecimalText):
        return kind is str  # written by the database already
    if isinstance(field, fields.UUID):
        return kind is UUID or kind is str
    if isinstance(field, fields.String):
        return kind is str
    if isinstance(field, fields.DateTime):
        return kind is datetime
    return {fields.Integer: int, fields.Boolean: bool, fields.Date: date}.get(type(field)) is kind


def _needs_the_object(schema: Schema) -> bool:
    """Whether marshmallow must do it: hooks, fields computed from the whole object, defaults for what is missing."""
    hooked = any("dump" in str(name) for name in getattr(schema, "_hooks", ()))
    return hooked or any(
        isinstance(field, fields.Method | fields.Function | fields.Constant) or field.dump_default is not missing
        for field in schema.dump_fields.values()
    )


def _converter(field: fields.Field[Any]) -> Convert:
    kind = type(field)
    if isinstance(field, DecimalText):
        return field._plain
    if isinstance(field, fields.String):  # fields.UUID is one too
        return str
    if kind is fields.Integer:
        return int
    if kind is fields.Boolean:
        return bool
    if isinstance(field, fields.DateTime) or kind is fields.Date:
        return _moment
    if isinstance(field, fields.Nested):
        inner = _object(field.schema)  # type: ignore[arg-type]
        return (lambda rows: [inner(row) for row in rows]) if field.many else inner
    if isinstance(field, fields.List):
        each = _converter(field.inner)
        return lambda rows: [None if row is None else each(row) for row in rows]
    return lambda value: field._serialize(value, None, None)


def _moment(value: date | datetime) -> str:
    return value.isoformat()

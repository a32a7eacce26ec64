"""Bodies that look right, made from the schemas the routes read: so a crawler gets past the first check."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from core.web import Schema
from core.web.schema import DecimalText

Ids = Callable[[str], UUID]
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def body_for(schema: Schema, ids: Ids, depth: int = 0) -> dict[str, Any]:
    """A value for every field; `ids(name)` gives the id for a field of that name."""
    return {name: value_for(name, field, ids, depth) for name, field in schema.load_fields.items()}


def value_for(name: str, field: fields.Field[Any], ids: Ids, depth: int = 0) -> Any:
    choice = next((each for each in field.validators if isinstance(each, validate.OneOf)), None)
    if choice is not None:
        return list(choice.choices)[0]
    if isinstance(field, fields.UUID):
        return str(ids(name))
    if isinstance(field, fields.Nested):
        nested = field.schema
        one = body_for(nested, ids, depth + 1) if depth < 4 else {}
        return [one] if nested.many or field.many else one
    if isinstance(field, fields.List):
        return [value_for(name, field.inner, ids, depth + 1)]
    if isinstance(field, fields.Dict):
        return {}
    if isinstance(field, DecimalText):
        return "1"
    if isinstance(field, fields.Boolean):
        return True
    if isinstance(field, fields.Integer):
        return 1
    if isinstance(field, fields.AwareDateTime):
        return TOMORROW.isoformat()
    if isinstance(field, fields.Date):
        return TOMORROW.date().isoformat()
    if isinstance(field, fields.Email):
        return "somebody@example.com"
    return {"version": "1", "currency": "CNY", "mode": "spot"}.get(name, "Reason enough")


def names_ids(schema: Schema | None) -> bool:
    """Whether a body of this schema names other objects."""
    if schema is None:
        return False
    for field in schema.load_fields.values():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.UUID) or (isinstance(inner, fields.Nested) and names_ids(inner.schema)):
            return True
    return False

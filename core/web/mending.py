"""A form that can be mended: read by the same schema as JSON, and shown again with its errors when it will not do."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError

from core.kernel import Context, Invalid, Refused
from core.web.problem import field_errors, sentence
from core.web.schema import Schema

Errors = dict[str, list[str]]
WHOLE = "_form"


def read_form(shape: Schema, typed: Mapping[str, str]) -> dict[str, Any]:
    """The typed fields that the schema knows, an empty one as None. Raises Invalid with the fields' names."""
    values = {name: text if text.strip() else None for name, text in typed.items() if name in shape.fields}
    try:
        loaded: dict[str, Any] = shape.load(values)
    except ValidationError as wrong:
        raise Invalid(field_errors(wrong.messages)) from None
    return loaded


def mend(ctx: Context, act: Callable[[], Any]) -> Errors:
    """Run what a form asks for. Refused as a conflict or as invalid, it is undone whole, and the sentences come back by field.

    Empty when it was done. What concerns no single field stands under `_form`. Other refusals pass.
    """
    try:
        with ctx.whole():
            act()
    except Invalid as wrong:
        found: Errors = {}
        for error in wrong.errors:
            found.setdefault(error.path or WHOLE, []).append(sentence(error.code, error.values))
        return found or {WHOLE: [sentence(wrong.code, wrong.values)]}
    except Refused as refused:
        if refused.status != 409:
            raise
        return {refused.field or WHOLE: [sentence(refused.code, refused.values)]}
    return {}

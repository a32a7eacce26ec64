"""What the pages of this room share: their collection, reading a form through the API's schemas, saying what is wrong."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError

from core.kernel import Context, Invalid
from core.web import Pages, Schema
from core.web.i18n import gettext as _
from core.web.problem import field_errors, sentence

pages = Pages("tenancy")

Errors = dict[str, list[str]]
Values = dict[str, Any]
STATUS_TONES = {"applied": "warn", "verified": "ok", "suspended": "bad", "exited": ""}


def read(
    shape: Schema, typed: dict[str, str], *, checks: tuple[str, ...] = (), shares: tuple[str, ...] = ()
) -> Values:
    """The fields of a form through the same schema as JSON: an empty field is None, an absent box is False."""
    values: Values = {
        name: value if value.strip() else None for name, value in typed.items() if name in shape.fields
    }
    values |= {name: name in typed for name in checks}
    try:
        loaded: Values = shape.load(values)
    except ValidationError as wrong:
        raise Invalid(field_errors(wrong.messages)) from None
    return {name: value / 100 if name in shares else value for name, value in loaded.items()}


def mend(ctx: Context, act: Callable[[], object]) -> Errors:
    """Run an act of a form; when the input will not do, undo it whole and say why."""
    try:
        with ctx.whole():
            act()
    except Invalid as wrong:
        found: Errors = {}
        for error in wrong.errors:
            found.setdefault(error.path or "_form", []).append(sentence(error.code, error.values))
        return found
    return {}


def version(typed: dict[str, str]) -> int | None:
    text = typed.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def status(status: str) -> tuple[str, str]:
    return _(f"enterprise.status.{status}"), STATUS_TONES[status]


def plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"

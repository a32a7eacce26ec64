"""Changing a row of an enterprise: locked, at the version that was read, and saying which fields really changed."""

from typing import Any, TypeVar

from sqlalchemy import Select

from core.kernel import Conflict, Context, Invalid, NotFound

T = TypeVar("T")


def needed(value: Any, field: str) -> str:
    plain = value.strip() if isinstance(value, str) else ""
    if not plain:
        raise Invalid.one(field, "field.required")
    return plain


def locked(ctx: Context, chosen: Select[T], missing: str, version: int | None) -> T:
    row = ctx.session.scalar(chosen.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound(missing)
    same_version(row.version, version)
    return row


def same_version(current: int, wanted: int | None) -> None:
    if wanted is not None and wanted != current:
        raise Conflict("version.changed", version=current)


def apply(row: Any, values: dict[str, Any], allowed: tuple[str, ...]) -> list[str]:
    """Set the given columns and answer the names of those that really changed."""
    if unknown := set(values) - set(allowed):
        raise TypeError(f"not to be changed here: {', '.join(sorted(unknown))}")
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return sorted(changed)

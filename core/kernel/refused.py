"""What a verb says when it will not act: a stable code and the values of its sentence, sorted by remedy.

The sentence itself lives in the catalogue of words (`words/*.po`, msgid = the code), so that code and API
stay stable while the wording improves.
"""

from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """The command is understood and not carried out. `status` is the HTTP answer it becomes (default 409)."""

    status = 409

    def __init__(self, code: str, *, field: str | None = None, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.values = values

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.code} ({shown})" if shown else self.code


class NotFound(Refused):
    """No such object for this tenant. A foreign object answers exactly like a missing one."""

    status = 404


class Forbidden(Refused):
    """The actor lacks a permission, or the amount is above the actor's limit."""

    status = 403


class Conflict(Refused):
    """Somebody else was first, or the object is in another state or version than the caller believed."""


class Unavailable(Refused):
    """The platform cannot answer now and nothing was changed; trying again later is right."""

    status = 503


@dataclass(frozen=True)
class FieldError:
    """One thing to mend: `path` as in `lines.0.quantity`, `code` with its sentence in the catalogue."""

    path: str
    code: str
    values: dict[str, Any]


class Invalid(Refused):
    """The input cannot be used as it stands; each error names its field."""

    status = 422

    def __init__(self, errors: list[FieldError] | None = None, code: str = "input.invalid", **values: Any) -> None:
        super().__init__(code, **values)
        self.errors = errors or []

    @classmethod
    def one(cls, path: str, code: str, **values: Any) -> "Invalid":
        return cls([FieldError(path, code, values)])

    def __str__(self) -> str:
        return "; ".join(f"{error.path}: {error.code} {error.values}" for error in self.errors) or super().__str__()

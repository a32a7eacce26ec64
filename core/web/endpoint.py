"""An endpoint declares everything about a route in one place: permission, input, output, promises.

A route without a permission and without a written reason to be public cannot be made: that is checked here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.web.schema import Schema


@dataclass(frozen=True)
class Answer:
    """What a view returns when it has more to say than data: an `etag` (the row's version), a status, headers."""

    data: Any
    etag: int | str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """One route. Exactly one of `permission` and `public` (the reason) is given."""

    room: str
    kind: str  # "api" or "page"
    method: str
    path: str
    view: Callable[..., Any]
    permission: str | None
    public: str | None = None
    body: type[Schema] | None = None
    query: type[Schema] | None = None
    answer: type[Schema] | None = None
    many: bool = False
    status: int = 200
    idempotent: bool = False
    if_match: bool = False
    raw: str | None = None  # media type of a download
    upload: bool = False
    most: int | None = None  # bytes a body may have, where that is more than the furniture takes by itself

    def __post_init__(self) -> None:
        if bool(self.permission) == bool(self.public):
            raise ValueError(f"{self.method} {self.path}: give either a permission or the reason it is public")

    @property
    def name(self) -> str:
        return f"{self.room}.{self.view.__name__}"


def check_answer(endpoint: Endpoint, result: Any) -> Answer:
    return result if isinstance(result, Answer) else Answer(result)

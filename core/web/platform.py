"""What the web furniture needs from the rooms above it, handed in once by `core.app`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import current_app

from core.db import Unit


class Principal(Protocol):
    """Who a request comes from, as identity answers it."""

    tenant_id: Any
    actor: Any
    grants: Any
    locale: str
    now: Any


class Answers(Protocol):
    """Idempotent answers: see `core.outbox.idempotency`."""

    def begin(self, ctx: Any, route: str, key: str, fingerprint: bytes) -> tuple[int, str] | None: ...

    def finish(self, ctx: Any, route: str, key: str, status: int, body: str) -> None: ...


@dataclass
class Platform:
    """One running installation, seen from a request."""

    config: Any
    unit: Unit
    by_cookie: Callable[[Any], Principal | None]
    by_key: Callable[[Any], Principal | None]
    answers: Answers
    count_sql: bool = False
    endpoints: list[Any] = field(default_factory=list)
    bodies: dict[str, int] = field(default_factory=dict)  # Flask's endpoint -> bytes its body may have, where it takes more
    subjects: dict[str, Callable[[Any, str], Any]] = field(default_factory=dict)  # what each slot that stands apart is about
    searches: list[Callable[[Any, str, int], list[Any]]] = field(default_factory=list)  # rooms' finds for words, so many of each

    def take(self, blueprint: str, named: list[tuple[Any, str]]) -> None:
        """Know the endpoints of one blueprint, each under the name Flask has for it."""
        self.endpoints += [endpoint for endpoint, _ in named]
        self.bodies |= {f"{blueprint}.{name}": endpoint.most for endpoint, name in named if endpoint.most}


def platform() -> Platform:
    """The platform of the current application."""
    return current_app.extensions["ts"]

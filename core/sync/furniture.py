"""What links and checks of most connectors have in common; use it where it fits."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import requests

from core.sync.contract import Link, Step
from core.sync.outbound import probe
from core.sync.outcome import Exchange, SyncError


class CallerLink(Link):
    """A link all of whose calls go through one `caller`: what the engine sets for each piece of work is set there."""

    caller: Any  # has `trace` and `before_write`

    @property
    def trace(self) -> Callable[[Exchange], None]:  # type: ignore[override]  # in the contract a plain attribute
        found: Callable[[Exchange], None] = self.caller.trace
        return found

    @trace.setter
    def trace(self, trace: Callable[[Exchange], None]) -> None:
        self.caller.trace = trace

    @property
    def before_write(self) -> Callable[[], None]:  # type: ignore[override]
        found: Callable[[], None] = self.caller.before_write
        return found

    @before_write.setter
    def before_write(self, check: Callable[[], None]) -> None:
        self.caller.before_write = check


def looked_at(
    http: requests.Session, base_url: str, looks: Iterable[tuple[str, Callable[[], str | Step]]]
) -> Iterator[Step]:
    """A check: how far one gets towards the address, then each look by its name; ends behind the first that fails.

    A look answers what was seen, or the whole step where there is more to say.
    """
    reached = [Step(stage, ok, seen) for stage, ok, seen in probe(http, base_url)]
    yield from reached
    if not all(step.ok for step in reached):
        return
    for name, look in looks:
        try:
            seen = look()
            yield seen if isinstance(seen, Step) else Step(name, True, seen)
        except SyncError as error:
            yield Step(name, False, f"{error.code}: {error.message}")
            return

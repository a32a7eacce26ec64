"""The kinds of long work. A room offers a kind when the platform is put together; the worker knows it by its name.

A kind is a way to begin: it reads what it needs and hands back a function that does one batch each time it is called,
inside the transaction that also writes the progress. What was not committed has not happened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.kernel import Context, FieldError
from core.work.model import WorkRun


@dataclass(frozen=True)
class Why:
    """One reason for which one part did not land: `place` in the file, the error, and the part as it came."""

    place: int
    error: FieldError
    text: str = ""


@dataclass(frozen=True)
class Batch:
    """What one batch did: parts gone through, those refused and why, where the next one begins, whether it was the last."""

    done: int
    refused: int = 0
    reasons: tuple[Why, ...] = ()
    mark: Mapping[str, Any] = field(default_factory=dict)
    last: bool = False


Step = Callable[[Context], Batch]


def nothing(ctx: Context, run: WorkRun) -> None:
    """A kind with nothing to do at the end."""


@dataclass(frozen=True)
class Kind:
    """`needs` are the permissions to ask for it; `uses` are those it takes along where its asker holds them.

    `begin` is called anew by each taker, at the mark of the last batch. `ended` runs in the transaction of the end,
    however it ended (`run.state`): the place to record and to publish.
    """

    name: str
    needs: tuple[str, ...]
    begin: Callable[[Context, WorkRun], Step]
    uses: tuple[str, ...] = ()
    ended: Callable[[Context, WorkRun], None] = nothing


_KINDS: dict[str, Kind] = {}


def offer(kind: Kind) -> None:
    """Make a kind known; the same name again replaces it."""
    _KINDS[kind.name] = kind


def kind_named(name: str) -> Kind | None:
    return _KINDS.get(name)

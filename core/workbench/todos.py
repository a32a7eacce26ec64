"""What waits for somebody, told by the rooms and the plugins' rooms, shown by deadline.

A room registers once, in its `wiring.py`:

    def waiting(ctx, limit) -> list[Todo]: ...
    register_todos(waiting)

Each asks the database once and offers only what the actor of `ctx` may do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.kernel import Context, Money, Quantity


@dataclass(frozen=True)
class Todo:
    """One thing to do. `title` says what (a sentence), `what` which object, `verb` is the button.

    `endpoint` with `values` is where it is done; `due` None means no deadline; `rank` orders what has none.
    """

    kind: str
    title: str
    what: str
    endpoint: str
    values: Mapping[str, Any]
    verb: str
    partner: str = ""
    amount: Money | Quantity | None = None
    due: datetime | None = None
    icon: str = "order"
    rank: int = 50


@dataclass(frozen=True)
class Figure:
    """A key figure: `value` is Money, Quantity or a count. `tone` bad or warn colours it; `hint` stands below."""

    label: str
    value: Money | Quantity | int
    hint: str = ""
    endpoint: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    tone: str = ""


TodoSource = Callable[[Context, int], list[Todo]]
FigureSource = Callable[[Context], list[Figure]]
_todos: list[TodoSource] = []
_figures: list[FigureSource] = []
_NEVER = datetime.max.replace(tzinfo=UTC)


def register_todos(source: TodoSource) -> None:
    """`source(ctx, limit)` answers at most `limit` things to do, the most pressing first."""
    if source not in _todos:
        _todos.append(source)


def register_figures(source: FigureSource) -> None:
    if source not in _figures:
        _figures.append(source)


def waiting(ctx: Context, limit: int = 50) -> list[Todo]:
    """Everything that waits for this actor, the earliest deadline first, what has none last."""
    found = [todo for source in _todos for todo in source(ctx, limit)]
    return sorted(found, key=lambda todo: (todo.due or _NEVER, todo.rank))[:limit]


def figures(ctx: Context) -> list[Figure]:
    return [figure for source in _figures for figure in source(ctx)]

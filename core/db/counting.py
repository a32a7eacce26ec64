"""How many statements reached the server, for tests and measurements that promise a number."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_counter: ContextVar[list[str] | None] = ContextVar("statements", default=None)


def counted(statement: str, times: int = 1) -> None:
    """A statement is about to reach the server."""
    seen = _counter.get()
    if seen is not None:
        seen.extend([statement] * times)


def of_sqlalchemy(
    _conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
) -> None:
    """Listens for `before_cursor_execute`. Many rows in one statement come as one mapping, and are one statement."""
    if _counter.get() is not None:
        counted(statement, len(parameters) if many and isinstance(parameters, list | tuple) else 1)


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """Collect every statement that reaches the server in this thread, a row of an executemany counting as one."""
    seen: list[str] = []
    token = _counter.set(seen)
    try:
        yield seen
    finally:
        _counter.reset(token)

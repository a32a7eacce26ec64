"""A transaction that strangers' code may work in and not end: what would end it, or leave its role or tenant, is refused.

While a `Keeping` lies on a session and its connection, `commit` and `rollback` by any road raise, and every statement is
looked at before it reaches the server. What was tried stays written down in `offence`, so that code which swallows the
refusal is found out when it comes back. It costs no statement, and nothing while no stranger is at work.

It stops accidents. Code that speaks to libpq by itself can still end the transaction; `ended` sees that afterwards.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from psycopg.abc import Query
from psycopg.pq import Format, TransactionStatus
from psycopg.sql import Composable
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from core.db import border
from core.db.travelling import TravellingConnection, TravellingCursor

SET_TENANT = "SELECT set_config('ts.tenant', %s, true), ts.clock(), set_config('ts.home', '', true)"
CROSS = "SELECT set_config('ts.tenant', %s, true), ts.clock(), set_config('ts.home', %s, true)"
OURS = frozenset({SET_TENANT, CROSS})
"""What the platform itself says inside a call; looked up whole, so it costs a hash."""

FIRST = re.compile(
    r"(?:\s|;|--[^\n]*|/\*.*?\*/)*+([a-z_]+)(?:\s+(?:(?:work|transaction)\s+)?(?:to\s+)?(?:savepoint\s+)?(\S+))?",
    re.I | re.S,
)
ENDING = frozenset({"commit", "end", "abort", "begin", "start", "discard", "rollback", "release", "prepare"})
GOES_BACK = re.compile(r"rollback\s+(?:(?:work|transaction)\s+)?to\b", re.I)
SETS = re.compile(r"set_config\s*\(\s*(?:'((?:[^']|'')*)'|)", re.I)
HARMLESS = re.compile(r"set\s+constraints\b", re.I)
IN_A_BLOCK = re.compile(r"\b(?:set|reset)\s+(?:local\s+|session\s+)?(?:role|session|authorization)\b", re.I)


class TransactionKept(RuntimeError):
    """Strangers' code tried to end the transaction it was called in, or to leave its role or tenant."""


class Keeping:
    """One call of `by` into a transaction.

    A `lazy` one becomes the plugin with its first statement: by a savepoint of its own and the role of plugins, which
    `border` sets just before it. `outer` is the call inside which this one was made.
    """

    __slots__ = ("beginning", "by", "entered", "lazy", "nested", "offence", "outer", "own", "raw")

    def __init__(self, by: str, *, lazy: bool = False, outer: "Keeping | None" = None) -> None:
        self.by = by
        self.lazy, self.outer = lazy, outer
        self.entered = False
        self.beginning = False
        self.nested: Any = None  # the session's own savepoint, once objects are at stake
        self.raw = False  # it was handed the connection itself, and may have spoken past us
        self.own: set[str] | None = None
        self.offence: str | None = None

    def refuse(self, what: str) -> None:
        """Write the attempt down and raise."""
        self.offence = self.offence or f"{what} is not for a plugin: the transaction belongs to its caller"
        raise TransactionKept(self.offence)

    def look(self, query: Query, connection: Any) -> None:
        """Raise TransactionKept for a statement that would end the transaction or change who acts in it."""
        if isinstance(query, str):
            said = query
        elif isinstance(query, bytes):
            said = query.decode(errors="replace")
        else:
            said = query.as_string(connection) if isinstance(query, Composable) else str(query)
        if said in OURS:
            return
        if "set_config" in said.lower():
            self._look_at_settings(said)
        begins = FIRST.match(said)
        if begins is None:
            return
        word = begins[1].lower()
        if word in ("select", "insert", "update", "delete", "with"):
            return
        if word == "savepoint":
            self._savepoint((begins[2] or "").strip(';"').lower())
        elif word in ("set", "reset"):
            if not HARMLESS.match(said, begins.start(1)):
                self.refuse(_short(said))
        elif word == "do" and (inner := IN_A_BLOCK.search(said)):
            self.refuse(_short(inner[0]))
        elif word in ENDING and not self._of_its_own(word, said, begins):
            self.refuse(_short(said))

    def take_over(self, inner: "Keeping") -> None:
        """A call inside this one is over; what it left is mine now."""
        if inner.own:
            self.own = (self.own or set()) | inner.own

    def _look_at_settings(self, said: str) -> None:
        for name in SETS.findall(said):
            if "." not in name or name.lower().startswith("ts."):
                self.refuse(f"set_config({name!r})" if name else "set_config")

    def _savepoint(self, name: str) -> None:
        if name == border.SAVEPOINT:
            self.refuse(f"a savepoint called {name}")
        if self.own is None:
            self.own = set()
        self.own.add(name)

    def _of_its_own(self, word: str, said: str, begins: re.Match[str]) -> bool:
        name = (begins[2] or "").strip(';"').lower()
        if word == "prepare":
            return "transaction" not in said[begins.start(1) : begins.end()].lower()
        if word == "release":
            return name in (self.own or ())
        return word == "rollback" and bool(GOES_BACK.match(said, begins.start(1))) and name in (self.own or ())


class KeptConnection(TravellingConnection):
    """A connection that refuses to end a kept transaction, whoever holds it."""

    kept: Keeping | None = None
    lingering: str | None = None  # the plugin whose savepoint and role still lie on the transaction; see `border`

    def commit(self) -> None:
        if self.kept is not None:
            self.kept.refuse("commit()")
        if self.lingering is not None:
            border.settle(self)
            self.unpack()
        super().commit()

    def rollback(self) -> None:
        if self.kept is not None:
            self.kept.refuse("rollback()")
        self.lingering = None
        super().rollback()

    def close(self) -> None:
        if self.kept is not None and not self.closed:  # one that broke is closed by whoever notices
            self.kept.refuse("close()")
        super().close()


_DESCRIBED: dict[tuple[str, int], Any] = {}
MOST_DESCRIBED = 2_000  # statements of a process; texts with values in them must not fill its memory


class LookingCursor(TravellingCursor):
    """Shows every statement to the keeping of its connection, and takes rows as PostgreSQL holds them.

    So neither side spends time on spelling ids, moments and numbers as text. What psycopg cannot read that way (a search
    vector, a regclass) comes as bytes: cast it to text where it is read. Binary rows also mean one statement at a time.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.format = Format.BINARY

    @property
    def description(self) -> Any:
        """What the columns are called; the same statement has the same ones, so they are described once."""
        query, result = self._last_query, self.pgresult  # `_query` stays empty where the statement was prepared
        if type(query) is not str or result is None:
            return super().description
        key = (query, result.nfields)
        found = _DESCRIBED.get(key)
        if found is None:
            found = super().description
            if len(_DESCRIBED) < MOST_DESCRIBED:
                _DESCRIBED[key] = found
        return found

    def execute(self, query: Query, *args: Any, **options: Any) -> "LookingCursor":
        connection = self._look(query)
        try:
            super().execute(query, *args, **options)
        finally:  # a statement that could not even be said leaves behind what was to travel with it
            if connection.baggage:
                connection.unpack()
        return self

    def executemany(self, query: Query, *args: Any, **options: Any) -> None:
        self._look(query).unpack()
        super().executemany(query, *args, **options)

    def copy(self, statement: Query, *args: Any, **options: Any) -> Any:
        self._look(statement).unpack()
        return super().copy(statement, *args, **options)

    def _look(self, query: Query) -> Any:
        connection: Any = self.connection
        kept = connection.kept
        if kept is not None:
            kept.look(query, connection)
            if kept.lazy:
                if not kept.entered:
                    border.enter(connection, kept)
                return connection
        if connection.lingering is not None:
            border.settle(connection)
        return connection


@contextmanager
def kept(session: Any, keeping: Keeping | None) -> Iterator[None]:
    """Inside, the session's open transaction is kept; None lifts what lies on it."""
    connection = session.connection()
    driver, before = connection.connection.driver_connection, session.info.get("kept")
    guard(connection, driver)
    session.info["kept"] = driver.kept = keeping
    try:
        yield
    finally:
        session.info["kept"] = driver.kept = before
        if before is not None and keeping is not None:
            before.take_over(keeping)


def guard(connection: Any, driver: Any) -> None:
    """Have a connection of SQLAlchemy's refuse before it gives its transaction up; it hears of the driver too late."""
    if "commit" not in connection.__dict__:
        connection.__dict__.update(
            commit=partial(_unless_kept, connection, driver, "commit"),
            rollback=partial(_unless_kept, connection, driver, "rollback"),
        )


def _unless_kept(connection: Any, driver: Any, act: str) -> None:
    if driver.kept is not None:
        driver.kept.refuse(f"{act}()")
    getattr(type(connection), act)(connection)


@contextmanager
def kept_connection(connection: Any, by: str) -> Iterator[None]:
    """As `kept`, for a migration's connection, whatever engine it is of. An attempt that was swallowed is raised at the end."""
    driver, keeping = connection.connection.driver_connection, Keeping(by)

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        keeping.look(statement, None)

    event.listen(connection, "before_cursor_execute", look)
    guard(connection, driver)
    driver.kept = keeping
    try:
        yield
    finally:
        driver.kept = None
        event.remove(connection, "before_cursor_execute", look)
    if keeping.offence is not None or ended(driver):
        raise TransactionKept(keeping.offence or "the migration ended the transaction it runs in")


def ended(driver: Any) -> bool:
    """Whether the transaction is gone, by a road that could not be closed. Asks the driver, not the server."""
    return bool(driver.pgconn.transaction_status == TransactionStatus.IDLE)


def give_up(connection: Any, driver: Any) -> None:
    """Throw away the connection of a transaction that was ended behind its caller's back; nothing of it is used again."""
    driver.kept = driver.lingering = None
    with suppress(SQLAlchemyError):  # it was closed or given away already
        connection.invalidate()
    driver.close()


def refuse_if_kept(session: Any, what: str) -> None:
    """For a session's own verbs: raise before anything of it is touched."""
    keeping = session.info.get("kept")
    if keeping is not None:
        keeping.refuse(what)


def _short(said: str) -> str:
    return " ".join(said.split())[:60]

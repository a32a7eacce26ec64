"""A transaction that strangers' code may work in and not end: what would end it, or leave its role or tenant, is refused.

While a `Keeping` lies on a session and its connection, `commit` and `rollback` by any road raise, and every statement is
looked at before it reaches the server. What was tried stays written down in `offence`, so that code which swallows the
refusal is found out when it comes back. It costs no statement, and nothing while no stranger is at work.

It stops accidents. Code that speaks to libpq by itself can still end the transaction; `ended` sees that afterwards.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg.abc import Query
from psycopg.pq import Format, TransactionStatus
from psycopg.sql import Composable
from sqlalchemy import event

SET_TENANT = "SELECT set_config('ts.tenant', %s, true), ts.clock(), set_config('ts.home', '', true)"
CROSS = "SELECT set_config('ts.tenant', %s, true), ts.clock(), set_config('ts.home', %s, true)"
AS_PLUGIN = "SET LOCAL ROLE ts_plugin"
OURS = frozenset({SET_TENANT, CROSS, AS_PLUGIN})
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
    """One call of `by` into a transaction. With `savepoint`, the first one that is made belongs to the call itself.

    A flush that fails rolls back to that one by itself, and with it goes the role: then the call is `over`, and says no more.
    """

    __slots__ = ("by", "mine", "offence", "over", "own")

    def __init__(self, by: str, *, savepoint: bool = False) -> None:
        self.by = by
        self.mine: str | None = None if savepoint else ""
        self.own: set[str] = set()
        self.offence: str | None = None
        self.over = False

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
        if said in OURS and not self.over:
            return
        if "set_config" in said.lower():
            self._look_at_settings(said)
        begins = FIRST.match(said)
        if begins is None:
            return
        word = begins[1].lower()
        if self.over and word != "rollback":
            self.refuse(f"after a failure, {_short(said)}")
        if word in ("select", "insert", "update", "delete", "with"):
            return
        if word == "savepoint":
            self._savepoint(begins[2] or "")
        elif word in ("set", "reset"):
            if not HARMLESS.match(said, begins.start(1)):
                self.refuse(_short(said))
        elif word == "do" and (inner := IN_A_BLOCK.search(said)):
            self.refuse(_short(inner[0]))
        elif word in ENDING and not self._of_its_own(word, said, begins):
            self.refuse(_short(said))

    def take_over(self, inner: "Keeping") -> None:
        """A call inside this one is over. Savepoints are made lazily, so its first may be mine."""
        if self.mine is None:
            self.mine = inner.mine
        elif inner.mine:
            self.own.add(inner.mine)
        self.own |= inner.own

    def _look_at_settings(self, said: str) -> None:
        for name in SETS.findall(said):
            if "." not in name or name.lower().startswith("ts."):
                self.refuse(f"set_config({name!r})" if name else "set_config")

    def _savepoint(self, name: str) -> None:
        if self.mine is None:
            self.mine = name.strip(';"').lower()
        else:
            self.own.add(name.strip(';"').lower())

    def _of_its_own(self, word: str, said: str, begins: re.Match[str]) -> bool:
        name = (begins[2] or "").strip(';"').lower()
        if word == "prepare":
            return "transaction" not in said[begins.start(1) : begins.end()].lower()
        if word == "release":
            return name in self.own
        if word != "rollback" or not GOES_BACK.match(said, begins.start(1)):
            return False
        self.over = self.over or (bool(name) and name == self.mine)
        return name in self.own or self.over


class KeptConnection(psycopg.Connection[Any]):
    """A connection that refuses to end a kept transaction, whoever holds it."""

    kept: Keeping | None = None

    def commit(self) -> None:
        if self.kept is not None:
            self.kept.refuse("commit()")
        super().commit()

    def rollback(self) -> None:
        if self.kept is not None:
            self.kept.refuse("rollback()")
        super().rollback()

    def close(self) -> None:
        if self.kept is not None and not self.closed:  # one that broke is closed by whoever notices
            self.kept.refuse("close()")
        super().close()


class LookingCursor(psycopg.Cursor[Any]):
    """Shows every statement to the keeping of its connection, and takes rows as PostgreSQL holds them.

    So neither side spends time on spelling ids, moments and numbers as text. What psycopg cannot read that way (a search
    vector, a regclass) comes as bytes: cast it to text where it is read. Binary rows also mean one statement at a time.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.format = Format.BINARY

    def execute(self, query: Query, *args: Any, **options: Any) -> "LookingCursor":
        kept = getattr(self.connection, "kept", None)
        if kept is not None:
            kept.look(query, self.connection)
        super().execute(query, *args, **options)
        return self

    def executemany(self, query: Query, *args: Any, **options: Any) -> None:
        kept = getattr(self.connection, "kept", None)
        if kept is not None:
            kept.look(query, self.connection)
        super().executemany(query, *args, **options)


@contextmanager
def kept(session: Any, keeping: Keeping | None) -> Iterator[None]:
    """Inside, the session's open transaction is kept; None lifts what lies on it."""
    connection = session.connection()
    driver, before = connection.connection.driver_connection, session.info.get("kept")
    _lay(session, connection, driver, keeping)
    try:
        yield
    finally:
        _lay(session, connection, driver, before)
        if before is not None and keeping is not None:
            before.take_over(keeping)


def _lay(session: Any, connection: Any, driver: Any, keeping: Keeping | None) -> None:
    session.info["kept"] = driver.kept = keeping
    if keeping is None:
        connection.__dict__.pop("commit", None)
        connection.__dict__.pop("rollback", None)
    else:  # SQLAlchemy gives its transaction up before it hears that the driver refuses
        connection.__dict__.update(
            commit=partial(keeping.refuse, "commit()"), rollback=partial(keeping.refuse, "rollback()")
        )


@contextmanager
def kept_connection(connection: Any, by: str) -> Iterator[None]:
    """As `kept`, for a migration's connection, whatever engine it is of. An attempt that was swallowed is raised at the end."""
    driver, keeping = connection.connection.driver_connection, Keeping(by)

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        keeping.look(statement, None)

    holder = SimpleNamespace(info={})
    event.listen(connection, "before_cursor_execute", look)
    _lay(holder, connection, driver, keeping)
    try:
        yield
    finally:
        _lay(holder, connection, driver, None)
        event.remove(connection, "before_cursor_execute", look)
    if keeping.offence is not None or ended(driver):
        raise TransactionKept(keeping.offence or "the migration ended the transaction it runs in")


def ended(driver: Any) -> bool:
    """Whether the transaction is gone, by a road that could not be closed. Asks the driver, not the server."""
    return bool(driver.pgconn.transaction_status == TransactionStatus.IDLE)


def give_up(connection: Any) -> None:
    """Throw away the connection of a transaction that was ended behind its caller's back; nothing of it is used again."""
    connection.connection.driver_connection.kept = None
    connection.invalidate()


def refuse_if_kept(session: Any, what: str) -> None:
    """For a session's own verbs: raise before anything of it is touched."""
    keeping = session.info.get("kept")
    if keeping is not None:
        keeping.refuse(what)


def _short(said: str) -> str:
    return " ".join(said.split())[:60]

"""What surrounds a page, an API call or an event handler of a plugin: its own settings, a transaction it cannot end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from core.db import keeping
from core.db.keeping import Keeping, TransactionKept
from core.db.unit import RETRYABLE
from core.hooks.watchdog import Overtime
from core.kernel import Context

NOT_THERE = ("3B001", "25P01")  # no such savepoint; no transaction at all


class TransactionLost(RuntimeError):
    """A plugin ended the transaction by a road that could not be closed. Nothing may go on in it."""


class SettingsOf(Mapping[str, Any]):
    """A plugin's settings, put together when it first reads one: most calls never do."""

    __slots__ = ("_found", "_name", "_reader")

    def __init__(self, reader: Callable[[str], Mapping[str, Any]], name: str) -> None:
        self._reader, self._name = reader, name
        self._found: Mapping[str, Any] | None = None

    def _all(self) -> Mapping[str, Any]:
        if self._found is None:
            self._found = self._reader(self._name)
        return self._found

    def __getitem__(self, key: str) -> Any:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


@contextmanager
def at_home(ctx: Context, name: str) -> Iterator[None]:
    """Inside, `ctx` is the plugin's: its name, and its settings of the acting enterprise."""
    plugin, settings = ctx.plugin, ctx.settings
    ctx.plugin, ctx.settings = name, SettingsOf(ctx.ports.settings(ctx, ctx.tenant_id), name)
    try:
        yield
    finally:
        ctx.plugin, ctx.settings = plugin, settings


@contextmanager
def in_transaction(ctx: Context, name: str, connection: Any) -> Iterator[None]:
    """Run plugin code in its caller's transaction, with its caller's role and rights: pages, event handlers."""
    held, driver = Keeping(name), connection.connection.driver_connection
    try:
        with at_home(ctx, name), keeping.kept(ctx.session, held):
            yield
        found_out(held, driver)
    except (TransactionLost, Overtime) as fault:
        if not isinstance(fault, Overtime) or fault.gone:
            keeping.give_up(connection, driver)
        raise


def found_out(held: Keeping, driver: Any) -> None:
    if held.offence is not None:
        raise TransactionKept(held.offence)  # it may have swallowed the refusal
    if keeping.ended(driver):
        raise TransactionLost("the hook ended the transaction it was called in")


def lost_by_the_database(fault: BaseException) -> DBAPIError | None:
    """The database went away, or a race was lost: no mistake of the plugin's, and the unit of work knows what to do."""
    if isinstance(fault, PendingRollbackError) and fault.__context__ is not None:
        fault = fault.__context__  # the plugin, or we, went on with a connection that was lost before
    if not isinstance(fault, DBAPIError):
        return None
    state = state_of(fault)
    return fault if fault.connection_invalidated or state.startswith(("08", "57P")) or state in RETRYABLE else None


def state_of(fault: BaseException) -> str:
    """The code PostgreSQL gave a failure; empty for any other."""
    return getattr(getattr(fault, "orig", fault), "sqlstate", None) or ""


def failed(session: Any) -> bool:
    """Whether the database has given the transaction up; a release of the savepoint would fail half-way."""
    return given_up(session.connection().connection.driver_connection)


def given_up(driver: Any) -> bool:
    return bool(driver.pgconn.transaction_status == TransactionStatus.INERROR)

"""What surrounds a call: the plugin's own settings, a lazy savepoint, the role of plugins, a transaction it cannot end."""

from collections.abc import Iterator
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


@contextmanager
def at_home(ctx: Context, name: str) -> Iterator[None]:
    """Inside, `ctx` is the plugin's: its name, and its settings of the acting enterprise."""
    plugin, settings = ctx.plugin, ctx.settings
    ctx.plugin, ctx.settings = name, ctx.ports.settings(ctx, ctx.tenant_id, name)
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
        _found_out(held, driver)
    except (TransactionLost, Overtime) as fault:
        if not isinstance(fault, Overtime) or fault.gone:
            keeping.give_up(connection)
        raise


@contextmanager
def in_savepoint(ctx: Context, name: str, connection: Any) -> Iterator[None]:
    """Run plugin code as its own: its settings, a lazy savepoint, the plugin role while it runs SQL."""
    session, info = ctx.session, ctx.session.info
    around = {key: info.get(key) for key in ("plugin_role", "plugin_ran_sql")}
    tenant, held = ctx.tenant_id, Keeping(name, savepoint=True)
    driver = connection.connection.driver_connection
    with at_home(ctx, name):
        nested = None
        try:
            with keeping.kept(session, held):
                nested = session.begin_nested()
                info.update(plugin_role=True, plugin_ran_sql=False)
                yield
                if session.get_nested_transaction() is nested:
                    session.flush()
            _found_out(held, driver)
            if session.get_nested_transaction() is not nested:
                raise TransactionLost("the hook ended the transaction it was called in")
            ran = info["plugin_ran_sql"]
            if ran and _given_up(driver):
                raise RuntimeError("the hook went on after a database error")
            if not (ctx.tenant_id == info.get("tenant_id") == tenant):
                raise RuntimeError("the hook left for another enterprise")
            info.update(around)
            nested.commit()
        except BaseException as fault:
            info.update(around, tenant_id=tenant)
            ctx.tenant_id = tenant
            if keeping.ended(driver) or _state(fault) in NOT_THERE:
                keeping.give_up(connection)
                raise TransactionLost("the hook ended the transaction it was called in") from fault
            if isinstance(fault, Overtime) and fault.gone:
                keeping.give_up(connection)
            elif nested is not None:
                _undo(session, nested)  # which puts the role back, too
            raise
    if not ran:
        return
    if around["plugin_role"]:
        info["plugin_ran_sql"] = True  # a hook inside a hook: the outer one puts the role back
    else:
        with keeping.kept(session, None):
            session.connection().exec_driver_sql("RESET ROLE")


def _found_out(held: Keeping, driver: Any) -> None:
    if held.offence is not None or held.over:
        raise TransactionKept(held.offence or "the hook went on after its savepoint was rolled back")  # and swallowed it
    if keeping.ended(driver):
        raise TransactionLost("the hook ended the transaction it was called in")


def lost_by_the_database(fault: BaseException) -> DBAPIError | None:
    """The database went away, or a race was lost: no mistake of the plugin's, and the unit of work knows what to do."""
    if isinstance(fault, PendingRollbackError) and fault.__context__ is not None:
        fault = fault.__context__  # the plugin, or we, went on with a connection that was lost before
    if not isinstance(fault, DBAPIError):
        return None
    state = _state(fault)
    return fault if fault.connection_invalidated or state.startswith(("08", "57P")) or state in RETRYABLE else None


def _state(fault: BaseException) -> str:
    """The code PostgreSQL gave a failure; empty for any other."""
    return getattr(getattr(fault, "orig", None), "sqlstate", None) or ""


def failed(session: Any) -> bool:
    """Whether the database has given the transaction up; a release of the savepoint would fail half-way."""
    return _given_up(session.connection().connection.driver_connection)


def _given_up(driver: Any) -> bool:
    return bool(driver.pgconn.transaction_status == TransactionStatus.INERROR)


def _undo(session: Any, nested: Any) -> None:
    """Roll back to before the hook, whatever savepoints it left open; nothing to do where it rolled back everything."""
    while (innermost := session.get_nested_transaction()) is not None:
        innermost.rollback()
        if innermost is nested:
            return

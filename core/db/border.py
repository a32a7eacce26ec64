"""Becoming a plugin inside a transaction, and oneself again: a savepoint and a role, in as few messages as can be.

A call that runs no SQL costs nothing here. Before the first statement of one that does, the savepoint is made and the role
set in one message. When it came back well, savepoint and role linger: the next plugin's first statement swaps the savepoint
and keeps the role, and only a statement of the platform's own puts both away. So five plugins that read one row each cost
six messages instead of twenty.
"""

from typing import Any

from psycopg import errors
from psycopg.pq import ExecStatus, TransactionStatus

from core.db.counting import counted

SAVEPOINT = "ts_call"
ENTER = b"SAVEPOINT ts_call; SET LOCAL ROLE ts_plugin"
NEXT = b"RELEASE ts_call; SAVEPOINT ts_call"
DEEPER = b"SAVEPOINT ts_call"
UP = b"RELEASE ts_call"
LEAVE = b"RELEASE ts_call; RESET ROLE"
BACK = b"ROLLBACK TO ts_call; RELEASE ts_call"
BACK_HOME = b"ROLLBACK TO ts_call; RELEASE ts_call; RESET ROLE"


def enter(driver: Any, held: Any) -> None:
    """Become the plugin of a call, before its first statement. Calls around it become theirs first."""
    outer = held.outer if held.outer is not None and held.outer.lazy else None
    if driver.pgconn.transaction_status != TransactionStatus.INTRANS:
        return  # given up already: the statement itself will be told
    if outer is not None:
        if not outer.entered:
            enter(driver, outer)
        _say(driver, DEEPER)
    elif driver.lingering is not None:
        _say(driver, NEXT)
        driver.lingering = None
    else:
        _say(driver, ENTER)
    held.entered = True


def leave(driver: Any, held: Any) -> None:
    """A call came back well: what it did stays. Inside another call at once, else when somebody else has something to say."""
    if held.outer is not None and held.outer.lazy:
        _say(driver, UP)
    elif held.raw:
        _say(driver, LEAVE)  # at once: it fails when the savepoint went away behind our back
    else:
        driver.lingering = held.by


def settle(driver: Any) -> None:
    """Put away what lingers, before a statement of the platform's own. Raises where the plugin's savepoint is gone."""
    driver.lingering = None
    if driver.pgconn.transaction_status == TransactionStatus.INTRANS:
        _say(driver, LEAVE)


def go_back(driver: Any, held: Any) -> None:
    """Undo everything a call did."""
    if held.entered and driver.pgconn.transaction_status in (
        TransactionStatus.INTRANS,
        TransactionStatus.INERROR,
    ):
        _say(driver, BACK if held.outer is not None and held.outer.lazy else BACK_HOME)
    held.entered = False


def _say(driver: Any, command: bytes) -> None:
    """One message of plain statements; the driver's own way would take one for each."""
    said = command.decode()
    counted(said)
    result = driver.pgconn.exec_(command)
    if result.status != ExecStatus.COMMAND_OK:
        raise errors.error_from_result(result)

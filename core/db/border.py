"""Becoming a plugin inside a transaction, and oneself again: a savepoint and a role, in as few messages as can be.

A call that runs no SQL costs nothing here. Before the first statement of one that does, the savepoint is made and the role
set, in the message of that statement. When it came back well, savepoint and role linger: the next plugin's first statement
swaps the savepoint and keeps the role, and only a statement of the platform's own puts both away, in its message too. So
five plugins that read one row each cost their five messages and no more.
"""

from typing import Any

from psycopg.pq import TransactionStatus

from core.db.counting import counted

SAVEPOINT = "ts_call"
ENTER = (b"SAVEPOINT ts_call", b"SET LOCAL ROLE ts_plugin")
NEXT = (b"RELEASE ts_call", b"SAVEPOINT ts_call")
DEEPER = (b"SAVEPOINT ts_call",)
UP = (b"RELEASE ts_call",)
LEAVE = (b"RELEASE ts_call", b"RESET ROLE")
BACK = (b"ROLLBACK TO ts_call", b"RELEASE ts_call")
BACK_HOME = (b"ROLLBACK TO ts_call", b"RELEASE ts_call", b"RESET ROLE")


def enter(driver: Any, held: Any) -> None:
    """Become the plugin of a call with its first statement, which is about to be said. Calls around it become theirs first."""
    outer = held.outer if held.outer is not None and held.outer.lazy else None
    if driver.pgconn.transaction_status != TransactionStatus.INTRANS:
        return  # given up already: the statement itself will be told
    if outer is not None:
        if not outer.entered:
            enter(driver, outer)
        _pack(driver, DEEPER)
    elif driver.lingering is not None:
        _pack(driver, NEXT)
        driver.lingering = None
    else:
        _pack(driver, ENTER)
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
    """Put away what lingers with the platform's own statement, about to be said. That one raises where the savepoint is gone."""
    driver.lingering = None
    if driver.pgconn.transaction_status == TransactionStatus.INTRANS:
        _pack(driver, LEAVE)


def go_back(driver: Any, held: Any) -> None:
    """Undo everything a call did."""
    if held.entered and driver.pgconn.transaction_status in (
        TransactionStatus.INTRANS,
        TransactionStatus.INERROR,
    ):
        _say(driver, BACK if held.outer is not None and held.outer.lazy else BACK_HOME)
    held.entered = False


def _pack(driver: Any, commands: tuple[bytes, ...]) -> None:
    counted(b"; ".join(commands).decode())
    driver.pack(*commands)


def _say(driver: Any, commands: tuple[bytes, ...]) -> None:
    """Now, in one message."""
    _pack(driver, commands)
    driver.unpack()

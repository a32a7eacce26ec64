"""One hook asked of one plugin after another: each in its own savepoint, role and time, none of which costs what it does not use.

Thirty plugins with a word at every order must not be felt. So what their calls share is looked up once for the round, and a
call that runs no SQL and comes back in time costs two microseconds: no statement, no object of SQLAlchemy's, no lock.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from psycopg import Error as PsycopgError
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import SQLAlchemyError

from core.db import border, keeping
from core.db.cutting import cut
from core.db.keeping import Keeping, TransactionKept
from core.hooks.inside import (
    NOT_THERE,
    SettingsOf,
    TransactionLost,
    found_out,
    given_up,
    lost_by_the_database,
    state_of,
)
from core.hooks.meter import Meter
from core.hooks.watchdog import Overtime, Watchdog
from core.kernel import BUFFERS, Context, Refused

FOREVER = float("inf")
INTRANS = TransactionStatus.INTRANS
Asking = tuple[str, Callable[..., Any], Mapping[str, Any]]
"""A plugin, its function, and what that is given."""


class Round:
    """The calls of one hook for one context; use as `with Round(...) as asked: asked.all(...)`.

    A call that fails is undone before its exception leaves `all`, and the round is over.
    """

    name = ""  # of the plugin that failed

    def __init__(self, ctx: Context, hook: str, seconds: float, watchdog: Watchdog, meter: Meter) -> None:
        self.ctx, self.hook, self.seconds = ctx, hook, seconds
        self.watchdog, self.meter = watchdog, meter
        self.spent: list[tuple[str, float, bool]] = []

    def __enter__(self) -> "Round":
        ctx = self.ctx
        session = self.session = ctx.session
        session.flush()  # what the caller has pending is written by the caller
        connection = self.connection = session.connection()
        driver = self.driver = connection.connection.driver_connection
        self.pgconn = driver.pgconn
        self.root, self.base = session.get_transaction(), connection.get_transaction()
        keeping.guard(connection, driver)
        self.tenant = ctx.tenant_id
        self.around = (ctx.plugin, ctx.settings, session.info.get("kept"), session.get_nested_transaction())
        self.settings = ctx.ports.settings(ctx, ctx.tenant_id)
        self._keep()
        self.key, self.watched = self.watchdog.begin("", FOREVER, driver.cancel_safe, partial(cut, driver))
        self.watched.hook = self.hook
        return self

    def __exit__(self, *_: Any) -> None:
        self.ctx.plugin, self.ctx.settings, outer, _nested = self.around
        self.session.info["kept"] = self.driver.kept = outer
        if self.key is not None:
            self.watchdog.end(self.key, self.watched)
        if self.spent:
            self.meter.note_all(self.hook, self.spent)

    def _keep(self) -> None:
        self.held = Keeping("", lazy=True, outer=self.around[2])
        self.session.info["kept"] = self.driver.kept = self.held

    def all(self, calls: Iterable[Asking]) -> list[tuple[str, Any]]:
        """What one plugin after the other answers, without those that answer nothing.

        Raises what one raised, TimeoutError, TransactionKept or TransactionLost; `name` is then the plugin.
        """
        ctx, watched, held, info, tenant = self.ctx, self.watched, self.held, self.session.info, self.tenant
        settings, seconds, pgconn, spent, now = self.settings, self.seconds, self.pgconn, self.spent, time.monotonic
        answers: list[tuple[str, Any]] = []
        buffers = [info.setdefault(name, []) for name in BUFFERS]
        lengths = [len(buffer) for buffer in buffers]
        ended = now()
        try:
            for name, function, given in calls:
                began = ended
                held.by = ctx.plugin = watched.name = name
                ctx.settings = SettingsOf(settings, name)
                watched.began, watched.deadline = began, began + seconds
                answer = function(**given)
                ended = now()
                if ended - began > seconds:
                    break
                if ctx.tenant_id is not tenant or info.get("tenant_id") is not tenant:
                    self._still_here()
                if held.entered or held.nested is not None or held.offence is not None:
                    watched.deadline = FOREVER
                    self._came_back()
                    held, ended = self.held, now()
                elif pgconn.transaction_status != INTRANS:
                    found_out(held, self.driver)
                spent.append((name, ended - began, False))
                if answer is not None:
                    answers.append((name, answer))
                lengths = [len(buffer) for buffer in buffers]
            else:
                return answers
            self._late()
        except BaseException as fault:
            self.name = name
            for buffer, length in zip(buffers, lengths, strict=True):
                del buffer[length:]  # nobody hears of what is undone
            raise self._over(name, now() - began, fault) from fault.__cause__
        finally:
            watched.deadline = FOREVER
        return answers

    def _over(self, name: str, spent: float, fault: BaseException) -> BaseException:
        """A call failed and is undone. Answers what is to be raised."""
        if spent > self.seconds and not isinstance(fault, Overtime):
            try:
                self._late()
            except Overtime as late:
                late.__context__, fault = fault, late
        self.spent.append((name, spent, not isinstance(fault, Refused)))
        self._undo(fault)
        return fault

    def _still_here(self) -> None:
        """The same tenant may stand there as another object."""
        if self.ctx.tenant_id is not self.tenant or self.session.info.get("tenant_id") != self.tenant:
            raise RuntimeError("the hook left for another enterprise")

    def _late(self) -> None:
        """The watchdog has cancelled or is about to: it is waited for, so that it hits no statement of anybody else's."""
        key, self.key = self.key, None
        self.watchdog.end(key, self.watched)
        raise Overtime(self.seconds, self.watched.told, self.watched.gone)

    def _came_back(self) -> None:
        """A call that touched the database: what it left pending is written as its own, its savepoint is given back."""
        held, session = self.held, self.session
        if held.entered and given_up(self.driver):
            raise RuntimeError("the hook went on after a database error")
        found_out(held, self.driver)
        session.flush()
        while (nested := session.get_nested_transaction()) is not self.around[3]:
            if nested is None:
                raise TransactionLost("the hook ended the transaction it was called in")
            nested.commit()
        found_out(held, self.driver)
        if held.entered:
            border.leave(self.driver, held)
        outer = self.around[2]
        if outer is not None:
            outer.take_over(held)
        self._keep()

    def _left(self) -> bool:
        """Whether SQLAlchemy is no longer in the transaction of the caller, whatever the server thinks."""
        lost = self.base is None or not self.base.is_active or self.connection.invalidated
        return lost or self.session.get_transaction() is not self.root

    def _undo(self, fault: BaseException) -> None:
        held, session = self.held, self.session
        self.ctx.tenant_id = session.info["tenant_id"] = self.tenant
        if isinstance(fault, Overtime) and fault.gone:
            keeping.give_up(self.connection, self.driver)
            return
        left = lost_by_the_database(fault) is None and self._left()
        if left or keeping.ended(self.driver) or state_of(fault) in NOT_THERE:
            keeping.give_up(self.connection, self.driver)
            raise TransactionLost("the hook ended the transaction it was called in") from fault
        try:
            while (nested := session.get_nested_transaction()) is not self.around[3] and nested is not None:
                nested.rollback()
            border.go_back(self.driver, held)
        except (SQLAlchemyError, TransactionKept, PsycopgError) as broken:
            keeping.give_up(self.connection, self.driver)
            raise TransactionLost("the hook left the session unusable") from broken
        if not session.is_active:
            keeping.give_up(self.connection, self.driver)
            raise TransactionLost("the hook left the session unusable") from fault

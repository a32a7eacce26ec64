"""Calling into plugins, one by one: only the enabled ones, each in a lazy savepoint, each within its time.

The failure belongs to the hook: decide refuses the command and names the plugin; decorate shows nothing and is logged.
A breaker opens after five faults in five minutes, or at once when a call ran past its time; its plugin is then passed
over (decorate) or refuses (decide) for a minute.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pluggy
from psycopg.pq import TransactionStatus
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from core.db import TenantSession
from core.db.unit import RETRYABLE
from core.hooks import specs
from core.hooks.answers import TradeMode
from core.hooks.watchdog import Overdue, Watchdog
from core.kernel import Conflict, Context, Refused

log = logging.getLogger("tongshang.hooks")
SECONDS = {"decide": 2.0, "decorate": 2.0}
FAULTS, WINDOW, COOL_DOWN = 5, 300.0, 60.0


@dataclass
class Breaker:
    """Faults of one plugin, newest last; open while five of them lie inside the window."""

    faults: deque[float] = field(default_factory=lambda: deque(maxlen=FAULTS))
    last: str = ""
    tripped: float | None = None

    def fault(self, why: str) -> None:
        self.faults.append(time.monotonic())
        self.last = why

    def trip(self, why: str) -> None:
        """A call past its time holds a connection and a lock: one is enough."""
        self.fault(why)
        self.tripped = self.faults[-1]

    @property
    def open(self) -> bool:
        if not self.faults:
            return False
        now = time.monotonic()
        if self.tripped is not None and now - self.tripped < COOL_DOWN:
            return True
        recent = len(self.faults) == FAULTS and now - self.faults[0] < WINDOW
        return recent and now - self.faults[-1] < COOL_DOWN


@dataclass(frozen=True)
class Mode:
    """A trade mode and the plugin that brings it."""

    plugin: str
    mode: TradeMode


@dataclass(frozen=True)
class Fault:
    """A call into a plugin that went wrong. `opened`: with this one its breaker opened."""

    plugin: str
    hook: str
    kind: str  # error, late
    reason: str
    tenant_id: UUID | None
    at: datetime
    opened: bool


class PluginFailed(Conflict):
    """A decide hook failed: the command is refused and the plugin is named."""


class Dispatch:
    """All plugins of this process. `core.host` registers them; rooms call `decide` and `decorate`.

    `replace` is called once when too many threads of this process are lost in plugins. `stopped` names the plugins that
    are stopped everywhere, with the reason; `heard` is told of every fault, at once and in the thread of the call.
    """

    def __init__(self, replace: Callable[[], None] | None = None) -> None:
        self.manager = pluggy.PluginManager(specs.PROJECT)
        self.manager.add_hookspecs(specs)
        self.breakers: dict[str, Breaker] = {}
        self.modes: dict[str, Mode] = {}
        self.titles: dict[str, dict[str, str]] = {}
        self.stopped: Mapping[str, str] = {}
        self.heard: Callable[[Fault], None] | None = None
        self.watchdog = Watchdog(replace)
        self._implementers: dict[str, list[tuple[str, Any]]] = {}
        self._slots: dict[str, frozenset[str] | None] = {}

    def register(
        self, name: str, plugin: Any, title: Mapping[str, str] | None = None, slots: Collection[str] | None = None
    ) -> None:
        """Take a plugin in; pluggy checks its hook signatures and raises for unknown arguments.

        `slots` are those it may fill, as its manifest says; None: it is asked for every one.
        """
        self.titles[name] = dict(title or {})
        self._slots[name] = None if slots is None else frozenset(slots)
        self.manager.register(plugin, name)
        self.manager.check_pending()
        self.breakers[name] = Breaker()
        self._implementers.clear()

    def unregister(self, name: str) -> None:
        self.manager.unregister(name=name)
        self.modes = {key: mode for key, mode in self.modes.items() if mode.plugin != name}
        self._implementers.clear()

    def title(self, name: str, language: str) -> str:
        """What a plugin calls itself, to a reader of `zh` or `en`."""
        return self.titles.get(name, {}).get(language) or name

    def add_mode(self, name: str, mode: TradeMode) -> None:
        """Take a trade mode in. Its plans are asked like a decide hook: in a savepoint, in time, with its settings."""
        self.modes[mode.key] = Mode(
            name,
            replace(
                mode,
                payment_plan=self._as_decision(name, mode.payment_plan),
                cancel_plan=self._as_decision(name, mode.cancel_plan),
                agreed=self._as_decision(name, mode.agreed) if mode.agreed else None,
                settlement_plan=self._as_decision(name, mode.settlement_plan) if mode.settlement_plan else None,
            ),
        )

    def _as_decision(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def ask(ctx: Context, *facts: Any) -> Any:
            return self._guarded("decide", function.__name__, name, ctx, lambda: function(ctx, *facts))

        return ask

    def implementers(self, hook: str) -> list[tuple[str, Any]]:
        """(plugin name, hook implementation), first come, first asked; pluggy itself would call the last one first."""
        if hook not in self._implementers:
            found = getattr(self.manager.hook, hook).get_hookimpls()
            self._implementers[hook] = [(impl.plugin_name, impl) for impl in found]
        return self._implementers[hook]

    def declare(self, name: str, hook: str) -> list[Any]:
        """What one plugin declares; the host turns a failure into quarantine."""
        for plugin, impl in self.implementers(hook):
            if plugin == name:
                return list(impl.function() or [])
        return []

    def decide(self, hook: str, ctx: Context, **arguments: Any) -> list[tuple[str, Any]]:
        """Answers of every enabled plugin that has one. Raises PluginFailed (409) when one fails."""
        return [found for found in self._call("decide", hook, ctx, arguments) if found[1] is not None]

    def decorate(
        self, hook: str, ctx: Context, *, among: Collection[str] | None = None, **arguments: Any
    ) -> Iterator[tuple[str, Any]]:
        """As `decide`, but a failing plugin answers `Broken` instead of stopping the page. `among`: ask these only."""
        return self._call("decorate", hook, ctx, arguments, among)

    def fillers(self, ctx: Context, slot: str) -> list[str]:
        """The enabled plugins that fill a slot, by their manifest."""
        implementers = self.implementers("fill_slot")
        if not implementers:
            return []
        enabled = ctx.ports.enabled(ctx, ctx.tenant_id)
        declared = ((name, self._slots.get(name)) for name, _ in implementers if name in enabled)
        return [name for name, slots in declared if slots is None or slot in slots]

    def ask(self, name: str, what: str, ctx: Context, function: Callable[[Context], Any]) -> Any:
        """One decorating call into one plugin that is no hook of its own; None where the plugin is not enabled."""
        if name not in ctx.ports.enabled(ctx, ctx.tenant_id):
            return None
        return self._guarded("decorate", what, name, ctx, lambda: function(ctx))

    def tell(self, name: str, hook: str, ctx: Context) -> None:
        """A life hook of one plugin, inside the transaction that changes its life; a failure refuses the change."""
        for plugin, impl in self.implementers(hook):
            if plugin == name:
                self._guarded("decide", hook, name, ctx, lambda impl=impl: impl.function(**_wanted(impl, {"ctx": ctx})))

    def glance(self, name: str, what: str, ctx: Context, function: Callable[[Context], Any]) -> Any:
        """As `ask`, for one cheap question at the end of a request that only reads: without savepoint and role.

        Those would cost four statements on every page. When the question breaks the transaction it is rolled back,
        which loses nothing because nothing was written.
        """
        if name not in ctx.ports.enabled(ctx, ctx.tenant_id):
            return None

        def call() -> Any:
            try:
                with at_home(ctx, name):
                    return function(ctx)
            finally:
                if _failed(ctx.session):
                    ctx.session.rollback()

        return self._guarded("decorate", what, name, ctx, call, savepoint=False)

    def _call(
        self, policy: str, hook: str, ctx: Context, arguments: dict[str, Any], among: Collection[str] | None = None
    ) -> Iterator[tuple[str, Any]]:
        implementers = self.implementers(hook)
        if not implementers:
            return
        enabled = ctx.ports.enabled(ctx, ctx.tenant_id)
        given = {"ctx": ctx, **arguments}
        for name, impl in implementers:
            if name in enabled and (among is None or name in among):
                yield name, self._guarded(policy, hook, name, ctx, lambda impl=impl: impl.function(**_wanted(impl, given)))

    def _guarded(
        self, policy: str, hook: str, name: str, ctx: Context, call: Callable[[], Any], *, savepoint: bool = True
    ) -> Any:
        """The host's own border: what goes wrong behind it is the plugin's, and is answered by the hook's policy."""
        breaker = self.breakers[name]
        closed = self.stopped.get(name)
        if closed is None and breaker.open:
            closed = breaker.last
        if closed is not None:
            if policy == "decide":
                raise PluginFailed("plugin.out_of_order", plugin=name, reason=closed)
            return Broken(name, closed)
        try:
            return self._in_time(f"{name}.{hook}", SECONDS[policy], ctx, name, call, savepoint)
        except Refused as refused:
            if policy == "decide":
                raise
            log.info("plugin %s shows nothing in %s: %s", name, hook, refused)
            return None
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as fault:  # plugins may raise anything, SystemExit too
            if (lost := _of_the_database(fault)) is not None:
                raise lost from None
            reason = _reason(fault)
            late = isinstance(fault, TimeoutError | Overdue)
            (breaker.trip if late else breaker.fault)(reason)
            log.exception("plugin %s failed in %s", name, hook)
            if self.heard is not None:
                kind = "late" if late else "error"
                self.heard(Fault(name, hook, kind, reason, ctx.tenant_id, datetime.now(UTC), breaker.open))
            if policy == "decide":
                raise PluginFailed("plugin.failed", plugin=name, hook=hook, reason=reason) from fault
            return Broken(name, reason)

    def _in_time(
        self, what: str, seconds: float, ctx: Context, name: str, call: Callable[[], Any], savepoint: bool
    ) -> Any:
        """The call in its savepoint. The savepoint is undone before a call that came too late is reported."""
        driver = ctx.session.connection().connection.driver_connection  # before the savepoint: it shall stay lazy
        with _in_savepoint(ctx, name) if savepoint else nullcontext():
            key, watched = self.watchdog.begin(what, seconds, driver.cancel_safe)
            try:
                return call()
            finally:
                if self.watchdog.end(key, watched):
                    raise TimeoutError(f"took longer than {seconds:g} s")


@dataclass(frozen=True)
class Broken:
    """Stands in a slot whose plugin failed, so the page can say so."""

    plugin: str
    reason: str


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
def _in_savepoint(ctx: Context, name: str) -> Iterator[None]:
    """Run plugin code as its own: its settings, a lazy savepoint, the plugin role while it runs SQL."""
    session, info = ctx.session, ctx.session.info
    around = {key: info.get(key) for key in ("plugin_savepoint", "plugin_role", "plugin_ran_sql")}
    with at_home(ctx, name):
        nested = session.begin_nested()
        info.update(plugin_savepoint=nested, plugin_role=True, plugin_ran_sql=False)
        try:
            yield
            if session.get_nested_transaction() is not nested:
                raise RuntimeError("the hook ended the transaction it was called in")
            session.flush()
            ran = info["plugin_ran_sql"]
            if ran and _failed(session):
                raise RuntimeError("the hook went on after a database error")
            info.update(around)
            nested.commit()
        except BaseException:
            info.update(around)
            _undo(session, nested)  # which puts the role back, too
            raise
    if not ran:
        return
    if around["plugin_role"]:
        info["plugin_ran_sql"] = True  # a hook inside a hook: the outer one puts the role back
    else:
        session.connection().exec_driver_sql("RESET ROLE")


def _of_the_database(fault: BaseException) -> DBAPIError | None:
    """The database went away, or a race was lost: no mistake of the plugin's, and the unit of work knows what to do."""
    if isinstance(fault, PendingRollbackError) and fault.__context__ is not None:
        fault = fault.__context__  # the plugin, or we, went on with a connection that was lost before
    if not isinstance(fault, DBAPIError):
        return None
    state = getattr(fault.orig, "sqlstate", None) or ""
    gone = fault.connection_invalidated or state.startswith(("08", "57P"))
    return fault if gone or state in RETRYABLE else None


def _failed(session: Any) -> bool:
    """Whether the database has given the transaction up; a release of the savepoint would fail half-way."""
    return session.connection().connection.driver_connection.info.transaction_status == TransactionStatus.INERROR


def _undo(session: Any, nested: Any) -> None:
    """Roll back to before the hook, whatever savepoints it left open; nothing to do where it rolled back everything."""
    while (innermost := session.get_nested_transaction()) is not None:
        innermost.rollback()
        if innermost is nested:
            return


@event.listens_for(TenantSession, "before_commit")
def _only_its_own(session: TenantSession) -> None:
    """A hook may open and end savepoints of its own, never the transaction it was called in."""
    guard = session.info.get("plugin_savepoint")
    if guard is not None and session.get_nested_transaction() is guard:
        raise RuntimeError("the hook tried to end the transaction it was called in")


def _wanted(impl: Any, given: dict[str, Any]) -> dict[str, Any]:
    return {argument: given[argument] for argument in impl.argnames if argument in given}


def _reason(fault: BaseException) -> str:
    if isinstance(fault, DBAPIError):
        return type(fault.orig).__name__ if fault.orig else "database error"
    return f"{type(fault).__name__}: {fault}"[:200]

"""Calling into plugins, one by one: only the enabled ones, each in a lazy savepoint, each within its time.

The failure belongs to the hook: decide refuses the command and names the plugin; decorate shows nothing and is logged.
A breaker opens after five faults in five minutes, or at once when a call ran past its time; its plugin is then passed
over (decorate) or refuses (decide) for a minute.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pluggy
from sqlalchemy.exc import DBAPIError

from core.db.cutting import cut
from core.db.keeping import kept
from core.hooks import specs
from core.hooks.answers import Report, TradeMode
from core.hooks.breaker import Breaker, Fault
from core.hooks.inside import TransactionLost, failed, in_transaction, lost_by_the_database
from core.hooks.meter import Meter
from core.hooks.round import Asking, Round
from core.hooks.watchdog import Overdue, Overtime, Watchdog
from core.kernel import Conflict, Context, Refused

log = logging.getLogger("tongshang.hooks")
SECONDS = {"decide": 2.0, "decorate": 2.0, "visit": 20.0, "handle": 30.0}


@dataclass(frozen=True)
class Mode:
    """A trade mode and the plugin that brings it."""

    plugin: str
    mode: TradeMode


class PluginFailed(Conflict):
    """A decide hook failed: the command is refused and the plugin is named."""


class PluginBroke(PluginFailed):
    """A plugin's own page failed, or the transaction is lost to it: nothing was done, and no form brings it to an end."""

    status = 500


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
        self.reports: dict[str, dict[str, Report]] = {}
        self.stopped: Mapping[str, str] = {}
        self.heard: Callable[[Fault], None] | None = None
        self.watchdog = Watchdog(replace, self._late)
        self.meter = Meter()
        self._implementers: dict[str, list[tuple[str, Any]]] = {}
        self._plans: dict[str, list[tuple[str, Callable[..., Any], tuple[str, ...]]]] = {}
        self._slots: dict[str, frozenset[str] | None] = {}

    def register(
        self,
        name: str,
        plugin: Any,
        title: Mapping[str, str] | None = None,
        slots: Collection[str] | None = None,
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
        self._plans.clear()

    def unregister(self, name: str) -> None:
        self.manager.unregister(name=name)
        self.modes = {key: mode for key, mode in self.modes.items() if mode.plugin != name}
        self.reports.pop(name, None)
        self._implementers.clear()
        self._plans.clear()

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
                settlement_plan=self._as_decision(name, mode.settlement_plan)
                if mode.settlement_plan
                else None,
            ),
        )

    def _as_decision(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def ask(ctx: Context, *facts: Any) -> Any:
            return self._once("decide", function.__name__, name, ctx, lambda: function(ctx, *facts), {})

        return ask

    def implementers(self, hook: str) -> list[tuple[str, Any]]:
        """(plugin name, hook implementation), first come, first asked; pluggy itself would call the last one first."""
        if hook not in self._implementers:
            found = getattr(self.manager.hook, hook).get_hookimpls()
            self._implementers[hook] = [(impl.plugin_name, impl) for impl in found]
        return self._implementers[hook]

    def _plan(self, hook: str) -> list[tuple[str, Callable[..., Any], tuple[str, ...]]]:
        """Who implements a hook, by which function, and which arguments it names."""
        if hook not in self._plans:
            self._plans[hook] = [
                (name, impl.function, tuple(impl.argnames)) for name, impl in self.implementers(hook)
            ]
        return self._plans[hook]

    def declare(self, name: str, hook: str) -> list[Any]:
        """What one plugin declares; the host turns a failure into quarantine."""
        for plugin, impl in self.implementers(hook):
            if plugin == name:
                return list(impl.function() or [])
        return []

    def decide(self, hook: str, ctx: Context, **arguments: Any) -> list[tuple[str, Any]]:
        """Answers of every enabled plugin that has one. Raises PluginFailed (409) when one fails."""
        plan = self._plan(hook)
        if not plan:
            return []
        enabled = ctx.ports.enabled(ctx, ctx.tenant_id)
        arguments["ctx"] = ctx
        given = {wanted: {name: arguments[name] for name in wanted} for wanted in {each[2] for each in plan}}
        calls = [(name, function, given[wanted]) for name, function, wanted in plan if name in enabled]
        with self._round("decide", hook, ctx) as asked:
            return self._asked(asked, "decide", calls)

    def decorate(
        self, hook: str, ctx: Context, *, among: Collection[str] | None = None, **arguments: Any
    ) -> Iterator[tuple[str, Any]]:
        """As `decide`, but a failing plugin answers `Broken` instead of stopping the page. `among`: ask these only."""
        return self._decorated(hook, ctx, arguments, among)

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
        return self._once("decorate", what, name, ctx, lambda: function(ctx), {})

    def tell(self, name: str, hook: str, ctx: Context) -> None:
        """A life hook of one plugin, inside the transaction that changes its life; a failure refuses the change.

        One that is out of order is not told that it is switched off: that must always be possible.
        """
        if hook == "tenant_disabled" and self.closed(name) is not None:
            log.warning("plugin %s is out of order and was not told of %s", name, hook)
            return
        for plugin, function, wanted in self._plan(hook):
            if plugin == name:
                self._once("decide", hook, name, ctx, function, {"ctx": ctx} if "ctx" in wanted else {})

    def glance(self, name: str, what: str, ctx: Context, function: Callable[[Context], Any]) -> Any:
        """As `ask`, for one cheap question at the end of a request that only reads: without savepoint and role.

        Those would cost four statements on every page. When the question breaks the transaction it is rolled back,
        which loses nothing because nothing was written.
        """
        if name not in ctx.ports.enabled(ctx, ctx.tenant_id):
            return None
        if (closed := self.closed(name)) is not None:
            return Broken(name, closed)
        try:
            return self._entered("decorate", what, name, ctx, lambda: function(ctx))
        except PluginBroke:
            raise
        except Refused as refused:
            log.info("plugin %s shows nothing in %s: %s", name, what, refused)
            return None
        finally:
            if failed(ctx.session):
                with kept(ctx.session, None):
                    ctx.session.rollback()

    def visit(
        self,
        name: str,
        what: str,
        ctx: Context,
        call: Callable[[], Any],
        passes: tuple[type[BaseException], ...] = (),
    ) -> Any:
        """A page or an API call of one plugin, with the rights of who asks. Raises PluginBroke (500) when it fails.

        `passes` are exceptions that are an answer, such as a redirect.
        """
        return self._entered("visit", what, name, ctx, call, passes)

    def hear(self, name: str, what: str, ctx: Context, call: Callable[[], Any]) -> Any:
        """A plugin's event handler. What it raises is raised: its event is delivered again."""
        return self._entered("handle", what, name, ctx, call)

    def work(self, name: str, what: str, call: Callable[[], Any]) -> Any:
        """A plugin's job, without a time limit: it opens transactions of its own. What it raises is raised."""
        began, fine = time.perf_counter(), False
        key, watched = self.watchdog.begin(f"{name}.{what}", float("inf"), None)
        try:
            answer = call()
            fine = True
            return answer
        except BaseException as fault:
            self._tell(Fault(name, what, "error", _reason(fault), None, datetime.now(UTC), False))
            raise
        finally:
            self.watchdog.end(key, watched)
            self.meter.note(name, what, time.perf_counter() - began, not fine)

    def closed(self, name: str) -> str | None:
        """Why a plugin is passed over now, here or everywhere; None while it acts."""
        if (reason := self.stopped.get(name)) is not None:
            return reason
        breaker = self.breakers.get(name)
        return breaker.last if breaker is not None and breaker.open else None

    def _decorated(
        self, hook: str, ctx: Context, arguments: dict[str, Any], among: Collection[str] | None = None
    ) -> Iterator[tuple[str, Any]]:
        plan = self._plan(hook)
        if not plan:
            return
        enabled = ctx.ports.enabled(ctx, ctx.tenant_id)
        arguments["ctx"] = ctx
        for name, function, wanted in plan:
            if name in enabled and (among is None or name in among):
                answer = self._once(
                    "decorate", hook, name, ctx, function, {each: arguments[each] for each in wanted}
                )
                yield name, answer

    def _round(self, policy: str, hook: str, ctx: Context) -> Round:
        return Round(ctx, hook, SECONDS[policy], self.watchdog, self.meter)

    def _once(
        self,
        policy: str,
        what: str,
        name: str,
        ctx: Context,
        function: Callable[..., Any],
        given: Mapping[str, Any],
    ) -> Any:
        with self._round(policy, what, ctx) as asked:
            answers = self._asked(asked, policy, [(name, function, given)])
        return answers[0][1] if answers else None

    def _asked(self, asked: Round, policy: str, calls: list[Asking]) -> list[tuple[str, Any]]:
        """The host's own border: what goes wrong behind it is the plugin's, and is answered by the hook's policy.

        Nobody is asked where one who is to decide is out of order.
        """
        if self.stopped or any(breaker.faults for breaker in self.breakers.values()):
            for name, _, _ in calls:
                if (closed := self.closed(name)) is not None:
                    if policy == "decide":
                        raise PluginFailed("plugin.out_of_order", plugin=name, reason=closed)
                    return [(name, Broken(name, closed))]
        try:
            return asked.all(calls)
        except Refused as refused:
            if policy != "decorate" or isinstance(refused, PluginBroke):
                raise
            log.info("plugin %s shows nothing in %s: %s", asked.name, asked.hook, refused)
            return []
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as fault:  # plugins may raise anything, SystemExit too
            if (lost := lost_by_the_database(fault)) is not None:
                raise lost from None
            answer = self._answered(policy, asked.hook, asked.name, asked.ctx, fault)
            return [(asked.name, answer)]

    def _entered(
        self,
        policy: str,
        what: str,
        name: str,
        ctx: Context,
        call: Callable[[], Any],
        passes: tuple[type[BaseException], ...] = (),
    ) -> Any:
        """As `_asked`, for a plugin's pages and handlers, which act with the rights of who asks and write what they like."""
        began, fine, seconds = time.monotonic(), True, SECONDS[policy]
        connection = ctx.session.connection()
        try:
            with in_transaction(ctx, name, connection):
                driver = connection.connection.driver_connection
                key, watched = self.watchdog.begin(
                    f"{name}.{what}", seconds, driver.cancel_safe, partial(cut, driver)
                )
                try:
                    return call()
                finally:
                    if self.watchdog.end(key, watched):
                        raise Overtime(seconds, watched.told, watched.gone)
        except (Refused, KeyboardInterrupt, GeneratorExit, *passes):
            raise
        except BaseException as fault:  # plugins may raise anything, SystemExit too
            if (lost := lost_by_the_database(fault)) is not None:
                raise lost from None
            fine = False
            return self._answered(policy, what, name, ctx, fault)
        finally:
            self.meter.note(name, what, time.monotonic() - began, not fine)

    def _answered(self, policy: str, hook: str, name: str, ctx: Context, fault: BaseException) -> Any:
        """A failure by its hook's policy. Only hooks count for the breaker: a broken page keeps nobody from trading."""
        breaker, reason = self.breakers.setdefault(name, Breaker()), _reason(fault)
        lost, late = isinstance(fault, TransactionLost), isinstance(fault, TimeoutError | Overdue)
        told = isinstance(fault, Overtime) and fault.told
        if (lost or late) and not told:  # else the breaker is open since its time was over
            breaker.trip(reason)
        elif not late and policy in ("decide", "decorate"):
            breaker.fault(reason)
        log.exception("plugin %s failed in %s", name, hook)
        kind = "transaction" if lost else "late" if late else "error"
        if not told:
            self._tell(Fault(name, hook, kind, reason, ctx.tenant_id, datetime.now(UTC), breaker.open))
        if lost:  # whatever was done so far is lost or, worse, committed: nothing may go on, whoever asked
            log.critical("plugin %s ended the transaction of its caller in %s", name, hook)
            raise PluginBroke("plugin.ended_transaction", plugin=name, hook=hook) from fault
        if policy == "handle":
            raise fault
        if policy == "decorate":
            return Broken(name, reason)
        raise (PluginBroke if policy == "visit" else PluginFailed)(
            "plugin.failed", plugin=name, hook=hook, reason=reason
        ) from fault

    def _late(self, what: str) -> None:
        """Called by the watchdog when a call is past its time, while it still goes on."""
        name, _, hook = what.partition(".")
        reason = f"{hook} takes longer than it may"
        self.breakers.setdefault(name, Breaker()).trip(reason)
        log.error("plugin %s: %s", name, reason)
        self._tell(Fault(name, hook, "late", reason, None, datetime.now(UTC), True))

    def _tell(self, fault: Fault) -> None:
        if self.heard is not None:
            self.heard(fault)


@dataclass(frozen=True)
class Broken:
    """Stands in a slot whose plugin failed, so the page can say so."""

    plugin: str
    reason: str


def _reason(fault: BaseException) -> str:
    if isinstance(fault, DBAPIError):
        return type(fault.orig).__name__ if fault.orig else "database error"
    return f"{type(fault).__name__}: {fault}"[:200]

"""Calling into plugins, one by one: only the enabled ones, each in a lazy savepoint, each within its time.

The failure belongs to the hook: decide refuses the command and names the plugin; decorate shows nothing and is logged.
A breaker opens after five faults in five minutes and its plugin is passed over (decorate) or refuses (decide).
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pluggy
from sqlalchemy.exc import DBAPIError

from core.hooks import specs
from core.hooks.answers import TradeMode
from core.kernel import Conflict, Context, Refused

log = logging.getLogger("tongshang.hooks")
SECONDS = {"decide": 2.0, "decorate": 2.0}
FAULTS, WINDOW, COOL_DOWN = 5, 300.0, 60.0


@dataclass
class Breaker:
    """Faults of one plugin, newest last; open while five of them lie inside the window."""

    faults: deque[float] = field(default_factory=lambda: deque(maxlen=FAULTS))
    last: str = ""

    def fault(self, why: str) -> None:
        self.faults.append(time.monotonic())
        self.last = why

    @property
    def open(self) -> bool:
        now = time.monotonic()
        recent = len(self.faults) == FAULTS and now - self.faults[0] < WINDOW
        return recent and now - self.faults[-1] < COOL_DOWN


@dataclass(frozen=True)
class Mode:
    """A trade mode and the plugin that brings it."""

    plugin: str
    mode: TradeMode


class PluginFailed(Conflict):
    """A decide hook failed: the command is refused and the plugin is named."""


class Dispatch:
    """All plugins of this process. `core.host` registers them; rooms call `decide` and `decorate`."""

    def __init__(self, cancel: Callable[[int], None] | None = None) -> None:
        self.manager = pluggy.PluginManager(specs.PROJECT)
        self.manager.add_hookspecs(specs)
        self.breakers: dict[str, Breaker] = {}
        self.modes: dict[str, Mode] = {}
        self.cancel = cancel
        self._implementers: dict[str, list[tuple[str, Any]]] = {}

    def register(self, name: str, plugin: Any) -> None:
        """Take a plugin in; pluggy checks its hook signatures and raises for unknown arguments."""
        self.manager.register(plugin, name)
        self.manager.check_pending()
        self.breakers[name] = Breaker()
        self._implementers.clear()

    def unregister(self, name: str) -> None:
        self.manager.unregister(name=name)
        self._implementers.clear()

    def implementers(self, hook: str) -> list[tuple[str, Any]]:
        """(plugin name, hook implementation) in call order; pluggy's last-registered-first is turned round."""
        if hook not in self._implementers:
            found = reversed(getattr(self.manager.hook, hook).get_hookimpls())
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

    def decorate(self, hook: str, ctx: Context, **arguments: Any) -> Iterator[tuple[str, Any]]:
        """As `decide`, but a failing plugin answers `Broken` instead of stopping the page."""
        return self._call("decorate", hook, ctx, arguments)

    def _call(self, policy: str, hook: str, ctx: Context, arguments: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        implementers = self.implementers(hook)
        if not implementers:
            return
        enabled = ctx.ports.enabled(ctx, ctx.tenant_id)
        for name, impl in implementers:
            if name not in enabled:
                continue
            breaker = self.breakers[name]
            if breaker.open:
                if policy == "decide":
                    raise PluginFailed("plugin.out_of_order", plugin=name, reason=breaker.last)
                yield name, Broken(name, breaker.last)
                continue
            try:
                yield name, self._one(policy, name, impl, ctx, arguments)
            except Refused:
                raise
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as fault:  # plugins may raise anything, SystemExit too: this is the host's own border
                reason = _reason(fault)
                breaker.fault(reason)
                log.exception("plugin %s failed in %s", name, hook)
                if policy == "decide":
                    raise PluginFailed("plugin.failed", plugin=name, hook=hook, reason=reason) from fault
                yield name, Broken(name, reason)

    def _one(self, policy: str, name: str, impl: Any, ctx: Context, arguments: dict[str, Any]) -> Any:
        given = {"ctx": ctx, **arguments}
        wanted = {argument: given[argument] for argument in impl.argnames if argument in given}
        with _in_savepoint(ctx, name), self._watch(ctx, SECONDS[policy]):
            return impl.function(**wanted)

    @contextmanager
    def _watch(self, ctx: Context, seconds: float) -> Iterator[None]:
        """Past its time the hook's database statement is cancelled and the call counts as failed."""
        started = time.monotonic()
        timer = None
        if self.cancel is not None:
            session = ctx.session
            timer = threading.Timer(seconds, self._cancel, args=(session,))
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
        if time.monotonic() - started > seconds:
            raise TimeoutError(f"took longer than {seconds:g} s")

    def _cancel(self, session: Any) -> None:
        if self.cancel is not None and (pid := session.info.get("backend_pid")):
            self.cancel(pid)


@dataclass(frozen=True)
class Broken:
    """Stands in a slot whose plugin failed, so the page can say so."""

    plugin: str
    reason: str


@contextmanager
def _in_savepoint(ctx: Context, name: str) -> Iterator[None]:
    """Run plugin code as its own: settings of the plugin, a lazy savepoint, the plugin role while it runs SQL."""
    session = ctx.session
    home_plugin, home_settings, home_grants = ctx.plugin, ctx.settings, ctx.grants
    depth = session.get_nested_transaction()
    session.info["plugin_role"], session.info["plugin_ran_sql"] = True, False
    ctx.plugin, ctx.settings = name, _Later(lambda: ctx.ports.settings(ctx, ctx.tenant_id, name))
    nested = session.begin_nested()
    try:
        yield
        if session.get_nested_transaction() is not nested:
            raise RuntimeError("the hook ended the transaction it was called in")
        session.info["plugin_role"] = False
        nested.commit()
    except BaseException:
        session.info["plugin_role"] = False
        if nested.is_active or session.get_nested_transaction() is nested:
            nested.rollback()
        session.info["plugin_ran_sql"] = False
        raise
    finally:
        ctx.plugin, ctx.settings, ctx.grants = home_plugin, home_settings, home_grants
        if session.info.pop("plugin_ran_sql", False) and session.get_nested_transaction() is depth:
            session.connection().exec_driver_sql("RESET ROLE")


class _Later(Mapping[str, Any]):
    """Settings read only when a hook looks at them."""

    def __init__(self, load: Callable[[], Mapping[str, Any]]) -> None:
        self._load, self._found = load, None

    def _get(self) -> Mapping[str, Any]:
        if self._found is None:
            self._found = self._load()
        return self._found

    def __getitem__(self, key: str) -> Any:
        return self._get()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._get())

    def __len__(self) -> int:
        return len(self._get())


def _reason(fault: BaseException) -> str:
    if isinstance(fault, DBAPIError):
        return type(fault.orig).__name__ if fault.orig else "database error"
    return f"{type(fault).__name__}: {fault}"[:200]

"""The worker: everything that happens after a commit. It holds no state; what is due lies in rows, claimed with leases.

Each duty runs in a thread of its own, so a dead ERP delays no event and no timer. Killing the worker at any
point loses nothing: a lease runs out and another worker goes on.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from core import rooms, stock
from core.app import Installation
from core.catalog.duties import turn_price_lists
from core.config import Config
from core.db import Database, TenantSession
from core.orders.duties import run_timers
from core.outbox import Handler, deliver

log = logging.getLogger("tongshang.worker")
PATIENCE = 10.0  # seconds a worker that is to be replaced waits for what its duties hold
TO_ITS_END = "install_changes"  # which made the worker leave: it has limits of its own, and sees every process change over


@dataclass(frozen=True)
class Duty:
    """Something asked again and again: `run` answers how much it did; idle for `every` seconds when that is nothing."""

    name: str
    every: float
    run: Callable[[], int]


class Worker:
    """All duties of one installation in this process."""

    def __init__(self, config: Config) -> None:
        self.installation = Installation(config, Database(config.url("worker"), pool_size=8), safe_mode=config.safe_mode)
        self.unit = self.installation.unit
        self.duties = self._duties()
        self.replaced = False

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then let each duty finish what it holds.

        It sets `stop` itself, and `replaced`, when a fresh process is to take over: the plugins are others now, threads
        are stuck in one, or its memory grew past the limit. Threads that do not come back are left behind; what they held is
        claimed again when its lease runs out.
        """

        def leave() -> None:
            self.replaced = True
            stop.set()

        pulse = self.installation.begin_pulse("worker", leave)
        threads = [threading.Thread(target=self._turn, args=(duty, stop), name=duty.name, daemon=True) for duty in self.duties]
        for thread in threads:
            thread.start()
        stop.wait()
        patience = time.monotonic() + (PATIENCE if self.replaced else float("inf"))
        for thread in threads:
            until = float("inf") if thread.name == TO_ITS_END else patience
            while thread.is_alive() and not self.installation.host.dispatch.watchdog.stuck and time.monotonic() < until:
                thread.join(0.5)
        pulse.end()
        self.installation.database.dispose()

    def once(self) -> int:
        """Every duty once, in order; for tests and for draining."""
        return sum(duty.run() for duty in self.duties)

    def drain(self, rounds: int = 50) -> None:
        """Until nothing is due any more."""
        for _ in range(rounds):
            if not self.once():
                return

    def _turn(self, duty: Duty, stop: threading.Event) -> None:
        pause = duty.every
        while not stop.is_set():
            try:
                pause = 0.0 if duty.run() else duty.every
            except Exception:  # a duty must outlive a database restart, a broken plugin, a full disk
                log.exception("duty %s failed, trying again", duty.name)
                pause = min(max(pause, duty.every) * 2 or 1.0, 15.0)
            if pause:
                stop.wait(pause)

    def handlers(self) -> list[Handler]:
        found = [handler for module in rooms.parts("handlers") for handler in module.HANDLERS]
        for name, plugin in self.installation.host.loaded.items():
            found += [
                Handler(f"{name}.{each.handler.__name__}", each.event, each.handler, plugin=name)
                for each in plugin.subscriptions
            ]
        return found

    def _duties(self) -> list[Duty]:
        handlers = self.handlers()
        duties = [
            Duty("deliver", 0.2, lambda: deliver(self.unit, handlers, self.installation.absent)),
            Duty("timers", 0.5, lambda: run_timers(self.unit)),
            Duty("soft stock", 0.5, lambda: self._ask(stock.expire_soft)),
            Duty("price lists", 60.0, lambda: self._ask(turn_price_lists)),
            Duty("seal", 1.0, lambda: self._ask(_seal)),
        ]
        for module in rooms.parts("duties"):
            for make in getattr(module, "DUTIES", ()):
                duties.append(Duty(make.__name__, getattr(make, "every", 0.5), _bound(make, self.installation)))
        for name, plugin in self.installation.host.loaded.items():
            duties += [Duty(f"{name}.{job.name}", job.every, self._job(name, job)) for job in plugin.jobs]
        queue = os.environ.get("TS_QUEUE")
        return [duty for duty in duties if not queue or duty.name.partition(".")[0] == queue]

    def _job(self, plugin: str, job: Any) -> Callable[[], int]:
        """A plugin's job, counted as its own; it does nothing while the plugin is stopped."""
        dispatch = self.installation.host.dispatch

        def run() -> int:
            if plugin in dispatch.stopped:
                return 0
            done: int = dispatch.work(plugin, f"job:{job.name}", lambda: job.run(self.installation))
            return done

        return run

    def _ask(self, duty: Callable[[TenantSession], int]) -> int:
        """A duty that is one function of the database, across all tenants."""
        with self.unit.database.session() as session:
            done = duty(session)
            session.commit()
        return done


def _seal(session: TenantSession) -> int:
    sealed: int = session.scalar(text("SELECT ts.audit_seal(500)"))
    return sealed


def _bound(run: Callable[[Installation], int], installation: Installation) -> Callable[[], int]:
    return lambda: run(installation)

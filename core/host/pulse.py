"""The heartbeat of a process: every second it tells the database what it runs, and hears what is stopped and what changed.

A plugin whose breaker opens here is stopped for a minute in every process. When another set of plugins is current than
the one this process started with, it leaves, and whoever started it begins a fresh one; of the web processes of one
database one leaves at a time. A database that is away is waited for; meanwhile the process works on with what it knows.
"""

import logging
import os
import platform
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from core.hooks import Fault
from core.hooks.meter import Counts, Key, minute
from core.host.guard.memory import MEGABYTE, Growth, resident
from core.host.loading import Host

log = logging.getLogger("tongshang.pulse")
EVERY = 1.0  # seconds between two beats
SETTLE = 5.0  # seconds a leaving web process goes on answering, so that no kept connection is cut
LEAVING = 7_305_110_021  # key of the lock that lets one web process leave after the other

BEAT = "SELECT current_epoch, stopped FROM ts.plugin_pulse(%s, %s, %s)"
QUARANTINE = "SELECT ts.plugin_quarantine(%s, %s, clock_timestamp() + interval '60 seconds')"


class Pulse:
    """One daemon thread with a connection of its own, so that a pool that ran dry cannot silence it.

    `leave` is called once, in that thread, when the process is to be replaced. With `one_by_one` it is called only when
    no other process of this database is leaving, and the lock is held until this process ends. `memory` is the limit of
    resident memory in bytes, 0 for none.
    """

    def __init__(
        self,
        url: str,
        host: Host,
        kind: str,
        epoch: int,
        leave: Callable[[], None],
        *,
        one_by_one: bool = False,
        memory: int = 0,
    ) -> None:
        self.conninfo = url.replace("+psycopg", "", 1)
        self.host, self.kind, self.epoch = host, kind, epoch
        self.leave, self.one_by_one = leave, one_by_one
        self.started = datetime.now(UTC)
        self.id = f"{this_process()}{self.started.timestamp():.3f}"
        self.left = False
        self.growth = Growth(memory)
        self._too_much = False
        self._faults: deque[Fault] = deque(maxlen=500)
        self._opened: dict[str, str] = {}
        self._awake, self._ended = threading.Event(), threading.Event()
        self._connection: psycopg.Connection[Any] | None = None
        self._away = False
        self._thread = threading.Thread(target=self._run, name=f"pulse {kind}", daemon=True)

    def begin(self) -> None:
        """Report from now on; first of all what did not come in here."""
        self.host.dispatch.heard = self.hear
        for name, reason in self.host.broken.items():
            self.hear(Fault(name, "start", "import", reason, None, datetime.now(UTC), False))
        self._thread.start()

    def end(self) -> None:
        """Beat no more; the connection is closed, and with it the lock of a leaving process is given back."""
        self._ended.set()
        self._awake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(EVERY + 5.0)

    def hear(self, fault: Fault) -> None:
        """Take a fault along with the next beat. One that opened a breaker does not wait for it."""
        fault = replace(fault, reason=fault.reason.replace("\0", " "))  # which PostgreSQL does not take
        self._faults.append(fault)
        if fault.opened:
            self._opened[fault.plugin] = fault.reason
            self._awake.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._beat()
            except Exception as lost:  # whatever happens, the heart goes on
                self._close()
                if not isinstance(lost, psycopg.OperationalError):
                    self._faults.clear()  # a report the database does not take must not be tried for ever
                    self._opened.clear()
                if not self._away:
                    self._away = True
                    log.warning("no heartbeat: %s", lost)
            else:
                if self._away:
                    self._away = False
                    log.info("the heartbeat is back")
            self._awake.wait(EVERY)
            self._awake.clear()
        self._close()

    def _beat(self) -> None:
        self._look_at_memory()
        connection = self._connected()
        while self._opened:
            name, reason = next(iter(self._opened.items()))
            connection.execute(QUARANTINE, (name, reason))
            self._opened.pop(name, None)
        faults = [self._faults[at] for at in range(len(self._faults))]
        minutes = self.host.dispatch.meter.take()
        said = (self._process(), [self._minute(*each) for each in minutes.items()], [self._row(each) for each in faults])
        try:
            row = connection.execute(BEAT, tuple(map(Jsonb, said))).fetchone()
        except psycopg.OperationalError:
            self.host.dispatch.meter.give_back(minutes)
            raise
        for _ in faults:
            self._faults.popleft()
        assert row is not None
        current, stopped = row
        self.host.dispatch.stopped = {name: reason or "" for name, reason in stopped.items()}
        if (current != self.epoch or self._too_much) and not self.left and self._may_leave(connection):
            self.left = True
            if current != self.epoch:
                log.warning("plugin set %s is current, this process runs %s: it is to be replaced", current, self.epoch)
            self.leave()

    def _look_at_memory(self) -> None:
        """Once past the limit: name the suspects, stop the one most of it came under, and have the process replaced."""
        calls: dict[str, list[str]] = {}
        seconds: dict[str, float] = {}
        for what, for_seconds in self.host.dispatch.watchdog.under_way():
            plugin, _, hook = what.partition(".")
            calls.setdefault(plugin, []).append(hook)
            seconds[plugin] = seconds.get(plugin, 0.0) + min(for_seconds, EVERY)
        busy = self.host.dispatch.meter.busy()
        under_way = {name: int(each * 1_000_000) for name, each in seconds.items()}
        if not self.growth.look(resident(), busy, under_way) or self._too_much:
            return
        self._too_much = True
        found = self.growth.suspects({name: tuple(hooks) for name, hooks in calls.items()})
        size, limit = self.growth.before // MEGABYTE, self.growth.limit // MEGABYTE
        log.critical(
            "%s MB resident, %s allowed: this process is to be replaced; suspects: %s",
            size, limit, ", ".join(each.plugin for each in found) or "none",
        )  # fmt: skip
        for each in found:
            worst = each is found[0] and each.bytes > sum(other.bytes for other in found[1:])
            grown = f"memory grew by {each.bytes // MEGABYTE} MB while it was at work, to {size} MB; the limit is {limit} MB"
            hook = ", ".join(each.under_way) or "between calls"
            self.hear(Fault(each.plugin, hook, "memory", grown, None, datetime.now(UTC), worst))

    def _may_leave(self, connection: psycopg.Connection[Any]) -> bool:
        if not self.one_by_one:
            return True
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LEAVING,)).fetchone()
        return row is not None and bool(row[0])

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = psycopg.connect(
                self.conninfo,
                autocommit=True,
                connect_timeout=5,
                prepare_threshold=None,
                application_name="tongshang pulse",
                options="-c statement_timeout=5s -c lock_timeout=3s -c timezone=UTC",
            )
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _process(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "epoch": self.epoch,
            "loaded": {name: plugin.manifest.version for name, plugin in self.host.loaded.items()},
            "broken": dict(self.host.broken),
            "memory": resident(),
            "started_at": self.started.isoformat(),
        }

    @staticmethod
    def _minute(key: Key, counts: Counts) -> dict[str, Any]:
        return {
            "plugin": key[0],
            "hook": key[1],
            "minute": minute(key).isoformat(),
            "calls": counts.calls,
            "errors": counts.errors,
            "micros": counts.micros,
            "slower": counts.slower,
        }

    def _row(self, fault: Fault) -> dict[str, Any]:
        return {
            "plugin": fault.plugin,
            "hook": fault.hook,
            "kind": fault.kind,
            "reason": fault.reason,
            "process": self.id,
            "tenant_id": str(fault.tenant_id) if fault.tenant_id else None,
            "at": fault.at.isoformat(),
        }


def this_process() -> str:
    """How the ids begin under which this process reports."""
    return f"{platform.node()}:{os.getpid()}:"

"""The installer: takes a queued change, has it carried out in a process of its own, watches every process take it over.

It works as the migrator, so it runs where that role's address is known: in the worker of an installation that has one, or
in the terminal (`run.py plugin ...`). A change whose installer was killed is taken up again when its lease has run out.
"""

import contextlib
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from core.host.life.examination import ROOT
from core.host.pulse import this_process

log = logging.getLogger("tongshang.installer")
LEASE = 660.0  # seconds; longer than a change may take
CHANGE_MAY_TAKE = 600.0
TAKEN_OVER_WITHIN = 60.0
Watch = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Outcome:
    """How a change ended. `code` and `values` are a sentence of the catalogue of words."""

    state: str
    code: str = ""
    values: dict[str, Any] | None = None


class Installer:
    """Carries changes out, one at a time. `key` is the installation's master key, in hex."""

    def __init__(self, migrate_url: str, data: Path, key: bytes, watch: Watch = lambda step: None) -> None:
        self.url, self.data, self.key, self.watch = migrate_url, data, key.hex(), watch
        self.engine: Engine = create_engine(migrate_url, poolclass=NullPool)

    def turn(self) -> int:
        """Take the oldest change that waits. How many were carried out: one or none."""
        change = self._claim()
        if change is None:
            return 0
        self.carry_out(change)
        return 1

    def carry_out(self, change: UUID) -> Outcome:
        """See one claimed change through to its end, and write down how it ended."""
        steps: list[dict[str, Any]] = []
        row = self._row(change)
        outcome = Outcome("done") if self._committed(row) else self._child(change, steps, row.verb)
        if outcome.state == "done" and row.verb in (
            "install",
            "upgrade",
            "rollback",
            "restore",
            "archive",
            "purge",
        ):
            outcome = self._take_over(change, row, steps)
        self._end(change, outcome, steps)
        return outcome

    def claim(self, change: UUID) -> bool:
        """Take one certain change, before a worker does."""
        return self._claim(change) is not None

    def _claim(self, change: UUID | None = None) -> UUID | None:
        with self.engine.begin() as connection:
            found: UUID | None = connection.execute(
                text(
                    "UPDATE ts.plugin_change SET state = 'running', started_at = ts.clock(),"
                    " lease_until = clock_timestamp() + make_interval(secs => :lease) WHERE id = ("
                    " SELECT id FROM ts.plugin_change WHERE (CAST(:id AS uuid) IS NULL OR id = :id)"
                    " AND (state = 'queued' OR state = 'running' AND lease_until < clock_timestamp())"
                    " ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id"
                ),
                {"lease": LEASE, "id": change},
            ).scalar()
        return found

    def _row(self, change: UUID) -> Any:
        with self.engine.begin() as connection:
            return connection.execute(
                text("SELECT * FROM ts.plugin_change WHERE id = :id"), {"id": change}
            ).one()

    def _committed(self, row: Any) -> bool:
        """Whether an earlier installer carried the change out and was killed before it could say so."""
        with self.engine.begin() as connection:
            plugin = connection.execute(
                text("SELECT * FROM ts.plugin WHERE name = :name"), {"name": row.plugin}
            ).one_or_none()
        if row.verb in ("install", "upgrade") and row.steps:
            return (
                plugin is not None
                and plugin.version == row.version
                and list(plugin.packages) == list(row.packages)
            )
        return False

    def _child(self, change: UUID, steps: list[dict[str, Any]], act: str) -> Outcome:
        """Run the change in a process of its own; its steps are written down as they come."""
        job = {"url": self.url, "data": str(self.data), "key": self.key, "change": str(change), "act": act}
        last: dict[str, Any] = {}
        with tempfile.TemporaryFile("w+") as said, _started(said) as process:
            timer = threading.Timer(CHANGE_MAY_TAKE, process.kill)
            timer.start()
            try:
                assert process.stdin is not None and process.stdout is not None
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(json.dumps(job))
                    process.stdin.close()
                for line in process.stdout:
                    with contextlib.suppress(json.JSONDecodeError):
                        last = json.loads(line)
                        self._tell(change, steps, last)
                code = process.wait()
            finally:
                timer.cancel()
            said.seek(0)
            words = said.read().strip().splitlines()
        if last.get("step") == "end" and last["state"] == "done":
            return Outcome("done", values={"epoch": last.get("epoch")})
        if last.get("step") == "end":
            return Outcome("failed", last["code"], last.get("values", {}))
        log.warning("the change %s ended with %s: %s", change, code, "\n".join(words[-20:]))
        return Outcome(
            "failed", "plugin.change_killed", {"code": code, "reason": words[-1][:300] if words else "—"}
        )

    def _take_over(self, change: UUID, row: Any, steps: list[dict[str, Any]]) -> Outcome:
        """Wait until every process that reports runs the new set; take an installation back that does not start there.

        The process we run in is not waited for, it leaves when we are done; nor is one that ended without a word.
        """
        self._tell(change, steps, {"step": "take_over", "state": "running"})
        with self.engine.begin() as connection:
            epoch = connection.execute(text("SELECT ts.plugin_epoch_now()")).scalar()
        deadline = time.monotonic() + TAKEN_OVER_WITHIN
        while time.monotonic() < deadline:
            with self.engine.begin() as connection:
                rows = connection.execute(text("SELECT id, epoch, broken FROM ts.plugin_processes()")).all()
            running = [each for each in rows if not each.id.startswith(this_process()) and not _gone(each.id)]
            broken = [
                each.broken[row.plugin]
                for each in running
                if each.epoch >= epoch and row.plugin in each.broken
            ]
            if broken and row.verb in ("install", "upgrade"):
                self._tell(change, steps, {"step": "take_over", "state": "refused"})
                undone = self._child(change, steps, "take_back")
                code = "plugin.did_not_start" if undone.state == "done" else undone.code
                return Outcome(
                    "rolled_back" if undone.state == "done" else "failed",
                    code,
                    {"plugin": row.plugin, "reason": broken[0]},
                )
            if all(each.epoch >= epoch for each in running):
                self._tell(change, steps, {"step": "take_over", "state": "done", "processes": len(running)})
                return Outcome("done")
            time.sleep(0.25)
        self._tell(change, steps, {"step": "take_over", "state": "late"})
        return Outcome("done", "plugin.taken_over_late", {"seconds": f"{TAKEN_OVER_WITHIN:g}"})

    def _tell(self, change: UUID, steps: list[dict[str, Any]], step: dict[str, Any]) -> None:
        """Keep the newest word on each step, for the page; pass it on, for the terminal."""
        step = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **step}
        steps[:] = [each for each in steps if each["step"] != step["step"]] + [step]
        with self.engine.begin() as connection:
            connection.execute(
                text("UPDATE ts.plugin_change SET steps = CAST(:steps AS jsonb) WHERE id = :id"),
                {"steps": json.dumps(steps, ensure_ascii=False), "id": change},
            )
        self.watch(step)

    def _end(self, change: UUID, outcome: Outcome, steps: list[dict[str, Any]]) -> None:
        reason = (
            json.dumps({"code": outcome.code, "values": outcome.values or {}}, ensure_ascii=False)
            if outcome.code
            else None
        )
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE ts.plugin_change SET state = :state, reason = :reason, ended_at = ts.clock(), lease_until = NULL"
                    " WHERE id = :id"
                ),
                {"state": outcome.state, "reason": reason, "id": change},
            )


def _gone(process: str) -> bool:
    """Whether a process of this machine that reported a moment ago has ended since; nobody waits for it."""
    node, pid = process.rsplit(":", 2)[:2]
    if node != platform.node():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextlib.contextmanager
def _started(said: Any) -> Iterator["subprocess.Popen[str]"]:
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environ = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "core.host.life.carry_out"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        cwd=tempfile.gettempdir(),
        env={**environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

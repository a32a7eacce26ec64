"""A process that a command starts, waits for and stops: output in a log, the first line as its greeting."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.cli.leash import VARIABLE
from core.config import UserError


class Child:
    """One process on a leash. Its standard output and errors go to `log`."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log: Path,
        environ: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._asked = False
        self._greeting: queue.Queue[str | None] = queue.Queue(maxsize=1)
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > 10_000_000:
            log.replace(log.with_name(log.name + ".1"))
        self._file = open(log, "ab")  # noqa: SIM115 closed by the thread that drains the child
        self.process = subprocess.Popen(
            [sys.executable, "-P", *arguments],
            env={**(environ or os.environ), VARIABLE: "stdin", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the parent, who stops its children in order
            pass_fds=pass_fds,
            cwd=cwd,
        )
        self._drain = threading.Thread(target=self._keep, name=f"log-{name}", daemon=True)
        self._drain.start()

    def greeting(self, within: float) -> dict[str, Any]:
        """The child's first line of JSON; `UserError` with its last words if it dies or stays silent."""
        try:
            line = self._greeting.get(timeout=within)
        except queue.Empty:
            raise self.failure(f"The {self.name} is not ready after {within:.0f} seconds.") from None
        if line is None:
            self.process.wait()
            raise self.failure(f"The {self.name} did not start.")
        found = json.loads(line)
        assert isinstance(found, dict)
        return found

    def failure(self, what: str) -> UserError:
        """An error that carries what the child said last."""
        self._drain.join(timeout=1 if self.process.poll() is None else 5)
        tail = self.log.read_text("utf-8", "replace").strip().splitlines()[-8:]
        return UserError(
            "\n".join([what, *tail]), str(self.log), "Read the log; `run.py doctor` checks the rest."
        )

    def ask_to_end(self) -> None:
        """Say once that it should end; `stop` waits for it."""
        if self.process.poll() is None and not self._asked:
            self._asked = True
            self.process.send_signal(signal.SIGTERM)

    def stop(self, within: float = 15.0) -> None:
        """Ask it to end, then make it."""
        self.ask_to_end()
        if self.process.poll() is None:
            deadline = time.monotonic() + within
            while self.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self._drain.join(timeout=5)

    def _keep(self) -> None:
        assert self.process.stdout is not None
        greeted = False
        with self._file, self.process.stdout as output:
            for line in output:
                if not greeted and line.startswith(b"{"):
                    greeted = True
                    self._greeting.put(line.decode("utf-8", "replace"))
                    continue  # it may hold credentials; the log is for what happens
                with contextlib.suppress(OSError):  # a full disk must not stop the child
                    self._file.write(line)
                    self._file.flush()
        if not greeted:
            self._greeting.put(None)

"""Web and worker as processes of their own, as `serve` and `work` run them, on a house of the tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.cli.listen import free_port
from core.cli.serve import gunicorn_arguments
from core.config import Config
from tests.trust.clients import Client

ROOT = Path(__file__).resolve().parent.parent.parent


class Web:
    """gunicorn with its workers; the master replaces one that is killed."""

    def __init__(
        self, config: Config, environ: Mapping[str, str], *, workers: int = 2, threads: int = 8, log: Path | None = None
    ) -> None:
        self.port = free_port(0)
        arguments = gunicorn_arguments(0, workers, threads, config)
        arguments[arguments.index("fd://0")] = f"127.0.0.1:{self.port}"
        arguments = [each for each in arguments if not each.startswith("python:")]
        arguments.remove("--config")
        self.command = [sys.executable, "-m", "gunicorn", *arguments]
        self.process = started(self.command, environ, log)

    def workers(self) -> list[int]:
        """Process ids of the workers, the master's children."""
        return children(self.process.pid)

    def wait(self, seconds: float = 30.0) -> None:
        """Until the portal answers; TimeoutError when it does not."""
        until = time.monotonic() + seconds
        client = Client(self.port, "", timeout=5)
        while client.ask("GET", "/healthz").status != 200:
            if time.monotonic() > until:
                raise TimeoutError("the portal does not answer")
            time.sleep(0.05)
        client.close()

    def end(self) -> None:
        for pid in [*self.workers(), self.process.pid]:
            kill(pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Job:
    """The worker process. `revive` starts it again when it is dead, as whoever supervises it would do."""

    def __init__(self, data: Path, environ: Mapping[str, str], log: Path | None = None) -> None:
        self.command = [sys.executable, "-m", "core.cli", "work", "--data", str(data)]
        self.environ, self.log = environ, log
        self.process = started(self.command, environ, log)

    def revive(self) -> None:
        if self.process.poll() is not None:
            self.process = started(self.command, self.environ, self.log)

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def started(command: list[str], environ: Mapping[str, str], log: Path | None) -> subprocess.Popen[bytes]:
    """A process whose output goes to a file, or nowhere."""
    with open(log or os.devnull, "ab") as out:
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stdout=out, stderr=out)


@contextmanager
def served(config: Config, environ: Mapping[str, str], **more: int) -> Iterator[int]:
    """The port of a portal that answers."""
    web = Web(config, environ, **more)
    try:
        web.wait()
        yield web.port
    finally:
        web.end()


def children(pid: int) -> list[int]:
    """The living children of a process."""
    found = subprocess.run(["ps", "-o", "pid=,stat=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    rows = [line.split() for line in found.stdout.splitlines()]
    return [int(ident) for ident, state in rows if not state.startswith("Z")]


def kill(pid: int, number: int = signal.SIGKILL) -> bool:
    """Send a signal; False when the process is gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True

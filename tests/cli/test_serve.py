"""`serve` and `work` as a person or a service manager meets them: ready, quiet, and gone without a trace."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.config import embedded_url
from core.db.embedded import EmbeddedPostgres
from tests.cli.test_command_line import alive, free, tongshang

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation that is ready to serve."""
    folder = tmp_path_factory.mktemp("站 点") / "data"
    done = tongshang("init", "--json", data=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["database_is_new"] is True
    yield folder
    EmbeddedPostgres(folder).destroy()


class Serving:
    """One running `serve` or `work`, and the first line it printed."""

    def __init__(self, data: Path, *arguments: str, cwd: Path | None = None) -> None:
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "core.cli", *arguments, "--json", "--data", str(data)],
            env={name: value for name, value in os.environ.items() if not name.startswith("TS_")},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        self.told = json.loads(line)
        self.seconds = time.monotonic() - self.began

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(self.told["url"] + "/healthz", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        return code


def running(data: Path) -> bool:
    return EmbeddedPostgres(data).status().running


def web_processes(pid: int) -> list[int]:
    """Children of `serve` other than the database, which waits for the next start to adopt it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and b"gunicorn" in (entry.parent / "cmdline").read_bytes():
            found.append(int(entry.parent.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_it_serves_and_ends_in_order_and_takes_the_database_with_it(data: Path, number: int) -> None:
    serving = Serving(data, "serve", "--port", str(free()))
    assert serving.healthy()
    assert serving.end(number) == 0
    assert not serving.healthy()
    assert not running(data)


@pytest.mark.slow
def test_a_folder_named_core_where_it_is_started_is_not_served(data: Path, tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('a stranger')\n")
    serving = Serving(data, "serve", cwd=tmp_path)
    assert serving.healthy()
    assert serving.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_two_serve_side_by_side_and_the_database_stays_for_the_second(data: Path) -> None:
    first, second = Serving(data, "serve"), Serving(data, "serve")
    assert first.told["url"] != second.told["url"]
    assert first.end(signal.SIGTERM) == 0
    assert second.healthy()
    assert second.end(signal.SIGTERM) == 0
    assert not running(data)


@pytest.mark.slow
def test_when_it_is_killed_nothing_keeps_the_port(data: Path) -> None:
    port = free()
    serving = Serving(data, "serve", "--port", str(port))
    below = web_processes(serving.process.pid)
    serving.end(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while any(alive(pid) for pid in below):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    again = Serving(data, "serve", "--port", str(port))
    assert again.healthy()
    assert again.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_it_stays_well_when_the_database_dies(data: Path) -> None:
    serving = Serving(data, "serve")
    other = EmbeddedPostgres(data)
    other.status()
    other.kill()
    deadline = time.monotonic() + 60
    while True:
        time.sleep(0.2)
        if serving.healthy():
            try:
                with psycopg.connect(embedded_url(data, "ts_app").replace("+psycopg", "")):
                    break
            except psycopg.OperationalError:
                pass
        assert time.monotonic() < deadline
    assert serving.end(signal.SIGTERM) == 0


def test_the_worker_ends_in_order(data: Path) -> None:
    working = Serving(data, "work")
    assert working.told["pid"] == working.process.pid
    assert working.end(signal.SIGTERM) == 0
    assert not running(data)


def test_a_fresh_installation_is_well_and_breaks_no_invariant(data: Path) -> None:
    verified = tongshang("verify", "--json", data=data)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout) == {"ok": True, "breaches": []}
    examined = tongshang("doctor", "--json", data=data)
    assert examined.returncode == 0, examined.stdout + examined.stderr


def test_tables_of_another_release_are_refused(data: Path) -> None:
    with EmbeddedPostgres(data):
        address = embedded_url(data, "ts_migrator").replace("+psycopg", "")
        with psycopg.connect(address) as connection:
            row = connection.execute("SELECT version_num FROM ts.version").fetchone()
            assert row is not None
            connection.execute("UPDATE ts.version SET version_num = 'from-the-future'")
        try:
            done = tongshang("serve", data=data)
            assert done.returncode == 2
            assert "another release" in done.stderr and "Traceback" not in done.stderr
        finally:
            with psycopg.connect(address) as connection:
                connection.execute("UPDATE ts.version SET version_num = %s", row)


@pytest.mark.parametrize("role", ["postgres", "ts_migrator"])
def test_a_role_that_row_security_does_not_bind_may_not_serve(data: Path, role: str) -> None:
    with EmbeddedPostgres(data):
        address = embedded_url(data, role).replace("+psycopg", "")
        for command, variable in (("serve", "DATABASE_URL"), ("work", "WORKER_DATABASE_URL")):
            urls = {"DATABASE_URL": embedded_url(data, "ts_app"), variable: address}
            done = tongshang(command, data=data, **urls)
            assert done.returncode == 2
            assert "passes by row-level security" in done.stderr

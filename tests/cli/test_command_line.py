"""The command line: quick, complete, and readable when something is wrong."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.boundary import readable
from core.cli.group import COMMANDS
from core.cli.listen import FIRST_PORT, listen
from core.config import UserError


def tongshang(*arguments: str, data: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    place = ["--data", str(data)] if data else []
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TS_", "DATABASE_"))}
    return subprocess.run(
        [sys.executable, "-P", "-m", "core.cli", *arguments, *place],
        env={**kept, "TS_LANG": "en", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_help_names_every_command_and_loads_none() -> None:
    began = time.monotonic()
    done = tongshang("--help")
    assert time.monotonic() - began < 5
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_takes_a_data_folder(name: str) -> None:
    arguments = [name, "list"] if name in ("connector", "plugin") else [name]
    done = tongshang(*arguments, "--help")
    assert done.returncode == 0, done.stderr
    assert "--data" in done.stdout or name == "connector"
    assert "--json" in done.stdout


def test_an_unknown_command_is_refused_without_a_traceback() -> None:
    done = tongshang("sell")
    assert done.returncode == 2
    assert "No such command" in done.stderr and "Traceback" not in done.stderr


def test_the_sql_for_an_administrator_is_complete_and_runs_in_psql() -> None:
    done = tongshang("init", "--sql", "--postgres", "15")
    for role in ("ts_owner", "ts_migrator", "ts_app", "ts_worker", "ts_auditor", "ts_plugin"):
        assert f"CREATE ROLE {role}" in done.stdout
    assert "LOCALE 'C.UTF-8'" in done.stdout and "builtin" not in done.stdout
    assert "\\connect" in done.stdout


def test_the_connectors_are_listed_with_their_simulators() -> None:
    done = tongshang("connector", "list", "--json")
    found = {row["name"]: row for row in json.loads(done.stdout)["connectors"]}
    assert found["kingdee"]["simulator"] is True


def test_an_unknown_connector_is_named_with_those_there_are() -> None:
    done = tongshang("connector", "simulate", "abacus")
    assert done.returncode == 2
    assert "abacus" in done.stderr and "kingdee" in done.stderr


def test_serving_an_empty_installation_says_what_comes_first(tmp_path: Path) -> None:
    done = tongshang("serve", "--port", str(free()), data=tmp_path / "d")
    clean(tmp_path / "d")
    assert done.returncode == 2
    assert "run.py init" in done.stderr and "Traceback" not in done.stderr


def test_a_taken_port_is_named_before_anything_starts(taken: int, tmp_path: Path) -> None:
    done = tongshang("serve", "--port", str(taken), data=tmp_path)
    assert done.returncode == 2
    assert f"Port {taken} is taken" in done.stderr and "--port" in done.stderr


def test_a_database_that_is_not_there_is_named_with_what_to_check(tmp_path: Path) -> None:
    nowhere = "postgresql://ts_app:secret@127.0.0.1:1/tongshang"
    for command in ("serve", "verify"):
        done = tongshang(command, data=tmp_path, DATABASE_URL=nowhere)
        assert done.returncode == 2
        assert "refused" in done.stderr and "Do:" in done.stderr
        assert "secret" not in done.stderr and "Traceback" not in done.stderr


def test_an_outside_database_needs_its_administrator_once(tmp_path: Path) -> None:
    done = tongshang("init", data=tmp_path, DATABASE_URL="postgresql://ts_app@127.0.0.1:1/tongshang")
    assert done.returncode == 2
    assert "init --sql" in done.stderr


def test_fresh_never_empties_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("keep me")
    done = tongshang("demo", "--once", "--fresh", data=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "letter.txt").read_text() == "keep me"


def test_without_a_wish_the_first_free_port_is_taken() -> None:
    with listen("127.0.0.1", None) as first, listen("127.0.0.1", None) as second:
        assert FIRST_PORT <= first.getsockname()[1] < second.getsockname()[1]


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (UserError("what", "where", "do"), "what"),
        (OSError(28, "No space left on device"), "disk is full"),
        (FileNotFoundError(2, "No such file or directory", "/x/y"), "No such file"),
        (ValueError("odd"), "TS_DEBUG"),
    ],
)
def test_every_failure_says_what_and_what_to_do(error: BaseException, word: str) -> None:
    told = readable(error)
    assert word in told.what + told.do
    assert told.do


CHILD = """
import time
from core.cli.leash import hold
hold()
print('{"up": 1}', flush=True)
time.sleep(60)
"""
PARENT = f"""
import sys, time
from pathlib import Path
from core.cli.child import Child
child = Child("child", ["-c", {CHILD!r}], Path(sys.argv[1]))
child.greeting(20)
print(child.process.pid, flush=True)
time.sleep(60)
"""


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "child.log")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def free() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def clean(data: Path) -> None:
    from core.db.embedded import EmbeddedPostgres

    EmbeddedPostgres(data).destroy()

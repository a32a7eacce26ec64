"""`demo`: the whole trade from an empty folder, again on the same data, and nothing left running."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.db.embedded import EmbeddedPostgres
from tests.cli.test_command_line import alive, tongshang

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("演 示") / "data"
    yield folder
    EmbeddedPostgres(folder).destroy()


@pytest.fixture(scope="module")
def first(data: Path) -> dict[str, Any]:
    """The facts of a demo in an empty folder."""
    done = tongshang("demo", "--once", "--json", data=data)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert isinstance(facts, dict)
    return facts


def processes_of(data: Path) -> list[int]:
    """Processes that name this data folder on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(data) in words and int(entry.parent.name) != os.getpid():
            found.append(int(entry.parent.name))
    return found


def test_one_trade_from_an_empty_folder_holds_every_invariant(first: dict[str, Any]) -> None:
    assert first["ok"] is True and first["breaches"] == []
    assert first["order"]["number"] and first["order"]["kingdee_number"]
    assert len(first["logins"]) >= 3


def test_it_leaves_nothing_running(first: dict[str, Any], data: Path) -> None:
    assert processes_of(data) == []
    assert not EmbeddedPostgres(data).status().running


def test_a_second_start_keeps_the_data_and_trades_again(first: dict[str, Any], data: Path) -> None:
    done = tongshang("demo", "--once", "--json", data=data)
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["order"]["number"] != first["order"]["number"]
    assert again["order"]["kingdee_number"] != first["order"]["kingdee_number"]
    assert again["seconds"]["preparing"] < first["seconds"]["preparing"]


def test_when_it_is_killed_its_children_end_and_the_next_start_is_well(
    first: dict[str, Any], data: Path
) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-P", "-m", "core.cli", "demo", "--once", "--data", str(data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "simulator run" in line:
            break
    below = [pid for pid in processes_of(data) if pid != demo.pid]
    assert len(below) >= 2
    demo.send_signal(signal.SIGKILL)
    demo.wait()
    demo.stdout.close()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in below):
        assert time.monotonic() < deadline, "a child outlived the demo"
        time.sleep(0.1)
    done = tongshang("demo", "--once", "--json", data=data)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True

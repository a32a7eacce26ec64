"""`plugin dev`: what is saved is served, and what is broken is said where it is broken."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from core.authoring import making, scratch
from core.cli.plugin_dev import stamps
from tests.databases import Server

ROOT = Path(__file__).parents[2]
PACKAGE = "tongshang_advance"
SECOND = '''"""One more column."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE plugin_advance.entry ADD COLUMN seen integer NOT NULL DEFAULT 0")
'''


@dataclass
class Desk:
    """An author's terminal and browser. `facts` are what the command told at its start."""

    folder: Path
    process: "subprocess.Popen[str]"
    facts: dict[str, Any]

    def edit(self, file: str, text: str) -> None:
        path = self.folder / PACKAGE / file
        path.write_text(text, "utf-8")

    def read(self, file: str) -> str:
        return (self.folder / PACKAGE / file).read_text("utf-8")

    def told(self, part: str) -> str:
        """The next line of the terminal with these words in it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if part in line:
                return line
        raise AssertionError(f"the command ended without saying {part!r}")

    def get(self, path: str) -> tuple[int, str]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.facts["url"] + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as no:
            return no.code, no.read().decode()


@pytest.fixture
def desk(server: Server, keys: None, tmp_path: Path) -> Iterator[Desk]:
    folder = making.make("advance", tmp_path, "预付订货", "Advance orders")
    with scratch.installation(scratch.TryServer(server.admin, server.url_for), tmp_path / "unused") as config:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TS_")},
            "TS_LANG": "en",
            "DATABASE_URL": config.url("app"),
            "WORKER_DATABASE_URL": config.url("worker"),
            "MIGRATE_DATABASE_URL": config.url("migrate"),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        }
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "core.cli", "plugin", "dev", str(folder), "--json"],
            env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            patience = threading.Timer(180, process.kill)
            patience.start()
            assert process.stdout is not None
            yield Desk(folder, process, facts(process.stdout))
            patience.cancel()
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.communicate()


def facts(said: IO[str]) -> dict[str, Any]:
    line = said.readline()
    assert line, "the command ended before it served"
    told: dict[str, Any] = json.loads(line)
    return told


@pytest.mark.slow
def test_what_is_saved_is_served_and_what_is_broken_is_named(desk: Desk) -> None:
    assert desk.facts["plugin"] == "advance"
    assert desk.get("/healthz")[0] == 200
    assert (desk.folder / ".tongshang" / "keys").is_file()

    api = desk.read("api.py")
    desk.edit("api.py", api.replace("newest first.", "the newest at the top."))
    assert "api.py" in desk.told("served again")
    assert "the newest at the top." in desk.get("/api/v1/openapi.json")[1]

    desk.edit("templates/advance/entries.html", desk.read("templates/advance/entries.html") + "\n")
    assert "entries.html" in desk.told("served again")
    desk.edit("words/zh.po", desk.read("words/zh.po") + "\n")
    assert "zh.po" in desk.told("served again")

    desk.edit("api.py", api + "this is no Python\n")
    place = f"{desk.folder / PACKAGE / 'api.py'}:{len(api.splitlines()) + 1}"
    assert desk.told(place)
    status, page = desk.get("/advance")
    assert status == 503
    assert place in page
    assert "SyntaxError" in page
    desk.edit("api.py", api)
    assert desk.told("served again")
    assert desk.get("/healthz")[0] == 200

    (desk.folder / PACKAGE / "migrations" / "a0002_seen.py").write_text(SECOND, "utf-8")
    assert desk.told("plugin_advance:0002")
    assert desk.told("served again")

    desk.edit("migrations/a0002_seen.py", SECOND.replace("integer", "bigint"))
    assert "a0002_seen.py" in desk.told("changed after it had run")

    desk.process.send_signal(signal.SIGINT)
    desk.process.communicate(timeout=60)
    assert desk.process.returncode == 0
    with pytest.raises(OSError, match="refused|reset"):
        desk.get("/healthz")


def test_what_an_author_does_not_write_is_not_watched(tmp_path: Path) -> None:
    for place in ("a.py", "b/c.html", ".tongshang/keys.py", "__pycache__/x.py", "build/lib/a.py", "notes.txt"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    assert sorted(path.name for path in stamps(tmp_path)) == ["a.py", "c.html"]

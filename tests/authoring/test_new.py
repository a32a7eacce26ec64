"""`plugin new`: a stranger's first minute. What it makes is sound, complete and works at once; a bad name is told why."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.authoring import making, source
from core.config import UserError
from tests.cli.test_command_line import tongshang

ROOT = Path(__file__).parents[2]


def in_folder(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))}
    return subprocess.run(
        [sys.executable, "-P", *command], cwd=folder, env=environ, capture_output=True, text=True, timeout=240
    )


def test_the_command_says_where_it_is_and_how_its_tests_run(tmp_path: Path) -> None:
    done = tongshang("plugin", "new", "advance", "--into", str(tmp_path / "here"), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path / "here" / "advance")
    assert told["commands"]["test"].endswith(told["folder"])


@pytest.mark.slow
def test_a_new_plugin_is_well_formed_and_its_tests_pass_at_once(tmp_path: Path) -> None:
    folder = making.make("advance", tmp_path, "预付订货", "Advance orders")

    found = source.find(folder)
    assert (found.name, found.manifest.module, found.version) == ("advance", "tongshang_advance", "0.1.0")
    assert not [path for path in folder.rglob("*") if path.is_file() and re.search(r"@\w+@", path.read_text("utf-8"))]
    looked = in_folder(folder, "-m", "ruff", "check", "--no-cache", ".")
    assert looked.returncode == 0, looked.stdout
    formatted = in_folder(folder, "-m", "ruff", "format", "--no-cache", "--check", ".")
    assert formatted.returncode == 0, formatted.stdout
    tried = in_folder(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tried.returncode == 0, tried.stdout[-4000:] + tried.stderr[-2000:]
    assert "14 passed" in tried.stdout


def test_a_long_name_keeps_the_lines_short(tmp_path: Path) -> None:
    folder = making.make("n" * 16, tmp_path, "标" * 16, "T" + "i" * 39)

    looked = in_folder(folder, "-m", "ruff", "check", "--no-cache", ".")
    assert looked.returncode == 0, looked.stdout


BAD = ["X", "a", "a" * 32, "has-dash", "1st", "class", "spot", "orders", "catalog", "plugins", "upload", ".."]


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError) as refused:
        making.make(name, tmp_path)
    assert refused.value.do
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("title", ['say "no"', "it's", "{x}", "50 %", "x" * 41, "Remark"])
def test_a_title_that_would_break_a_file_is_refused(tmp_path: Path, title: str) -> None:
    with pytest.raises(UserError):
        making.make("advance", tmp_path, "标题", title)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "advance").mkdir()
    (tmp_path / "advance" / "mine.txt").touch()
    with pytest.raises(UserError, match="already"):
        making.make("advance", tmp_path)


def test_a_folder_that_is_no_plugin_is_told_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no Python package"):
        source.find(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(UserError, match="0 plugins"):
        source.find(tmp_path)
    points = '[project.entry-points."tongshang.plugins"]\nmine = "tongshang_mine"\n'
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n" + points)
    with pytest.raises(UserError, match="not there"):
        source.find(tmp_path)
    (tmp_path / "tongshang_mine").mkdir()
    with pytest.raises(UserError, match="plugin.toml"):
        source.find(tmp_path)

"""`connector new`: what it makes is sound, works at once against its own practice system, and is found when installed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tongshang.connect as tongshang_connect
from connectors.generic.shapes import LAYOUTS
from core.authoring import making
from core.config import UserError
from core.sync.registry import GROUP, Registry
from core.web.i18n import CHINESE, ENGLISH, Words
from tests.authoring.test_new import ROOT, in_folder
from tests.cli.test_command_line import tongshang

CASES = 71  # what every connector must keep, the drill, and the circle of the skeleton


def test_the_command_says_where_it_is_and_what_comes_next(tmp_path: Path) -> None:
    done = tongshang("connector", "new", "demo_link", "--into", str(tmp_path / "here"), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path / "here" / "demo_link")
    assert told["commands"]["test"].endswith(told["folder"])
    assert told["commands"]["simulate"].endswith("connector simulate demo_link")


@pytest.mark.slow
@pytest.mark.long
def test_a_new_connector_is_well_formed_and_its_tests_pass_at_once(tmp_path: Path) -> None:
    folder = making.make_connector("demo_link", tmp_path, "练习系统", "Demo link")

    assert not [
        path for path in folder.rglob("*") if path.is_file() and re.search(r"@\w+@", path.read_text("utf-8"))
    ]
    looked = in_folder(folder, "-m", "ruff", "check", "--no-cache", ".")
    assert looked.returncode == 0, looked.stdout
    formatted = in_folder(folder, "-m", "ruff", "format", "--no-cache", "--check", ".")
    assert formatted.returncode == 0, formatted.stdout
    tried = in_folder(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tried.returncode == 0, tried.stdout[-4000:] + tried.stderr[-2000:]
    assert f"{CASES} passed" in tried.stdout


def test_the_words_of_an_installed_connector_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever installs a connector from elsewhere reads its titles and causes in Chinese, as those of our own."""
    folder = making.make_connector("worded_link", tmp_path, "练习系统", "Worded link")
    about = folder / "tongshang_worded_link-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tongshang-worded-link\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\nworded_link = tongshang_worded_link\n")
    monkeypatch.syspath_prepend(str(folder))
    try:
        found = Registry.installed()
        assert "worded_link" in found and found.broken == {}
        words = Words.load(found.words)
    finally:
        for name in [each for each in sys.modules if each.startswith("tongshang_worded_link")]:
            del sys.modules[name]
    assert words.gettext(CHINESE, "Worded link") == "练习系统"
    assert words.gettext(ENGLISH, "cause.worded_link.busy") == "The other system is busy or has the order open"


@pytest.mark.slow
@pytest.mark.long
def test_an_installed_connector_is_found_and_its_practice_system_runs(tmp_path: Path) -> None:
    folder = making.make_connector("demo_link", tmp_path, "练习系统", "Demo link")
    beside = tmp_path / "beside"
    how = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", str(beside))
    done = in_folder(tmp_path, "-m", "pip", "install", *how, str(folder))
    assert done.returncode == 0, done.stderr
    assert (beside / "tongshang_demo_link" / "words" / "zh.po").is_file()

    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(beside), str(ROOT)))}
    run = [sys.executable, "-P", "-m", "core.cli", "connector"]
    listed = subprocess.run([*run, "list", "--json"], env=environ, capture_output=True, text=True, timeout=60)
    rows = {row["name"]: row for row in json.loads(listed.stdout)["connectors"]}
    assert rows["demo_link"] == {
        "name": "demo_link",
        "module": "tongshang_demo_link",
        "from": "tongshang-demo-link 0.1.0",
        "simulator": True,
    }
    ask = "from core.sync.registry import Registry; made = Registry.installed(); print(made['demo_link'].title, made.broken)"
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", ask], env=environ, capture_output=True, text=True, timeout=60
    )
    assert loaded.stdout == "Demo link {}\n", loaded.stderr
    serving = subprocess.Popen(
        [*run, "simulate", "demo_link"], env=environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout is not None
        assert json.loads(serving.stdout.readline())["token"] == "lian-xi-4096"
    finally:
        serving.terminate()
        serving.wait(10)
        serving.stdout.close()


def test_a_long_name_keeps_the_lines_short(tmp_path: Path) -> None:
    folder = making.make_connector("n" * 31, tmp_path, "标" * 16, "T" + "i" * 39)
    looked = in_folder(folder, "-m", "ruff", "check", "--no-cache", ".")
    assert looked.returncode == 0, looked.stdout


@pytest.mark.parametrize(
    "name", ["X", "a", "a" * 32, "has-dash", "class", "kingdee", "rest", "sync", "http", ".."]
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError) as refused:
        making.make_connector(name, tmp_path)
    assert refused.value.do
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("title", ['say "no"', "{x}", "x" * 41, "Access token"])
def test_a_title_that_would_break_a_file_is_refused(tmp_path: Path, title: str) -> None:
    with pytest.raises(UserError):
        making.make_connector("demo_link", tmp_path, "标题", title)
    assert list(tmp_path.iterdir()) == []


def test_the_guide_says_what_holds() -> None:
    guide = (ROOT / "docs" / "guides" / "connector-author.md").read_text("utf-8")
    assert f"`{CASES} passed`" in guide
    errors = {
        name for name in tongshang_connect.__all__ if issubclass(_kind(name), tongshang_connect.SyncError)
    }
    assert {name for name in errors - {"SyncError"} if f"| `{name}` |" not in guide} == set()
    assert {kind for kind in LAYOUTS if f"`{kind}`" not in guide} == set()
    package = making.CONNECTOR / "package"
    files = {
        path.relative_to(package).as_posix().removesuffix(making.MARK) for path in package.rglob("*.py.in")
    }
    told = set(re.findall(r"^\| `([a-z_/]+\.py)` \|", guide, re.M))
    assert told == {file for file in files if not file.rpartition("/")[2].startswith("__")}


def _kind(name: str) -> type:
    found = getattr(tongshang_connect, name)
    return found if isinstance(found, type) else object

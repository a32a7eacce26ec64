"""`plugin check`: a good plugin passes, and what is wrong with a bad one is named with its place and what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.authoring import building, making, source
from core.authoring.checking import Check
from core.authoring.report import Finding, Report
from core.authoring.trial import Trial
from core.host import packages
from tests.cli.test_command_line import tongshang
from tests.examples import build

pytestmark = pytest.mark.slow

NAME = "tongshang_advance"


def looked_at(path: Path, older: Path | None = None, **more: Any) -> Report:
    return Check(path, older=older, beside=(), told=lambda finding: None, say=str, **more).run()


def wrong(report: Report) -> list[Finding]:
    return [each for each in report.findings if each.ok is False]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = making.make("advance", tmp_path, "预付订货", "Advance orders")
    (made / "tests" / "test_advance.py").write_text("def test_nothing() -> None: ...\n")
    return made


def spoiled(folder: Path, file: str, change: Callable[[str], str]) -> Path:
    path = folder / NAME / file
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    return folder


def test_a_wheel_is_built_and_the_folder_is_left_as_it_was(folder: Path, tmp_path: Path) -> None:
    before = sorted(path for path in folder.rglob("*"))
    wheel = building.build(folder, tmp_path / "out")

    assert sorted(path for path in folder.rglob("*")) == before
    assert packages.read(wheel.read_bytes(), wheel.name).plugin == "advance"
    content, filename = building.again(wheel.read_bytes(), wheel.name, "0.1.0.post1")
    assert str(packages.read(content, filename).version) == "0.1.0.post1"


@pytest.mark.long
@pytest.mark.slow
def test_a_new_plugin_passes_and_the_report_is_json(folder: Path) -> None:
    done = tongshang("plugin", "check", str(folder), "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["ok"], told["plugin"], told["version"]) == (True, "advance", "0.1.0")
    assert {each["part"] for each in told["checks"]} == {
        "package", "conformance", "tests", "install", "pages", "trade", "upgrade", "removal",
    }  # fmt: skip
    assert "removal        nothing is left behind" in done.stderr
    assert "an order comes to its end · advance · completed" in done.stderr


def alive(trial: Trial, wheel: Path, older: Path | None = None) -> Report:
    """The second half of a check, in an installation that is there already; a plugin that passes leaves nothing in it."""
    check = Check(wheel, older=older, beside=(), told=lambda finding: None, say=said)
    read = packages.read(wheel.read_bytes(), wheel.name)
    check.report.plugin, check.report.version = str(read.plugin), str(read.version)
    check._life(trial, wheel)
    return check.report


def said(refused: BaseException) -> str:
    return f"{getattr(refused, 'code', '')} {getattr(refused, 'values', '')}"


@pytest.mark.long
@pytest.mark.slow
def test_the_example_passes_and_upgrades_from_its_older_release(trial: Trial) -> None:
    report = alive(trial, build("1.1"), older=build("1.0"))

    assert wrong(report) == []
    assert ("upgrade", "1.0 → 1.1") in [(each.check, each.what) for each in report.findings]
    assert trial.row("consignment") is None


@pytest.mark.long
@pytest.mark.slow
def test_what_is_wrong_with_a_life_is_said(trial: Trial, folder: Path, tmp_path: Path) -> None:
    opened = spoiled(folder, "migrations/a0001_entry.py", lambda text: text.replace("FORCE ROW", "NO FORCE ROW"))
    (found,) = wrong(alive(trial, building.build(opened, tmp_path / "opened")))
    assert (found.part, found.check) == ("install", "install")
    assert "plugin.tables_open" in found.what
    assert "row-level security" in found.do

    broke = spoiled(folder, "migrations/a0001_entry.py", lambda text: text.replace("NO FORCE ROW", "FORCE ROW"))
    broke = spoiled(broke, "mode.py", lambda text: text.replace("order.total - first", "order.total"))
    (found,) = wrong(alive(trial, building.build(broke, tmp_path / "broke")))
    assert (found.part, found.check) == ("trade", "an order comes to its end")
    assert "order.plan_does_not_sum" in found.what or "sum" in found.what

    (found,) = wrong(alive(trial, build("1.2"), older=build("1.1")))
    assert (found.part, found.check) == ("upgrade", "upgrade")
    assert "division by zero" in found.what
    assert "migration" in found.do


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("words/zh.po", lambda text: text.replace('msgid "Remark"', 'msgid "Other"'), "zh.po lacks: Remark"),
        ("api.py", lambda text: "import core.orders\n" + text, "imports core.orders"),
        ("mode.py", lambda text: text + "\n1 / 0\n", "division by zero"),
        ("mode.py", lambda text: text + "\nthis is no Python\n", "invalid syntax"),
    ],
)
def test_what_does_not_conform_is_said_with_its_place(
    folder: Path, tmp_path: Path, file: str, change: Callable[[str], str], message: str
) -> None:
    check = Check(spoiled(folder, file, change), older=None, beside=(), told=lambda finding: None, say=str)
    wheel = check._wheel(tmp_path / "place")
    assert wheel is not None
    check._conforms(wheel, tmp_path / "unpacked")

    found = wrong(check.report)
    assert any(message in each.what for each in found), check.report.findings
    assert all(each.do for each in found)
    if file == "mode.py":
        assert any(each.where.startswith(f"{folder / NAME / 'mode.py'}:") for each in found), found


@pytest.mark.slow
def test_failing_tests_are_named(folder: Path) -> None:
    (folder / "tests" / "test_advance.py").write_text("def test_it_pays() -> None:\n    assert False\n")
    check = Check(folder, older=None, beside=(), told=lambda finding: None, say=str)
    check.source = source.find(folder)
    check._own_tests()
    (found,) = wrong(check.report)
    assert "test_it_pays" in found.what
    assert str(folder) in found.do


@pytest.mark.parametrize(
    ("said", "part"),
    [("", "There is no such folder or wheel"), ("nothing.whl", "There is no such folder or wheel")],
)
def test_a_path_that_is_nothing_is_refused(tmp_path: Path, said: str, part: str) -> None:
    report = looked_at(tmp_path / (said or "no folder"))
    assert [each.what for each in report.findings] == [part + "."]


def test_a_wheel_that_is_none_is_refused_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "tongshang_bad-1.0-py3-none-any.whl").write_bytes(b"no zip")
    done = tongshang("plugin", "check", str(tmp_path / "tongshang_bad-1.0-py3-none-any.whl"))
    assert done.returncode == 1
    assert "1 checks failed" in done.stdout

"""`run.py`: readable by an old Python, quick the second time, and plain about what goes wrong."""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKED = ("requirements.lock", "requirements-test.lock")


@pytest.fixture(scope="module")
def run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_command", ROOT / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_can_read_it() -> None:
    ast.parse((ROOT / "run.py").read_text("utf-8"), feature_version=(3, 6))


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((ROOT / "run.py").read_text("utf-8"))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else name.name).split(".")[0]  # type: ignore[union-attr]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }
    assert imported <= set(sys.stdlib_module_names)


def test_an_old_python_is_told_what_it_needs(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.sys, "version_info", (3, 8, 1))
    monkeypatch.setattr(run.shutil, "which", lambda name: None)
    what, do = run.old_python(["demo"])
    assert "needs Python 3.11" in what and "3.8" in what
    assert "Install" in do


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError(...): Failed to establish: [Errno 111] Connection refused", "cannot be reached"),
        ("error: Failed to fetch: `https://...`", "cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "hash differs"),
        ("ERROR: Could not find a version that satisfies the requirement x", "has not answered"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "may not write"),
        ("something nobody has seen", "otherwise"),
    ],
)
def test_what_an_installer_says_is_translated(run: ModuleType, said: str, expected: str) -> None:
    stop = run.explain(said, "otherwise", "do")
    assert expected in stop.what
    assert stop.do and stop.said


def test_every_package_is_pinned_with_its_hash_and_no_index_is_named() -> None:
    for name in LOCKED:
        text = (ROOT / name).read_text("utf-8")
        pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pinned and all("==" in line and line.endswith("\\") for line in pinned)
        assert "--index" not in text and "://" not in text


def test_the_test_environment_holds_everything_the_other_one_does() -> None:
    plain, test = (
        {line.split()[0] for line in (ROOT / name).read_text("utf-8").splitlines() if "==" in line}
        for name in LOCKED
    )
    assert plain < test


def clone(folder: Path) -> Path:
    """As little of a clone as the command needs before the environment stands."""
    folder.mkdir(parents=True)
    for name in ("run.py", "setup.cfg", "pyproject.toml", *LOCKED):
        shutil.copy(ROOT / name, folder / name)
    return folder


def start(folder: Path, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    base = getattr(sys, "_base_executable", sys.executable)
    return subprocess.run(
        [base, str(folder / "run.py"), "doctor"],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_without_the_venv_module_it_says_what_to_install(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "ensurepip.py").write_text("raise ImportError('left out by the distribution')\n")
    done = start(clone(tmp_path / "钢 材"), {"PYTHONPATH": str(broken)})
    assert done.returncode == 2
    assert "no venv module" in done.stderr and "python3-venv" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_without_a_package_index_it_says_so_and_goes_on_later(tmp_path: Path) -> None:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }
    done = start(clone(tmp_path / "轴承"), {**nowhere, "PIP_NO_CACHE_DIR": "1"})
    assert done.returncode == 2
    assert "package index" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "轴承" / ".venv" / "made-by-run.json").exists()


def test_a_finished_environment_is_used_without_touching_it(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "VENV", str(tmp_path))
    monkeypatch.setattr(run, "STAMP", str(tmp_path / "stamp.json"))
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch()
    (tmp_path / "stamp.json").write_text(json.dumps(run.stamp_for("test")))
    monkeypatch.setattr(run, "make", lambda *given, **more: pytest.fail("it was made again"))
    assert run.environment("use") == str(python)
    assert run.environment("test") == str(python)

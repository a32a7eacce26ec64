"""Plugins made up for a test, installed as a wheel would install them: a package, its manifest, its entry point."""

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.hooks import Dispatch
from core.host import Host, load

MANIFEST = """
name = "{name}"
title = {{ zh = "插件{name}", en = "Plugin {name}" }}
category = "test"
core = "{core}"
{more}
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install("sealed", code, core=">=0.1", more='requires = ["tender"]')`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def put(name: str, code: str = "", core: str = ">=0.1,<2", more: str = "", manifest: str | None = None) -> None:
        package = f"strange_{name}"
        folder = tmp_path / package
        folder.mkdir()
        made.append(package)
        (folder / "__init__.py").write_text(textwrap.dedent(code), encoding="utf-8")
        text = MANIFEST.format(name=name, core=core, more=more) if manifest is None else manifest
        (folder / "plugin.toml").write_text(text, encoding="utf-8")
        info = tmp_path / f"{package}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[tongshang.plugins]\n{name} = {package}\n")

    yield put
    for package in made:
        for module in [each for each in sys.modules if each == package or each.startswith(f"{package}.")]:
            del sys.modules[module]


@pytest.fixture
def start() -> Callable[..., Host]:
    """Start the host with the made-up plugins only, whatever else is installed here."""

    def begin(*only: str, **options: bool) -> Host:
        return load(Dispatch(), only=only or None, **options)

    return begin

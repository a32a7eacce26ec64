"""Plugins by somebody else, for tests: their folders, and wheels built of them.

`build("1.1")` is the wheel of the consignment example in that version; each is built once per process.
"""

import atexit
import shutil
import tempfile
import tomllib
from functools import cache
from pathlib import Path

from core.authoring import building

FOLDER = Path(__file__).parent / "consignment"
VERSIONS = ("1.0", "1.1", "1.2")
"""1.1 adds a column and a setting; the migration of 1.2 fails half-way."""


def build(version: str, into: Path | None = None) -> Path:
    """The wheel of one version; `into` is a folder to put a copy in."""
    wheel = _built(version)
    return wheel if into is None else Path(shutil.copy(wheel, into))


def source(version: str, into: Path) -> Path:
    """The source folder of one version, written into `into`."""
    folder = into / f"consignment-{version}"
    first, *later = VERSIONS[: VERSIONS.index(version) + 1]
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".pytest_cache")
    shutil.copytree(FOLDER / _folder(first), folder, ignore=ignored)
    for each in later:
        for edit in tomllib.loads((FOLDER / _folder(each) / "edits.toml").read_text("utf-8"))["edit"]:
            path = folder / edit["file"]
            text = path.read_text("utf-8")
            assert edit["old"] in text, f"{each}: {edit['file']} does not hold {edit['old']!r}"
            path.write_text(text.replace(edit["old"], edit["new"], 1), "utf-8")
        shutil.copytree(FOLDER / _folder(each) / "files", folder, dirs_exist_ok=True, ignore=ignored)
    return folder


@cache
def _built(version: str) -> Path:
    place = Path(tempfile.mkdtemp(prefix="ts-examples-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return building.build(source(version, place), place / "wheels")


def _folder(version: str) -> str:
    return "v" + version.replace(".", "_")

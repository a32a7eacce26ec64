"""Walks the author's guide: its commands are given, its code is put where it says, and what it promises comes true."""

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "plugin-author.md"
BLOCK = re.compile(r"^```(sh|python|po)\n(.*?)^```$", re.M | re.S)
SERVED = "plugin dev"
"""Ends by Ctrl-C only; it has tests of its own."""


def blocks() -> list[tuple[str, str]]:
    """(kind, content) of what the guide has its reader do, up to where it begins to explain one thing after the other."""
    walked = GUIDE.read_text("utf-8").split("## A hook")[0]
    return [(found[1], found[2]) for found in BLOCK.finditer(walked)]


def give(command: str, place: Path) -> str:
    """One command of the guide, with the reader's folder in its place."""
    said = shlex.split(command.replace("../plugins", str(place)))
    assert said[:2] == ["python3", "run.py"], command
    testing = said[2] == "test"
    environ = {**os.environ, "TS_LANG": "en", "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    module = ["pytest", "-q", "-p", "no:cacheprovider", *said[3:]] if testing else ["core.cli", *said[2:]]
    done = subprocess.run(
        [sys.executable, "-P", "-m", *module], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=540
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-5000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def put(content: str, folder: Path) -> None:
    """Code of the guide into the file that its first line names: a new file, an end of one, or in the place of what it renews."""
    first, _, text = content.partition("\n")
    path = folder / first.removeprefix("# ")
    old = path.read_text("utf-8") if path.exists() else ""
    if path.suffix != ".py" or not old:
        path.write_text(f"{old.rstrip()}\n\n{text}" if old else text, "utf-8")
        return
    for node in ast.parse(text).body:
        fresh = ast.get_source_segment(text, node)
        assert fresh is not None
        known = next((each for each in ast.parse(old).body if getattr(each, "name", "") == getattr(node, "name", "?")), None)
        segment = known and ast.get_source_segment(old, known)
        old = old.replace(segment, fresh) if segment else f"{old.rstrip()}\n\n\n{fresh}\n"
    path.write_text(old, "utf-8")


def test_every_command_of_the_guide_exists() -> None:
    said = re.findall(r"run\.py (plugin \w+)", GUIDE.read_text("utf-8"))
    from core.cli.plugin import plugin

    assert {each.split()[1] for each in said} <= set(plugin.commands)


@pytest.mark.long
@pytest.mark.slow
def test_the_guide_leads_to_a_plugin_that_holds(tmp_path: Path) -> None:
    place, said = tmp_path / "plugins", []
    folder = place / "advance"
    for kind, content in blocks():
        if kind != "sh":
            put(content, folder)
            continue
        for command in content.strip().splitlines():
            if SERVED not in command:
                said.append(give(command, place))
        if "plugin check" in content:
            break
        model = folder / "tongshang_advance" / "model.py"
        imported = model.read_text("utf-8").replace("import UniqueConstraint\n", "import UniqueConstraint, false\n")
        model.write_text(imported.replace("import Mapped\n", "import Mapped, mapped_column\n"), "utf-8")

    assert "14 passed" in said[1]
    assert "15 passed" in said[2]
    assert "Everything holds." in said[3]
    assert len(list(place.glob("*.whl"))) == 1

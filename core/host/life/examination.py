"""Asking for an examination: a child process that imports the plugin set and says what it found, or is stopped."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import core
from core.host.standing import Standing
from core.kernel import Refused

SECONDS = 60.0  # an import takes three; a busy machine is patient
ROOT = Path(core.__file__).parent.parent


@dataclass(frozen=True)
class Findings:
    """What a plugin set would be: what each declares, and what would not come in."""

    loaded: dict[str, dict[str, Any]]
    broken: dict[str, str]


def examine(standing: Standing, folders: Iterable[Path], seconds: float = SECONDS) -> Findings:
    """Import the set in a process of its own. Raises Refused when that process dies or does not come back in time."""
    asked = {
        "plugins": [
            {"name": name, "version": standing.plugins[name].version} for name in sorted(standing.running)
        ],
        "folders": [str(folder) for folder in folders],
    }
    with tempfile.TemporaryDirectory(prefix="ts-examine-") as empty:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "core.host.life.examine"],
                input=json.dumps(asked),
                capture_output=True,
                text=True,
                timeout=seconds,
                cwd=empty,
                env=_poor(empty),
            )
        except subprocess.TimeoutExpired:
            raise Refused("plugin.import_hangs", seconds=f"{seconds:g}") from None
    if done.returncode:
        raise Refused("plugin.import_kills", reason=_last_words(done.stderr))
    try:
        found = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise Refused("plugin.import_kills", reason=_last_words(done.stderr)) from None
    return Findings(found["loaded"], found["broken"])


def _poor(home: str) -> dict[str, str]:
    """An environment without addresses and keys: a stranger's import has no business with them."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
    }
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **kept,
        "HOME": home,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _last_words(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"

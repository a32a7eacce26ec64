"""Wheels of a plugin: built from its folder in a process of its own, and the same one again under the next version.

Nothing is fetched: the build tool that pyproject.toml names must be there. The author's folder is left as it is.
"""

import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from core.config import UserError

LEFT_OUT = (
    ".git",
    ".tongshang",
    ".venv",
    "build",
    "dist",
    "__pycache__",
    "*.egg-info",
    ".pytest_cache",
    ".ruff_cache",
)
SECONDS = 120.0
ASK = (
    "import importlib, sys; name, _, part = sys.argv[1].partition(':'); module = importlib.import_module(name)\n"
    "for each in filter(None, part.split('.')): module = getattr(module, each)\n"
    "module.build_wheel(sys.argv[2])"
)


def build(folder: Path, into: Path) -> Path:
    """Build the wheel of a source folder into another. Raises UserError with the build tool's last words."""
    tool = "setuptools.build_meta"
    if (folder / "pyproject.toml").is_file():
        said = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
        tool = said.get("build-system", {}).get("build-backend", tool)
    into.mkdir(parents=True, exist_ok=True)
    before = set(into.glob("*.whl"))
    with tempfile.TemporaryDirectory(prefix="ts-build-") as place:
        copy = Path(place) / "source"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", ASK, tool, str(into.absolute())],
                cwd=copy,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"The wheel was not built within {SECONDS:g} seconds.", str(folder)) from None
    made = (
        sorted(set(into.glob("*.whl")) - before)
        or sorted(into.glob("*.whl"), key=lambda each: each.stat().st_mtime)[-1:]
    )
    if done.returncode or not made:
        words = [line for line in (done.stderr or done.stdout).strip().splitlines() if line.strip()]
        missing = re.search(rf"No module named '({re.escape(tool.partition('.')[0])}[\w.]*)'", done.stderr)
        raise UserError(
            "\n".join(["The wheel could not be built.", *words[-6:]]),
            str(folder),
            f"Install {missing[1]} beside the platform." if missing else "Mend what the build tool says.",
        )
    return made[0]


def again(content: bytes, filename: str, version: str) -> tuple[bytes, str]:
    """The same wheel under another version, as if the author had raised it and changed nothing. (content, file name)"""
    name, old, rest = filename.split("-", 2)
    before, after = f"{name}-{old}.dist-info/", f"{name}-{version}.dist-info/"
    entries: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for path in archive.namelist():
            held = archive.read(path)
            if path == f"{before}METADATA":
                held = re.sub(rb"(?m)^Version: .*$", f"Version: {version}".encode(), held, count=1)
            elif path.endswith("/plugin.toml"):
                held = re.sub(rb'(?m)^version\s*=\s*".*"', f'version = "{version}"'.encode(), held, count=1)
            if path != f"{before}RECORD":
                entries[path.replace(before, after, 1)] = held
    record = "".join(f"{path},{_hash(held)},{len(held)}\n" for path, held in entries.items())
    entries[f"{after}RECORD"] = (record + f"{after}RECORD,,\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, held in entries.items():
            archive.writestr(path, held)
    return out.getvalue(), f"{name}-{version}-{rest}"


def _hash(held: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(held).digest()).rstrip(b"=").decode()

"""A new plugin or connector from its skeleton: a whole package that works at once, under the author's name."""

import keyword
import re
from importlib.metadata import entry_points
from pathlib import Path

from core import rooms
from core.config import UserError
from core.host import manifest
from core.host.manifest import NAME, discover

SKELETON = Path(__file__).parent / "skeleton"
CONNECTOR = Path(__file__).parent / "connector_skeleton"
MARK = ".in"
"""Ends the names of the skeleton's files, so that nobody takes them for code of the house."""
UNSAFE = re.compile(r"[\"'\\{}%<>\n\r\t]|^\s*$")
OURS = {
    "core",
    "tongshang",
    "plugins",
    "static",
    "api",
    "healthz",
    "menu",
    "keys",
    "preferences",
    "test",
    "tests",
}
CODES = {
    "sync",
    "outbound",
    "unreachable",
    "http",
    "mapping",
    "generic",
    "wms",
    "sap",
    "demo",
    "check",
    "rest",
    "files",
    "eas",
    "cosmic",
}
"""What the codes of the platform and of its own connectors begin with."""


def make(name: str, into: Path, title_zh: str = "", title_en: str = "") -> Path:
    """Write the package of a plugin into a new folder `into/name`. Answers the folder.

    Raises UserError for a name that cannot be, or is taken, for a title that cannot stand in every file, and where
    something is already.
    """
    _check_name(name)
    return _write(SKELETON, name, into, title_zh, title_en)


def make_connector(name: str, into: Path, title_zh: str = "", title_en: str = "") -> Path:
    """Write the package of a connector into a new folder `into/name`, with a practice system of its own. Answers the folder.

    Raises UserError as `make` does.
    """
    if not NAME.match(name) or keyword.iskeyword(name):
        raise UserError(
            f"“{name}” cannot be a connector's name.",
            "",
            "Two to 31 lower-case letters, digits and _, a letter first.",
        )
    if name in {point.name for point in entry_points(group="tongshang.connectors")}:
        raise UserError(f"There is a connector named “{name}” already.", "", "Choose another name.")
    if name in OURS | CODES:
        raise UserError(f"“{name}” is a word of the platform itself.", "", "Choose another name.")
    return _write(CONNECTOR, name, into, title_zh, title_en)


def _write(skeleton: Path, name: str, into: Path, title_zh: str, title_en: str) -> Path:
    english = title_en or name.replace("_", " ").capitalize()
    chinese = title_zh or title_en or name
    _check_titles(skeleton, english, chinese)
    folder = into.expanduser().resolve() / name
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError("There is something already.", str(folder), "Choose another folder with --into.")
    package = f"tongshang_{name}"
    words = {
        "name": name,
        "package": package,
        "dashed": name.replace("_", "-"),
        "title_en": english,
        "title_zh": chinese,
    }
    for source in sorted(skeleton.rglob(f"*{MARK}")):
        place = _filled(source.relative_to(skeleton).as_posix().removesuffix(MARK), words)
        target = folder / re.sub(r"^package/", f"{package}/", re.sub(r"^gitignore$", ".gitignore", place))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(source.read_text("utf-8"), words), encoding="utf-8")
    return folder


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text


def _check_name(name: str) -> None:
    if not NAME.match(name) or keyword.iskeyword(name):
        raise UserError(
            f"“{name}” cannot be a plugin's name.",
            "",
            "Two to 31 lower-case letters, digits and _, a letter first.",
        )
    if name in dict(discover()):
        raise UserError(f"There is a plugin named “{name}” already.", "", "Choose another name.")
    if name in OURS | manifest.OURS | set(rooms.ROOMS) or name in _addresses():
        raise UserError(f"“{name}” is a word of the platform itself.", "", "Choose another name.")


def _addresses() -> set[str]:
    """First parts of the platform's own addresses."""
    paths = [endpoint.path for module in rooms.parts("views") for endpoint in module.pages.endpoints]
    paths += [
        endpoint.path.removeprefix("/api/v1")
        for module in rooms.parts("api")
        for endpoint in module.api.endpoints
    ]
    return {path.split("/")[1] for path in paths if path.count("/")}


def _check_titles(skeleton: Path, english: str, chinese: str) -> None:
    for title in (english, chinese):
        if UNSAFE.search(title) or len(title) > 40:
            raise UserError(
                f"“{title}” cannot be a title.",
                "",
                "At most 40 characters, without quotes, brackets, % and line breaks.",
            )
    if f'msgid "{english}"' in (skeleton / "package" / "words" / "zh.po.in").read_text("utf-8"):
        raise UserError(
            f"“{english}” is a sentence of the skeleton already.", "", "Choose another English title."
        )

"""What a package shows of itself beyond its manifest: a longer description and pictures, read from its own folder.

Everything here is a stranger's: text is cut to plain paragraphs, pictures are known by their first bytes and never by their
name, both have a limit, and nothing outside the folder is followed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from core.host import standing
from core.host.packages import Shelf
from core.host.store.offers import Offer
from core.web.i18n import CHINESE, language

PICTURES = Path("static") / "screenshots"
MOST_PICTURES = 8
MOST_BYTES = 2_097_152  # of one picture
MOST_TEXT = 40_000  # characters of a description
KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
MARKS = re.compile(r"[`*_]{1,3}(\S(?:.*?\S)?)[`*_]{1,3}")


@dataclass(frozen=True)
class Block:
    """A piece of a description: `kind` is head, text, item or code."""

    kind: str
    text: str


@dataclass(frozen=True)
class Picture:
    """A picture of a package: its place in the row, what it is called, how large it is in bytes.

    `name` is made of the file's: "Order page" of `01-order-page.png`; the package's own words may translate it.
    """

    no: int
    name: str
    path: Path
    media_type: str
    size: int


def folder(found: Offer, connection: Connection, data: Path) -> Path | None:
    """Where the plugin's own package lies unpacked; None when it cannot be had on this machine."""
    if found.loaded is not None:
        return found.loaded.manifest.folder
    if found.package is None:
        return None
    try:
        unpacked = Shelf(data).place(found.package.sha256, standing.fetcher(connection))
    except (OSError, ValueError, LookupError):
        return None
    return next((each.parent for each in sorted(unpacked.rglob("plugin.toml"))), None)


def description(place: Path | None) -> tuple[Block, ...]:
    """The package's README in the reader's language, as blocks of plain text; nothing without one."""
    if place is None:
        return ()
    names = ("README.zh.md", "README.md") if language() == CHINESE else ("README.en.md", "README.md")
    for path in (place / name for name in names):
        if path.is_file() and _within(path, place):
            with path.open(encoding="utf-8", errors="replace") as file:
                return tuple(_blocks(file.read(MOST_TEXT)))
    return ()


def pictures(place: Path | None) -> tuple[Picture, ...]:
    """The pictures of a package, by name."""
    if place is None or not (place / PICTURES).is_dir():
        return ()
    found = []
    for path in sorted((place / PICTURES).iterdir()):
        if not path.is_file() or not _within(path, place):
            continue
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
        kind = next((media for mark, media in KINDS if start.startswith(mark)), None)
        if kind is not None and size <= MOST_BYTES:
            name = path.stem.lstrip("0123456789-_ ").replace("-", " ").replace("_", " ") or path.stem
            found.append(Picture(len(found), name[:1].upper() + name[1:], path, kind, size))
        if len(found) == MOST_PICTURES:
            break
    return tuple(found)


def _within(path: Path, place: Path) -> bool:
    return path.resolve().is_relative_to(place.resolve())


def _blocks(text: str) -> Iterator[Block]:
    """Headings, list items, code and paragraphs of Markdown; every other mark of it falls away."""
    held: list[str] = []
    code: list[str] | None = None

    def paragraph() -> Iterator[Block]:
        if held:
            yield Block("text", _plain(" ".join(held)))
            held.clear()

    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("```"):
            yield from paragraph()
            if code is None:
                code = []
            else:
                yield Block("code", "\n".join(code))
                code = None
        elif code is not None:
            code.append(line)
        elif bare.startswith("#"):
            yield from paragraph()
            yield Block("head", _plain(bare.lstrip("# ")))
        elif bare.startswith(("- ", "* ")):
            yield from paragraph()
            yield Block("item", _plain(bare[2:]))
        elif not bare:
            yield from paragraph()
        else:
            held.append(bare)
    yield from paragraph()


def _plain(text: str) -> str:
    return MARKS.sub(r"\1", LINK.sub(r"\1", text)).strip()

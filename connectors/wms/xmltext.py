"""XML that a stranger may have written: read under narrow bounds, and written by hand.

No document type, no entities of one's own, no network, UTF-8 only, bounded in length, depth and number of
elements. Whatever breaks a bound is `Unreadable`.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

LONGEST = 5 * 1024 * 1024  # bytes
DEEPEST = 12  # levels; Qimen's deepest document has seven
MOST = 200_000  # elements

DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
ENCODING = re.compile(r"""encoding\s*=\s*["']([\w.-]+)["']""")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # no character of XML 1.0


class Unreadable(ValueError):
    """The text is no XML, or XML that nobody here wants to read."""


def read(body: bytes) -> Any:
    """The root element; raises Unreadable."""
    from lxml import etree  # type: ignore[import-untyped]  # large, and the web worker seldom needs it

    if len(body) > LONGEST:
        raise Unreadable(f"longer than {LONGEST} bytes")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error.reason} at {error.start}") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unreadable("a document type is not taken")
    declared = DECLARATION.match(text)
    if declared:
        said = ENCODING.search(declared.group())
        if said and said[1].lower() not in ("utf-8", "utf8", "us-ascii"):
            raise Unreadable(f"encoded as {said[1]}, not UTF-8")
        text = text[declared.end() :]
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"no XML: {error}") from None
    _bounded(root)
    return root


def _bounded(root: Any) -> None:
    level, seen = [root], 0
    for _ in range(DEEPEST):
        seen += len(level)
        if seen > MOST:
            raise Unreadable(f"more than {MOST} elements")
        level = [child for parent in level for child in parent]
        if not level:
            return
    raise Unreadable(f"deeper than {DEEPEST} levels")


def said(parent: Any, path: str) -> str:
    """The text at a path below `parent`, without spaces around it; empty when there is none."""
    found = parent.find(path) if parent is not None else None
    return (found.text or "").strip() if found is not None else ""


def tag(name: str, *inside: str) -> str:
    """One element around what is already XML."""
    return f"<{name}>{''.join(inside)}</{name}>"


def leaf(name: str, value: object) -> str:
    """One element around a text; characters that XML cannot carry are left out."""
    return tag(name, escape(FORBIDDEN.sub("", str(value))))


def leaves(**values: object) -> str:
    """Elements in the order given; those without a value are left out."""
    return "".join(leaf(name, value) for name, value in values.items() if value not in ("", None))


def document(root: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>{root}'.encode()

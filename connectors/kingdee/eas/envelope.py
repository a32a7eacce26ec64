"""XML from outside, read with bounds: no DTD, no entities, no network, not too deep, not too much when references unfold.

Axis 1.4 answers rpc/encoded: a value may stand elsewhere in the body (`<loginReturn href="#id0"/>` and
`<multiRef id="id0">`). References are followed later by zeep, which copies what they point at; so references that
point at each other in a ring, or that multiply, are refused here first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
DEEPEST = 64
MOST_ELEMENTS = 100_000  # with every reference unfolded
CHINESE = re.compile(r"charset\s*=\s*[\"']?(gb2312|gbk|gb18030)", re.IGNORECASE)


class Unreadable(ValueError):
    """This is no answer of the service: a page of something in between, half an answer, or an attack."""


def read(body: bytes, content_type: str = "") -> _Element:
    """The root of a document. A Chinese charset told by HTTP wins over what the document says. Raises Unreadable."""
    from lxml import etree

    told = CHINESE.search(content_type)
    parser = etree.XMLParser(
        encoding="gb18030" if told else None,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise Unreadable(f"no whole XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("a document type is not taken")
    _bounded(root)
    return root


def answer(root: _Element, operation: str) -> None:
    """Raise Unreadable unless this is the answer to `operation` or a fault."""
    if root.tag != f"{SOAP}Envelope":
        raise Unreadable("no SOAP envelope")
    bodies = root.findall(f"{SOAP}Body")
    if len(bodies) != 1 or len(bodies[0]) == 0:
        raise Unreadable("no SOAP body, or an empty one")
    first, *others = bodies[0]
    if first.tag == f"{SOAP}Fault":
        return
    if first.tag.rpartition("}")[2] != f"{operation}Response":
        raise Unreadable(f"an answer to something else: {first.tag}")
    if any(other.tag.rpartition("}")[2] != "multiRef" for other in others):
        raise Unreadable("more than one answer")
    _unfolded(bodies[0])


def _bounded(root: _Element) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise Unreadable(f"nested deeper than {DEEPEST}")
        level = [child for element in level for child in element]


def _unfolded(body: _Element) -> None:
    """Refuse references that lead to nothing, in a ring, or to more than MOST_ELEMENTS elements."""
    targets: dict[str, _Element] = {}
    for element in body:
        id = element.get("id")
        if id is not None and targets.setdefault(id, element) is not element:
            raise Unreadable(f"two objects are called {id}")
    sizes: dict[str, int] = {}
    under: set[str] = set()

    def size(element: _Element) -> int:
        href = element.get("href")
        if href is not None:
            return behind(href)
        total = 1 + sum(size(child) for child in element)
        if total > MOST_ELEMENTS:
            raise Unreadable("references unfold to too much")
        return total

    def behind(href: str) -> int:
        id = href.removeprefix("#")
        if not href.startswith("#") or id not in targets:
            raise Unreadable(f"a reference to nothing: {href[:40]}")
        if id in under or len(under) > DEEPEST:
            raise Unreadable("references in a ring")
        if id not in sizes:
            under.add(id)
            sizes[id] = size(targets[id])
            under.remove(id)
        return sizes[id]

    if size(body) > MOST_ELEMENTS:
        raise Unreadable("references unfold to too much")

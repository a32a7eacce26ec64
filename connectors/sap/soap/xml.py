"""XML from strangers: read whole or refused, never mended, and never a reason to fetch or to open anything.

No document type, no entity, no network, bounded in size and depth. `value` turns an element into plain Python
by local names, so that a field which a peer's upgrade has added is carried along and disturbs nobody.
"""

from __future__ import annotations

from typing import Any

MOST_BYTES = 10 * 1024 * 1024
DEEPEST = 64

SOAP_ENVELOPES = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")


class Unreadable(ValueError):
    """The bytes are no XML document that may be read; the text says why."""


def parse(body: bytes) -> Any:
    """The root element of a whole document. Raises Unreadable."""
    from lxml import etree  # type: ignore[import-untyped]

    if len(body) > MOST_BYTES:
        raise Unreadable(f"longer than {MOST_BYTES} bytes")
    if not body.strip():
        raise Unreadable("empty")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(str(error)) from None
    info = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        raise Unreadable("a document type (DTD) is not allowed")
    for element in root.iter():
        if not isinstance(element.tag, str):
            raise Unreadable("an entity is not allowed")
    _measure(root)
    return root


def local(element: Any) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def key(name: str) -> str:
    """How names are compared: PURCH_NO_C of an RFC service is PurchNoC of the same service in mixed case."""
    return name.replace("_", "").replace("-", "").upper()


def value(element: Any) -> Any:
    """Text, a dict by `key` of the children's names, or a list: of the `item` rows of a table, or of repeated names.

    Children beside the `item` rows are strangers and left out; an empty element is the empty text.
    """
    children = list(element)
    if not children:
        return (element.text or "").strip()
    items = [child for child in children if local(child) == "item"]
    if items:
        return [value(child) for child in items]
    told: dict[str, Any] = {}
    repeated: set[str] = set()
    for child in children:
        name, inner = key(local(child)), value(child)
        if name not in told:
            told[name] = inner
        elif name in repeated:
            told[name].append(inner)
        else:
            told[name] = [told[name], inner]
            repeated.add(name)
    return told


def rows(found: Any) -> list[dict[str, Any]]:
    """The rows of a table that may come as a list, as one structure, or empty. Raises Unreadable for anything else."""
    if found in ("", None):
        return []
    many = found if isinstance(found, list) else [found]
    for row in many:
        if not isinstance(row, dict):
            raise Unreadable("a table whose rows carry no fields")
    return many


def soap_body(root: Any) -> Any:
    """The one element inside the body of a SOAP 1.1 or 1.2 envelope, None when the body is empty. Raises Unreadable."""
    for space in SOAP_ENVELOPES:
        if root.tag == f"{{{space}}}Envelope":
            body = root.find(f"{{{space}}}Body")
            if body is None:
                raise Unreadable("an envelope without a body")
            return body[0] if len(body) else None
    raise Unreadable(f"{local(root)} instead of a SOAP envelope")


def _measure(root: Any) -> None:
    """Depth without recursion: what is too deep here would be too deep for everything after."""
    depth, waiting = 0, [root]
    while waiting:
        depth += 1
        if depth > DEEPEST:
            raise Unreadable(f"deeper than {DEEPEST} levels")
        waiting = [child for element in waiting for child in element]

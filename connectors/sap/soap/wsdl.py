"""The customer's own WSDL, read from text: which operations it has, and what each of them takes.

A WSDL comes from a stranger. Before zeep sees it, it is parsed once without document type, entities and network,
and every import is looked at: only schemas that are bundled here may be named. The host in its address is never
called; only the path behind it serves, where the connection's own address has none.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from connectors.sap.soap import xml
from tongshang.connect import FixSettings

BUNDLED = {
    "http://schemas.xmlsoap.org/soap/encoding/": "soap-encoding.xsd",
    "http://schemas.xmlsoap.org/soap/encoding": "soap-encoding.xsd",
}
BRINGING = {"import", "include", "redefine", "override"}
MULTIPLYING = {"group", "attributeGroup", "simpleType"}
MOST_FIELDS = 20_000  # of one operation; the largest BAPI has some thousands
MOST_UNFOLDED = 100_000  # fields of all groups, and members of all unions, wherever they are used
DECLARATION = re.compile(r"(?=<\?xml\s)")


def bundled(url: str) -> bytes:
    """The text of a bundled schema. Raises FixSettings for every other address: nothing is fetched, ever."""
    name = BUNDLED.get(url)
    if name is None:
        raise FixSettings("sap.wsdl_import", f"the WSDL wants {url[:200]}, which is not fetched")
    return files("connectors.sap.soap").joinpath("schemas", name).read_bytes()


@dataclass
class Node:
    """One parameter or field: a leaf, a structure (`inner`), or a table (`inner` of one row, `many`)."""

    name: str
    required: bool
    decimal: bool = False
    many: bool = False
    rows: str = ""  # the name of a row inside a table, `item`
    inner: dict[str, Node] | None = None


@dataclass(frozen=True)
class Operation:
    """One operation at one port. `path` is what stood behind the host in the WSDL."""

    name: str
    port: str
    path: str
    one_way: bool
    answer: str  # local name of the element an answer must carry
    takes: dict[str, Node]
    client: Any = field(repr=False)
    binding: str = ""


def documents(text: str) -> list[str]:
    """Several WSDLs may stand one after another in one file, each with its XML declaration."""
    return [part.strip() for part in DECLARATION.split(text.lstrip("\ufeff")) if part.strip()]


def operations(text: str, port: str, transport: Any) -> dict[str, Operation]:
    """Every operation of the text by its name, at the named port or else at a SOAP 1.1 one. Raises FixSettings."""
    if not text.strip():
        raise FixSettings("sap.wsdl_missing", "no WSDL was given")
    told: dict[str, Operation] = {}
    ports: list[str] = []
    for part in documents(text):
        for one in _read(part, transport, ports):
            if port and one.port != port:
                continue
            told.setdefault(one.name, one)
    if port and port not in ports:
        raise FixSettings("sap.port_missing", f"{port} is not among the ports: {', '.join(ports)}")
    if not told:
        raise FixSettings("sap.wsdl_unreadable", "the WSDL has no SOAP operation")
    return told


def _read(text: str, transport: Any, ports: list[str]) -> list[Operation]:
    root = _guarded(text)
    import zeep
    from lxml import etree  # type: ignore[import-untyped]
    from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding

    settings = zeep.Settings(
        strict=False,
        raw_response=True,
        force_https=False,
        forbid_dtd=True,
        forbid_entities=True,
        forbid_external=True,
        xml_huge_tree=False,
    )
    told: list[tuple[bool, Operation]] = []
    try:
        client = zeep.Client(io.BytesIO(etree.tostring(root)), transport=transport, settings=settings)
        for service in client.wsdl.services.values():
            for name, port in service.ports.items():
                if not isinstance(port.binding, SoapBinding):
                    continue
                ports.append(name)
                path = _path(str(port.binding_options.get("address") or ""))
                newer = isinstance(port.binding, Soap12Binding)
                for operation in port.binding.all().values():
                    told.append((newer, _operation(operation, name, path, client, port.binding)))
    except FixSettings:
        raise
    except RecursionError:
        raise FixSettings(
            "sap.wsdl_unreadable", "the types of the WSDL contain themselves too deeply"
        ) from None
    except Exception as error:  # noqa: BLE001  zeep raises whatever a broken description makes it stumble over
        raise FixSettings("sap.wsdl_unreadable", f"{type(error).__name__}: {error}"[:500]) from error
    return [one for _, one in sorted(told, key=lambda pair: pair[0])]


def _guarded(text: str) -> Any:
    """The parsed document, its imports looked at; what is bundled is no longer an import of an address."""
    try:
        root = xml.parse(text.encode("utf-8") if "encoding" not in text[:200] else _recoded(text))
    except xml.Unreadable as why:
        raise FixSettings("sap.wsdl_unreadable", str(why)) from None
    if xml.local(root) != "definitions":
        raise FixSettings(
            "sap.wsdl_unreadable", f"{xml.local(root)} is the root, not definitions: this is no WSDL"
        )
    for element in root.iter():
        if xml.local(element) not in BRINGING:
            continue
        for name in ("schemaLocation", "location"):
            wanted = element.get(name)
            if wanted:
                bundled(wanted)
                del element.attrib[name]
    _bounded(root)
    return root


def _bounded(root: Any) -> None:
    """Refuse what multiplies: groups that use each other twice, and unions of unions.

    zeep unfolds both as it reads, so thirty of them are a billion fields.
    """
    inside: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}
    for element in root.iter():
        kind = xml.local(element)
        if kind in MULTIPLYING and element.get("name"):
            name = f"{kind} {element.get('name')}"
            inside.setdefault(name, []).extend(_used(element))
            sizes[name] = sizes.get(name, 0) + (sum(1 for _ in element.iter()) if kind != "simpleType" else 1)
    try:
        for name in TopologicalSorter(inside).static_order():
            sizes[name] = sizes.get(name, 0) + sum(sizes[each] for each in inside.get(name, ()))
    except CycleError:
        raise FixSettings("sap.wsdl_unreadable", "groups or unions of the WSDL contain themselves") from None
    if sum(sizes[each] for each in _used(root)) > MOST_UNFOLDED:
        raise FixSettings("sap.wsdl_unreadable", f"its groups and unions come to more than {MOST_UNFOLDED} fields")


def _used(outer: Any) -> list[str]:
    """The groups that are named in an element, and the members of its unions."""
    found = []
    for each in outer.iter():
        kind = xml.local(each)
        if kind in MULTIPLYING and each.get("ref"):
            found.append(f"{kind} {_bare(each.get('ref'))}")
        elif kind == "union":
            found += [f"simpleType {_bare(member)}" for member in (each.get("memberTypes") or "").split()]
    return found


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


def _recoded(text: str) -> bytes:
    """An uploaded text has lost its encoding; what its declaration still says no longer holds."""
    return re.sub(r"^(<\?xml[^>]*?)\s+encoding\s*=\s*(\"[^\"]*\"|'[^']*')", r"\1", text).encode("utf-8")


def _path(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parts.path if parts.path.startswith("/") else ""


def _operation(operation: Any, port: str, path: str, client: Any, binding: Any) -> Operation:
    body = getattr(operation.input, "body", None)
    output = getattr(operation, "output", None)
    answer = getattr(getattr(output, "body", None), "qname", None)
    return Operation(
        name=str(operation.name),
        port=port,
        path=path,
        one_way=output is None,
        answer=str(answer.localname) if answer is not None else "",
        takes=_fields(body.type, (body.type,), [MOST_FIELDS]) if body is not None else {},
        client=client,
        binding=str(binding.name),
    )


def _fields(kind: Any, seen: tuple[Any, ...], left: list[int]) -> dict[str, Node]:
    """The children of a type by `xml.key` of their names. A type inside itself ends there.

    `left` holds how many fields may still be counted: a few types that use each other twice describe millions.
    """
    told: dict[str, Node] = {}
    for name, element in getattr(kind, "elements", ()):
        inner_kind = getattr(element, "type", None)
        if inner_kind is None or not name or name.startswith("_value"):
            continue
        left[0] -= 1
        if left[0] < 0:
            raise FixSettings("sap.wsdl_unreadable", f"an operation takes more than {MOST_FIELDS} fields")
        required = int(element.min_occurs) > 0 and not element.nillable and element.default is None
        many = element.max_occurs == "unbounded" or int(element.max_occurs) > 1
        inner: dict[str, Node] | None = None
        if getattr(inner_kind, "elements", None):
            inner = {} if inner_kind in seen else _fields(inner_kind, (*seen, inner_kind), left)
        node = Node(str(element.name), required, Decimal in _accepted(inner_kind), many, "", inner)
        row = next(iter(inner.values())) if inner and len(inner) == 1 else None
        if row is not None and row.many and not many:
            node.inner, node.many, node.rows = row.inner or {}, True, row.name
        told[xml.key(node.name)] = node
    return told


def _accepted(kind: Any) -> tuple[type, ...]:
    return tuple(getattr(kind, "accepted_types", ()) or ())

"""IDocs as XML: a root named after the basic type, one or more IDOCs, a control record first, then segments in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from connectors.sap.soap import xml

CONTROL = "EDI_DC40"


@dataclass
class Segment:
    """One segment: its fields as text, and the segments below it, each kind in the order it came."""

    name: str
    fields: dict[str, str] = field(default_factory=dict)
    below: list[Segment] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    def all(self, name: str) -> list[Segment]:
        return [one for one in self.below if one.name == name]

    def deep(self, name: str) -> list[Segment]:
        """Segments of a name at any depth."""
        told = []
        for one in self.below:
            told += ([one] if one.name == name else []) + one.deep(name)
        return told

    def first(self, name: str, **wanted: str) -> Segment | None:
        """The first segment of a name whose fields are as wanted."""
        for one in self.all(name):
            if all(one[key] == value for key, value in wanted.items()):
                return one
        return None

    def add(self, name: str, **given: str) -> Segment:
        """A segment below this one; empty fields are left out, since SAP takes a sent one for a value."""
        one = Segment(name, {key: value for key, value in given.items() if value})
        self.below.append(one)
        return one


@dataclass(frozen=True)
class Idoc:
    """One IDoc: its basic type, its control record, and its segments below a nameless top."""

    basic_type: str
    control: Mapping[str, str]
    top: Segment


def write(idoc: Idoc) -> bytes:
    control = Segment(CONTROL, {name: value for name, value in idoc.control.items() if value})
    inner = "".join(_write(one) for one in (control, *idoc.top.below))
    kind = idoc.basic_type
    return f'<?xml version="1.0" encoding="UTF-8"?><{kind}><IDOC BEGIN="1">{inner}</IDOC></{kind}>'.encode()


def enveloped(body: bytes) -> bytes:
    """The same inside a SOAP 1.1 envelope, as /sap/bc/srt/idoc wants it."""
    inner = body.decode("utf-8").partition("?>")[2]
    space = xml.SOAP_ENVELOPES[0]
    told = f'<soap-env:Envelope xmlns:soap-env="{space}"><soap-env:Body>{inner}</soap-env:Body></soap-env:Envelope>'
    return f'<?xml version="1.0" encoding="UTF-8"?>{told}'.encode()


def read(body: bytes) -> list[Idoc]:
    """Every IDoc of a body, bare or in a SOAP envelope. Raises xml.Unreadable."""
    root = xml.parse(body)
    if xml.local(root) == "Envelope":
        inside = xml.soap_body(root)
        if inside is None:
            raise xml.Unreadable("an envelope with nothing in it")
        root = inside
    told = []
    for one in root:
        if xml.local(one) != "IDOC":
            continue
        segments = [_read(child) for child in one]
        if not segments or segments[0].name != CONTROL:
            raise xml.Unreadable("an IDoc that does not begin with its control record")
        told.append(Idoc(xml.local(root), segments[0].fields, Segment("", {}, segments[1:])))
    if not told:
        raise xml.Unreadable(f"no IDOC in {xml.local(root)}")
    return told


def _write(segment: Segment) -> str:
    fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in segment.fields.items())
    below = "".join(_write(one) for one in segment.below)
    return f'<{segment.name} SEGMENT="1">{fields}{below}</{segment.name}>'


def _read(element: Any) -> Segment:
    told = Segment(xml.local(element))
    for child in element:
        if child.get("SEGMENT") is not None or len(child):
            told.below.append(_read(child))
        elif xml.local(child) in told.fields:
            raise xml.Unreadable(f"{told.name}: {xml.local(child)} twice")
        else:
            told.fields[xml.local(child)] = (child.text or "").strip()
    return told

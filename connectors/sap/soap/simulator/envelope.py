"""SOAP envelopes on the server's side: what a call asks for, and answers in the style it was asked in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree  # type: ignore[import-untyped]

SOAP11, SOAP12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
SPACE = "urn:sap-com:document:sap:rfc:functions"


class NotSoap(ValueError):
    """The body is no envelope."""


@dataclass(frozen=True)
class Asked:
    """A call: its operation, its parameters, and the version of SOAP it came in."""

    name: str
    given: Mapping[str, Any]
    newer: bool  # SOAP 1.2


def read(body: bytes) -> Asked:
    """Raises NotSoap."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise NotSoap(str(error)) from None
    if root.getroottree().docinfo.doctype:
        raise NotSoap("a DTD")
    for space in (SOAP11, SOAP12):
        if root.tag == f"{{{space}}}Envelope":
            inside = root.find(f"{{{space}}}Body")
            if inside is None or not len(inside):
                raise NotSoap("no body")
            return Asked(_local(inside[0]), _struct(inside[0]), space == SOAP12)
    raise NotSoap("no envelope")


def answer(asked: Asked, told: Mapping[str, Any], *, dotted: bool, extra: bool = False) -> bytes:
    """The answer element of a function; `extra` puts fields into it that no WSDL knows."""
    name = f"{asked.name}{'.' if dotted else ''}Response"
    inner = "".join(_write(key, value, extra) for key, value in told.items())
    if extra:
        inner = f"<ZZ_NEW_FIELD>neu</ZZ_NEW_FIELD>{inner}<ZZ_NEW_TABLE><item><A>1</A></item></ZZ_NEW_TABLE>"
    return envelope(f'<n0:{name} xmlns:n0="{SPACE}">{inner}</n0:{name}>', newer=asked.newer)


def fault(text: str, *, newer: bool = False, client: bool = False, exception: str = "") -> bytes:
    """A fault; with `exception` the one that a function raises."""
    detail = f'<rfc:Error xmlns:rfc="{SPACE}"><Name>{exception}</Name></rfc:Error>' if exception else ""
    if newer:
        code = f"soap-env:{'Sender' if client else 'Receiver'}"
        said = (
            f'<soap-env:Reason><soap-env:Text xml:lang="en">{escape(text)}</soap-env:Text></soap-env:Reason>'
        )
        value = f"<soap-env:Code><soap-env:Value>{code}</soap-env:Value></soap-env:Code>"
        inner = f"{value}{said}<soap-env:Detail>{detail}</soap-env:Detail>"
    else:
        code = f"soap-env:{'Client' if client else 'Server'}"
        inner = f'<faultcode>{code}</faultcode><faultstring xml:lang="en">{escape(text)}</faultstring><detail>{detail}</detail>'
    return envelope(f"<soap-env:Fault>{inner}</soap-env:Fault>", newer=newer)


def envelope(inner: str, *, newer: bool = False) -> bytes:
    space = SOAP12 if newer else SOAP11
    body = f"<soap-env:Header/><soap-env:Body>{inner}</soap-env:Body>"
    text = f'<soap-env:Envelope xmlns:soap-env="{space}">{body}</soap-env:Envelope>'
    return f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _struct(element: Any) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for child in element:
        name = _local(child)
        items = [each for each in child if _local(each) == "item"]
        value = (
            [_struct(each) for each in items] if items else _struct(child) if len(child) else child.text or ""
        )
        if name in told:
            before = told[name]
            told[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            told[name] = value
    return told


def _write(name: str, value: Any, extra: bool) -> str:
    if isinstance(value, list):
        more = "<ZZ_UPGRADE>1</ZZ_UPGRADE>" if extra else ""
        rows = "".join(
            "<item>" + "".join(_write(key, inner, extra) for key, inner in row.items()) + more + "</item>"
            for row in value
        )
        return f"<{name}>{rows}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"

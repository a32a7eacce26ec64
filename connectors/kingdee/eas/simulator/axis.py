"""Envelopes as Apache Axis 1.4 writes and reads them: rpc/encoded, beans behind references, faults with HTTP 500."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from connectors.kingdee.eas.envelope import SOAP, Unreadable, read
from connectors.kingdee.eas.session import HEADER

ENCODED = 'soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
SOAPENC = 'xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"'
XML = "text/xml; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """One call: its operation, the texts of its arguments in their order, and the session it claims."""

    operation: str
    space: str
    arguments: tuple[str, ...]
    session: str


def request(body: bytes, content_type: str) -> Request:
    """Raises Unreadable."""
    root = read(body, content_type)
    inner = root.find(f"{SOAP}Body")
    if root.tag != f"{SOAP}Envelope" or inner is None or len(inner) == 0:
        raise Unreadable("no SOAP envelope with a body")
    call = inner[0]
    header = root.find(f"{SOAP}Header/{HEADER}")
    space, _, name = call.tag.rpartition("}")
    return Request(
        operation=name,
        space=space.removeprefix("{"),
        arguments=tuple(part.text or "" for part in call),
        session=(header.text or "") if header is not None else "",
    )


def text(asked: Request, value: str) -> str:
    """A whole text as the answer."""
    inner = f'<{asked.operation}Return xsi:type="soapenc:string" {SOAPENC}>{escape(value)}</{asked.operation}Return>'
    return _envelope(_response(asked, inner))


def truth(asked: Request, value: bool) -> str:
    said = "true" if value else "false"
    inner = f'<{asked.operation}Return href="#id0"/>'
    referred = (
        f'<multiRef id="id0" soapenc:root="0" {ENCODED} xsi:type="xsd:boolean" {SOAPENC}>{said}</multiRef>'
    )
    return _envelope(_response(asked, inner) + referred)


def context(asked: Request, values: Mapping[str, str | None], database: int) -> str:
    """A WSContext: the bean behind one reference, and the number inside it behind another."""
    members = "".join(
        f'<{name} xsi:type="soapenc:string" xsi:nil="true"/>'
        if value is None
        else f'<{name} xsi:type="soapenc:string">{escape(value)}</{name}>'
        for name, value in sorted(values.items())
    )
    bean = (
        f'<multiRef id="id0" soapenc:root="0" {ENCODED} xsi:type="ns2:WSContext" {SOAPENC} xmlns:ns2="urn:client">'
        f'<dbType href="#id1"/>{members}</multiRef>'
    )
    whole = (
        f'<multiRef id="id1" soapenc:root="0" {ENCODED} xsi:type="xsd:int" {SOAPENC}>{database}</multiRef>'
    )
    return _envelope(_response(asked, f'<{asked.operation}Return href="#id0"/>') + bean + whole)


def fault(code: str, message: str) -> str:
    """Answered with HTTP 500."""
    detail = '<ns1:hostname xmlns:ns1="http://xml.apache.org/axis/">eas-app-01</ns1:hostname>'
    return _envelope(
        f"<soapenv:Fault><faultcode>soapenv:{escape(code)}</faultcode>"
        f"<faultstring>{escape(message)}</faultstring><detail>{detail}</detail></soapenv:Fault>"
    )


def _response(asked: Request, inner: str) -> str:
    name = f"ns1:{asked.operation}Response"
    return f"<{name} {ENCODED} xmlns:ns1={quoteattr(asked.space)}>{inner}</{name}>"


def _envelope(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )

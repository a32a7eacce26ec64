"""SAP by IDoc as the platform sees it: what it asks for, how it is checked, how it hears deliveries and invoices."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar
from xml.sax.saxutils import escape, quoteattr

import requests

from connectors.sap.idoc import segments
from connectors.sap.idoc.inbound import Unusable, Words, records
from connectors.sap.idoc.link import IdocLink
from connectors.sap.idoc.orders import ISO_UNITS, Layout, Partners
from connectors.sap.idoc.settings import SETTINGS
from connectors.sap.soap import xml
from connectors.sap.soap.names import WRAPPER
from connectors.sap.soap.system import NOBODY, client_of, site_of
from tongshang.connect import (
    Access,
    Connector,
    FixSettings,
    Heard,
    Incoming,
    Push,
    PushAnswer,
    PushRefused,
    Setting,
    Step,
    Stream,
    SyncError,
    probe,
)

XML = "text/xml; charset=utf-8"
NAMES = WRAPPER | {
    "ask.idoc": "ARCKEY",
    "idocs": "IDOCS",
    "idoc.number": "DOCNUM",
    "idoc.status": "STATUS",
    "idoc.text": "STATUS_TEXT",
}


class SapIdoc(Connector):
    """Orders out as ORDERS05, deliveries and invoices in; orders are found again through a reading function."""

    key: ClassVar[str] = "sap_idoc"
    title: ClassVar[str] = "SAP (IDoc)"
    summary: ClassVar[str] = "Sales orders out as IDocs, deliveries and invoices in"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    streams: ClassVar[tuple[type[Stream], ...]] = ()
    unique_reference: ClassVar[bool] = False
    can_look_up: ClassVar[bool] = True  # through the reading function, which is why it is required
    settle: ClassVar[timedelta] = timedelta(minutes=10)  # IDocs may be processed by a job
    hears: ClassVar[bool] = True

    def open(self, access: Access, http: requests.Session) -> IdocLink:
        site = site_of(access, NAMES)
        iso = access.table("iso_units", ISO_UNITS)
        layout = Layout(
            sales_org=site.sales_org,
            channel=site.channel,
            division=site.division,
            doc_type=site.doc_type,
            units={theirs: iso[ours] for ours, theirs in reversed(list(site.units.items())) if ours in iso},
            material_digits=site.material_digits,
        )
        partners = Partners(
            client=access["sap_client"],
            sender_port=access["our_port"],
            sender=access["our_partner"],
            receiver_port=access["their_port"],
            receiver=access["their_partner"],
        )
        return IdocLink(client_of(access, http), site, access, partners, layout)

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        reached = [Step(stage, ok, said) for stage, ok, said in probe(http, access.base_url)]
        yield from reached
        if not all(step.ok for step in reached):
            return
        link = self.open(access, http)
        for name, look in (
            ("wsdl", _look_at_wsdl),
            ("functions", _look_at_functions),
            ("partners", _look_at_partners),
            ("read", _look_for_nobody),
        ):
            try:
                yield Step(name, True, look(link))
            except SyncError as error:
                yield Step(name, False, f"{error.code}: {error.message}")
                return

    def hear(self, access: Access, push: Push) -> Heard:
        """One call of SAP's XML-HTTP port: deliveries and invoices. The login is looked at before anything else."""
        _admit(access, push)
        try:
            found = segments.read(push.body)
        except xml.Unreadable as why:
            raise _refused(400, "sap.unreadable", str(why)) from None
        iso = access.table("iso_units", ISO_UNITS)
        words = Words({theirs: ours for ours, theirs in reversed(iso.items())}, access["gross_sum"] or "011")
        told: list[Incoming] = []
        numbers, kinds = [], []
        for idoc in found:
            sender, number = idoc.control.get("SNDPRN", ""), idoc.control.get("DOCNUM", "")
            if access["their_partner"] and sender != access["their_partner"]:
                raise _refused(403, "sap.sender_unknown", f"{sender or 'nobody'} is not the partner set here")
            if not number.strip("0"):
                raise _refused(422, "sap.docnum_missing", "an IDoc without DOCNUM")
            try:
                told += records(idoc, words)
            except Unusable as why:
                raise _refused(422, why.code, f"IDoc {number.lstrip('0')}: {why}") from None
            numbers.append(number)
            kinds.append(idoc.control.get("MESTYP", ""))
        key = f"{found[0].control.get('SNDPOR', '')}:{'+'.join(numbers)}"
        answer = "".join(f"<IDOC DOCNUM={quoteattr(number)}/>" for number in numbers)
        body = f'<?xml version="1.0" encoding="UTF-8"?><RECEIVED>{answer}</RECEIVED>'.encode()
        return Heard(key, tuple(told), PushAnswer(body, 200, XML), kind="+".join(dict.fromkeys(kinds)))

    def demo_values(self) -> Mapping[str, str]:
        from connectors.sap.soap.simulator import DEMO_VALUES, IDOC_SOAP  # only the demo needs the simulator

        return {
            **DEMO_VALUES,
            "our_port": "TONGSHANG",
            "our_partner": "TONGSHANG",
            "their_port": "SAPQAS",
            "their_partner": "QASCLNT100",
            "idoc_path": IDOC_SOAP,
            "hear_user": "SAPQAS",
            "hear_password": "Ankunft-1",
        }


def _admit(access: Access, push: Push) -> None:
    """The login of the RFC destination (SM59) that SAP calls with; without one set nobody is let in."""
    wanted = f"{access['hear_user']}:{access['hear_password']}".encode()
    kind, _, told = push.headers.get("authorization", "").partition(" ")
    try:
        given = b64decode(told.strip(), validate=True) if kind.lower() == "basic" else b""
    except ValueError:
        given = b""
    known = bool(access["hear_user"] and access["hear_password"])
    if not (hmac.compare_digest(given, wanted) and known):
        raise _refused(401, "sap.push_login", "user or password of the call is wrong")
    if push.method != "POST":
        raise _refused(405, "sap.push_method", f"{push.method} instead of POST")


def _refused(status: int, code: str, said: str) -> PushRefused:
    body = f'<?xml version="1.0" encoding="UTF-8"?><REFUSED CODE={quoteattr(code)}>{escape(said[:500])}</REFUSED>'
    return PushRefused(code, said, PushAnswer(body.encode(), status, XML))


def _look_at_wsdl(link: IdocLink) -> str:
    return ", ".join(sorted(link.client.operations)[:12])


def _look_at_functions(link: IdocLink) -> str:
    """The reader is there; of the status function is said what its absence means."""
    link.client.operation(link.access["op_read"])
    name = link.access["op_status"]
    if name and name in link.client.operations:
        return ""
    return (
        "no function tells the status of an IDoc: one that waits longer than ten minutes would be sent again"
    )


def _look_at_partners(link: IdocLink) -> str:
    for setting in ("our_port", "our_partner", "their_port", "their_partner", "sap_client"):
        if not link.access[setting]:
            raise FixSettings(
                "sap.partner_missing", f"{setting} is missing; the partner profile (WE20) needs it"
            )
    return link.url()


def _look_for_nobody(link: IdocLink) -> str:
    found = link.find(NOBODY)
    return "" if found is None else found.number

"""SAP over SOAP as the platform sees it: what it asks for and how it is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

import requests

from connectors.sap.soap.client import Client, node_at, unfilled
from connectors.sap.soap.link import BulkLink, FunctionLink, Reader
from connectors.sap.soap.mapping import CURRENCIES, UNITS, Site
from connectors.sap.soap.names import BULK, NEEDED_TO_WRITE, WRAPPER, Names
from connectors.sap.soap.settings import BULK_SETTINGS, SETTINGS
from connectors.sap.soap.signin import SignIn
from tongshang.connect import (
    Access,
    Bill,
    Connector,
    FixSettings,
    RemoteLine,
    Setting,
    Step,
    Stream,
    SyncError,
    probe,
)

NOBODY = "TS-CHECK-0000"  # a reference that no order has


def client_of(access: Access, http: requests.Session) -> Client:
    return Client(
        http,
        access.base_url,
        access["wsdl"],
        SignIn(access, http),
        port=access["port"],
        sap_client=access["sap_client"],
        rolls_back=access["rolls_back"] == "1",
    )


def site_of(access: Access, standard: Mapping[str, str]) -> Site:
    return Site(
        names=Names(access.table("names", standard)),
        sales_org=access.organisation,
        doc_type=access["doc_type"] or "TA",
        channel=access["channel"],
        division=access["division"],
        units=access.table("units", UNITS),
        currencies=access.table("currencies", CURRENCIES),
        partners=access.table("partners", {}),
        materials=access.table("materials", {}),
        constants=access.table("constants", {}),
        material_digits=int(access["material_digits"] or 18),
        compact_dates=access["dates"] == "compact",
    )


class SapSoap(Connector):
    """Sales orders through functions of the customer's own that wrap the BAPI and commit."""

    key: ClassVar[str] = "sap_soap"
    title: ClassVar[str] = "SAP (SOAP functions)"
    summary: ClassVar[str] = "Sales orders out through your own functions, from your own WSDL"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    streams: ClassVar[tuple[type[Stream], ...]] = ()
    unique_reference: ClassVar[bool] = False  # SAP takes a second order with the same purchase order number
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=60)
    names: ClassVar[Mapping[str, str]] = WRAPPER
    writers: ClassVar[tuple[str, ...]] = ("op_create", "op_change", "op_cancel")

    def open(self, access: Access, http: requests.Session) -> Reader:
        return FunctionLink(client_of(access, http), site_of(access, self.names), access)

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        reached = [Step(stage, ok, said) for stage, ok, said in probe(http, access.base_url)]
        yield from reached
        if not all(step.ok for step in reached):
            return
        link = self.open(access, http)
        for name, look in (
            ("wsdl", _look_at_wsdl),
            ("functions", self._look_at_functions),
            ("parameters", self._look_at_parameters),
            ("read", _look_for_nobody),
        ):
            try:
                yield Step(name, True, look(link))
            except SyncError as error:
                yield Step(name, False, f"{error.code}: {error.message}")
                return

    def _look_at_functions(self, link: Reader) -> str:
        """The two that are needed are there and are no bare BAPIs; of the others is said which are missing."""
        for setting in ("op_create", "op_read"):
            link.client.operation(link.access[setting])
        if link.client.operation(link.access["op_create"]).one_way:
            raise FixSettings(
                "sap.one_way", f"{link.access['op_create']} is one-way: connect the bulk service instead"
            )
        missing = []
        for setting in (*self.writers[1:], "op_customer"):
            name = link.access[setting]
            if name and name in link.client.operations:
                link.client.operation(name)
            else:
                missing.append(name or setting)
        return f"missing, and done without: {', '.join(missing)}" if missing else ""

    def _look_at_parameters(self, link: Reader) -> str:
        """Everything an order needs can be carried, and everything demanded is filled."""
        operation = link.client.operation(link.access["op_create"])
        names, lost = link.site.names, []
        for ours, theirs in sorted(self.names.items()):
            path = names[ours]
            inner = ours.startswith("item.")
            if inner:
                path = f"{names['items']}.{path}" if path else ""
            outgoing = (
                inner
                or "." not in ours
                and ours not in ("return", "orders", "lines", "customer", "customers")
            )
            if not outgoing or (path and node_at(operation.takes, path)):
                continue
            if ours in NEEDED_TO_WRITE:
                raise FixSettings(
                    "sap.parameter_missing", f"{operation.name} has no {path or theirs} for {ours}"
                )
            if path and ours != "document":
                lost.append(theirs)
        missing = unfilled(operation.takes, link.site.tree(_example(), "1"))
        if missing:
            said = f"{operation.name} demands {', '.join(missing)}, which no setting fills"
            raise FixSettings("sap.parameter_unfilled", said)
        return f"not carried: {', '.join(lost)}" if lost else ""

    def demo_values(self) -> Mapping[str, str]:
        from connectors.sap.soap.simulator import DEMO_VALUES  # only the demo needs the simulator

        return DEMO_VALUES


class SapBulk(SapSoap):
    """Sales orders through S/4HANA's asynchronous service; what became of them is read back."""

    key: ClassVar[str] = "sap_bulk"
    title: ClassVar[str] = "SAP (asynchronous order service)"
    summary: ClassVar[str] = "Sales orders out as messages, read back until they appear"
    settings: ClassVar[tuple[Setting, ...]] = BULK_SETTINGS
    settle: ClassVar[timedelta] = timedelta(minutes=10)  # a message may wait in a queue
    names: ClassVar[Mapping[str, str]] = BULK
    writers: ClassVar[tuple[str, ...]] = ("op_create",)

    def open(self, access: Access, http: requests.Session) -> Reader:
        return BulkLink(client_of(access, http), site_of(access, self.names), access)

    def _look_at_functions(self, link: Reader) -> str:
        link.client.operation(link.access["op_read"])
        operation = link.client.operation(link.access["op_create"])
        if not operation.one_way:
            raise FixSettings(
                "sap.not_one_way", f"{operation.name} gives an answer: connect the functions instead"
            )
        return ""

    def demo_values(self) -> Mapping[str, str]:
        from connectors.sap.soap.simulator import DEMO_BULK

        return DEMO_BULK


def _look_at_wsdl(link: Reader) -> str:
    found = link.client.operations
    return ", ".join(f"{name} ({one.port})" for name, one in sorted(found.items())[:12])


def _look_for_nobody(link: Reader) -> str:
    """The first true call: it proves address, login, authorisation and the shape of the answer."""
    found = link.find(NOBODY)
    return "" if found is None else found.number


def _example() -> Bill:
    line = RemoteLine("EXAMPLE", Decimal(1), "ST", Decimal(1), Decimal(1))
    day = date(2026, 1, 1)
    body = {
        "ordered_on": day,
        "wanted_on": day,
        "ship_to": "",
        "buyer_po": "",
        "note": "",
        "version": 1,
        "texts": [""],
        "nos": ["000010"],
    }
    return Bill(NOBODY, "1", "CNY", Decimal(1), (line,), body)

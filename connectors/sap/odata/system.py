"""SAP as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar

import requests

from connectors.sap.odata import wire
from connectors.sap.odata.client import Client
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import ORDERS, PRODUCTS, SiteMapping
from connectors.sap.odata.session import System
from connectors.sap.odata.signin import Basic, Certificate, ClientCredentials, Credentials
from connectors.sap.odata.streams import STREAMS
from tongshang.connect import (
    Access,
    Connector,
    FixSettings,
    Rejected,
    Setting,
    Step,
    Stream,
    SyncError,
    probe,
)

NEEDED = {
    "basic": ("user", "password"),
    "oauth": ("token_url", "client_id", "client_secret"),
    "certificate": (),
}


class SapOData(Connector):
    """S/4HANA over the OData services of its API hub, one connection per client and sales area."""

    key: ClassVar[str] = "sap_odata"
    title: ClassVar[str] = "SAP S/4HANA (OData)"
    summary: ClassVar[str] = "Sales orders out; products, partners, stock, deliveries and invoices in"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("sap_client", "SAP client", hint="Three digits, such as 100; empty for the system's default"),
        Setting("language", "Language", required=True, default="ZH", hint="Two letters: ZH or EN"),
        Setting("channel", "Distribution channel", required=True, default="10"),
        Setting("division", "Division", required=True, default="00"),
        Setting("order_type", "Sales order type", required=True, default="OR"),
        Setting("condition_type", "Condition type of the price", required=True, default="PPR0"),
        Setting(
            "price_basis",
            "Prices of this condition type",
            kind="choice",
            required=True,
            default="net",
            choices=(("net", "Without tax"), ("gross", "With tax")),
            hint="With tax keeps every amount to the cent",
        ),
        Setting(
            "rejection_reason",
            "Reason for rejection",
            required=True,
            hint="Two digits; stands on items of cancelled orders",
        ),
        Setting("plants", "Plants", hint="Stock is read of these; with commas: 1010,1020"),
        Setting(
            "way",
            "Way to sign in",
            kind="choice",
            required=True,
            default="basic",
            choices=(
                ("basic", "User and password"),
                ("oauth", "OAuth 2.0 client"),
                ("certificate", "Client certificate"),
            ),
            hint="A client certificate is kept with the connection itself",
        ),
        Setting("user", "User", hint="A technical user of its own, never a dialog user"),
        Setting("password", "Password", kind="secret"),
        Setting("token_url", "Address of the token endpoint", hint="https://…/sap/bc/sec/oauth2/token"),
        Setting("client_id", "OAuth client id"),
        Setting("client_secret", "OAuth client secret", kind="secret"),
        Setting("scope", "OAuth scope", hint="Only when the system asks for one"),
        Setting("units", "Units", kind="pairs", hint="Only where they differ, one a line: pcs=PC"),
        Setting("currencies", "Currencies", kind="pairs", hint="Only where they differ, one a line: CNY=CNY"),
        Setting(
            "ship_to",
            "Ship-to parties",
            kind="pairs",
            hint="Delivery address as it stands on the order = customer number",
        ),
        Setting("ship_to_function", "Partner function of the ship-to party", default="SH"),
    )
    streams: ClassVar[tuple[type[Stream], ...]] = STREAMS
    unique_reference: ClassVar[bool] = False
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=15)

    def open(self, access: Access, http: requests.Session) -> SapLink:
        return SapLink(self._client(access, http), SiteMapping(access))

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        reached = [Step(stage, ok, said) for stage, ok, said in probe(http, access.base_url)]
        yield from reached
        if not all(step.ok for step in reached):
            return
        for name, look in (
            ("login", self._look_at_login),
            ("service", self._look_for_services),
            ("organisation", self._look_at_sales_area),
            ("read", self._look_at_a_product),
        ):
            try:
                yield Step(name, True, look(access, http))
            except SyncError as error:
                yield Step(name, False, f"{error.code}: {error.message}")
                return
            except wire.Unreadable as error:
                yield Step(name, False, f"sap.unreadable: {error}")
                return

    def demo_values(self) -> Mapping[str, str]:
        from connectors.sap.odata.simulator import DEMO  # only the demo needs the simulator

        return {
            "sap_client": DEMO.client,
            "user": DEMO.user,
            "password": DEMO.password,
            "rejection_reason": DEMO.rejection,
            "plants": ",".join(DEMO.plants),
        }

    def _look_at_login(self, access: Access, http: requests.Session) -> str:
        """The token of the order service: proves the user, the service and that cookies come back."""
        client = self._client(access, http)
        client.csrf(ORDERS)
        return access["user"] or access["client_id"]

    def _look_for_services(self, access: Access, http: requests.Session) -> str:
        value = self._client(access, http).get(ORDERS, "")
        inner = value.get("d") if isinstance(value, dict) else None
        sets = inner.get("EntitySets") if isinstance(inner, dict) else None
        if not isinstance(sets, list) or "A_SalesOrder" not in sets:
            raise FixSettings("sap.service_missing", f"{ORDERS.name} offers no A_SalesOrder")
        return ORDERS.name

    def _look_at_sales_area(self, access: Access, http: requests.Session) -> str:
        if not access.organisation:
            raise FixSettings("sap.organisation_missing", "the sales organisation is missing")
        if not access["rejection_reason"]:
            raise FixSettings("sap.rejection_reason_missing", "the reason for rejection is missing")
        where = (
            f"SalesOrganization eq {wire.literal(access.organisation)}"
            f" and DistributionChannel eq {wire.literal(access['channel'] or '10')}"
            f" and OrganizationDivision eq {wire.literal(access['division'] or '00')}"
        )
        query = {"$filter": where, "$top": "1", "$orderby": "SalesOrder"}
        rows = self._client(access, http).page(ORDERS, "A_SalesOrder", query)
        area = f"{access.organisation}/{access['channel'] or '10'}/{access['division'] or '00'}"
        return f"{area} {wire.text(rows.entities[0], 'SalesOrder')}" if rows.entities else area

    def _look_at_a_product(self, access: Access, http: requests.Session) -> str:
        query = {"$top": "1", "$orderby": "Product", "$expand": "to_Description"}
        rows = self._client(access, http).page(PRODUCTS, "A_Product", query)
        seen = wire.text(rows.entities[0], "Product") if rows.entities else ""
        shut = self._shut(access, http)
        return f"{seen}; cannot be read: {', '.join(shut)}" if shut else seen

    def _shut(self, access: Access, http: requests.Session) -> list[str]:
        """The streams whose service is not active or not allowed to the user; such a stream stays off, the rest works."""
        client, shut = self._client(access, http), []
        for kind in STREAMS:
            try:
                client.page(kind.service, kind.set, {"$top": "1", "$orderby": kind.id})
            except (FixSettings, Rejected) as error:
                shut.append(f"{kind.key} ({error.code})")
        return shut

    @staticmethod
    def _client(access: Access, http: requests.Session) -> Client:
        system = System(access.base_url, access["sap_client"], access["language"] or "ZH")
        return Client(http, system, _credentials(access))


def _credentials(access: Access) -> Credentials:
    way = access["way"] or "basic"
    for key in NEEDED[way]:
        if not access[key]:
            raise FixSettings("sap.credentials_missing", f"{key} is missing for this way to sign in")
    if way == "oauth":
        return ClientCredentials(
            access["token_url"], access["client_id"], access["client_secret"], access["scope"]
        )
    return Certificate() if way == "certificate" else Basic(access["user"], access["password"])

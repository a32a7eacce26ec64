"""SAP as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar

import requests

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import System
from connectors.sap.odata.client import Client
from connectors.sap.odata.dialect import dialect_of
from connectors.sap.odata.filing.purchases import PURCHASES
from connectors.sap.odata.filing.receipts import MOVEMENTS
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import PRODUCTS, SiteMapping
from connectors.sap.odata.prices import Prices
from connectors.sap.odata.settings import BUYING
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
    summary: ClassVar[str] = (
        "Sales orders, purchase orders and goods receipts out; master data, prices, stock and documents in"
    )
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
        *BUYING,
    )
    documents: ClassVar[tuple[str, ...]] = ("sales_order", "purchase_order", "receipt")
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
                seen = look(access, http)
                yield seen if isinstance(seen, Step) else Step(name, True, seen)
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
            "company_code": "1010",
            "purchasing_organization": "1010",
            "purchasing_group": "001",
            "receiving_plant": "1010",
            "receiving_place": "101A",
            "taxes": "0.13=J1\n0.09=J2\n0.06=J3\n0=J0",
            "price_record_vat": "13",
        }

    def _look_at_login(self, access: Access, http: requests.Session) -> str:
        """The token of the order service: proves the user, the service and that cookies come back."""
        client = self._client(access, http)
        client.csrf(dialect_of(access["odata_version"]).service)
        return access["user"] or access["client_id"]

    def _look_for_services(self, access: Access, http: requests.Session) -> str:
        taker = dialect_of(access["odata_version"])
        if taker.orders not in wire.sets(self._client(access, http).get(taker.service, "")):
            raise FixSettings("sap.service_missing", f"{taker.service.name} offers no {taker.orders}")
        return taker.service.name

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
        taker = dialect_of(access["odata_version"])
        rows = self._client(access, http).page(taker.service, taker.orders, query)
        area = f"{access.organisation}/{access['channel'] or '10'}/{access['division'] or '00'}"
        return f"{area} {wire.text(rows.entities[0], 'SalesOrder')}" if rows.entities else area

    def _look_at_a_product(self, access: Access, http: requests.Session) -> Step:
        query = {"$top": "1", "$orderby": "Product", "$expand": "to_Description"}
        rows = self._client(access, http).page(PRODUCTS, "A_Product", query)
        seen = wire.text(rows.entities[0], "Product") if rows.entities else ""
        shut = self._shut(access, http)
        said = f"{seen}; cannot be read: {', '.join(f'{key} ({why})' for key, why in shut.items())}" if shut else seen
        return Step("read", True, said, tuple(shut))

    def _shut(self, access: Access, http: requests.Session) -> dict[str, str]:
        """What goes by a service that is not active or not allowed to the user: that stays off, the rest works."""
        client = self._client(access, http)
        shut = {} if access["price_record_vat"] else {Prices.key: "sap.price_vat_missing"}
        looks = [(kind.key, kind.service, kind.set, kind.id) for kind in STREAMS]
        if access["company_code"]:
            looks.append(("purchase_order", PURCHASES, "A_PurchaseOrder", "PurchaseOrder"))
            looks.append(("receipt", MOVEMENTS, "A_MaterialDocumentHeader", "MaterialDocument"))
        for key, service, name, order in looks:
            try:
                client.page(service, name, {"$top": "1", "$orderby": order})
            except (FixSettings, Rejected) as error:
                shut.setdefault(key, error.code)
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

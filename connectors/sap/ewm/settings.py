"""What a tenant tells of an EWM, and the client that comes of it. Its warehouse number is the connection's organisation."""

from __future__ import annotations

import requests

from connectors.sap.odata.addresses import System
from connectors.sap.odata.client import Client
from connectors.sap.odata.signin import Basic, Certificate, ClientCredentials, Credentials
from tongshang.connect import Access, FixSettings, Setting

NEEDED = {
    "basic": ("user", "password"),
    "oauth": ("token_url", "client_id", "client_secret"),
    "certificate": (),
}
ELSEWHERE = "s4"
SETTINGS = (
    Setting("sap_client", "SAP client", hint="Three digits, such as 100; empty for the system's default"),
    Setting("language", "Language", required=True, default="ZH", hint="Two letters: ZH or EN"),
    Setting(
        "shipping_point",
        "Shipping point",
        hint="Four characters; empty: S/4 takes the one of the order's item",
    ),
    Setting(
        "stock_types",
        "Stock types",
        required=True,
        default="F2",
        hint="Stock types that are free for use, with commas: F1,F2",
    ),
    Setting(
        "party", "Party entitled to dispose", hint="Business partner number; empty: stock of every party"
    ),
    Setting(
        "issued",
        "Statuses of a whole goods issue",
        required=True,
        default="9,C",
        hint="As the outbound delivery order shows them, with commas",
    ),
    Setting(
        "issues",
        "Goods issues are read",
        kind="choice",
        required=True,
        default=ELSEWHERE,
        choices=(
            (ELSEWHERE, "By the connection to S/4"),
            ("here", "Here, and the deliveries of the connection to S/4 are switched off"),
        ),
        hint="Never by both: the same goods would ship twice",
    ),
    Setting(
        "purchase_reference",
        "Field of our reference on purchase orders",
        default="CorrespncInternalReference",
        hint="The same as where purchase orders are filed",
    ),
    Setting("company_code", "Company code of purchase orders", hint="Empty: of every company"),
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
)


def client_of(access: Access, http: requests.Session) -> Client:
    """The OData client of the system; no call yet. Raises FixSettings for a way to sign in that lacks something."""
    system = System(access.base_url, access["sap_client"], access["language"] or "ZH")
    return Client(http, system, _credentials(access))


def _credentials(access: Access) -> Credentials:
    way = access["way"] or "basic"
    for key in NEEDED[way]:
        if not access[key]:
            raise FixSettings("ewm.credentials_missing", f"{key} is missing for this way to sign in")
    if way == "oauth":
        return ClientCredentials(
            access["token_url"], access["client_id"], access["client_secret"], access["scope"]
        )
    return Certificate() if way == "certificate" else Basic(access["user"], access["password"])

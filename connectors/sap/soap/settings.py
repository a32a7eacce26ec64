"""What a site has to tell: the WSDL, the functions in it, and how it files an order."""

from __future__ import annotations

from connectors.sap.soap.signin import BASIC, CERTIFICATE, OAUTH
from tongshang.connect import Setting

LOGIN = (
    Setting(
        "way",
        "Way to sign in",
        kind="choice",
        required=True,
        default=BASIC,
        choices=(
            (BASIC, "User and password"),
            (OAUTH, "OAuth 2.0 client"),
            (CERTIFICATE, "Client certificate"),
        ),
        hint="A certificate is given with the connection itself, not here",
    ),
    Setting(
        "username", "User", hint="A user of its own of type system, allowed to call these functions only"
    ),
    Setting("password", "Password", kind="secret"),
    Setting("token_url", "Address of the token endpoint", hint="https://…/sap/bc/sec/oauth2/token"),
    Setting("client_id", "OAuth client id"),
    Setting("client_secret", "OAuth client secret", kind="secret"),
    Setting("scope", "OAuth scope", hint="Only when the system asks for one"),
    Setting("sap_client", "SAP client", hint="Three digits, such as 100; empty where the address says it"),
)

WSDL = (
    Setting(
        "wsdl",
        "WSDL",
        kind="file",
        required=True,
        hint="As SOAMANAGER or /sap/bc/soap/wsdl gives it. Several: one after another in one file",
    ),
    Setting("port", "Port", hint="Name of the port in the WSDL; empty takes the one with SOAP 1.1"),
)

READERS = (
    Setting(
        "op_read",
        "Function to find an order",
        required=True,
        default="Z_TS_SALESORDER_READ",
        hint="Finds orders by our number in the customer's purchase order field",
    ),
    Setting(
        "op_customer",
        "Function to find a customer",
        default="Z_TS_CUSTOMER_FIND",
        hint="By tax number; may be missing",
    ),
)

FILING = (
    Setting("doc_type", "Order type", default="TA", hint="AUART, internal: TA is OR in English"),
    Setting("channel", "Distribution channel", default="10"),
    Setting("division", "Division", default="00"),
    Setting(
        "material_digits",
        "Length of material numbers",
        kind="choice",
        default="18",
        choices=(("18", "18 (ECC)"), ("40", "40 (S/4HANA with long numbers)")),
    ),
    Setting("units", "Units", kind="pairs", hint="Only where they differ, one a line: pcs=ST"),
    Setting("currencies", "Currencies", kind="pairs", hint="Only where they differ, one a line: CNY=CNY"),
)

NAMING = (
    Setting(
        "names",
        "Names of parameters",
        kind="pairs",
        hint="Only where they differ: reference=ORDER_HEADER_IN.PURCH_NO_C; - leaves a field out",
    ),
    Setting("constants", "Fixed values", kind="pairs", hint="Further parameters, one a line: PLANT=1000"),
    Setting(
        "dates",
        "Dates",
        kind="choice",
        default="iso",
        choices=(("iso", "2026-12-05"), ("compact", "20261205")),
    ),
)

SETTINGS = (
    *LOGIN,
    *WSDL,
    Setting(
        "op_create",
        "Function to create an order",
        required=True,
        default="Z_TS_SALESORDER_CREATE",
        hint="Your own function that calls the BAPI and commits, never the BAPI itself",
    ),
    Setting("op_change", "Function to change an order", default="Z_TS_SALESORDER_CHANGE"),
    Setting("op_cancel", "Function to cancel an order", default="Z_TS_SALESORDER_CANCEL"),
    *READERS,
    Setting(
        "rolls_back",
        "The functions roll back when they answer an error",
        kind="flag",
        default="1",
        hint="Without it an error row proves nothing, and every one is looked up",
    ),
    Setting(
        "retry_messages",
        "Messages that time heals",
        kind="pairs",
        hint="Class and number, one a line: V1 042=locked; V1 042=no takes one away",
    ),
    *FILING,
    *NAMING,
)

BULK_SETTINGS = (
    *LOGIN,
    *WSDL,
    Setting(
        "op_create",
        "Operation of the bulk service",
        required=True,
        default="SalesOrderBulkRequest_In",
        hint="One-way: it answers only that the message has arrived",
    ),
    *READERS,
    Setting(
        "sender", "Sender system", required=True, default="TONGSHANG", hint="As agreed for the message header"
    ),
    Setting(
        "retry_messages",
        "Messages that time heals",
        kind="pairs",
        hint="Class and number, one a line: V1 042=locked; V1 042=no takes one away",
    ),
    *FILING,
    *NAMING,
)

"""What a tenant tells of a FLUX warehouse. Its warehouse code is the connection's organisation."""

from __future__ import annotations

from tongshang.connect import Setting

SETTINGS = (
    Setting(
        "gateway",
        "Gateway",
        kind="choice",
        default="form",
        choices=(("form", "Form (V3, OMS)"), ("json", "JSON (V4, V5)")),
    ),
    Setting("app_key", "App key", required=True),
    Setting("app_token", "App token", kind="secret", required=True),
    Setting(
        "secret",
        "App secret",
        kind="secret",
        required=True,
        hint="The same one signs what the warehouse sends",
    ),
    Setting("owner", "Owner code", required=True, hint="customerId of the goods"),
    Setting("customer", "Calling customer", hint="client_customerid; the owner when empty"),
    Setting("database", "Database of the gateway", hint="client_db, as the warehouse gave it"),
    Setting(
        "sign",
        "Signature variant",
        kind="choice",
        default="base64",
        choices=(
            ("base64", "As published"),
            ("upper", "In upper case"),
            ("twice", "Percent-encoded twice"),
        ),
    ),
    Setting("order_type", "Order type there", default="SO"),
    Setting("asn_type", "Type of inbound orders", default="PO", hint="orderType of announcements (ASN)"),
    Setting("carrier", "Carrier code", hint="carrierId on every order"),
    Setting("cancelled", "States of cancelled orders", default="90", hint="With commas"),
    Setting("constants", "Fields on every order", kind="pairs", hint="One a line: userDefine4=TS"),
    Setting("unit", "Unit of count", default="pcs", hint="Our unit in which the warehouse counts"),
    Setting("item_units", "Other units of count", kind="pairs", hint="Item by item, one a line: RB-16=kg"),
    Setting("factors", "Conversions", kind="pairs", hint="One a line: box/pcs=24"),
    Setting(
        "fractions",
        "Fractions",
        kind="choice",
        default="0",
        choices=(("0", "Whole quantities only"), ("1", "Fractions are taken")),
    ),
    Setting(
        "methods", "Method names", kind="pairs", hint="Where they differ, one a line: state=querySOStatus"
    ),
    Setting(
        "codes",
        "Answer codes",
        kind="pairs",
        hint="One a line: S06=missing; exists, missing, later, unclear, settings or refused",
    ),
)

"""What a tenant tells of a Qimen warehouse. Its warehouse code is the connection's organisation."""

from __future__ import annotations

from tongshang.connect import Setting

SETTINGS = (
    Setting("app_key", "App key", required=True),
    Setting(
        "secret",
        "Secret of the app",
        kind="secret",
        required=True,
        hint="The same one signs what the warehouse sends",
    ),
    Setting("customer_id", "Customer id", required=True, hint="customerId, as the warehouse gave it"),
    Setting("owner", "Owner code", required=True, hint="ownerCode of the goods"),
    Setting(
        "sign",
        "Signature variant",
        kind="choice",
        default="both",
        choices=(("both", "Secret on both ends"), ("tail", "Secret behind only")),
    ),
    Setting(
        "methods",
        "Method names",
        kind="choice",
        default="full",
        choices=(("full", "With taobao.qimen. in front"), ("short", "Without the prefix")),
    ),
    Setting(
        "document",
        "Kind of order",
        kind="choice",
        default="stockout",
        choices=(("stockout", "Stock-out order (B2B)"), ("deliveryorder", "Delivery order (parcels)")),
    ),
    Setting(
        "order_type",
        "Order type there",
        hint="B2BCK for stock-out orders and JYCK for delivery orders when empty",
    ),
    Setting(
        "entry_type",
        "Type of inbound orders",
        default="CGRK",
        hint="CGRK, B2BRK or QTRK, as the warehouse wants",
    ),
    Setting(
        "look_up",
        "Look-up by",
        kind="choice",
        default="same",
        choices=(
            ("same", "The query of the kind of order"),
            ("deliveryorder", "deliveryorder.query"),
            ("stockout", "stockout.query"),
        ),
    ),
    Setting(
        "proof",
        "Proof of an order",
        kind="choice",
        default="lines",
        choices=(
            ("lines", "Planned quantities of the look-up"),
            ("code", "Its code, a new one for each version"),
        ),
        hint="By code where look-ups carry no planQty",
    ),
    Setting("carrier", "Carrier code", default="OTHER", hint="logisticsCode on every order"),
    Setting("constants", "Fields on every order", kind="pairs", hint="One a line: shopNick=TS"),
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
        "stock_by",
        "Stock by",
        kind="choice",
        default="stock",
        choices=(("stock", "stock.query, page by page"), ("inventory", "inventory.query, item by item")),
    ),
    Setting(
        "items", "Items to ask the stock of", hint="For inventory.query, with commas; mapped items are added"
    ),
    Setting(
        "codes",
        "Answer codes",
        kind="pairs",
        hint="One a line: S06=missing; exists, missing, later, unclear, settings or refused",
    ),
)

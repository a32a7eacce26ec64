"""Settings of what came after sales orders: the version of OData they go by, prices, purchase orders and goods receipts."""

from tongshang.connect import Setting

BUYING = (
    Setting(
        "odata_version",
        "OData version of sales orders",
        kind="choice",
        default="v2",
        choices=(("v2", "V2: API_SALES_ORDER_SRV"), ("v4", "V4: API_SALESORDER")),
        hint="V4 where the system has it; everything else goes by V2",
    ),
    Setting("price_record_type", "Condition type of list prices", default="PPR0"),
    Setting(
        "price_record_tables", "Condition tables of list prices", hint="With commas; empty: 304,305,004,005"
    ),
    Setting(
        "price_record_vat",
        "VAT to add to list prices, percent",
        hint="0 when they include it; prices are read only with it",
    ),
    Setting("company_code", "Company code", hint="For purchase orders and receipts"),
    Setting("purchasing_organization", "Purchasing organisation"),
    Setting("purchasing_group", "Purchasing group"),
    Setting("purchase_type", "Purchase order type", default="NB"),
    Setting("receiving_plant", "Receiving plant"),
    Setting("receiving_place", "Receiving storage location"),
    Setting("taxes", "Tax codes of purchases", kind="pairs", hint="Rate = tax code, one a line: 0.13=J1"),
    Setting(
        "purchase_reference",
        "Field of our order number",
        default="CorrespncInternalReference",
        hint="12 characters; or a field of your own with 35, such as YY1_PlatformOrder_PDH",
    ),
    Setting(
        "purchase_text",
        "Text ID of the whole order number",
        default="F01",
        hint="Header text; used when the number is longer than the field",
    ),
)

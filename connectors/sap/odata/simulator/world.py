"""Base data to start with, and what happens in the house without us: goods leave, invoices are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.sap.odata.simulator.books import ITEM, ORDER, Books


@dataclass(frozen=True)
class Demo:
    """What a person needs to practise."""

    client: str = "100"
    user: str = "TONGSHANG"
    password: str = "Practice-2026"
    client_id: str = "tongshang-client"
    client_secret: str = "practice-secret"
    rejection: str = "61"
    plants: tuple[str, ...] = ("1010",)


DEMO = Demo()

STANDARD: Mapping[str, Any] = {
    "customers": [
        {"number": "10100001", "name": "锡安达机电有限公司", "tax_code": "91320200MA1N2PQR3X"},
        {"number": "10100002", "name": "北湾仓库", "tax_code": ""},
        {"number": "10300001", "name": "华东联钢", "tax_code": "91310000MA1FL4XY7W", "supplier": True},
    ],
    "materials": [
        {"number": "BRG-6204", "zh": "深沟球轴承 6204", "en": "Deep groove ball bearing 6204", "unit": "PC"},
        {"number": "RB-HRB400E-16", "zh": "螺纹钢 HRB400E Φ16", "en": "Rebar HRB400E 16 mm", "unit": "TO"},
    ],
    "prices": [
        {"record": "0000000101", "material": "BRG-6204", "rate": "32.30"},
        {"record": "0000000102", "material": "BRG-6204", "rate": "31.00", "customer": "10100001"},
    ],
    "stock": [
        {"material": "BRG-6204", "plant": "1010", "quantity": "480"},
        {"material": "RB-HRB400E-16", "plant": "1010", "quantity": "62.5"},
    ],
}


def load(books: Books, data: Mapping[str, Any]) -> None:
    """Add base data. Raises KeyError for a row without its number."""
    with books.lock:
        for row in data.get("customers", ()):
            _customer(books, row)
        for row in data.get("materials", ()):
            _material(books, row)
        for row in data.get("stock", ()):
            _stock(books, row)
        for row in data.get("prices", ()):
            _price(books, row)


def _customer(books: Books, row: Mapping[str, Any]) -> None:
    number = str(row["number"])
    changed = date.fromisoformat(row["changed"]) if row.get("changed") else None
    books.put(
        "A_BusinessPartner",
        {
            "BusinessPartner": str(row.get("partner") or number),
            "Customer": "" if row.get("supplier") else number,
            "Supplier": number if row.get("supplier") else "",
            "BusinessPartnerCategory": "2",
            "BusinessPartnerFullName": row.get("name", "")[:81],
            "OrganizationBPName1": row.get("name", "")[:40],
            "BusinessPartnerIsBlocked": bool(row.get("blocked")),
            "CreationDate": date.fromisoformat(row.get("created", "2026-01-05")),
            "CreationTime": "PT09H00M00S",
            "LastChangeDate": changed,
            "LastChangeTime": "PT11H30M00S" if changed else "PT00H00M00S",
        },
    )
    if row.get("tax_code"):
        code = str(row["tax_code"])
        tax = {"BusinessPartner": str(row.get("partner") or number), "BPTaxType": "CN5"}
        tax |= {"BPTaxLongNumber": code} if row.get("long") else {"BPTaxNumber": code}
        books.put("A_BusinessPartnerTaxNumber", tax)


def _material(books: Books, row: Mapping[str, Any]) -> None:
    number = str(row["number"])
    stamp = datetime.fromisoformat(row["changed"]) if row.get("changed") else books.stamp()
    books.put(
        "A_Product",
        {
            "Product": number,
            "ProductType": "FERT",
            "BaseUnit": row.get("unit", "PC"),
            "ProductGroup": row.get("group", "L001"),
            "SizeOrDimensionText": row.get("size", ""),
            "IsMarkedForDeletion": bool(row.get("deleted")),
            "CreationDate": stamp.date(),
            "LastChangeDate": stamp.date(),
            "LastChangeDateTime": stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC),
        },
    )
    for language in ("zh", "en"):
        if row.get(language):
            text = {"Product": number, "Language": language.upper(), "ProductDescription": row[language][:40]}
            books.put("A_ProductDescription", text)
    for unit in row.get("other_units", ()):
        books.put(
            "A_ProductUnitsOfMeasure",
            {"Product": number, "AlternativeUnit": unit, "BaseUnit": row.get("unit", "PC")},
        )
    if "tax" in row:
        books.taxes[number] = Decimal(str(row["tax"]))


def _stock(books: Books, row: Mapping[str, Any]) -> None:
    material = str(row["material"])
    product = books.tables["A_Product"].get((material,))
    books.put(
        "A_MatlStkInAcctMod",
        {
            "Material": material,
            "Plant": row.get("plant", "1010"),
            "StorageLocation": row.get("place", "101A"),
            "Batch": row.get("batch", ""),
            "WBSElementInternalID": "0",
            "SDDocumentItem": "0",
            "InventorySpecialStockType": row.get("special", ""),
            "InventoryStockType": row.get("kind", "01"),
            "MaterialBaseUnit": product["BaseUnit"] if product else "PC",
            "MatlWrhsStkQtyInMatlBaseUnit": Decimal(str(row["quantity"])),
        },
    )


def _price(books: Books, row: Mapping[str, Any]) -> None:
    """A condition record with one validity; `scale` holds pairs of quantity and rate."""
    record = str(row["record"])
    scale = row.get("scale", ())
    head = {
        "ConditionRecord": record,
        "ConditionTable": row.get("table", "305" if row.get("customer") else "304"),
        "ConditionApplication": "V",
        "ConditionType": row.get("type", "PPR0"),
        "ConditionCalculationType": row.get("kind", "C"),
        "ConditionRateValue": Decimal(str(row["rate"])),
        "ConditionRateValueUnit": row.get("currency", "CNY"),
        "ConditionQuantity": Decimal(str(row.get("per", 1))),
        "ConditionQuantityUnit": row.get("unit", "PC"),
        "ConditionIsDeleted": bool(row.get("deleted")),
        "PricingScaleType": row.get("scale_type", "A" if scale else ""),
        "PricingScaleBasis": "C" if scale else "",
        "ConditionScaleQuantityUnit": row.get("unit", "PC") if scale else "",
    }
    books.put("A_SlsPrcgConditionRecord", head)
    validity = {
        "ConditionRecord": record,
        "ConditionValidityStartDate": date.fromisoformat(row.get("begins", "2026-01-01")),
        "ConditionValidityEndDate": date.fromisoformat(row.get("ends", "9999-12-31")),
        "ConditionApplication": "V",
        "ConditionType": head["ConditionType"],
        "SalesOrganization": row.get("organisation", "1010"),
        "DistributionChannel": row.get("channel", "10"),
        "Material": row.get("material", ""),
        "Customer": row.get("customer", ""),
        "CustomerGroup": row.get("group", ""),
    }
    books.put("A_SlsPrcgCndnRecdValidity", validity)
    for no, (quantity, rate) in enumerate(scale, 1):
        line: dict[str, Any] = {"ConditionRecord": record, "ConditionScaleLine": str(no)}
        line |= {"ConditionScaleQuantity": Decimal(str(quantity)), "ConditionRateValue": Decimal(str(rate))}
        books.put("A_SlsPrcgCndnRecordScale", line)


def deliver(books: Books, order: str, given: Mapping[str, Any]) -> str:
    """Goods of an order leave: a delivery with goods issue. `quantity` ships that much of every item. Raises KeyError."""
    with books.lock:
        head = books.tables[ORDER][(order,)]
        number = str(80000000 + len(books.tables["A_OutbDeliveryHeader"]))
        today = date.fromisoformat(str(given.get("day") or date.today()))
        books.put(
            "A_OutbDeliveryHeader",
            {
                "DeliveryDocument": number,
                "DeliveryDocumentType": "LF",
                "SoldToParty": head["SoldToParty"],
                "ShipToParty": head["SoldToParty"],
                "ShippingPoint": "1010",
                "ActualGoodsMovementDate": today,
                "OverallGoodsMovementStatus": str(given.get("status") or "C"),
                "BillOfLading": str(given.get("tracking") or ""),
                "CreationDate": today,
                "CreationTime": "PT10H00M00S",
                "LastChangeDate": date.fromisoformat(given["changed"]) if given.get("changed") else None,
            },
        )
        for no, item in enumerate(books.below(ORDER, head, "to_Item"), 1):
            if item["SalesDocumentRjcnReason"]:
                continue
            quantity = Decimal(str(given.get("quantity") or item["RequestedQuantity"]))
            item["DeliveryStatus"] = "C" if quantity >= item["RequestedQuantity"] else "B"
            books.put(
                "A_OutbDeliveryItem",
                {
                    "DeliveryDocument": number,
                    "DeliveryDocumentItem": str(no * 10),
                    "Material": item["Material"],
                    "Plant": "1010",
                    "ActualDeliveryQuantity": quantity,
                    "DeliveryQuantityUnit": item["RequestedQuantityUnit"],
                    "GoodsMovementStatus": "C",
                    "ReferenceSDDocument": order,
                    "ReferenceSDDocumentItem": item["SalesOrderItem"],
                },
            )
        head["OverallTotalDeliveryStatus"] = "C"
        return number


def invoice(books: Books, order: str, given: Mapping[str, Any]) -> str:
    """An invoice of an order; `cancelled` writes one that was taken back. Raises KeyError."""
    with books.lock:
        head = books.tables[ORDER][(order,)]
        number = str(90000000 + len(books.tables["A_BillingDocument"]))
        live = [item for item in books.below(ORDER, head, "to_Item") if not item["SalesDocumentRjcnReason"]]
        taxes = sum(
            (
                price["ConditionAmount"]
                for item in live
                for price in books.below(ITEM, item, "to_PricingElement")
                if price["ConditionClass"] == "D"
            ),
            Decimal(0),
        )
        books.put(
            "A_BillingDocument",
            {
                "BillingDocument": number,
                "BillingDocumentCategory": str(given.get("category") or "M"),
                "BillingDocumentType": "F2",
                "CreationDate": date.today(),
                "LastChangeDateTime": books.stamp(),
                "SalesOrganization": head["SalesOrganization"],
                "DistributionChannel": head["DistributionChannel"],
                "Division": head["OrganizationDivision"],
                "BillingDocumentDate": date.fromisoformat(str(given.get("day") or date.today())),
                "BillingDocumentIsCancelled": bool(given.get("cancelled")),
                "CancelledBillingDocument": str(given.get("cancels") or ""),
                "TotalNetAmount": head["TotalNetAmount"],
                "TotalGrossAmount": head["TotalNetAmount"] + taxes,
                "TransactionCurrency": head["TransactionCurrency"],
                "SoldToParty": head["SoldToParty"],
                "PurchaseOrderByCustomer": head["PurchaseOrderByCustomer"],
            },
        )
        return number

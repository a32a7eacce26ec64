"""What stands on the server before the first call: an account, organisations, base data, stock.

A world is plain data that can come from a JSON file: `{"materials": [{"number", "name", "unit",
"specification", "group", "org"}], "customers": [{"number", "name", "tax_code", "org"}], "stock":
[{"material", "warehouse", "quantity", "org"}], "price_lists": [{"number", "name", "tax_included", "customers", "lines":
[{"material", "unit", "price", "from_quantity"}]}], "purchase_orders": [{"number", "supplier", "lines": [{"material",
"unit", "quantity", "price"}]}], "suppliers": [...], "units": [...], "warehouses": [...], ...}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.kingdee.simulator.store import Document, Store, wall_clock

HOME_ORG = "100"


@dataclass(frozen=True)
class User:
    password: str
    orgs: tuple[str, ...] = (HOME_ORG,)  # the first is where he works unless he says otherwise


@dataclass(frozen=True)
class Account:
    """A data centre with its users and the one application that may call it."""

    acct_id: str
    name: str
    app_id: str
    app_secret: str
    users: Mapping[str, User] = field(default_factory=dict)


DEMO_ACCOUNT = Account(
    acct_id="6715d2a4c8e0f1",
    name="演示数据中心",
    app_id="300117_VG9uZ3NoYW5nLVNpbXVsYXRvci0wMDAx",
    app_secret="5f0c3b7e9a1d4826b3e7c5d9f2a80614",
    users={"通商集成": User("Kd-Simulator-1"), "demo": User("Kd-Simulator-1")},
)

# Codes and names as a fresh K/3 Cloud account set has them, plus the units of steel and bearings.
STANDARD: dict[str, Any] = {
    "organisations": [{"number": HOME_ORG, "name": "华东联钢贸易有限公司"}],
    "currencies": [{"number": "PRE001", "name": "人民币"}, {"number": "PRE007", "name": "美元"}],
    "bill_types": [
        {"number": "XSDD01_SYS", "name": "标准销售订单"},
        {"number": "CGDD01_SYS", "name": "标准采购订单"},
        {"number": "RKD01_SYS", "name": "标准采购入库"},
        {"number": "SKDLX01_SYS", "name": "销售收款单"},
        {"number": "FKDLX01_SYS", "name": "采购业务付款单"},
    ],
    "salesmen": [{"number": "XS01", "name": "平台订单"}],
    "units": [
        {"number": "Pcs", "name": "个"},
        {"number": "t", "name": "吨"},
        {"number": "kg", "name": "千克"},
        {"number": "m", "name": "米"},
        {"number": "set", "name": "套"},
        {"number": "box", "name": "盒"},
        {"number": "roll", "name": "卷"},
        {"number": "sheet", "name": "张"},
        {"number": "100pcs", "name": "百个"},
        {"number": "1000pcs", "name": "千个"},
    ],
    "warehouses": [{"number": "CK001", "name": "一号库"}, {"number": "CK002", "name": "二号库"}],
    "stock_statuses": [{"number": "KCZT01_SYS", "name": "可用"}, {"number": "KCZT02_SYS", "name": "待检"}],
    "customers": [],
    "materials": [],
    "stock": [],
}


class World:
    """Base data as it is written into a store; what is there already is brought up to date by number."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def standard(self) -> None:
        self.merge(STANDARD)

    def load(self, file: Path) -> None:
        self.merge(json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal))

    def merge(self, data: Mapping[str, Any]) -> None:
        """Add or update base data; raises KeyError for an unknown kind."""
        kinds = {
            "organisations": ("ORG_Organizations", lambda row: {}),
            "currencies": ("BD_Currency", lambda row: {}),
            "bill_types": ("BOS_BillType", lambda row: {}),
            "stock_statuses": ("BD_StockStatus", lambda row: {}),
            "salesmen": ("BD_Saler", lambda row: {}),
            "units": ("BD_UNIT", lambda row: {}),
            "warehouses": ("BD_STOCK", _warehouse),
            "customers": ("BD_Customer", _customer),
            "suppliers": ("BD_Supplier", _supplier),
            "materials": ("BD_MATERIAL", _material),
        }
        with self.store.lock:
            for kind, rows in data.items():
                if kind == "stock":
                    self._stock(rows)
                    continue
                if kind == "price_lists":
                    self.store.put(*[self._price_list(row) for row in rows])
                    continue
                if kind == "purchase_orders":
                    self.store.put(*[self._purchase_order(row) for row in rows])
                    continue
                form, extra = kinds[kind]
                self.store.put(*[self._base(form, row, extra(row)) for row in rows])

    def _base(self, form: str, row: Mapping[str, Any], extra: Mapping[str, Any]) -> Document:
        number = str(row["number"])
        known = self.store.by_number(form, number)
        head = {
            "FName": row.get("name", number),
            "FForbidStatus": "B" if row.get("forbidden") else "A",
            **extra,
        }
        head |= {"FDocumentStatus": row.get("status", "C"), "FModifyDate": wall_clock()}
        head["FCreateDate"] = known.head["FCreateDate"] if known else head["FModifyDate"]
        head["FApproveDate"] = head["FModifyDate"] if head["FDocumentStatus"] == "C" else None
        return Document(form, known.id if known else self.store.new_id(), number, head)

    def _price_list(self, row: Mapping[str, Any]) -> Document:
        org = str(row.get("org", HOME_ORG))
        customers = [str(number) for number in row.get("customers", ())]
        head = {
            "FCreateOrgId": org,
            "FUseOrgId": org,
            "FCurrencyId": str(row.get("currency", "PRE001")),
            "FIsIncludedTax": bool(row.get("tax_included", True)),
            "FEffectiveDate": f"{row.get('from', '2020-01-01')}T00:00:00",
            "FExpiryDate": f"{row.get('to', '2100-01-01')}T00:00:00",
            "FLimitCustomer": str(row.get("limit", "1" if customers else "")),
            "FLimitSalesMan": "",
        }
        document = self._base("BD_SAL_PriceList", row, head)
        document.lines = [
            {
                "FEntryID": self.store.new_id(),
                "FMaterialId": str(line["material"]),
                "FUnitID": str(line.get("unit", "Pcs")),
                "FFromQty": Decimal(str(line.get("from_quantity", 0))),
                "FPrice": Decimal(str(line["price"])),
                "FEntryEffectiveDate": f"{line.get('from', row.get('from', '2020-01-01'))}T00:00:00",
                "FEntryExpiryDate": f"{line.get('to', row.get('to', '2100-01-01'))}T00:00:00",
            }
            for line in row["lines"]
        ]
        document.more["FEntityCust"] = [
            {"FEntryID": self.store.new_id(), "FCustID": number} for number in customers
        ]
        return document

    def _purchase_order(self, row: Mapping[str, Any]) -> Document:
        """An audited order to a supplier, as the buyer's own ERP holds it."""
        head = {
            "FPurchaseOrgId": str(row.get("org", HOME_ORG)),
            "FSupplierId": str(row["supplier"]),
            "FSettleCurrId": str(row.get("currency", "PRE001")),
            "FDate": wall_clock()[:10] + "T00:00:00",
            "FCancelStatus": "A",
            "FCloseStatus": "A",
        }
        document = self._base("PUR_PurchaseOrder", row, head)
        document.lines = [
            {
                "FEntryID": self.store.new_id(),
                "FSeq": seq,
                "FMaterialId": str(line["material"]),
                "FUnitId": str(line.get("unit", "Pcs")),
                "FNote": str(line.get("note", "")),
                "FQty": Decimal(str(line["quantity"])),
                "FTaxPrice": Decimal(str(line.get("price", 0))),
            }
            for seq, line in enumerate(row["lines"], 1)
        ]
        return document

    def _stock(self, rows: list[Mapping[str, Any]]) -> None:
        there = {
            (d.head["FStockOrgId"], d.head["FStockId"], d.head["FMaterialId"], d.head["FLot"]): d
            for d in self.store.all("STK_Inventory")
        }
        changed = []
        for row in rows:
            org, warehouse = str(row.get("org", HOME_ORG)), str(row.get("warehouse", "CK001"))
            key = (org, warehouse, str(row["material"]), str(row.get("lot", "")))
            material = self.store.by_number("BD_MATERIAL", key[2])
            quantity = Decimal(str(row["quantity"]))
            head = {
                "FStockOrgId": org,
                "FStockId": warehouse,
                "FMaterialId": key[2],
                "FLot": key[3],
                "FBaseUnitId": material.head["FBaseUnitId"] if material else str(row.get("unit", "Pcs")),
                "FBaseQty": quantity,
                "FBaseAVBQty": Decimal(str(row.get("available", quantity))),
                "FStockStatusId": str(row.get("status", "KCZT01_SYS")),
                "FDocumentStatus": "C",
                "FUpdateTime": wall_clock(),
                "FModifyDate": wall_clock(),
            }
            known = there.get(key)
            changed.append(Document("STK_Inventory", known.id if known else self.store.new_id(), "", head))
        self.store.put(*changed)


def _warehouse(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"FUseOrgId": str(row.get("org", HOME_ORG))}


def _customer(row: Mapping[str, Any]) -> dict[str, Any]:
    org = str(row.get("org", HOME_ORG))
    return {
        "FShortName": row.get("short_name", ""),
        "FTAXREGISTERCODE": row.get("tax_code", ""),
        "FSOCIALCRECODE": row.get("social_code", ""),
        "FCreateOrgId": org,
        "FUseOrgId": org,
    }


def _supplier(row: Mapping[str, Any]) -> dict[str, Any]:
    org = str(row.get("org", HOME_ORG))
    return {"FSOCIALCRECODE": row.get("tax_code", ""), "FCreateOrgId": org, "FUseOrgId": org}


def _material(row: Mapping[str, Any]) -> dict[str, Any]:
    org = str(row.get("org", HOME_ORG))
    return {
        "FSpecification": row.get("specification", ""),
        "FMaterialGroup": row.get("group", ""),
        "FBaseUnitId": str(row.get("unit", "Pcs")),
        "FCreateOrgId": org,
        "FUseOrgId": org,
    }

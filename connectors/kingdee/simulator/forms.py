"""The forms this server knows: their keys, their references, what each asks for.

Form ids are matched whatever their case, field keys exactly, as the real server does.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """Lines of a document."""

    key: str
    references: dict[str, str]
    fields: tuple[str, ...]
    required: dict[str, str] = field(default_factory=dict)  # field -> its Chinese title
    pk: str = "FEntryID"


@dataclass(frozen=True)
class Form:
    id: str
    title: str
    pk: str
    number: str  # the key of its number; "" when documents of the form have none
    references: dict[str, str]  # field -> form it points to
    fields: tuple[str, ...]
    required: dict[str, str] = field(default_factory=dict)
    finance: str = ""  # key of the finance sub-head
    finance_references: dict[str, str] = field(default_factory=dict)
    finance_fields: tuple[str, ...] = ()
    finance_required: dict[str, str] = field(default_factory=dict)
    entry: Entry | None = None
    org: str = ""  # the field that says which organisation a document belongs to
    is_bill: bool = False

    @property
    def status_fields(self) -> tuple[str, ...]:
        common = ("FDocumentStatus", "FModifyDate", "FCreateDate")
        return (*common, "FCancelStatus", "FCloseStatus") if self.is_bill else (*common, "FForbidStatus")

    def all_keys(self) -> list[str]:
        """Every field key of the form, as a metadata query lists them."""
        keys = [self.pk, self.number, *self.references, *self.fields, *self.status_fields]
        keys += [*self.finance_references, *self.finance_fields]
        if self.entry:
            keys += [f"{self.entry.key}_{self.entry.pk}", *self.entry.references, *self.entry.fields]
        return [key for key in keys if key]


SALES_ORDER = Form(
    "SAL_SaleOrder",
    "销售订单",
    "FID",
    "FBillNo",
    {
        "FBillTypeID": "BOS_BillType",
        "FSaleOrgId": "ORG_Organizations",
        "FCustId": "BD_Customer",
        "FSalerId": "BD_Saler",
    },
    ("FDate", "FNote"),
    {
        "FBillTypeID": "单据类型",
        "FDate": "日期",
        "FSaleOrgId": "销售组织",
        "FCustId": "客户",
        "FSalerId": "销售员",
    },
    finance="FSaleOrderFinance",
    finance_references={"FSettleCurrId": "BD_Currency"},
    finance_fields=("FIsIncludedTax", "FBillAllAmount", "FBillAmount", "FBillTaxAmount"),
    finance_required={"FSettleCurrId": "结算币别"},
    entry=Entry(
        "FSaleOrderEntry",
        {
            "FMaterialId": "BD_MATERIAL",
            "FUnitID": "BD_UNIT",
            "FPriceUnitId": "BD_UNIT",
            "FStockUnitID": "BD_UNIT",
            "FSettleOrgIds": "ORG_Organizations",
            "FStockOrgId": "ORG_Organizations",
        },
        ("FQty", "FPrice", "FTaxPrice", "FEntryTaxRate", "FEntryTaxAmount", "FAllAmount", "FAmount")
        + ("FDeliveryDate", "FReserveType", "FOUTLMTUNIT", "FIsFree", "FEntryNote"),
        {
            "FMaterialId": "物料编码",
            "FUnitID": "销售单位",
            "FDeliveryDate": "要货日期",
            "FSettleOrgIds": "结算组织",
        },
    ),
    org="FSaleOrgId",
    is_bill=True,
)

FORMS = {
    form.id.lower(): form
    for form in (
        SALES_ORDER,
        Form(
            "BD_MATERIAL",
            "物料",
            "FMATERIALID",
            "FNumber",
            {"FBaseUnitId": "BD_UNIT", "FCreateOrgId": "ORG_Organizations", "FUseOrgId": "ORG_Organizations"},
            ("FName", "FSpecification", "FMaterialGroup"),
            {"FName": "名称", "FBaseUnitId": "基本单位"},
            org="FUseOrgId",
        ),
        Form(
            "BD_Customer",
            "客户",
            "FCUSTID",
            "FNumber",
            {"FCreateOrgId": "ORG_Organizations", "FUseOrgId": "ORG_Organizations"},
            ("FName", "FShortName", "FTAXREGISTERCODE"),
            {"FName": "客户名称"},
            org="FUseOrgId",
        ),
        Form("BD_UNIT", "计量单位", "FUNITID", "FNumber", {}, ("FName", "FPrecision")),
        Form("BD_Currency", "币别", "FCURRENCYID", "FNumber", {}, ("FName", "FCODE")),
        Form("BD_StockStatus", "库存状态", "FSTOCKSTATUSID", "FNumber", {}, ("FName",)),
        Form("BD_Saler", "销售员", "FID", "FNumber", {}, ("FName",)),
        Form("BOS_BillType", "单据类型", "FBILLTYPEID", "FNumber", {}, ("FName",)),
        Form("ORG_Organizations", "组织机构", "FORGID", "FNumber", {}, ("FName",)),
        Form(
            "BD_STOCK",
            "仓库",
            "FStockId",
            "FNumber",
            {"FUseOrgId": "ORG_Organizations"},
            ("FName",),
            org="FUseOrgId",
        ),
        Form(
            "STK_Inventory",
            "即时库存",
            "FID",
            "",
            {
                "FStockOrgId": "ORG_Organizations",
                "FStockId": "BD_STOCK",
                "FMaterialId": "BD_MATERIAL",
                "FBaseUnitId": "BD_UNIT",
                "FStockStatusId": "BD_StockStatus",
            },
            ("FBaseQty", "FBaseAVBQty", "FLot", "FUpdateTime"),
            org="FStockOrgId",
        ),
    )
}


def form_of(form_id: str) -> Form | None:
    return FORMS.get(form_id.lower())

"""The forms this server knows: their keys, their references, what each asks for.

Form ids are matched whatever their case, field keys exactly, as the real server does. A key that begins with `F_` is a
field of the site's own and is there on every form.
"""

from __future__ import annotations

from connectors.kingdee.simulator.form import Entry, Form
from connectors.kingdee.simulator.trade_forms import TRADE_FORMS

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
        ("FSeq", "FQty", "FPrice", "FTaxPrice", "FEntryTaxRate", "FEntryTaxAmount", "FAllAmount", "FAmount")
        + ("FDeliveryDate", "FReserveType", "FOUTLMTUNIT", "FIsFree", "FEntryNote", "FStockOutQty", "FARQTY"),
        {
            "FMaterialId": "物料编码",
            "FUnitID": "销售单位",
            "FDeliveryDate": "要货日期",
            "FSettleOrgIds": "结算组织",
        },
        priced=True,
    ),
    org="FSaleOrgId",
    is_bill=True,
    prefix="XSDD",
)

FORMS = {
    form.id.lower(): form
    for form in (
        SALES_ORDER,
        *TRADE_FORMS,
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
            ("FName", "FShortName", "FTAXREGISTERCODE", "FSOCIALCRECODE"),
            {"FName": "客户名称"},
            org="FUseOrgId",
        ),
        Form(
            "BD_Supplier",
            "供应商",
            "FSupplierId",
            "FNumber",
            {"FCreateOrgId": "ORG_Organizations", "FUseOrgId": "ORG_Organizations"},
            ("FName", "FShortName", "FSOCIALCRECODE"),
            {"FName": "供应商名称"},
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

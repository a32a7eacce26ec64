"""The forms of a trade after its order: what left, what was taken in, what was billed, what was paid; and what it costs.

Field keys as public clients of the WebAPI use them. A line carries the number of the order it came from: `FSoorDerno` on what
was shipped, `FPOOrderNo` on what was taken in, `FORDERNUMBER` on what was billed, `FORDERBILLNO` on what was paid.
"""

from __future__ import annotations

from connectors.kingdee.simulator.form import Entry, Form

ORG, MATERIAL, UNIT = "ORG_Organizations", "BD_MATERIAL", "BD_UNIT"
SOURCE = ("FSrcType", "FSrcBillNo")

PURCHASE_ORDER = Form(
    "PUR_PurchaseOrder",
    "采购订单",
    "FID",
    "FBillNo",
    {"FBillTypeID": "BOS_BillType", "FPurchaseOrgId": ORG, "FSupplierId": "BD_Supplier"},
    ("FDate", "FPurchaserId"),
    {"FDate": "日期", "FPurchaseOrgId": "采购组织", "FSupplierId": "供应商"},
    finance="FPOOrderFinance",
    finance_references={"FSettleCurrId": "BD_Currency"},
    finance_fields=("FIsIncludedTax", "FBillAllAmount", "FBillAmount", "FBillTaxAmount"),
    finance_required={"FSettleCurrId": "结算币别"},
    entry=Entry(
        "FPOOrderEntry",
        {"FMaterialId": MATERIAL, "FUnitId": UNIT},
        ("FSeq", "FQty", "FPrice", "FTaxPrice", "FEntryTaxRate", "FEntryTaxAmount", "FAllAmount", "FAmount")
        + ("FDeliveryDate", "FNote", "FStockInQty"),
        {"FMaterialId": "物料编码", "FUnitId": "采购单位", "FDeliveryDate": "交货日期"},
        priced=True,
    ),
    org="FPurchaseOrgId",
    is_bill=True,
    prefix="CGDD",
)

OUT_STOCK = Form(
    "SAL_OUTSTOCK",
    "销售出库单",
    "FID",
    "FBillNo",
    {"FBillTypeID": "BOS_BillType", "FSaleOrgId": ORG, "FStockOrgId": ORG, "FCustomerID": "BD_Customer"}
    | {"FCarrierID": "BD_Supplier"},
    ("FDate", "FCarriageNO", "FNote"),
    {"FDate": "日期", "FStockOrgId": "发货组织", "FCustomerID": "客户"},
    entry=Entry(
        "FEntity",
        {"FMaterialID": MATERIAL, "FUnitID": UNIT, "FStockID": "BD_STOCK"},
        ("FSeq", "FRealQty", "FMustQty", "FLot", "FSoorDerno", "FSOEntryId", "FEntrynote", *SOURCE),
        {"FMaterialID": "物料编码", "FUnitID": "库存单位", "FStockID": "仓库"},
    ),
    org="FStockOrgId",
    is_bill=True,
    prefix="XSCKD",
)

IN_STOCK = Form(
    "STK_InStock",
    "采购入库单",
    "FID",
    "FBillNo",
    {"FBillTypeID": "BOS_BillType", "FStockOrgId": ORG, "FPurchaseOrgId": ORG, "FSupplierId": "BD_Supplier"}
    | {"FOwnerIdHead": ORG},
    ("FDate", "FOwnerTypeIdHead"),
    {"FDate": "入库日期", "FStockOrgId": "收料组织", "FSupplierId": "供应商"},
    finance="FInStockFin",
    finance_references={"FSettleCurrId": "BD_Currency", "FSettleOrgId": ORG},
    finance_fields=("FIsIncludedTax", "FBillAllAmount", "FBillAmount", "FBillTaxAmount"),
    finance_required={"FSettleCurrId": "结算币别"},
    entry=Entry(
        "FInStockEntry",
        {"FMaterialId": MATERIAL, "FUnitID": UNIT, "FStockId": "BD_STOCK"},
        ("FSeq", "FRealQty", "FMustQty", "FLot", "FPOOrderNo", "FPOORDERENTRYID", "FNote", *SOURCE)
        + ("FPrice", "FTaxPrice", "FEntryTaxRate", "FEntryTaxAmount", "FAllAmount", "FAmount"),
        {"FMaterialId": "物料编码", "FUnitID": "库存单位", "FStockId": "仓库"},
        priced=True,
        quantity="FRealQty",
    ),
    org="FStockOrgId",
    is_bill=True,
    prefix="CGRK",
)

RECEIVABLE = Form(
    "AR_receivable",
    "应收单",
    "FID",
    "FBillNo",
    {"FBillTypeID": "BOS_BillType", "FCUSTOMERID": "BD_Customer", "FCURRENCYID": "BD_Currency"}
    | {"FSETTLEORGID": ORG, "FSALEORGID": ORG},
    ("FDATE", "FALLAMOUNTFOR"),
    {"FDATE": "业务日期", "FCUSTOMERID": "客户", "FCURRENCYID": "币别", "FSETTLEORGID": "结算组织"},
    entry=Entry(
        "FEntityDetail",
        {"FMATERIALID": MATERIAL, "FPRICEUNITID": UNIT},
        ("FSeq", "FPriceQty", "FTaxPrice", "FEntryTaxRate", "FALLAMOUNTFOR_D")
        + ("FORDERNUMBER", "FORDERENTRYID", "FSourceBillNo"),
        {"FMATERIALID": "物料编码"},
    ),
    org="FSETTLEORGID",
    is_bill=True,
    prefix="AR",
)

RECEIVE_BILL = Form(
    "AR_RECEIVEBILL",
    "收款单",
    "FID",
    "FBillNo",
    {
        "FBillTypeID": "BOS_BillType",
        "FCONTACTUNIT": "BD_Customer",
        "FCURRENCYID": "BD_Currency",
        "FPAYORGID": ORG,
        "FPAYUNIT": "BD_Customer",
        "FSETTLEORGID": ORG,
        "FSALEORGID": ORG,
    },
    ("FDATE", "FCONTACTUNITTYPE", "FPAYUNITTYPE", "FRECEIVEAMOUNTFOR", "FREMARK"),
    {"FDATE": "业务日期", "FCONTACTUNIT": "往来单位", "FCURRENCYID": "币别", "FPAYORGID": "收款组织"},
    entry=Entry(
        "FRECEIVEBILLENTRY",
        {},
        ("FSETTLETYPEID", "FPURPOSEID", "FRECTOTALAMOUNTFOR", "FACCOUNTID", "FSALEORDERNO", "FCOMMENT"),
        {"FSETTLETYPEID": "结算方式", "FPURPOSEID": "收款用途"},
    ),
    more=(
        Entry(
            "FRECEIVEBILLSRCENTRY",
            {},
            ("FSRCBILLTYPEID", "FSRCBILLNO", "FORDERBILLNO", "FREALRECAMOUNTFOR_S"),
        ),
    ),
    org="FPAYORGID",
    is_bill=True,
    prefix="SKD",
)

PAY_BILL = Form(
    "AP_PAYBILL",
    "付款单",
    "FID",
    "FBillNo",
    {"FBillTypeID": "BOS_BillType", "FCONTACTUNIT": "BD_Supplier", "FRECTUNIT": "BD_Supplier"}
    | {"FCURRENCYID": "BD_Currency", "FPAYORGID": ORG, "FSETTLEORGID": ORG, "FPURCHASEORGID": ORG},
    ("FDATE", "FCONTACTUNITTYPE", "FRECTUNITTYPE", "FREMARK"),
    {"FDATE": "业务日期", "FCONTACTUNIT": "往来单位", "FCURRENCYID": "币别", "FPAYORGID": "付款组织"},
    entry=Entry(
        "FPAYBILLENTRY",
        {},
        ("FSETTLETYPEID", "FPURPOSEID", "FPAYTOTALAMOUNTFOR", "FACCOUNTID", "FCOMMENT"),
        {"FSETTLETYPEID": "结算方式", "FPURPOSEID": "付款用途"},
    ),
    org="FPAYORGID",
    is_bill=True,
    prefix="FKD",
)

PRICE_LIST = Form(
    "BD_SAL_PriceList",
    "销售价目表",
    "FID",
    "FNumber",
    {"FCreateOrgId": ORG, "FUseOrgId": ORG, "FCurrencyId": "BD_Currency"},
    ("FName", "FIsIncludedTax", "FEffectiveDate", "FExpiryDate", "FLimitCustomer", "FLimitSalesMan"),
    {"FName": "名称", "FCurrencyId": "币别"},
    entry=Entry(
        "FEntity",
        {"FMaterialId": MATERIAL, "FUnitID": UNIT},
        ("FSeq", "FFromQty", "FToQty", "FPrice", "FEntryEffectiveDate", "FEntryExpiryDate"),
        {"FMaterialId": "物料编码", "FUnitID": "计价单位"},
    ),
    more=(Entry("FEntityCust", {"FCustID": "BD_Customer"}, ()),),
    org="FUseOrgId",
)

TRADE_FORMS = (PURCHASE_ORDER, OUT_STOCK, IN_STOCK, RECEIVABLE, RECEIVE_BILL, PAY_BILL, PRICE_LIST)

"""The services the gateway offers: entity sets with keys, fields and ways between them, written from the public field lists.

A field is told in one line: its name, its kind (`s10` text of ten characters, `d16.3` decimal, `b` flag, `t` day, `o` moment,
`T` time of day), and marks: `*` set by the system alone, `=` holds the ETag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TYPES = {
    "s": "Edm.String",
    "d": "Edm.Decimal",
    "b": "Edm.Boolean",
    "t": "Edm.DateTime",
    "o": "Edm.DateTimeOffset",
    "T": "Edm.Time",
}


@dataclass(frozen=True)
class Field:
    name: str
    kind: str  # one letter of TYPES
    length: int = 0  # characters of a text, digits of a decimal
    scale: int = 0
    own: bool = False  # set by the system alone
    etag: bool = False

    @classmethod
    def parse(cls, told: str) -> Field:
        name, kind, *marks = told.split()
        length, _, scale = kind[1:].partition(".")
        return cls(name, kind[0], int(length or 0), int(scale or 0), "*" in marks, "=" in marks)

    @property
    def type(self) -> str:
        return TYPES[self.kind]


@dataclass(frozen=True)
class Way:
    """A navigation property: to which set, and which fields there equal which of ours."""

    to: str
    by: tuple[str, ...]
    many: bool = True


@dataclass(frozen=True)
class Set:
    name: str
    key: tuple[str, ...]
    fields: Mapping[str, Field]
    ways: Mapping[str, Way] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return f"{self.name}Type"


@dataclass(frozen=True)
class Service:
    name: str
    sets: Mapping[str, Set]


def _set(name: str, key: str, fields: str, **ways: Way) -> Set:
    made = [Field.parse(told) for told in fields.replace("\n", ",").split(",") if told.strip()]
    return Set(name, tuple(key.split()), {each.name: each for each in made}, ways)


def _service(name: str, *sets: Set) -> Service:
    return Service(name, {each.name: each for each in sets})


ORDER = _service(
    "API_SALES_ORDER_SRV",
    _set(
        "A_SalesOrder",
        "SalesOrder",
        """SalesOrder s10, SalesOrderType s4, SalesOrganization s4, DistributionChannel s2, OrganizationDivision s2
        SoldToParty s10, PurchaseOrderByCustomer s35, CustomerPurchaseOrderDate t, SalesOrderDate t
        RequestedDeliveryDate t, TransactionCurrency s5, TotalNetAmount d16.3 *, PricingDate t, ShippingCondition s2
        CompleteDeliveryIsDefined b, HeaderBillingBlockReason s2, DeliveryBlockReason s2, CustomerPaymentTerms s4
        CreationDate t *, CreatedByUser s12 *, LastChangeDateTime o * =, OverallSDProcessStatus s1 *
        OverallTotalDeliveryStatus s1 *, OverallSDDocumentRejectionSts s1 *, SalesDocApprovalStatus s1 *""",
        to_Item=Way("A_SalesOrderItem", ("SalesOrder",)),
        to_Partner=Way("A_SalesOrderHeaderPartner", ("SalesOrder",)),
    ),
    _set(
        "A_SalesOrderItem",
        "SalesOrder SalesOrderItem",
        """SalesOrder s10 *, SalesOrderItem s6, HigherLevelItem s6, SalesOrderItemCategory s4, SalesOrderItemText s40
        Material s40, MaterialByCustomer s35, RequestedQuantity d15.3, RequestedQuantityUnit s3, TransactionCurrency s5 *
        NetAmount d16.3 *, ProductionPlant s4, StorageLocation s4, Batch s10, SalesDocumentRjcnReason s2
        ItemBillingBlockReason s2, SDProcessStatus s1 *, DeliveryStatus s1 *, OrderRelatedBillingStatus s1 *""",
        to_PricingElement=Way("A_SalesOrderItemPrElement", ("SalesOrder", "SalesOrderItem")),
    ),
    _set(
        "A_SalesOrderItemPrElement",
        "SalesOrder SalesOrderItem PricingProcedureStep PricingProcedureCounter",
        """SalesOrder s10 *, SalesOrderItem s6, PricingProcedureStep s3, PricingProcedureCounter s3, ConditionType s4
        ConditionRateValue d24.9, ConditionCurrency s5, ConditionQuantity d5.0, ConditionQuantityUnit s3
        ConditionAmount d16.3 *, ConditionClass s1 *, ConditionInactiveReason s1 *, ConditionIsForStatistics b""",
    ),
    _set(
        "A_SalesOrderHeaderPartner",
        "SalesOrder PartnerFunction",
        "SalesOrder s10 *, PartnerFunction s2, Customer s10, Supplier s10, Personnel s8, ContactPerson s10",
    ),
)

PRODUCT = _service(
    "API_PRODUCT_SRV",
    _set(
        "A_Product",
        "Product",
        """Product s40, ProductType s4, CrossPlantStatus s2, CreationDate t *, LastChangeDate t *, LastChangeDateTime o *
        IsMarkedForDeletion b, GrossWeight d13.3, WeightUnit s3, NetWeight d13.3, ProductGroup s9, BaseUnit s3, Brand s4
        SizeOrDimensionText s32, ProductStandardID s18, IsBatchManagementRequired b""",
        to_Description=Way("A_ProductDescription", ("Product",)),
        to_ProductUnitsOfMeasure=Way("A_ProductUnitsOfMeasure", ("Product",)),
    ),
    _set("A_ProductDescription", "Product Language", "Product s40, Language s2, ProductDescription s40"),
    _set(
        "A_ProductUnitsOfMeasure",
        "Product AlternativeUnit",
        "Product s40, AlternativeUnit s3, QuantityNumerator d5.0, QuantityDenominator d5.0, BaseUnit s3",
    ),
)

PARTNER = _service(
    "API_BUSINESS_PARTNER",
    _set(
        "A_BusinessPartner",
        "BusinessPartner",
        """BusinessPartner s10, Customer s10, Supplier s10, BusinessPartnerCategory s1, BusinessPartnerFullName s81 *
        OrganizationBPName1 s40, OrganizationBPName2 s40, OrganizationBPName3 s40, OrganizationBPName4 s40
        SearchTerm1 s20, BusinessPartnerIsBlocked b, IsMarkedForArchiving b, CreationDate t *, CreationTime T *
        LastChangeDate t *, LastChangeTime T *""",
        to_BusinessPartnerTax=Way("A_BusinessPartnerTaxNumber", ("BusinessPartner",)),
    ),
    _set(
        "A_BusinessPartnerTaxNumber",
        "BusinessPartner BPTaxType",
        "BusinessPartner s10, BPTaxType s4, BPTaxNumber s20, BPTaxLongNumber s60",
    ),
)

STOCK = _service(
    "API_MATERIAL_STOCK_SRV",
    _set(
        "A_MatlStkInAcctMod",
        "Material Plant StorageLocation Batch Supplier Customer WBSElementInternalID SDDocument SDDocumentItem"
        " InventorySpecialStockType InventoryStockType",
        """Material s40, Plant s4, StorageLocation s4, Batch s10, Supplier s10, Customer s10, WBSElementInternalID s8
        SDDocument s10, SDDocumentItem s6, InventorySpecialStockType s1, InventoryStockType s2, MaterialBaseUnit s3
        MatlWrhsStkQtyInMatlBaseUnit d31.14""",
    ),
)

DELIVERY = _service(
    "API_OUTBOUND_DELIVERY_SRV",
    _set(
        "A_OutbDeliveryHeader",
        "DeliveryDocument",
        """DeliveryDocument s10 *, DeliveryDocumentType s4 *, ShipToParty s10 *, SoldToParty s10 *, ShippingPoint s4
        ActualGoodsMovementDate t, PlannedGoodsIssueDate t, BillOfLading s35, OverallGoodsMovementStatus s1 *
        OverallPickingStatus s1 *, OverallSDProcessStatus s1 *, TotalNumberOfPackage s5 *, CreationDate t *
        CreationTime T *, LastChangeDate t *""",
        to_DeliveryDocumentItem=Way("A_OutbDeliveryItem", ("DeliveryDocument",)),
    ),
    _set(
        "A_OutbDeliveryItem",
        "DeliveryDocument DeliveryDocumentItem",
        """DeliveryDocument s10, DeliveryDocumentItem s6 *, Material s40 *, Plant s4 *, StorageLocation s4, Batch s10
        ActualDeliveryQuantity d13.3, DeliveryQuantityUnit s3, GoodsMovementStatus s1 *, ReferenceSDDocument s10
        ReferenceSDDocumentItem s6""",
    ),
)

BILLING = _service(
    "API_BILLING_DOCUMENT_SRV",
    _set(
        "A_BillingDocument",
        "BillingDocument",
        """BillingDocument s10, BillingDocumentCategory s1, BillingDocumentType s4, CreationDate t, LastChangeDateTime o =
        SalesOrganization s4, DistributionChannel s2, Division s2, BillingDocumentDate t, BillingDocumentIsCancelled b
        CancelledBillingDocument s10, TotalNetAmount d16.3, TransactionCurrency s5, TotalGrossAmount d17.3
        SoldToParty s10, PurchaseOrderByCustomer s35""",
    ),
)

PURCHASE = _service(
    "API_PURCHASEORDER_PROCESS_SRV",
    _set(
        "A_PurchaseOrder",
        "PurchaseOrder",
        """PurchaseOrder s10, CompanyCode s4, PurchaseOrderType s4, PurchasingDocumentDeletionCode s1 *
        PurchasingProcessingStatus s2 *, CreatedByUser s12 *, CreationDate t *, LastChangeDateTime o * =, Supplier s10
        Language s2, PaymentTerms s4, PurchasingOrganization s4, PurchasingGroup s3, PurchaseOrderDate t
        DocumentCurrency s5, CorrespncExternalReference s12, CorrespncInternalReference s12, ReleaseIsNotCompleted b *
        YY1_PlatformOrder_PDH s35""",
        to_PurchaseOrderItem=Way("A_PurchaseOrderItem", ("PurchaseOrder",)),
        to_PurchaseOrderNote=Way("A_PurchaseOrderNote", ("PurchaseOrder",)),
    ),
    _set(
        "A_PurchaseOrderItem",
        "PurchaseOrder PurchaseOrderItem",
        """PurchaseOrder s10 *, PurchaseOrderItem s5, PurchasingDocumentDeletionCode s1 *, PurchaseOrderItemText s40
        Plant s4, StorageLocation s4, OrderQuantity d13.3, PurchaseOrderQuantityUnit s3, OrderPriceUnit s3
        DocumentCurrency s5 *, NetPriceAmount d12.3, NetPriceQuantity d5.0, TaxCode s2, IsCompletelyDelivered b
        IsFinallyInvoiced b, Material s40, PurchasingParentItem s5""",
        to_ScheduleLine=Way("A_PurchaseOrderScheduleLine", ("PurchaseOrder", "PurchaseOrderItem")),
    ),
    _set(
        "A_PurchaseOrderScheduleLine",
        "PurchasingDocument PurchasingDocumentItem ScheduleLine",
        """PurchasingDocument s10 *, PurchasingDocumentItem s5 *, ScheduleLine s4, ScheduleLineDeliveryDate t
        ScheduleLineOrderQuantity d13.3, PurchaseOrderQuantityUnit s3 *""",
    ),
    _set(
        "A_PurchaseOrderNote",
        "PurchaseOrder TextObjectType Language",
        "PurchaseOrder s10 *, TextObjectType s4, Language s2, PlainLongText s9999",
    ),
)

MOVEMENT = _service(
    "API_MATERIAL_DOCUMENT_SRV",
    _set(
        "A_MaterialDocumentHeader",
        "MaterialDocumentYear MaterialDocument",
        """MaterialDocumentYear s4, MaterialDocument s10, InventoryTransactionType s2, DocumentDate t, PostingDate t
        CreationDate t, CreationTime T, CreatedByUser s12, MaterialDocumentHeaderText s25, ReferenceDocument s16
        GoodsMovementCode s2""",
        to_MaterialDocumentItem=Way("A_MaterialDocumentItem", ("MaterialDocumentYear", "MaterialDocument")),
    ),
    _set(
        "A_MaterialDocumentItem",
        "MaterialDocumentYear MaterialDocument MaterialDocumentItem",
        """MaterialDocumentYear s4, MaterialDocument s10, MaterialDocumentItem s4, Material s40, Plant s4
        StorageLocation s4, Batch s10, GoodsMovementType s3, Supplier s10, PurchaseOrder s10, PurchaseOrderItem s5
        GoodsMovementRefDocType s1, EntryUnit s3, QuantityInEntryUnit d13.3, IsCompletelyDelivered b
        IsAutomaticallyCreated s1, GoodsMovementIsCancelled b, ReversedMaterialDocumentYear s4
        ReversedMaterialDocument s10, ReversedMaterialDocumentItem s4""",
    ),
)

CONDITION = _service(
    "API_SLSPRICINGCONDITIONRECORD_SRV",
    _set(
        "A_SlsPrcgConditionRecord",
        "ConditionRecord",
        """ConditionRecord s10, ConditionSequentialNumber s2, ConditionTable s3, ConditionApplication s2, ConditionType s4
        PricingScaleType s1, PricingScaleBasis s1, ConditionScaleQuantityUnit s3, ConditionCalculationType s1
        ConditionRateValue d12.3, ConditionRateValueUnit s5, ConditionQuantity d5.0, ConditionQuantityUnit s3
        ConditionIsDeleted b, CreationDate t""",
        to_SlsPrcgCndnRecdValidity=Way("A_SlsPrcgCndnRecdValidity", ("ConditionRecord",)),
        to_SlsPrcgCndnRecordScale=Way("A_SlsPrcgCndnRecordScale", ("ConditionRecord",)),
    ),
    _set(
        "A_SlsPrcgCndnRecdValidity",
        "ConditionRecord ConditionValidityEndDate",
        """ConditionRecord s10, ConditionValidityEndDate t, ConditionValidityStartDate t, ConditionApplication s2
        ConditionType s4, SalesOrganization s4, DistributionChannel s2, Customer s10, CustomerGroup s2, Material s40
        Plant s4, PriceListType s2""",
    ),
    _set(
        "A_SlsPrcgCndnRecordScale",
        "ConditionRecord ConditionScaleLine",
        """ConditionRecord s10, ConditionSequentialNumber s2, ConditionScaleLine s4, ConditionScaleQuantity d15.3
        ConditionRateValue d12.3""",
    ),
)

ALL = (ORDER, PRODUCT, PARTNER, STOCK, DELIVERY, BILLING, PURCHASE, MOVEMENT, CONDITION)
SERVICES = {each.name: each for each in ALL}
SETS = {name: one for service in SERVICES.values() for name, one in service.sets.items()}
READ_ONLY = frozenset(set(SETS) - set(ORDER.sets) - set(PURCHASE.sets) - set(MOVEMENT.sets))
LAGGING = ("A_SalesOrder", "A_PurchaseOrder", "A_MaterialDocumentHeader")  # what searches may find late

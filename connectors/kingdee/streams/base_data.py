"""Base data: what is traded, with whom, in which units."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from connectors.kingdee import arriving
from connectors.kingdee.mapping import CUSTOMER, MATERIAL
from connectors.kingdee.streams.keyed import Keyed
from tongshang.connect import PartnerIn, ProductIn, Record, UnitIn

CHANGES = ("FModifyDate", "FApproveDate", "FForbidDate")


class Materials(Keyed):
    """Audited materials of the organisation; a forbidden one comes as not active."""

    key: ClassVar[str] = "products"
    title: ClassVar[str] = "Products"
    every: ClassVar[timedelta] = timedelta(hours=1)
    form: ClassVar[str] = MATERIAL
    counted: ClassVar[bool] = True
    pk: ClassVar[str] = "FMATERIALID"
    org = "FUseOrgId"
    dates: ClassVar[tuple[str, ...]] = CHANGES
    fields: ClassVar[tuple[str, ...]] = (
        "FNumber",
        "FName",
        "FSpecification",
        "FBaseUnitId.FNumber",
        "FMaterialGroup",
        "FForbidStatus",
    )

    def to_core(self, row: Record) -> ProductIn:
        return arriving.product(self.mapping, row)


class Partners(Keyed):
    """Audited customers of the organisation, by whose code we know enterprises."""

    key: ClassVar[str] = "partners"
    title: ClassVar[str] = "Partners"
    every: ClassVar[timedelta] = timedelta(hours=6)
    form: ClassVar[str] = CUSTOMER
    counted: ClassVar[bool] = True
    pk: ClassVar[str] = "FCUSTID"
    org = "FUseOrgId"
    dates: ClassVar[tuple[str, ...]] = CHANGES
    fields: ClassVar[tuple[str, ...]] = ("FNumber", "FName", "FForbidStatus")

    def keys(self) -> tuple[str, ...]:
        return (*self.fields, self.mapping.fields["partner.code"])

    def to_core(self, row: Record) -> PartnerIn:
        return arriving.partner(self.mapping, row)


class Units(Keyed):
    """Units of measure, all of them each time: they are few and belong to no organisation."""

    key: ClassVar[str] = "units"
    title: ClassVar[str] = "Units"
    every: ClassVar[timedelta] = timedelta(hours=24)
    form: ClassVar[str] = "BD_UNIT"
    counted: ClassVar[bool] = True
    pk: ClassVar[str] = "FUNITID"
    dates: ClassVar[tuple[str, ...]] = ()
    fields: ClassVar[tuple[str, ...]] = ("FNumber", "FName")

    def to_core(self, row: Record) -> UnitIn:
        return arriving.unit(self.mapping, row)

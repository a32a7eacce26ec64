"""Prices from condition records: those for everybody and those for one customer, with their scales.

The record (`A_SlsPrcgConditionRecord`) says how much, its validity (`A_SlsPrcgCndnRecdValidity`) for whom and until when.
SAP stamps no changes on them, so all are read every time. A price for a group (of customers, of a region, of a price list)
is nobody's price here: it is left out, and listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from connectors.sap.odata import wire
from connectors.sap.odata.addresses import v2
from connectors.sap.odata.client import Client
from connectors.sap.odata.keyed import PAGE, Keyed
from connectors.sap.odata.mapping import CENT, PRICE, SiteMapping, readable
from tongshang.connect import FixSettings, PriceIn, Record, RetryLater, SkipRecord

CONDITIONS = v2("API_SLSPRICINGCONDITIONRECORD_SRV")
SCALES = "A_SlsPrcgCndnRecordScale"
SALES = "V"  # the application: sales
PER_QUANTITY = "C"  # calculation type; others are percentages and fixed amounts
BY_QUANTITY = "C"  # what a scale counts
UP_TO = "B"  # a scale whose lines say "up to": its bands cannot be told as "from"
TABLES = "304,305,004,005"  # material, and customer with material; with and without release
# Parts of a key that a price may have here; a record keyed by anything else holds for some kind of deal only.
OPEN = frozenset(
    {
        "ConditionRecord",
        "ConditionValidityEndDate",
        "ConditionValidityStartDate",
        "ConditionApplication",
        "ConditionType",
        "ConditionReleaseStatus",
        "ConditionContract",
        "SalesOrganization",
        "DistributionChannel",
        "Division",
        "Material",
        "Customer",
        "SoldToParty",
        "TransactionCurrency",
        "ETag",
    }
)


class Prices(Keyed):
    """Sales prices of the condition type and tables from the settings, in the sales organisation and its channel."""

    key: ClassVar[str] = "prices"
    title: ClassVar[str] = "Prices"
    every: ClassVar[timedelta] = timedelta(hours=6)
    service, set, id = CONDITIONS, "A_SlsPrcgConditionRecord", "ConditionRecord"
    stamps: ClassVar[tuple[str, ...]] = ()

    def __init__(self, client: Client, mapping: SiteMapping, size: int = PAGE) -> None:
        super().__init__(client, mapping, size)
        access = mapping.access
        self.type = access["price_record_type"] or "PPR0"
        told = access["price_record_tables"] or TABLES
        self.tables = [part for part in re.split(r"[\s,;，；、]+", told) if part]
        self.vat = access["price_record_vat"]

    def _where(self, cursor: str | None) -> list[str]:
        if not self.vat:
            raise FixSettings("sap.price_vat_missing", "the settings do not say which tax to add to prices")
        tables = " or ".join(f"ConditionTable eq {wire.literal(table)}" for table in self.tables)
        return [
            f"ConditionApplication eq '{SALES}'",
            f"ConditionType eq {wire.literal(self.type)}",
            *([tables] if tables else []),
        ]

    def _also(self) -> Mapping[str, str]:
        return {"$expand": "to_SlsPrcgCndnRecdValidity,to_SlsPrcgCndnRecordScale"}

    def _stamp(self, row: Record) -> str:
        return ""

    def _kept(self, rows: Sequence[Record]) -> Sequence[Record]:
        """One row for each validity and each line of the scale."""
        made: list[dict[str, Any]] = []
        for row in rows:
            if wire.flag(row, "ConditionIsDeleted"):
                continue
            head = {name: value for name, value in row.items() if not isinstance(value, dict | list)}
            scale = self._scale(row)
            for validity in wire.many(row, "to_SlsPrcgCndnRecdValidity"):
                if self._elsewhere(validity):
                    continue
                key = {name: value for name, value in validity.items() if not isinstance(value, dict | list)}
                made += [{**head, "validity": key, "scale": line} for line in scale or (None,)]
        return made

    def _scale(self, row: Record) -> Sequence[Record]:
        """The lines of a record's scale. Some systems expand none though the record says it has one: then they are asked for."""
        lines: Sequence[Record] = wire.many(row, "to_SlsPrcgCndnRecordScale")
        if not lines and wire.text(row, "PricingScaleType"):
            where = f"ConditionRecord eq {wire.literal(wire.text(row, self.id))}"
            query = {"$filter": where, "$orderby": "ConditionScaleLine"}
            lines = [line for page in self.client.pages(CONDITIONS, SCALES, query) for line in page.entities]
            if not lines:
                raise RetryLater("sap.unreadable", f"{wire.text(row, self.id)}: the scale has no lines")
        return sorted(lines, key=lambda line: wire.number(line, "ConditionScaleQuantity"))

    def _elsewhere(self, validity: Record) -> bool:
        """Whether it is the price of another sales organisation or channel."""
        ours = {"SalesOrganization": self.mapping.organisation, "DistributionChannel": self.mapping.channel}
        return any(
            (told := wire.text(validity, name)) and mine and told != mine for name, mine in ours.items()
        )

    def to_core(self, row: Record) -> PriceIn:
        found: PriceIn = readable(self._price, row)
        return found

    def _price(self, row: Record) -> PriceIn:
        number = wire.text(row, self.id)
        validity: Record = row["validity"]
        material = wire.text(validity, "Material")
        narrow = sorted(name for name in validity if name not in OPEN and _keyed(validity, name))
        if narrow or not material:
            said = f"{number}: keyed by {', '.join(narrow) or 'no material'}"
            raise SkipRecord("sap.price_key", said, field=number)
        line: Record | None = row["scale"]
        self._refuse(row, line, number)
        currency = wire.text(row, "ConditionRateValueUnit") or wire.text(row, "ConditionCurrency")
        if currency not in self.mapping.our_currencies:
            raise SkipRecord("sap.currency_missing", f"{number}: no currency for {currency}", field=number)
        rate = wire.number(row if line is None else line, "ConditionRateValue")
        per = wire.number(row, "ConditionQuantity") or Decimal(1)
        if rate <= 0:
            raise SkipRecord("sap.price_zero", f"{number}: the rate is {rate}", field=number)
        ends = wire.day(validity, "ConditionValidityEndDate")
        parts = (number, str(ends or ""), "" if line is None else wire.text(line, "ConditionScaleLine"))
        return PriceIn(
            external_id="/".join(filter(None, parts)),
            material=self.mapping.our_materials.get(material, material),
            unit=self.mapping.our_unit(wire.text(row, "ConditionQuantityUnit")),
            currency=self.mapping.our_currencies[currency],
            price=(rate * (1 + self._rate()) / per).quantize(PRICE, ROUND_HALF_UP),
            from_quantity=Decimal(0) if line is None else wire.number(line, "ConditionScaleQuantity"),
            from_day=wire.day(validity, "ConditionValidityStartDate"),
            to_day=ends,
            partner=wire.text(validity, "Customer") or wire.text(validity, "SoldToParty"),
        )

    @staticmethod
    def _refuse(row: Record, line: Record | None, number: str) -> None:
        """What is no price per quantity, or a scale that says something else than "from so many on"."""
        kind = wire.text(row, "ConditionCalculationType")
        if kind not in ("", PER_QUANTITY):
            raise SkipRecord("sap.price_kind", f"{number}: calculation type {kind}", field=number)
        if line is None:
            return
        counts = wire.text(row, "PricingScaleBasis")
        unit = wire.text(row, "ConditionScaleQuantityUnit")
        if (
            wire.text(row, "PricingScaleType") == UP_TO
            or counts not in ("", BY_QUANTITY)
            or unit not in ("", wire.text(row, "ConditionQuantityUnit"))
        ):
            raise SkipRecord("sap.price_scale", f"{number}: {counts or 'C'} {unit}", field=number)

    def _rate(self) -> Decimal:
        """The tax to add, as a share. Raises FixSettings."""
        try:
            percent = Decimal(self.vat.strip().rstrip("%"))
        except ArithmeticError:
            percent = Decimal(-1)
        if not (percent.is_finite() and 0 <= percent < 100):
            raise FixSettings("sap.price_vat_missing", f"{self.vat} is no percentage")
        return (percent / 100).quantize(CENT * CENT)


def _keyed(validity: Record, name: str) -> bool:
    """Whether a part of the key is filled; markers of the protocol and empty numbers are not."""
    value = validity[name]
    return not name.startswith(("__", "@")) and isinstance(value, str) and bool(value.strip().strip("0"))

"""Materials and stock as they flow in: a page at a time, behind the last key, so a stopped run goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, ClassVar

from connectors.kingdee.client import Client, literal
from connectors.kingdee.mapping import (
    INVENTORY,
    INVENTORY_FIELDS,
    MATERIAL,
    MATERIAL_FIELDS,
    USABLE,
    SiteMapping,
)
from tongshang.connect import Page, ProductIn, Record, RetryLater, StockIn, Stream

PAGE = 500  # rows
OVERLAP = timedelta(minutes=5)  # a change may be stamped before it can be seen


class Materials(Stream):
    """Audited materials of the organisation, by their internal id."""

    key: ClassVar[str] = "products"
    title: ClassVar[str] = "Products"
    every: ClassVar[timedelta] = timedelta(hours=1)

    def __init__(self, client: Client, mapping: SiteMapping, size: int = PAGE) -> None:
        self.client, self.mapping, self.size = client, mapping, size

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        newest = cursor
        last = int(position) if position else 0
        while True:
            where = ["FDocumentStatus = 'C'", f"FMATERIALID > {last}"]
            if self.mapping.organisation:
                where.append(f"FUseOrgId.FNumber = {literal(self.mapping.organisation)}")
            if cursor:
                where.append(f"FModifyDate >= {literal(_earlier(cursor))}")
            found = self.client.query(
                MATERIAL, MATERIAL_FIELDS, " and ".join(where), "FMATERIALID ASC", limit=self.size
            )
            rows = tuple(dict(zip(MATERIAL_FIELDS, row, strict=True)) for row in found)
            if rows:
                last = int(rows[-1]["FMATERIALID"])
                newest = max([newest or "", *(str(row["FModifyDate"] or "") for row in rows)])
                yield Page(rows, str(last), newest or None)
            if len(rows) < self.size:
                return

    def to_core(self, row: Record) -> ProductIn:
        return self.mapping.product(row)


class Stocks(Stream):
    """Usable stock of the organisation: every material in full each time, since stock carries no change stamp."""

    key: ClassVar[str] = "stock"
    title: ClassVar[str] = "Stock"
    every: ClassVar[timedelta] = timedelta(minutes=15)

    def __init__(self, client: Client, mapping: SiteMapping, size: int = PAGE) -> None:
        self.client, self.mapping, self.size = client, mapping, size

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        last = position or ""
        while True:
            rows = self._after(last)
            more = len(rows) == self.size
            materials = [(material, list(group)) for material, group in groupby(rows, key=_material)]
            if more:
                materials.pop()  # its rows may go on in the next page
                if not materials:
                    raise RetryLater("kingdee.page_too_small", f"more than {self.size} rows of one material")
            if materials:
                last = materials[-1][0]
                yield Page(tuple(row for _, group in materials for row in _sums(group)), last, None)
            if not more:
                return

    def _after(self, last: str) -> list[dict[str, Any]]:
        where = [f"FStockStatusId.FNumber = {literal(USABLE)}"]
        if self.mapping.organisation:
            where.append(f"FStockOrgId.FNumber = {literal(self.mapping.organisation)}")
        if last:
            where.append(f"FMaterialId.FNumber > {literal(last)}")
        order = "FMaterialId.FNumber ASC,FStockId.FNumber ASC,FID ASC"
        found = self.client.query(INVENTORY, INVENTORY_FIELDS, " and ".join(where), order, limit=self.size)
        return [dict(zip(INVENTORY_FIELDS, row, strict=True)) for row in found]

    def to_core(self, row: Record) -> StockIn:
        return self.mapping.stock(row)


def _material(row: dict[str, Any]) -> str:
    return str(row["FMaterialId.FNumber"])


def _sums(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row per warehouse: lots and places within it added up."""
    for _, group in groupby(rows, key=lambda row: row["FStockId.FNumber"]):
        parts = list(group)
        yield {**parts[0], "FBaseQty": sum(part["FBaseQty"] or 0 for part in parts)}


def _earlier(cursor: str) -> str:
    return (datetime.fromisoformat(cursor) - OVERLAP).strftime("%Y-%m-%d %H:%M:%S")

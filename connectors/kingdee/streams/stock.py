"""Stock as it lies, by the material's number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any, ClassVar

from connectors.kingdee import arriving
from connectors.kingdee.client import Client, literal
from connectors.kingdee.mapping import SiteMapping
from connectors.kingdee.streams.keyed import PAGE
from tongshang.connect import Page, Record, StockIn, Stream

FIELDS = ("FMaterialId.FNumber", "FStockId.FNumber", "FBaseUnitId.FNumber", "FBaseQty")
ORDER = "FMaterialId.FNumber ASC,FStockId.FNumber ASC,FID ASC"
USABLE = "KCZT01_SYS"  # stock status: free for use


class Stocks(Stream):
    """Usable stock of the organisation: every material in full each time, since stock carries no change stamp."""

    key: ClassVar[str] = "stock"
    title: ClassVar[str] = "Stock"
    every: ClassVar[timedelta] = timedelta(minutes=15)
    form: ClassVar[str] = "STK_Inventory"

    def __init__(self, client: Client, mapping: SiteMapping, size: int = PAGE) -> None:
        self.client, self.mapping, self.size = client, mapping, size

    def look(self) -> None:
        """Read one row; raises what Kingdee says where that cannot be."""
        self.client.query(self.form, FIELDS, self._where(""), "FID ASC", limit=1)

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        last = position or ""
        while True:
            rows = self._after(last)
            more = len(rows) == self.size
            materials = [(material, list(group)) for material, group in groupby(rows, key=_material)]
            if more:
                (last_one, _) = materials.pop()  # its rows may go on in the next page
                if not materials:
                    materials = [(last_one, self._all_of(last_one))]
            if materials:
                last = materials[-1][0]
                yield Page(tuple(row for _, group in materials for row in _sums(group)), last, None)
            if not more:
                return

    def _after(self, last: str) -> list[dict[str, Any]]:
        where = self._where(f"FMaterialId.FNumber > {literal(last)}" if last else "")
        found = self.client.query(self.form, FIELDS, where, ORDER, limit=self.size)
        return [dict(zip(FIELDS, row, strict=True)) for row in found]

    def _all_of(self, material: str) -> list[dict[str, Any]]:
        """The rows of a material that has more lots and places than a page has rows."""
        where = self._where(f"FMaterialId.FNumber = {literal(material)}")
        pages = self.client.pages(self.form, FIELDS, where, ORDER, size=self.size)
        return [row for _, rows in pages for row in rows]

    def _where(self, more: str) -> str:
        where = [f"FStockStatusId.FNumber = {literal(USABLE)}"]
        if self.mapping.organisation:
            where.append(f"FStockOrgId.FNumber = {literal(self.mapping.organisation)}")
        return " and ".join(filter(None, (*where, more)))

    def to_core(self, row: Record) -> StockIn:
        return arriving.stock(self.mapping, row)


def _material(row: dict[str, Any]) -> str:
    return str(row["FMaterialId.FNumber"])


def _sums(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row per warehouse: lots and places within it added up."""
    for _, group in groupby(rows, key=lambda row: row["FStockId.FNumber"]):
        parts = list(group)
        yield {**parts[0], "FBaseQty": [part["FBaseQty"] for part in parts]}

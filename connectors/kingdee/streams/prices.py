"""Prices: the lines of audited sales price lists, for everybody or for the customers a list names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import ClassVar

from connectors.kingdee import arriving
from connectors.kingdee.client import Client
from connectors.kingdee.mapping import SiteMapping
from connectors.kingdee.streams.keyed import Keyed, Row
from tongshang.connect import PriceIn, Record

LISTS = 20  # price lists of a page: one may have thousands of lines
CUSTOMERS = "1"  # FLimitCustomer: the list names its customers
LINE = ("FMaterialId.FNumber", "FUnitID.FNumber", "FFromQty", "FPrice")
PERIOD = ("FEntryEffectiveDate", "FEntryExpiryDate")


class Prices(Keyed):
    """One record for each line and customer. Lists for kinds of customers or for salespersons are left out, and say so."""

    key: ClassVar[str] = "prices"
    title: ClassVar[str] = "Prices"
    every: ClassVar[timedelta] = timedelta(hours=6)
    form: ClassVar[str] = "BD_SAL_PriceList"
    fields: ClassVar[tuple[str, ...]] = (
        "FNumber",
        "FCurrencyId.FNumber",
        "FIsIncludedTax",
        "FEffectiveDate",
        "FExpiryDate",
        "FLimitCustomer",
        "FLimitSalesMan",
    )

    def __init__(self, client: Client, mapping: SiteMapping, size: int = LISTS) -> None:
        super().__init__(client, mapping, size)
        self.org = mapping.fields["price.organisation"]
        self.line = mapping.fields["price.line"]

    def needs(self) -> tuple[str, ...]:
        customer = f"{self.mapping.fields['price.customer']}.FNumber"
        return (*super().needs(), self.line, *LINE, *PERIOD, customer)

    def conditions(self) -> list[str]:
        return ["FForbidStatus = 'A'"]

    def records(self, found: Sequence[Row]) -> Iterator[Row]:
        ids = [self.id_of(row) for row in found]
        lines = self.lines(ids, (self.line, *LINE, *PERIOD), self.line)
        named = [self.id_of(row) for row in found if str(row["FLimitCustomer"] or "").strip() == CUSTOMERS]
        field = f"{self.mapping.fields['price.customer']}.FNumber"
        customers = self.lines(named, (field,), field) if named else {}
        for head in found:
            id = self.id_of(head)
            limit = str(head["FLimitCustomer"] or "").strip()
            limited = limit not in ("", CUSTOMERS) or bool(str(head["FLimitSalesMan"] or "").strip())
            numbers = [str(row[field]) for row in customers.get(id, ()) if row[field]]
            if limit == CUSTOMERS and not numbers:
                limited = True  # it names customers, and we may not see them
            for line in lines.get(id, ()):
                for customer in numbers if limit == CUSTOMERS and numbers else ("",):
                    yield {**head, **line, "customer": customer, "limited": limited}

    def to_core(self, row: Record) -> PriceIn:
        return arriving.price(self.mapping, row)

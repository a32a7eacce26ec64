"""Where a form keeps what every bill says, and what the rows of a query say about one bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.kingdee.mapping import AUDITED, CANCELLED, MARK, number_of
from tongshang.connect import Ambiguous, Found, RemoteLine, RetryLater, SkipRecord


@dataclass(frozen=True)
class Shape:
    """The field keys of a form. Of a line that has no unit and no quantity there is one."""

    form: str
    partner: str
    currency: str
    entry: str  # of the lines
    item: str  # what a line is about: its material, or what is paid
    amount: str  # of a line, with tax
    unit: str = ""
    quantity: str = ""
    price: str = ""  # with tax
    total: str = ""  # of the head; "": what the lines come to
    note: str = ""  # of a line; ours stand apart by it where two have the same material
    house: str = ""  # the organisation whose bill it is
    day: str = "FDate"
    mark: str = ""  # where MARK stands on each of ours, at its beginning; "": nothing tells ours from the site's own

    @property
    def line_id(self) -> str:
        return f"{self.entry}_FEntryID"

    @property
    def order(self) -> str:
        """By document, then by line: `found` wants its rows so."""
        return f"FID ASC,{self.line_id} ASC"

    @property
    def keys(self) -> tuple[str, ...]:
        """What a look asks for, one row for each line."""
        head = ("FID", "FBillNo", "FDocumentStatus", "FCancelStatus", self.partner, self.currency, self.total)
        line = (self.item, self.unit, self.quantity, self.price, self.amount)
        return tuple(filter(None, (*head, *line)))

    def found(self, rows: Sequence[Sequence[Any]]) -> Found | None:
        """The document that the rows of a query describe. Raises Ambiguous when they describe several."""
        try:
            return self._found([dict(zip(self.keys, row, strict=True)) for row in rows])
        except SkipRecord as unreadable:
            raise RetryLater("kingdee.unreadable", unreadable.message) from None

    @property
    def listed(self) -> tuple[str, ...]:
        """What a list of bills asks for, besides our reference."""
        return ("FID", "FCancelStatus", self.mark, self.total or self.amount)

    def told(self, rows: Iterable[Mapping[str, Any]], reference: str) -> list[tuple[str, Decimal, bool]]:
        """Our bills in the rows of a list, as (reference, total, void). Raises SkipRecord for an amount that is none."""
        ours: set[Any] = set()
        found: dict[Any, tuple[str, Decimal, bool]] = {}
        for row in rows:
            id, amount = row["FID"], number_of(row[self.total or self.amount])
            if not self.total and id in found:
                amount += found[id][1]
            found[id] = (str(row[reference] or ""), amount, row["FCancelStatus"] == CANCELLED)
            if str(row[self.mark] or "").startswith(MARK):
                ours.add(id)
        return [each for id, each in found.items() if id in ours]

    def _found(self, rows: Sequence[dict[str, Any]]) -> Found | None:
        if not rows:
            return None
        head = rows[0]
        id, number = head["FID"], str(head["FBillNo"])
        if not str(id).isdecimal():
            raise SkipRecord("kingdee.number_unreadable", f"{id!r} is no internal id")
        twice = sorted({str(row["FBillNo"]) for row in rows if row["FID"] != id})
        if twice:
            said = f"our reference is on {number} and {', '.join(twice)}"
            raise Ambiguous("kingdee.reference_twice", said)
        lines = tuple(self._line(row) for row in rows)
        status, cancelled = head["FDocumentStatus"], head["FCancelStatus"] == CANCELLED
        return Found(
            remote_id=str(id),
            number=number,
            partner=str(head[self.partner] or ""),
            currency=str(head[self.currency] or ""),
            total=number_of(head[self.total]) if self.total else sum((x.amount for x in lines), Decimal(0)),
            lines=lines,
            finished=status == AUDITED and not cancelled,
            cancelled=cancelled,
            status=str(status),
        )

    def _line(self, row: dict[str, Any]) -> RemoteLine:
        amount = number_of(row[self.amount])
        return RemoteLine(
            material=str(row[self.item] or ""),
            quantity=number_of(row[self.quantity]) if self.quantity else Decimal(1),
            unit=str(row[self.unit]) if self.unit else "",
            price=number_of(row[self.price]) if self.price else amount,
            amount=amount,
        )

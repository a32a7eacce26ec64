"""What flows in, kind by kind: which fields a record has, and the record in the platform's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from connectors.generic.values import day, number, pick, text, truth
from tongshang.connect import (
    Access,
    DeliveryIn,
    Incoming,
    InvoiceIn,
    MovedLine,
    PartnerIn,
    PaymentIn,
    PriceIn,
    ProductIn,
    ReceiptIn,
    SkipRecord,
    StockIn,
)

UNITS = {each: each for each in ("pcs", "kpcs", "piece", "t", "kg", "m", "set", "box", "roll", "sheet")}
CURRENCIES = {each: each for each in ("CNY", "USD", "EUR", "HKD", "JPY")}
LONGEST = 500  # characters of one text
MOST_LINES = 2000  # of one delivery or receipt
OPTIONS = ("path", "list", "files", "sheet", "record", "take", "since", "count")
"""Words of a `read_...` setting that say where the records are; all others name fields."""


@dataclass(frozen=True)
class Kind:
    """One kind of record: its stream, its fields, and those without which it means nothing."""

    key: str
    title: str
    every: timedelta
    needed: tuple[str, ...]
    more: tuple[str, ...] = ()
    lines: bool = False

    @property
    def fields(self) -> dict[str, str]:
        """Our name for every field, which is also the name looked for until a setting tells another."""
        heads = {name: name for name in (*self.needed, *self.more, "id", "changed")}
        return heads | ({"lines": "lines"} | {f"line.{n}": n for n in LINE} if self.lines else {})


LINE = ("line", "material", "quantity", "unit")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KINDS = {
    kind.key: kind
    for kind in (
        Kind("products", "Products", HOUR, ("code", "name", "unit"), ("specification", "group", "active")),
        Kind("partners", "Partners", DAY, ("number", "name"), ("code", "active")),
        Kind(
            "prices",
            "Prices",
            HOUR,
            ("material", "unit", "currency", "price"),
            ("from_quantity", "from_day", "to_day", "partner"),
        ),
        Kind("stock", "Stock", timedelta(minutes=15), ("material", "warehouse", "unit", "quantity")),
        Kind(
            "deliveries",
            "Deliveries",
            timedelta(minutes=15),
            ("number", "reference", "day"),
            ("carrier", "tracking"),
            lines=True,
        ),
        Kind("receipts", "Receipts", timedelta(minutes=15), ("number", "reference", "day"), lines=True),
        Kind("invoices", "Invoices", HOUR, ("number", "reference", "day", "currency", "total")),
        Kind("payments", "Payments", HOUR, ("number", "reference", "day", "currency", "amount")),
    )
}


class Reader:
    """Records of one kind as one enterprise names them."""

    def __init__(self, access: Access, key: str) -> None:
        self.kind = KINDS[key]
        self.told = access.table(f"read_{key}", self.kind.fields)
        self.units = _reversed(access.table("units", UNITS))
        self.currencies = _reversed(access.table("currencies", CURRENCIES))
        self.numbers = "plain"  # the form of numbers where they are text, see `values.number`

    def option(self, name: str) -> str:
        """`path`, `files` and the like of this kind; empty when it is not told."""
        return self.told.get(name, "")

    def columns(self) -> dict[str, str]:
        """Our field -> their name, options left out."""
        return {name: there for name, there in self.told.items() if name not in OPTIONS}

    def raw(self, row: Any, field: str) -> Any:
        return pick(row, self.told.get(field, ""))

    def text(self, row: Any, field: str) -> str:
        return self._read(row, field, text)[:LONGEST]

    def record(self, row: Any) -> Incoming:
        """The row in the platform's words; raises `SkipRecord` that names the field."""
        for field in self.kind.needed:
            if not self.text(row, field):
                said = f"{field} ({self.told.get(field, field)}) is empty"
                raise SkipRecord("generic.field_missing", said, field=self.name_of(row))
        return getattr(self, f"_{self.kind.key}")(row)

    def name_of(self, row: Any) -> str:
        """What a person would call the row: its number, code or material, whichever it has."""
        for field in ("id", "number", "code", "material"):
            try:
                if found := text(self.raw(row, field)):
                    return found[:100]
            except ValueError:
                continue
        return ""

    # -- kinds

    def _products(self, row: Any) -> ProductIn:
        code = self.text(row, "code")
        return ProductIn(
            external_id=self.text(row, "id") or code,
            code=code,
            name=self.text(row, "name"),
            unit=self._unit(row, "unit"),
            specification=self.text(row, "specification"),
            group=self.text(row, "group"),
            active=self._active(row),
        )

    def _partners(self, row: Any) -> PartnerIn:
        no = self.text(row, "number")
        id, name = self.text(row, "id") or no, self.text(row, "name")
        return PartnerIn(id, no, name, self.text(row, "code"), self._active(row))

    def _prices(self, row: Any) -> PriceIn:
        material, partner = self.text(row, "material"), self.text(row, "partner")
        unit, currency = self._unit(row, "unit"), self._currency(row)
        price = self._read(row, "price", self._number)
        if price < 0:
            raise SkipRecord("generic.unreadable_value", f"price {price} is below zero", field=material)
        least = self._read(row, "from_quantity", self._number) if self.text(row, "from_quantity") else Decimal(0)
        first = self._read(row, "from_day", day) if self.text(row, "from_day") else None
        last = self._read(row, "to_day", day) if self.text(row, "to_day") else None
        made = "|".join((material, partner, unit, currency, format(least, "f"), str(first or "")))
        id = self.text(row, "id") or made
        return PriceIn(id, material, unit, currency, price, least, first, last, partner)

    def _stock(self, row: Any) -> StockIn:
        material, warehouse = self.text(row, "material"), self.text(row, "warehouse")
        id = self.text(row, "id") or f"{material}|{warehouse}"
        quantity = self._read(row, "quantity", self._number)
        return StockIn(id, material, warehouse, self._unit(row, "unit"), quantity)

    def _deliveries(self, row: Any) -> DeliveryIn:
        carrier, tracking = self.text(row, "carrier"), self.text(row, "tracking")
        return DeliveryIn(*self._head(row), self._lines(row), carrier, tracking)

    def _receipts(self, row: Any) -> ReceiptIn:
        return ReceiptIn(*self._head(row), self._lines(row))

    def _invoices(self, row: Any) -> InvoiceIn:
        return InvoiceIn(*self._head(row), self._currency(row), self._read(row, "total", self._number))

    def _payments(self, row: Any) -> PaymentIn:
        return PaymentIn(*self._head(row), self._currency(row), self._read(row, "amount", self._number))

    # -- parts

    def _head(self, row: Any) -> tuple[str, str, str, Any]:
        no = self.text(row, "number")
        return self.text(row, "id") or no, no, self.text(row, "reference"), self._read(row, "day", day)

    def _lines(self, row: Any) -> tuple[MovedLine, ...]:
        found = self.raw(row, "lines")
        if isinstance(found, Mapping):  # XML with a single line
            found = [found]
        if not isinstance(found, list) or not found or len(found) > MOST_LINES:
            said = f"lines ({self.told.get('lines')}): a list of 1 to {MOST_LINES} is wanted"
            raise SkipRecord("generic.lines_missing", said, field=self.name_of(row))
        return tuple(self._line(row, line) for line in found)

    def _line(self, row: Any, line: Any) -> MovedLine:
        no = self.text(line, "line.line")
        material = self.text(line, "line.material")
        if not material:
            raise SkipRecord("generic.field_missing", "a line without material", field=self.name_of(row))
        quantity = self._read(line, "line.quantity", self._number)
        return MovedLine(
            int(no) if no.isdecimal() and len(no) < 6 else 0,
            material,
            quantity,
            self._unit(line, "line.unit"),
        )

    def _number(self, value: Any) -> Decimal:
        return number(value, self.numbers)

    def _unit(self, row: Any, field: str) -> str:
        there = self.text(row, field)
        if there not in self.units:
            raise SkipRecord(
                "generic.unit_unknown", f"no unit of ours for {there!r}", field=self.name_of(row)
            )
        return self.units[there]

    def _currency(self, row: Any) -> str:
        there = self.text(row, "currency")
        if there not in self.currencies:
            said = f"no currency of ours for {there!r}"
            raise SkipRecord("generic.currency_unknown", said, field=self.name_of(row))
        return self.currencies[there]

    def _active(self, row: Any) -> bool:
        return self._read(row, "active", truth) if self.text(row, "active") else True

    def _read(self, row: Any, field: str, how: Callable[[Any], Any]) -> Any:
        try:
            return how(self.raw(row, field))
        except ValueError as error:
            said = f"{field} ({self.told.get(field)}): {error}"
            raise SkipRecord("generic.unreadable_value", said, field=self.name_of(row)) from None


def _reversed(table: Mapping[str, str]) -> dict[str, str]:
    """Theirs -> ours; of two of ours for one of theirs the first counts."""
    return {theirs: ours for ours, theirs in reversed(list(table.items()))}

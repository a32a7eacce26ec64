"""What became of an order there: shipped, taken in, billed, paid. A record is what one bill says about one order of ours.

Heads are read by their internal id, their lines by the ids of the page, so that no page ends inside a bill. Bills about
orders that are not the platform's are left where they are, unless the settings ask to list them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from connectors.kingdee import arriving
from connectors.kingdee.client import Client, literal
from connectors.kingdee.mapping import MARK, PURCHASE_ORDER, SALES_ORDER, SiteMapping
from connectors.kingdee.streams.keyed import Keyed, Row
from tongshang.connect import DeliveryIn, InvoiceIn, PaymentIn, ReceiptIn, Record

BILLS = 200  # bills of a page
AT_ONCE = 100  # order numbers of one question
NOBODY = {"TONGSHANG-CHECK"}  # a number that no order has


@dataclass
class Order:
    """A sales order there that is one of ours: our reference, and which line of ours each of its lines is."""

    reference: str
    lines: dict[str, int] = field(default_factory=dict)  # id of the line there -> number of ours


class Bills(Keyed):
    """Audited bills that say by their lines which orders they are about."""

    every: ClassVar[timedelta] = timedelta(minutes=15)

    def __init__(self, client: Client, mapping: SiteMapping, size: int = BILLS) -> None:
        super().__init__(client, mapping, size)

    def conditions(self) -> list[str]:
        return ["FCancelStatus = 'A'"]

    def line_keys(self) -> tuple[str, ...]:
        """The fields asked for of the lines."""
        raise NotImplementedError

    def needs(self) -> tuple[str, ...]:
        return (*super().needs(), *self.line_keys())

    def look(self) -> None:
        """The bills, and the orders they are told apart by."""
        super().look()
        self.orders(NOBODY)

    def comes_back_as(self, id: int) -> str:
        """The id under which a bill with this internal id comes in: of its first record, when it has one."""
        row = next(self.records([{self.pk: id}]), None)
        return arriving.of_order(row) if row else str(id)

    def orders(self, numbers: set[str]) -> dict[str, Order]:
        """Those of these order numbers that are the platform's; with foreign ones to list, all of them."""
        wanted = sorted(number for number in numbers if number)
        found = {number: Order(number) for number in wanted} if self.mapping.all_orders else {}
        reference, line_id = self.mapping.reference, "FSaleOrderEntry_FEntryID"
        keys = tuple(dict.fromkeys(("FBillNo", reference, line_id, "FEntryNote")))
        for first in range(0, len(wanted), AT_ONCE):
            asked = ",".join(literal(number) for number in wanted[first : first + AT_ONCE])
            where = f"FBillNo in ({asked}) and FNote like {literal(f'%{MARK}%')}"
            for _, rows in self.client.pages(SALES_ORDER, keys, where, f"FID ASC,{line_id} ASC"):
                for row in rows:
                    number, note = str(row["FBillNo"]), str(row["FEntryNote"] or "").strip()
                    ours = found.setdefault(number, Order(number))
                    ours.reference = str(row[reference] or "") or number
                    ours.lines[str(row[line_id])] = int(note) if note.isdecimal() and len(note) < 6 else 0
        return found


class Deliveries(Bills):
    """Goods that left for our orders."""

    key: ClassVar[str] = "deliveries"
    title: ClassVar[str] = "Deliveries"
    form: ClassVar[str] = "SAL_OUTSTOCK"
    org = "FSaleOrgId"
    fields: ClassVar[tuple[str, ...]] = ("FBillNo", "FDate")

    def keys(self) -> tuple[str, ...]:
        own = self.mapping.fields
        return (*self.fields, own["delivery.carrier"], own["delivery.tracking"])

    def line_keys(self) -> tuple[str, ...]:
        own = self.mapping.fields
        moved = ("FEntity_FEntryID", "FMaterialID.FNumber", "FUnitID.FNumber", "FRealQty")
        return (*moved, own["delivery.order"], own["delivery.line"])

    def records(self, found: Sequence[Row]) -> Iterator[Row]:
        order, entry = self.mapping.fields["delivery.order"], self.mapping.fields["delivery.line"]
        lines = self.lines([self.id_of(row) for row in found], self.line_keys(), "FEntity_FEntryID")
        ours = self.orders({str(line[order] or "") for of_bill in lines.values() for line in of_bill})
        for head in found:
            about: dict[str, list[Row]] = {}
            for line in lines.get(self.id_of(head), ()):
                known = ours.get(str(line[order] or ""))
                if known:
                    numbered = {**line, "line": known.lines.get(str(line[entry]), 0)}
                    about.setdefault(known.reference, []).append(numbered)
            for reference, moved in about.items():
                yield {**head, "reference": reference, "lines": moved}

    def to_core(self, row: Record) -> DeliveryIn:
        return arriving.delivery(self.mapping, row)


class Receipts(Bills):
    """Goods the buyer took in; the order is his purchase order, which bears our reference."""

    key: ClassVar[str] = "receipts"
    title: ClassVar[str] = "Receipts"
    form: ClassVar[str] = "STK_InStock"
    org = "FStockOrgId"
    fields: ClassVar[tuple[str, ...]] = ("FBillNo", "FDate")

    def line_keys(self) -> tuple[str, ...]:
        moved = ("FInStockEntry_FEntryID", "FMaterialId.FNumber", "FUnitID.FNumber", "FRealQty")
        return (*moved, self.mapping.fields["receipt.order"])

    def records(self, found: Sequence[Row]) -> Iterator[Row]:
        order = self.mapping.fields["receipt.order"]
        lines = self.lines([self.id_of(row) for row in found], self.line_keys(), "FInStockEntry_FEntryID")
        named = self._references({_name(line[order]) for of_bill in lines.values() for line in of_bill})
        for head in found:
            about: dict[str, list[Row]] = {}
            for line in lines.get(self.id_of(head), ()):
                if number := _name(line[order]):
                    about.setdefault(named.get(number, number), []).append({**line, "line": 0})
            # What we filed ourselves is one bill, and known by its first order: it must not come in as several.
            only = 1 if len(about) > 1 and self._ours(self.id_of(head)) else None
            for reference, moved in list(about.items())[:only]:
                yield {**head, "reference": reference, "lines": moved}

    def look(self) -> None:
        Keyed.look(self)
        self._references(NOBODY)

    def _references(self, numbers: set[str]) -> dict[str, str]:
        """Our references of purchase orders by their numbers there, where they are not the same."""
        reference = self.mapping.fields["purchase.reference"]
        wanted = sorted(filter(None, numbers)) if reference != "FBillNo" else []
        found: dict[str, str] = {}
        for first in range(0, len(wanted), AT_ONCE):
            asked = ",".join(literal(number) for number in wanted[first : first + AT_ONCE])
            pages = self.client.pages(
                PURCHASE_ORDER, ("FBillNo", reference), f"FBillNo in ({asked})", "FID ASC"
            )
            found |= {str(row["FBillNo"]): _name(row[reference]) for _, rows in pages for row in rows}
        return {number: ours for number, ours in found.items() if ours}

    def _ours(self, id: int) -> bool:
        note = self.mapping.fields["receipt.note"]
        rows = self.lines([id], (note,), "FInStockEntry_FEntryID").get(id, ())
        return any(str(row[note] or "").startswith(MARK) for row in rows)

    def to_core(self, row: Record) -> ReceiptIn:
        return arriving.receipt(self.mapping, row)


class Invoices(Bills):
    """Receivables: what was billed for our orders, with tax."""

    key: ClassVar[str] = "invoices"
    title: ClassVar[str] = "Invoices"
    every: ClassVar[timedelta] = timedelta(hours=1)
    form: ClassVar[str] = "AR_receivable"
    org = "FSETTLEORGID"
    fields: ClassVar[tuple[str, ...]] = ("FBillNo", "FDATE", "FCURRENCYID.FNumber")

    def line_keys(self) -> tuple[str, ...]:
        own = self.mapping.fields
        return ("FEntityDetail_FEntryID", own["invoice.order"], own["invoice.amount"])

    def records(self, found: Sequence[Row]) -> Iterator[Row]:
        order, amount = self.mapping.fields["invoice.order"], self.mapping.fields["invoice.amount"]
        lines = self.lines([self.id_of(row) for row in found], self.line_keys(), "FEntityDetail_FEntryID")
        ours = self.orders({str(line[order] or "") for of_bill in lines.values() for line in of_bill})
        for head in found:
            about: dict[str, list[Any]] = {}
            for line in lines.get(self.id_of(head), ()):
                known = ours.get(str(line[order] or ""))
                if known:
                    about.setdefault(known.reference, []).append(line[amount])
            for reference, amounts in about.items():
                yield {**head, "reference": reference, "amounts": amounts}

    def to_core(self, row: Record) -> InvoiceIn:
        return arriving.invoice(self.mapping, row)


class Payments(Bills):
    """Money that came in: against a receivable, which names its order, or ahead of any bill, for an order."""

    key: ClassVar[str] = "payments"
    title: ClassVar[str] = "Payments"
    every: ClassVar[timedelta] = timedelta(hours=1)
    form: ClassVar[str] = "AR_RECEIVEBILL"
    org = "FPAYORGID"
    fields: ClassVar[tuple[str, ...]] = ("FBillNo", "FDATE", "FCURRENCYID.FNumber")

    def line_keys(self) -> tuple[str, ...]:
        against = ("payment.order", "payment.invoice", "payment.amount")
        ahead = ("prepayment.order", "prepayment.amount")
        return tuple(self.mapping.fields[name] for name in (*against, *ahead))

    def records(self, found: Sequence[Row]) -> Iterator[Row]:
        shares = self._shares([self.id_of(row) for row in found])
        ours = self.orders({name for of_bill in shares.values() for names, _ in of_bill for name in names})
        for head in found:
            about: dict[str, list[Any]] = {}
            for (order, source), amount in shares.get(self.id_of(head), ()):
                known = ours.get(order) or ours.get(source)
                # A source that names no order is a receivable; whether it is ours is known where invoices landed.
                reference = known.reference if known else "" if order else source
                if reference and amount:
                    about.setdefault(reference, []).append(amount)
            for reference, amounts in about.items():
                yield {**head, "reference": reference, "amounts": amounts}

    def _shares(self, ids: list[int]) -> dict[int, list[tuple[tuple[str, str], Any]]]:
        """What each bill pays: (order, source bill) and amount.

        A bill made from another one has source lines, and they count; its own lines would say the same a second time.
        """
        own = self.mapping.fields
        order, source, amount = own["payment.order"], own["payment.invoice"], own["payment.amount"]
        entry = "FRECEIVEBILLSRCENTRY_FEntryID"
        found: dict[int, list[tuple[tuple[str, str], Any]]] = {}
        for id, rows in self.lines(ids, (entry, order, source, amount), entry).items():
            if told := [row for row in rows if row[entry]]:
                found[id] = [((_name(row[order]), _name(row[source])), row[amount]) for row in told]
        order, amount = own["prepayment.order"], own["prepayment.amount"]
        entry = "FRECEIVEBILLENTRY_FEntryID"
        rest = [id for id in ids if id not in found]
        for id, rows in (self.lines(rest, (entry, order, amount), entry) if rest else {}).items():
            found[id] = [((_name(row[order]), ""), row[amount]) for row in rows if row[entry]]
        return found

    def to_core(self, row: Record) -> PaymentIn:
        return arriving.payment(self.mapping, row)


def _name(value: object) -> str:
    return str(value or "").strip()

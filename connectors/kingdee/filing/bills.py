"""The life of a bill there: looked for by our reference, saved, submitted, audited; opened again to change or to take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.kingdee.client import Client, Saved, literal
from connectors.kingdee.filing.shape import Shape
from connectors.kingdee.mapping import AUDITED, CANCELLED, IN_AUDIT, SiteMapping
from tongshang.connect import (
    Bill,
    Filing,
    Found,
    LineOut,
    Lookup,
    Rejected,
    RemoteLine,
    RetryLater,
    SkipRecord,
    SyncError,
    Uncertain,
    differences,
)

NUMBER_TAKEN = "已存在"
BATCH_PATIENCE, BATCH_PAUSE = 40.0, 0.5  # seconds a batch may take, between two questions for its end
PRICE = Decimal("0.0000000001")  # Kingdee keeps ten places


class BillFiling(Filing):
    """The bills of one form. A kind says how its message looks (`bill`), and in which field our reference stands."""

    def __init__(self, client: Client, site: SiteMapping) -> None:
        self.client, self.site = client, site
        self.shape = self.shaped(site)
        self.reference = self.referred(site)

    def shaped(self, site: SiteMapping) -> Shape:
        """Where the form keeps things on this site."""
        raise NotImplementedError

    def referred(self, site: SiteMapping) -> str:
        """The field that carries our reference on this site."""
        raise NotImplementedError

    def remote_id(self, id: str) -> str:
        """How we call the bill with this internal id: as a stream that brings it back would."""
        return id

    def id_of(self, found: Found) -> str:
        """The internal id again."""
        return found.remote_id.partition("/")[0]

    # -- looking

    def look(self) -> None:
        """Read one bill with every field it is filed by; raises what Kingdee says where that cannot be."""
        shape = self.shape
        keys = tuple(dict.fromkeys(filter(None, (*shape.keys, self.reference, shape.note, shape.mark))))
        self.client.query(shape.form, keys, "", shape.order, limit=1)

    def find(self, reference: str) -> Found | None:
        return self._look(self.reference, reference)

    def count(self, reference: str) -> int:
        """How many bills that are not void carry the reference."""
        where = f"{self.reference} = {literal(reference)} and FCancelStatus <> '{CANCELLED}'"
        return len(self.client.query(self.shape.form, ("FID",), where, "FID ASC"))

    def tally(self, day: date) -> list[tuple[str, Decimal, bool]] | None:
        """The platform's bills of a day in our organisation; None where nothing on them tells whose they are."""
        shape = self.shape
        if not shape.mark:
            return None
        keys = tuple(dict.fromkeys((*shape.listed, self.reference)))
        where = (
            f"{shape.day} >= '{day}' and {shape.day} < '{day + timedelta(days=1)}'"
            f" and {shape.house}.FNumber = {literal(self.site.organisation)}"
        )
        pages = self.client.pages(shape.form, keys, where, "FID ASC" if shape.total else shape.order)
        try:
            return shape.told((row for _, rows in pages for row in rows), self.reference)
        except SkipRecord as unreadable:
            raise RetryLater("kingdee.unreadable", unreadable.message) from None

    def _look(self, field: str, value: str) -> Found | None:
        where = f"{field} = {literal(value)}"
        found = self.shape.found(self.client.query(self.shape.form, self.shape.keys, where, self.shape.order))
        return found and replace(found, remote_id=self.remote_id(found.remote_id))

    def _there(self, reference: str, field: str) -> Found:
        try:
            found = self._look(field, reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if found is None:
            raise Uncertain("kingdee.vanished", f"{reference} was saved and cannot be found")
        return found

    # -- writing

    def send(self, bill: Bill, found: Found | None) -> Found:
        form = self.shape.form
        status = found.status if found else ""
        id = self.id_of(found) if found else ""
        if found is None or differences(bill, found):
            body = bill.body
            if found is not None:
                status = self._open(found)
                body = {**self._lines_kept(bill.body, id), "FID": int(id)}
            id = self._save(body)
            status = status or "A"
        if status != AUDITED:
            if status != IN_AUDIT:
                self.client.submit(form, id=id)
            self.client.audit(form, id=id)
        return self._there(bill.reference, self.reference)

    def send_many(self, bills: Sequence[Bill]) -> Sequence[Found | SyncError]:
        """New bills saved in one call, then submitted and audited together. Who stays behind goes on alone."""
        form = self.shape.form
        saved = self.client.save_many(
            form, [bill.body for bill in bills], patience=BATCH_PATIENCE, pause=BATCH_PAUSE
        )
        ids = ",".join(each.id for each in saved if isinstance(each, Saved))
        stopped: SyncError | None = None
        for step in (self.client.submit, self.client.audit) if ids else ():
            try:
                step(form, id=ids)
            except Rejected:
                continue  # of some or of all: the look tells who got how far, and each hears his own reason then
            except SyncError as error:
                stopped = error
                break
        return [
            self._outcome(bill, stopped) if isinstance(each, Saved) else _told(each)
            for bill, each in zip(bills, saved, strict=True)
        ]

    def _outcome(self, bill: Bill, stopped: SyncError | None) -> Found | SyncError:
        """What became of one saved bill of several."""
        try:
            found = self._there(bill.reference, self.reference)
            if found.finished:
                return found
            return stopped if stopped is not None else self.send(bill, found)
        except SyncError as error:
            return error

    def cancel(self, found: Found) -> Found:
        """Void it, or delete it where the site wants that: then nothing carries the reference any more."""
        self._open(found)
        if self.site.deletes:
            self.client.delete(self.shape.form, id=self.id_of(found))
            return replace(found, finished=False, cancelled=True)
        self.client.operate(self.shape.form, "Cancel", id=self.id_of(found))
        return self._there(found.number, "FBillNo")

    def _save(self, model: Mapping[str, Any]) -> str:
        """The id it has there."""
        try:
            return self.client.save(self.shape.form, model).id
        except Rejected as refused:
            raise _told(refused) from refused

    def _open(self, found: Found) -> str:
        """Bring a document back to where it can be edited; its status then."""
        id = self.id_of(found)
        if found.status == IN_AUDIT:
            self.client.audit(self.shape.form, id=id)
        if found.status in (IN_AUDIT, AUDITED):
            self.client.unaudit(self.shape.form, id=id)
            return "D"
        return found.status

    def _lines_kept(self, body: Mapping[str, Any], id: str) -> dict[str, Any]:
        """The body with the ids of the lines that stay: a line sent without its id would be another line there."""
        shape = self.shape
        told = tuple(dict.fromkeys(filter(None, (shape.item, shape.note))))
        keys = (shape.line_id, *told)
        rows = self.client.query(shape.form, keys, f"FID = {int(id)}", f"{shape.line_id} ASC")
        there = {tuple(str(cell or "").strip() for cell in row[1:]): row[0] for row in rows}
        entries = [
            {**entry, "FEntryID": there.pop(tuple(_cell(entry, key) for key in told), 0)}
            for entry in body[shape.entry]
        ]
        return {**body, shape.entry: entries}

    # -- in the words there

    def _currency(self, ours: str) -> str:
        found = self.site.currencies.get(ours)
        if found is None:
            field = self.shape.currency.partition(".")[0]
            raise Rejected("kingdee.currency_missing", f"no currency for {ours}", field=field)
        return found

    def _goods(self, line: LineOut, lookup: Lookup) -> tuple[RemoteLine, dict[str, Any]]:
        """A line of goods as it should be found, and as every form wants it."""
        shape = self.shape
        unit = self.site.units.get(line.unit)
        if unit is None:
            field = shape.unit.partition(".")[0]
            raise Rejected("kingdee.unit_missing", f"no unit for {line.unit}", field=field)
        material = lookup("product", line.sku_id) or line.material
        price = (line.gross / line.quantity).quantize(PRICE, ROUND_HALF_UP)
        entry = {
            "FEntryID": 0,
            shape.item.partition(".")[0]: {"FNumber": material},
            shape.unit.partition(".")[0]: {"FNumber": unit},
            shape.quantity: line.quantity,
            shape.price: price,
            "FEntryTaxRate": line.vat_rate * 100,
        }
        return RemoteLine(material, line.quantity, unit, price, line.gross), entry


def _told(refused: SyncError) -> SyncError:
    """Why it was not saved; that the number is taken says that a bill may be there already."""
    if isinstance(refused, Rejected) and (refused.field == "FBillNo" or NUMBER_TAKEN in refused.message):
        return Uncertain("kingdee.number_taken", refused.message)
    return refused


def _cell(entry: Mapping[str, Any], key: str) -> str:
    """What an entry of ours says at a field a query would ask for, such as FMaterialId.FNumber."""
    bare, _, inner = key.partition(".")
    value = entry.get(bare)
    if inner and isinstance(value, Mapping):
        value = value.get(inner)
    return str(value or "").strip()

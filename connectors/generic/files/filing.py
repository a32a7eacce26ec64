"""Documents of one kind at one place: each is a file left in a folder, done when an answer says so."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

from connectors.generic.files import paper, tables
from connectors.generic.files.journal import ACCEPTED, PART, REFUSED, WAITING, Journal, Note, note_of
from connectors.generic.files.place import Missing, Place, below
from connectors.generic.shapes import LAYOUTS, Shape
from connectors.generic.values import NOT_TOLD, hidden, listed, number, pick, text
from tongshang.connect import (
    Awaited,
    Bill,
    Exchange,
    Filing,
    FixSettings,
    Found,
    Lookup,
    Outgoing,
    Rejected,
    RetryLater,
    SyncError,
    Uncertain,
    differences,
)

if TYPE_CHECKING:
    from connectors.generic.files.link import FilesLink

LOOK_AGAIN = timedelta(seconds=60)
LONGEST_WAIT = 20  # seconds for an answer within one piece of work
ENDINGS = (".json", ".csv", ".xml", ".xlsx")
LARGEST_ANSWER = 1024 * 1024
SHOWN = 20000
HOUR = 3600


@dataclass(frozen=True)
class Answer:
    """What an answer file says of one file of ours. `total` only where it tells one."""

    file: str
    id: str
    number: str
    status: str
    refusal: str
    total: Decimal | None


class FilesFiling(Filing):
    """One kind of document: the names of its files and columns, where they go, and our notes about them."""

    def __init__(self, link: FilesLink, kind: str) -> None:
        self.link, self.kind, self.access = link, kind, link.access
        access, orders = link.access, kind == "sales_order"
        told = {} if orders else access.table(f"out_{kind}", {})
        self.pattern = (
            access["order_name"] if orders else told.get("file", kind + "_{reference}_{version}_{act}")
        )
        self.answer_pattern = access["answer_name"] if orders else told.get("answer", "answer_{file}")
        self.form = told.get("form") or access["form"] or "csv"
        self.out = told.get("folder") or access["out_folder"]
        self.notes = access["journal_folder"] + ("" if orders else f"/{kind}")
        self.shape = Shape(access, kind)
        columns = access.table("columns", {})
        self.names = {
            name: told.get(name) or columns.get(name) or name
            for name in (*LAYOUTS[kind].head, *LAYOUTS[kind].line)
        }
        self.answers, self.done = access["answer_folder"], access["done_folder"]
        self.refused = listed(access["refused_statuses"])
        self._seen = ("", "")  # the id found last and our reference of it
        below(self.out)
        if self.form not in paper.SUFFIX:
            raise FixSettings("files.form", f"out_{kind}: {self.form!r} is none of {', '.join(paper.SUFFIX)}")

    @property
    def place(self) -> Place:
        return self.link.place

    @property
    def journal(self) -> Journal:
        return Journal(self.place, self.notes, self.out)

    def bill(self, document: Outgoing, lookup: Lookup) -> Bill:
        self._offered()
        paper.piece(document.reference)
        return self.shape.bill(document, lookup)

    def _offered(self) -> None:
        if self.pattern == NOT_TOLD:
            raise Rejected("files.kind_not_set", f"out_{self.kind}: file={NOT_TOLD} says that none is left")

    # -- read

    def find(self, reference: str) -> Found | None:
        """What the newest file of this reference became. Awaited while its answer may still come."""
        self._offered()
        note = self.journal.latest(reference)
        if note is None:
            return None
        found = self._found(note)
        self._seen = (found.remote_id, reference)
        return found

    def _found(self, note: Note) -> Found:
        if note.state == ACCEPTED or self.access["answers"] == "none":
            return self._as_told(note, note.status)
        answer = self._answer(note)
        if answer is None:
            self._still_awaited(note)
        if answer.refusal:
            return self._as_told(note, REFUSED, finished=False)
        told = replace(note, id=answer.id, number=answer.number or answer.id or note.reference)
        if answer.total is not None:
            told = replace(told, total=str(answer.total))
        settled = self.journal.settle(told, ACCEPTED, answer.status)
        self._put_away(answer.file)
        return self._as_told(settled, answer.status)

    def _still_awaited(self, note: Note) -> NoReturn:
        """No trouble while the answer may be on its way; once it should have come, every look without it counts."""
        said = f"{note.name}: no answer yet"
        if time.time() - note.left_at < float(self.access["answer_hours"] or 0) * HOUR:
            raise Awaited("files.no_answer", said, after=LOOK_AGAIN)
        raise RetryLater("files.no_answer", said, after=LOOK_AGAIN)

    def _as_told(self, note: Note, status: str, *, finished: bool = True) -> Found:
        gone = finished and (
            note.act == "cancel" or (bool(status) and status.lower() in self.shape.cancelled)
        )
        return Found(
            remote_id=note.id or note.number or note.reference,
            number=note.number or note.reference,
            partner=note.partner,
            currency=note.currency,
            total=Decimal(note.total),
            lines=note.remote_lines(),
            finished=finished,
            cancelled=gone,
            status=status,
        )

    def _answer(self, note: Note) -> Answer | None:
        """The answer to a file; None while there is none, or none that is final. Half a file is RetryLater."""
        for ending in ENDINGS:
            name = self._answer_name(note) + ending
            try:
                data = self.place.read(self.answers, name, LARGEST_ANSWER)
            except Missing:
                continue
            except ValueError as error:
                raise RetryLater("files.answer_unreadable", f"{name}: {error}") from None
            self._show("read", self.answers, name, data)
            return self._understood(note, name, data)
        return None

    def _understood(self, note: Note, name: str, data: bytes) -> Answer | None:
        told = self.shape.answer
        try:
            _, rows = tables.rows_of(
                name,
                data,
                encoding=self.access["encoding"],
                separator=paper.SEPARATORS.get(self.access["separator"], ","),
                record=self.access["answer_record"],
            )
            row = next(rows, None)
            fields = {
                key: text(pick(row, told[key]))
                for key in ("id", "number", "status", "reference", "error", "message")
            }
            sum_told = text(pick(row, told["total"])) if row else ""
            total = number(sum_told, paper.numbers_in(name, self.access)) if sum_told else None
        except ValueError as error:
            raise RetryLater("files.answer_unreadable", f"{name}: {error}") from None
        if fields["reference"] and fields["reference"] != note.reference:
            said = f"{name} speaks of {fields['reference']} and not of {note.reference}"
            raise RetryLater("files.answer_of_another", said)
        refusal = ""
        if fields["error"] or fields["status"].lower() in self.refused:
            refusal = " ".join(filter(None, (fields["error"], fields["message"]))) or fields["status"]
        elif self.shape.done and fields["status"].lower() not in self.shape.done | self.shape.cancelled:
            return None  # received, and not yet done
        elif not any((fields["id"], fields["number"], fields["status"], fields["reference"])):
            raise RetryLater("files.answer_unreadable", f"{name} tells neither number nor status nor error")
        return Answer(name, fields["id"], fields["number"], fields["status"], refusal, total)

    def _answer_name(self, note: Note) -> str:
        stem = note.name.rpartition(".")[0]
        return paper.name_of(self.answer_pattern, note.reference, note.version, note.act, "", file=stem)

    # -- write

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is not None and found.status == REFUSED:
            self._give_up(bill.reference)
        if found is not None and not differences(bill, found):
            return found
        act = "create" if found is None else "change"
        return self._leave(note_of(bill, act, self._name(bill.reference, int(bill.body["version"]), act)))

    def cancel(self, found: Found) -> Found:
        id, reference = self._seen
        before = self.journal.latest(reference) if id == found.remote_id else None
        if before is None:
            raise RetryLater("files.not_looked_up", f"{found.number} was not looked up on this connection")
        if found.status == REFUSED:
            self._give_up(reference)
        name = self._name(reference, before.version, "cancel")
        body = {**before.body, "total": Decimal(before.body["total"]), "lines": []}  # notes keep numbers as text
        again = replace(before, act="cancel", name=name, body=body, state=WAITING, status="")
        return self._leave(replace(again, left_at=int(time.time())))

    def _leave(self, note: Note) -> Found:
        """Write the file aside, note it, let it go; then wait a little for the answer."""
        body = {**note.body, "act": note.act}
        data = paper.written(
            self.form,
            body,
            self.names,
            kind=self.kind,
            encoding=self.access["encoding"] or "utf-8",
            separator=self.access["separator"],
            numbers=self.access["number_form"],
        )
        self.link.before_write()
        try:
            self.place.make(self.done)
            for ending in ENDINGS:
                self._put_away(self._answer_name(note) + ending)  # of a file that was refused
            self.place.write(self.out, note.name + PART, data)
            self.journal.write(note)
        except Missing as error:
            raise FixSettings("files.folder_missing", f"there is no folder {error}") from None
        self.link.before_write()
        try:
            self.place.move(self.out, note.name + PART, self.out, note.name)
        except (SyncError, Missing) as error:
            raise Uncertain("files.let_go", f"{note.name}: {error}") from error
        self._show("write", self.out, note.name, data)
        return self._awaited(note)

    def _awaited(self, note: Note) -> Found:
        patience = min(int(self.access["wait"] or 0), LONGEST_WAIT)
        until = time.monotonic() + patience
        while True:
            try:
                found = self._found(note)
                break
            except (RetryLater, Awaited) as error:
                if time.monotonic() >= until:
                    if isinstance(error, Awaited):
                        raise
                    raise Uncertain(error.code, error.message) from error
                self.link.sleep(0.25)
            except SyncError as error:
                raise Uncertain(error.code, error.message) from error
        if found.status == REFUSED:
            self._give_up(note.reference)
        return found

    def _give_up(self, reference: str) -> None:
        """Note that the newest file was refused, and raise the reason; the next try writes it anew."""
        note = self.journal.latest(reference)
        answer = self._answer(note) if note else None
        if note is None or answer is None:
            raise RetryLater("files.no_answer", f"{reference}: the answer is gone", after=LOOK_AGAIN)
        self.journal.settle(replace(note, id="", number=""), REFUSED, answer.status)
        self._put_away(answer.file)
        raise Rejected("files.refused", f"{note.name}: {answer.refusal}")

    def _put_away(self, name: str) -> None:
        """An answer that was understood goes to the folder of what is done."""
        try:
            if self.place.exists(self.answers, name):
                self.place.make(self.done)
                stem, _, ending = name.rpartition(".")
                self.place.move(self.answers, name, self.done, f"{stem}.{time.time_ns():x}.{ending}")
        except Missing:
            return

    def _name(self, reference: str, version: int, act: str) -> str:
        return paper.name_of(self.pattern, reference, version, act, paper.SUFFIX[self.form])

    def _show(self, operation: str, folder: str, name: str, data: bytes) -> None:
        workbook = data.startswith(b"PK")
        shown = f"a workbook of {len(data)} bytes" if workbook else hidden(data[:SHOWN].decode("utf-8", "replace"))
        request, response = (shown, "") if operation == "write" else ("", shown)
        where = f"{self.place.shown}/{folder}/{name}"
        self.link.trace(Exchange(operation, where, request, 200, response, 0))

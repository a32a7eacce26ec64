"""What was left for the other system, kept beside it: one note for each file, written before the file is let go.

A file is written as `NAME.part`, then noted, then renamed to NAME. Only we rename it. So a note without a `.part` is a file
that was let go, also when the other system has taken it away since, and a note with one is a file nobody has seen.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from connectors.generic.files.paper import piece
from connectors.generic.files.place import Missing, Place
from tongshang.connect import Bill, RemoteLine, RetryLater

PART = ".part"
ACTS = ("create", "change", "cancel")
WAITING, ACCEPTED, REFUSED = "waiting", "accepted", "refused"


@dataclass(frozen=True)
class Note:
    """One file that was written: what stood in it and what became of it. `total` and numbers of lines are text."""

    reference: str
    version: int
    act: str
    name: str  # of the file
    partner: str
    currency: str
    total: str
    lines: tuple[Mapping[str, str], ...]
    body: Mapping[str, Any]
    state: str = WAITING
    number: str = ""
    status: str = ""
    id: str = ""  # where the answer tells one beside the number
    left_at: int = 0  # seconds since 1970

    @property
    def key(self) -> str:
        return f"{piece(self.reference)}.{self.version:08}.{ACTS.index(self.act)}.json"

    def remote_lines(self) -> tuple[RemoteLine, ...]:
        return tuple(
            RemoteLine(
                material=line["material"],
                quantity=Decimal(line["quantity"]),
                unit=line["unit"],
                price=Decimal(line["price"]),
                amount=Decimal(line["amount"]),
            )
            for line in self.lines
        )


def note_of(bill: Bill, act: str, name: str) -> Note:
    lines = tuple({field: str(value) for field, value in asdict(line).items()} for line in bill.lines)
    return Note(
        reference=bill.reference,
        version=int(bill.body["version"]),
        act=act,
        name=name,
        partner=bill.partner,
        currency=bill.currency,
        total=str(bill.total),
        lines=lines,
        body=bill.body,
        left_at=int(time.time()),
    )


class Journal:
    """The notes, in 256 folders so that none grows large."""

    def __init__(self, place: Place, folder: str, out: str) -> None:
        self.place, self.folder, self.out = place, folder, out

    def latest(self, reference: str) -> Note | None:
        """The newest note whose file was let go and not refused for good; None when there is none."""
        start = f"{piece(reference)}."
        try:
            names = [entry.name for entry in self.place.list(self._shard(reference))]
        except Missing:
            return None
        for name in sorted((n for n in names if n.startswith(start) and n.endswith(".json")), reverse=True):
            note = self._read(reference, name)
            if note.state != REFUSED and not self.place.exists(self.out, note.name + PART):
                return note
        return None

    def write(self, note: Note) -> None:
        shard = self._shard(note.reference)
        self.place.make(shard)
        told = json.dumps(asdict(note), ensure_ascii=False, default=str).encode()
        self.place.write(shard, note.key + PART, told)
        self.place.move(shard, note.key + PART, shard, note.key)

    def settle(self, note: Note, state: str, status: str) -> Note:
        """Note what the answer said."""
        settled = replace(note, state=state, status=status)
        self.write(settled)
        return settled

    def _read(self, reference: str, name: str) -> Note:
        try:
            raw = json.loads(self.place.read(self._shard(reference), name))
            return Note(**{**raw, "lines": tuple(raw["lines"])})
        except (ValueError, TypeError, KeyError, Missing) as error:
            raise RetryLater("files.journal", f"{name} cannot be read: {error}") from None

    def _shard(self, reference: str) -> str:
        return f"{self.folder}/{hashlib.sha256(reference.encode()).hexdigest()[:2]}"

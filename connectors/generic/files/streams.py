"""Records as they flow in from files: the oldest file first, so that what the newest one says stays.

A file counts once: it is moved away behind its last stored row, or remembered by name, size and time of change. A file that
cannot be read is one row that says why, and the files behind it are read all the same.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any, ClassVar

from connectors.generic.files import paper, tables
from connectors.generic.files.journal import PART
from connectors.generic.files.place import Entry, Missing, Place
from connectors.generic.records import KINDS, Reader
from connectors.generic.values import NOT_TOLD, pick
from tongshang.connect import Access, FixSettings, Incoming, Page, Record, SkipRecord, Stream

SIZE = 500  # rows of a page
MOST_SEEN = 5000  # files that are remembered
UNFINISHED = (PART, ".tmp", ".filepart", ".crdownload")


class UnfitFile(dict[str, Any]):
    """Stands where the rows of a file would be that cannot be read."""


class Records(Stream):
    """One kind of record in the files of one pattern."""

    key: ClassVar[str]
    title: ClassVar[str]
    every: ClassVar[timedelta]

    def __init__(
        self, access: Access, place: Callable[[], Place], clock: Callable[[], float] = time.time
    ) -> None:
        self.access, self._place, self.clock = access, place, clock
        self.reader = Reader(access, self.key)
        self.folder = access["in_folder"]
        self.moves = access["processed"] != "remember"
        self._unfit: set[str] = set()  # digests of files that could not be read

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        seen, begun, row = _read(cursor, position)
        there = self.waiting()
        present = {_digest(entry) for entry in there}
        seen &= present  # what is gone needs no memory
        left = [entry for entry in there if _digest(entry) not in seen]
        chosen = left[-1:] if self.reader.option("take") == "newest" else left
        for entry in left:
            mark = _digest(entry)
            if entry in chosen:
                start = row if mark == begun else 0
                for at, rows in self._pages(entry, start):
                    place = json.dumps({"seen": sorted(seen), "file": mark, "row": at})
                    yield Page(tuple(rows), place, None if self.moves else json.dumps(sorted(seen)))
            seen.add(mark)
            if self.moves:
                self._put_away(entry, unfit=mark in self._unfit)
            elif len(seen) > MOST_SEEN:
                raise FixSettings("files.too_many", f"{self.folder}: more than {MOST_SEEN} files to remember")
        if left and not self.moves:
            place = json.dumps({"seen": sorted(seen), "file": "", "row": 0})
            yield Page((), place, json.dumps(sorted(seen)))

    def waiting(self) -> list[Entry]:
        """The files of this stream that are whole, by name."""
        pattern = self.reader.option("files")
        if not pattern or "/" in pattern:
            raise FixSettings(
                "generic.stream_not_set", f"read_{self.key} tells no files, such as files={self.key}_*.csv"
            )
        try:
            listed = self._place().list(self.folder)
        except Missing:
            raise FixSettings("files.folder_missing", f"there is no folder {self.folder}") from None
        quiet = self.clock() - int(self.access["quiet"] or 0)
        return sorted(
            (
                entry
                for entry in listed
                if fnmatchcase(entry.name, pattern)
                and not entry.name.endswith(UNFINISHED)
                and (entry.changed <= quiet or not int(self.access["quiet"] or 0))
            ),
            key=lambda entry: entry.name,
        )

    def to_core(self, row: Record) -> Incoming:
        if isinstance(row, UnfitFile):
            raise SkipRecord(row["code"], row["said"], field=row["#file"])
        self.reader.numbers = paper.numbers_in(row["#file"], self.access)
        return self.reader.record(row)

    # -- one file

    def _pages(self, entry: Entry, start: int) -> Iterator[tuple[int, list[Record]]]:
        """Pages of rows behind the first `start` ones; the last page says why when the file cannot be read on."""
        rows: list[Record] = []
        no = 0
        try:
            for row in self._rows(entry):
                no += 1
                if no <= start:
                    continue
                rows.append({**row, "#file": entry.name})
                if len(rows) == SIZE:
                    yield no, rows
                    rows = []
        except tables.Unfit as error:
            self._unfit.add(_digest(entry))
            rows.append(
                UnfitFile({"#file": entry.name, "code": error.code, "said": f"{entry.name}: {error.said}"})
            )
        if rows:
            yield no, rows

    def _rows(self, entry: Entry) -> Iterator[Mapping[str, Any]]:
        told = self.access
        try:
            data = self._place().read(self.folder, entry.name)
        except Missing:
            return  # taken away by somebody since it was listed
        except ValueError as error:
            raise tables.Unfit("files.too_large", str(error)) from None
        flat, rows = tables.rows_of(
            entry.name,
            data,
            encoding=told["encoding"] or "utf-8",
            separator=paper.SEPARATORS.get(told["separator"], ","),
            sheet=self.reader.option("sheet"),
            record=self.reader.option("record"),
        )
        if flat:
            rows = self._whole(rows)
        yield from rows

    def _whole(self, rows: Iterator[tables.Row]) -> Iterator[tables.Row]:
        """Flat rows once the columns are there; of papers with lines those with one number together make one."""
        columns = self.reader.columns()
        needed = {columns[name] for name in self.reader.kind.needed}
        if self.reader.kind.lines:
            needed |= {columns[f"line.{name}"] for name in ("material", "quantity", "unit")}
        first = next(rows, None)
        if first is None:
            return
        lacking = sorted(name for name in needed if pick(first, name) is None and name != NOT_TOLD)
        if lacking:
            raise tables.Unfit("files.column_missing", f"no column {', '.join(lacking)}")
        chained = _again(first, rows)
        if not self.reader.kind.lines:
            yield from chained
            return
        for _, together in groupby(chained, key=lambda row: str(pick(row, columns["number"]))):
            lines = list(together)
            yield {**lines[0], columns["lines"]: lines}

    def _put_away(self, entry: Entry, *, unfit: bool) -> None:
        place, to = self._place(), self.access["bad_folder" if unfit else "done_folder"]
        try:
            place.make(to)
            place.move(self.folder, entry.name, to, f"{_digest(entry)[:8]}_{entry.name}"[-200:])
        except Missing:
            return


def _again(first: tables.Row, rows: Iterator[tables.Row]) -> Iterator[tables.Row]:
    yield first
    yield from rows


def _digest(entry: Entry) -> str:
    told = f"{entry.name}|{entry.size}|{entry.changed}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _read(cursor: str | None, position: str | None) -> tuple[set[str], str, int]:
    """(files that are done, the file that was begun, its rows that are stored)."""
    try:
        seen = set(json.loads(cursor)) if cursor else set()
        place = json.loads(position) if position else {}
        return seen | set(place.get("seen", ())), str(place.get("file", "")), int(place.get("row", 0))
    except (ValueError, TypeError, AttributeError):
        raise FixSettings("files.cursor", "the place to go on from cannot be read") from None


KINDS_OF_STREAM: dict[str, type[Records]] = {
    key: type(
        f"Files{key.title()}",
        (Records,),
        {"key": key, "title": kind.title, "every": kind.every, "__doc__": f"{kind.title} in files."},
    )
    for key, kind in KINDS.items()
}

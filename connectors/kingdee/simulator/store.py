"""What the server remembers: documents in memory, written to SQLite before anything is acknowledged."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.kingdee.wire import encode

CHINA = timezone(timedelta(hours=8))
FIRST_ID = 100001


def wall_clock() -> str:
    """The server's local time, as Kingdee writes it: without a zone."""
    return datetime.now(UTC).astimezone(CHINA).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


@dataclass
class Document:
    """One bill or one piece of base data; references are kept as numbers."""

    form: str
    id: int
    number: str
    head: dict[str, Any] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, list[dict[str, Any]]] = field(
        default_factory=dict
    )  # further kinds of lines, by their key
    born: float = 0.0  # when it was first saved, on this process's clock

    @property
    def status(self) -> str:
        return str(self.head["FDocumentStatus"])

    def stamp(self, status: str | None = None) -> None:
        """Saved by somebody. Audit and forbidding leave this date alone, and set one of their own."""
        if status:
            self.head["FDocumentStatus"] = status
        self.head["FModifyDate"] = wall_clock()

    def lines_of(self, key: str, main: str) -> list[dict[str, Any]]:
        return self.lines if key == main else self.more.setdefault(key, [])


class Store:
    """All documents of one data centre; callers hold `lock` around a read-change-write."""

    def __init__(self, path: Path | None = None, calls: Mapping[str, int] | None = None) -> None:
        self.lock = threading.RLock()
        self.calls = calls if calls is not None else {}  # how often each call was asked, kept by the server
        self._forms: dict[str, dict[int, Document]] = {}
        self._numbers: dict[str, dict[str, list[int]]] = {}
        self._file = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None
        )
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS document"
            " (form TEXT, id INTEGER, number TEXT, body TEXT, PRIMARY KEY (form, id))"
        )
        for form, id, number, body in self._file.execute(
            "SELECT form, id, number, body FROM document ORDER BY id"
        ):
            saved = json.loads(body, parse_float=Decimal)
            self._keep(Document(form, id, number, saved["head"], saved["lines"], saved.get("more", {})))
        self._next = max([FIRST_ID, *(max(ids) + 1 for ids in self._forms.values() if ids)])

    def new_id(self) -> int:
        self._next += 1
        return self._next - 1

    def put(self, *documents: Document) -> None:
        """Write documents durably, all or none."""
        rows = [(d.form, d.id, d.number, encode(_body(d))) for d in documents]
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)", rows)
        self._file.execute("COMMIT")
        for document in documents:
            before = self.by_id(document.form, document.id)
            document.born = before.born if before else time.monotonic()
            self._keep(document)

    def remove(self, document: Document) -> None:
        self._file.execute("DELETE FROM document WHERE form = ? AND id = ?", (document.form, document.id))
        del self._forms[document.form][document.id]
        self._forget_number(document)

    def all(self, form: str, after: int = 0) -> list[Document]:
        """Documents of a form in the order of their ids, those behind `after`."""
        documents = self._forms.get(form, {})
        if not after:
            return list(documents.values())
        ids = list(documents)  # new ids only grow, so they stand in order
        return [documents[id] for id in ids[bisect_right(ids, after) :]]

    def by_id(self, form: str, id: int) -> Document | None:
        return self._forms.get(form, {}).get(id)

    def by_number(self, form: str, number: str) -> Document | None:
        """The one with this number; where several bear it, the first of them."""
        ids = self._numbers.get(form, {}).get(number)
        return self._forms[form][ids[0]] if ids else None

    def all_by_number(self, form: str, number: str) -> list[Document]:
        return [self._forms[form][id] for id in self._numbers.get(form, {}).get(number, ())]

    def snapshot(self, form: str = "") -> Mapping[str, Any]:
        """Everything, for the admin page and for tests."""
        with self.lock:
            return {
                name: [{"id": d.id, "number": d.number, **_body(d)} for d in ids.values()]
                for name, ids in self._forms.items()
                if not form or name.lower() == form.lower()
            }

    def counts(self) -> dict[str, int]:
        """How many documents of each form there are."""
        return {form: len(ids) for form, ids in self._forms.items()}

    def close(self) -> None:
        self._file.close()

    def _keep(self, document: Document) -> None:
        before = self.by_id(document.form, document.id)
        if before is not None and before.number != document.number:
            self._forget_number(before)
        self._forms.setdefault(document.form, {})[document.id] = document
        if document.number:
            ids = self._numbers.setdefault(document.form, {}).setdefault(document.number, [])
            if document.id not in ids:
                ids.append(document.id)

    def _forget_number(self, document: Document) -> None:
        ids = self._numbers.get(document.form, {}).get(document.number, [])
        if document.id in ids:
            ids.remove(document.id)


def _body(document: Document) -> dict[str, Any]:
    more = {"more": document.more} if document.more else {}
    return {"head": document.head, "lines": document.lines, **more}

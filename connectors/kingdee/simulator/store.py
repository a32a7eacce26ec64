"""What the server remembers: documents in memory, written to SQLite before anything is acknowledged."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping
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

    @property
    def status(self) -> str:
        return str(self.head["FDocumentStatus"])

    def stamp(self, status: str | None = None) -> None:
        if status:
            self.head["FDocumentStatus"] = status
        self.head["FModifyDate"] = wall_clock()


class Store:
    """All documents of one data centre; callers hold `lock` around a read-change-write."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.calls: dict[str, int] = {}
        self._forms: dict[str, dict[int, Document]] = {}
        self._numbers: dict[str, dict[str, int]] = {}
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
            self._keep(Document(form, id, number, saved["head"], saved["lines"]))
        self._next = max([FIRST_ID, *(max(ids) + 1 for ids in self._forms.values() if ids)])

    def new_id(self) -> int:
        self._next += 1
        return self._next - 1

    def put(self, *documents: Document) -> None:
        """Write documents durably, all or none."""
        rows = [(d.form, d.id, d.number, encode({"head": d.head, "lines": d.lines})) for d in documents]
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)", rows)
        self._file.execute("COMMIT")
        for document in documents:
            self._keep(document)

    def remove(self, document: Document) -> None:
        self._file.execute("DELETE FROM document WHERE form = ? AND id = ?", (document.form, document.id))
        del self._forms[document.form][document.id]
        self._numbers[document.form].pop(document.number, None)

    def all(self, form: str) -> Iterable[Document]:
        return list(self._forms.get(form, {}).values())

    def by_id(self, form: str, id: int) -> Document | None:
        return self._forms.get(form, {}).get(id)

    def by_number(self, form: str, number: str) -> Document | None:
        id = self._numbers.get(form, {}).get(number)
        return None if id is None else self._forms[form][id]

    def count(self, call: str) -> None:
        self.calls[call] = self.calls.get(call, 0) + 1

    def snapshot(self, form: str = "") -> Mapping[str, Any]:
        """Everything, for the admin page and for tests."""
        with self.lock:
            return {
                name: [
                    {"id": d.id, "number": d.number, "head": d.head, "lines": d.lines} for d in ids.values()
                ]
                for name, ids in self._forms.items()
                if not form or name.lower() == form.lower()
            }

    def close(self) -> None:
        self._file.close()

    def _keep(self, document: Document) -> None:
        self._forms.setdefault(document.form, {})[document.id] = document
        if document.number:
            self._numbers.setdefault(document.form, {})[document.number] = document.id

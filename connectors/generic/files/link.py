"""One open place: the documents that are left there, kind by kind, and the records that are fetched."""

from __future__ import annotations

import time
from collections.abc import Callable

from connectors.generic.files.filing import FilesFiling
from connectors.generic.files.place import Place
from connectors.generic.files.streams import KINDS_OF_STREAM
from connectors.generic.files.watched import Around, Watched
from connectors.generic.shapes import LAYOUTS
from tongshang.connect import Access, Bill, Exchange, Filing, Found, Link, Lookup, Outgoing, Stream


class FilesLink(Link):
    """One place, filing for one organisation."""

    def __init__(
        self, access: Access, place: Callable[[], Place], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.access, self._make, self.sleep = access, place, sleep
        self._place: Place | None = None
        self.trace: Callable[[Exchange], None] = lambda _: None
        self.before_write: Callable[[], None] = lambda: None
        self.around: Around | None = None  # set by the fault drill
        self._filings = {kind: FilesFiling(self, kind) for kind in LAYOUTS}
        self.orders = self._filings["sales_order"]

    @property
    def place(self) -> Place:
        """Opened when it is first needed."""
        if self._place is None:
            self._place = self._make()
        return self._place if self.around is None else Watched(self._place, self.around)

    def filing(self, kind: str) -> Filing:
        return self._filings[kind]

    def bill(self, document: Outgoing, lookup: Lookup) -> Bill:
        return self.orders.bill(document, lookup)

    def find(self, reference: str) -> Found | None:
        return self.orders.find(reference)

    def send(self, bill: Bill, found: Found | None) -> Found:
        return self.orders.send(bill, found)

    def cancel(self, found: Found) -> Found:
        return self.orders.cancel(found)

    def stream(self, key: str) -> Stream:
        return KINDS_OF_STREAM[key](self.access, lambda: self.place)

    def close(self) -> None:
        if self._place is not None:
            self._place.close()

    def folders(self) -> list[str]:
        """Every folder that documents go to, each once."""
        return list(dict.fromkeys(each.out for each in self._filings.values()))

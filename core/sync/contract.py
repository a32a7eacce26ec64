"""What a connector is: a description, a way to open a link, documents out, streams in.

Everything crosses this line in the platform's own words; names of the other system end inside the connector's
mapping. A connector never sees a row, a session or a tenant, and never decides about retries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import requests

from core.sync.incoming import Incoming
from core.sync.outcome import Exchange, Found, RemoteLine, SkipRecord, SyncError
from core.sync.outgoing import SALES_ORDER
from core.sync.pushed import Heard, Push

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """One thing a tenant must tell.

    `kind` is text, secret, number, choice, pairs (`pcs=Pcs` lines), flag (`1` or empty) or file (the text of an uploaded
    file, such as a WSDL, at most a million characters).
    """

    key: str
    title: str
    kind: str = "text"
    required: bool = False
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class Access:
    """Where a connection leads and what it may use; `secrets` never reach a page or a log.

    `tables` are what the enterprise mapped by hand, ours to theirs: units, currencies, taxes, partners, materials.
    """

    base_url: str
    organisation: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def table(self, name: str, standard: Mapping[str, str]) -> dict[str, str]:
        """One table: the standard words, over them the pairs of the setting of that name, over them what was mapped by hand."""
        told = dict(standard)
        for part in self.settings.get(name, "").replace(",", "\n").splitlines():
            ours, equals, theirs = part.partition("=")
            if equals and ours.strip() and theirs.strip():
                told[ours.strip()] = theirs.strip()
        return told | dict(self.tables.get(name, {}))

    def __getitem__(self, key: str) -> str:
        return self.secrets.get(key) or self.settings.get(key, "")


@dataclass(frozen=True)
class Bill:
    """What we want the other system to hold, in its own codes; `body` is the connector's own message."""

    reference: str
    partner: str
    currency: str
    total: Decimal
    lines: tuple[RemoteLine, ...]
    body: Mapping[str, Any]
    learned: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (kind, our id) -> their number


Lookup = Callable[[str, UUID], str | None]
"""`lookup(kind, id)`: the number there of our `partner` (a customer), `supplier` or `product` (a material)."""


@dataclass(frozen=True)
class Page:
    """Rows of one fetch. `position` is where to go on after a stop, `cursor` where the next run may begin.

    The cursor is never newer than what was there when the run began, see `Course`: what changes behind a run comes with the next.

    `total` is how many rows the whole run will have, where the other system tells; progress is shown by it.
    """

    rows: tuple[Record, ...]
    position: str
    cursor: str | None
    total: int | None = None


@dataclass(frozen=True)
class Step:
    """One step of a check: its name, whether it went well, and what was seen or is to do.

    `without` are the streams and kinds of documents that cannot flow as things stand, though all else works: setting up does
    not offer those streams, and warns of those documents.
    """

    name: str
    ok: bool
    said: str
    without: tuple[str, ...] = ()


class Stream(ABC):
    """Records of one kind that flow in, oldest change first, at least once."""

    key: ClassVar[str]
    title: ClassVar[str]
    every: ClassVar[timedelta]

    @abstractmethod
    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        """Pages changed since `cursor` (None: everything), going on after `position` of an unfinished run."""

    @abstractmethod
    def to_core(self, row: Record) -> Incoming:
        """A row in the platform's words; raises `SkipRecord` when it cannot be used."""


class Filing(ABC):
    """How the documents of one kind are put there: in its codes, looked for, sent, taken back.

    Two methods it may have besides, where the other system can answer them: `count(reference)`, how many live documents carry
    a reference, which the fault drill asks in the end; and `tally(day)`, the platform's documents that carry one day as
    (reference, total, cancelled), each by itself, or None where they cannot be told: so reconciliation sees what only they have.
    """

    @abstractmethod
    def bill(self, document: Any, lookup: Lookup) -> Bill:
        """The document, a value of `outgoing`, in the codes there; raises `Rejected` when something has no counterpart."""

    @abstractmethod
    def find(self, reference: str) -> Found | None:
        """The document that carries our reference, None when there is none; raises `Ambiguous` when there are several."""

    @abstractmethod
    def send(self, bill: Bill, found: Found | None) -> Found:
        """Make the other system hold the bill, going on from what was found. Raises SyncError."""

    def send_many(self, bills: Sequence[Bill]) -> Sequence[Found | SyncError]:
        """New documents in one call: for each bill, in their order, what is held now or why it is not.

        Asked only where the connector says that it carries several (`together`), and only with bills that were never sent.
        Raises SyncError for the call as a whole.
        """
        return [self.send(bill, None) for bill in bills]

    @abstractmethod
    def cancel(self, found: Found) -> Found:
        """Make the found document void there. Raises SyncError."""


class Link(Filing):
    """One open connection, and itself the filing of its sales orders.

    The engine sets `trace` and `before_write` for each piece of work. A link whose calls are no HTTP calls may have an
    `around` too: the fault drill sets it to `around(name, act, part)`, which the link then calls instead of `act` for each
    step that can fail, and back to None behind itself; see `core.sync.drill.placing`.
    """

    trace: Callable[[Exchange], None]
    before_write: Callable[[], None]

    def filing(self, kind: str) -> Filing:
        """The filing of one kind of `Connector.documents`; raises KeyError for another one."""
        if kind == SALES_ORDER:
            return self
        raise KeyError(kind)

    @abstractmethod
    def stream(self, key: str) -> Stream:
        """The stream of that key; raises KeyError."""

    @abstractmethod
    def close(self) -> None:
        """Give up sockets."""


class Connector(ABC):
    """A kind of system that can be wired. One instance serves all tenants and holds no state.

    A class may say `by_place = True` besides: its links reach a place, such as a folder, and have an `around`; the fault drill
    then breaks that instead of a line.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    streams: ClassVar[tuple[type[Stream], ...]]
    unique_reference: ClassVar[bool]  # the other system refuses a second document with our reference
    can_look_up: ClassVar[bool]  # a document can be found by our reference
    settle: ClassVar[timedelta]  # longer than the slowest commit there; no look-up after "unknown" before
    documents: ClassVar[tuple[str, ...]] = (SALES_ORDER,)  # kinds of ours it can file there, see `outgoing`
    together: ClassVar[int] = 1  # new documents that one call may carry, see `Filing.send_many`
    stock_counts: ClassVar[bool] = True  # its stock is written here; else differences are only listed
    hears: ClassVar[bool] = False  # the other system may call us; see `hear`

    @abstractmethod
    def open(self, access: Access, http: requests.Session) -> Link:
        """A link that makes its calls through `http`, and no call yet."""

    @abstractmethod
    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        """Step by step from the name to the first record; ends after the first step that fails."""

    def hear(self, access: Access, push: Push) -> Heard:
        """What a call of the other system says. Raises `PushRefused`, before all when its signature is wrong."""
        raise NotImplementedError

    def demo_values(self) -> Mapping[str, str]:
        """Settings and secrets that fit the connector's own simulator; empty when it ships none."""
        return {}


__all__ = [
    "Access",
    "Bill",
    "Connector",
    "Filing",
    "Link",
    "Lookup",
    "Page",
    "Record",
    "Setting",
    "SkipRecord",
    "Step",
    "Stream",
]

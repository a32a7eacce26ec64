"""One claimed document with everything needed to work on it, and what became of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.kernel import Actor
from core.sync.contract import Access
from core.sync.mapping.applied import NOTHING, Applied
from core.sync.outcome import FixSettings, Found, LeaseLost, Outcome, SyncError, Unknown, outcome_of
from core.sync.outgoing import Outgoing
from core.sync.transport import PLAIN, Way

ANYTHING = (Exception, SystemExit)
"""What a connector with a mistake in it may raise. No transaction is open while it works, so none of it is the database's."""

TOO_SLOW = Unknown("sync.too_slow", "the time of one turn was over before all was done")


@dataclass(frozen=True)
class Task:
    """One claimed document with everything needed to work on it outside a transaction."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    connection_version: int
    connection_name: str
    token: int
    tries: int
    state: str  # sending, or unknown when it may be there already
    intent: str
    document: Outgoing
    access: Access
    connector: str
    lookup: Callable[[str, UUID], str | None]
    older: bool  # another version of the same document went before
    until: float  # monotonic time at which the lease is over for writes
    disputed: bool = False  # another version went before, and none was ever seen to be there as ours
    settling: timedelta = timedelta()  # how long a look that finds nothing proves nothing: one was filed a moment ago
    troubled: bool = False  # the connection has failed so often that no document is to blame for it
    mapping: Applied = NOTHING
    way: Way = PLAIN
    settle: timedelta | None = None  # where this connection needs another one than its connector says

    @property
    def actor(self) -> Actor:
        return Actor("connector", self.connection_id, self.connection_name)

    @property
    def looks(self) -> bool:
        """Whether it may be there already in some version, so that it is looked for before anything is written."""
        return self.state == "unknown" or self.token > 1 or self.intent != "create" or self.older

    @property
    def must_agree(self) -> bool:
        """Whether what is found there is left alone unless it is as we want it; a change of what we filed may differ."""
        return self.intent == "create" or self.disputed

    def still_ours(self) -> None:
        """Raises LeaseLost when another worker may hold it by now."""
        if time.monotonic() > self.until:
            raise LeaseLost


@dataclass
class Result:
    """What became of a task: an outcome, or a document there that is not the one we sent."""

    outcome: Outcome | None = None
    found: Found | None = None
    differences: list[str] = field(default_factory=list)
    learned: dict[tuple[str, str], str] = field(default_factory=dict)
    looking: bool = False  # it failed while looking, so it says nothing about the document
    settings_refused: bool = False
    noted: bool = False  # the connection knows: another document of the same call said the same

    @property
    def said(self) -> tuple[str, bool]:
        """What the call says about its connection: its code, and whether the settings are refused."""
        return getattr(self.outcome, "code", ""), self.settings_refused


def once_noted(results: Sequence[Result]) -> list[Result]:
    """The results of one call, of which each way it went is noted at the connection once."""
    seen: set[tuple[str, bool]] = set()
    told = []
    for result in results:
        told.append(replace(result, noted=result.said in seen))
        seen.add(result.said)
    return told


def refused(error: SyncError, **more: Any) -> Result:
    """The result that an error of a connector stands for."""
    return Result(outcome_of(error), settings_refused=isinstance(error, FixSettings), **more)

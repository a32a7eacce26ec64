"""What became of a call to another system: done, refused, or not known.

The third answer is the one that matters. A connection that breaks after the request was written says
nothing about the document; sending again may make a second one. So connectors raise errors
sorted by remedy, and the engine decides what happens next from the type alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

HIDDEN = "•••"
CREDENTIALS = re.compile(
    r"""(?i)(\b(?:(?:proxy-)?authorization|(?:set-)?cookie)["']?\s*[:=]\s*["']?)[^\s"'<\\{\[][^\r\n"<\\]*"""
    r"""|(\b(?:basic|bearer)\s+)(?=[a-z+/_.~-]*[0-9=])[a-z0-9+/=_.~-]{12,}"""
    r"""|([?&](?:[a-z]+[_-])?(?:api_?key|token|password|secret|sign|signature)=)[^&\s"'<]+"""
)


def covered(text: str) -> str:
    """A text of a peer or of a call without what signs one in there: the last net under what each connector hides itself.

    A server that is set to tell all answers with the very headers it got, and whoever may see a failure sees its answer.
    """
    return CREDENTIALS.sub(lambda found: f"{found[1] or found[2] or found[3]}{HIDDEN}", text)


class SyncError(Exception):
    """What a connector raises. `code` is stable and groups failures; `message` is the peer's own, its credentials covered."""

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        message = covered(message)
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = field


class RetryLater(SyncError):
    """Certainly not executed; the same call may work later (busy, locked, call limit, not reachable)."""

    def __init__(self, code: str, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(code, message)
        self.after = after


class Premature(RetryLater):
    """Certainly not executed: what it refers to is not there yet, such as the order of a receipt. No sign of trouble."""


class FixSettings(SyncError):
    """Certainly not executed; a person must mend the connection first (login, permission, address)."""


class Rejected(SyncError):
    """Certainly not executed; the other system refuses this document as it is."""


class Uncertain(SyncError):
    """Sent, and nobody knows whether it was executed. Look it up before sending anything again."""


class Ambiguous(Uncertain):
    """Several documents carry our reference. No waiting makes one of them: it is held for a person at once."""


class Awaited(Uncertain):
    """Handed over, and the answer comes by itself later, as with files: no sign of trouble. Looked for again `after` that."""

    def __init__(self, code: str, message: str, *, after: timedelta) -> None:
        super().__init__(code, message)
        self.after = after


class Accepted(Uncertain):
    """Taken over for certain and posted there later, as IDocs are: no sign of trouble. Looked for after the settle time."""


class SkipRecord(SyncError):
    """One record read from the other system cannot be used; the run goes on without it."""


class Stop(SyncError):
    """The run cannot go on; the cursor stays where it is."""


class LeaseLost(Exception):
    """This worker was away for longer than its lease: another one may hold the document now."""


MISTAKES = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What a connector with a mistake in it raises; anything else is a failure of ours and goes up."""


@dataclass(frozen=True)
class RemoteLine:
    """One line as the other system has it."""

    material: str
    quantity: Decimal  # in `unit`
    unit: str
    price: Decimal  # with tax, per `unit`
    amount: Decimal  # with tax


@dataclass(frozen=True)
class Found:
    """A document as the other system has it, found by our reference."""

    remote_id: str
    number: str
    partner: str
    currency: str
    total: Decimal  # with tax
    lines: tuple[RemoteLine, ...]
    finished: bool  # nothing is left to do for this document there
    cancelled: bool = False
    status: str = ""  # in the other system's own letters


@dataclass(frozen=True)
class Ok:
    """Done; `found` is what the other system now holds, None when there is nothing left to hold."""

    found: Found | None = None


@dataclass(frozen=True)
class Failed:
    """Not executed. `retry` says whether time alone may heal it, `early` that something else must be there first."""

    code: str
    message: str
    retry: bool
    after: timedelta | None = None
    field: str = ""
    early: bool = False


@dataclass(frozen=True)
class Unknown:
    """Perhaps executed: to be looked up after the settle time, or `after` where the answer is awaited.

    `hopeless` says that no look will ever tell more, `calm` that nothing is wrong there.
    """

    code: str
    message: str
    hopeless: bool = False
    after: timedelta | None = None
    calm: bool = False


Outcome = Ok | Failed | Unknown


def outcome_of(error: SyncError) -> Outcome:
    """The outcome that an error of a connector stands for."""
    if isinstance(error, Uncertain):
        after = error.after if isinstance(error, Awaited) else None
        hopeless, calm = isinstance(error, Ambiguous), isinstance(error, Accepted)
        return Unknown(error.code, error.message, hopeless=hopeless, after=after, calm=calm)
    if isinstance(error, RetryLater):
        return Failed(error.code, error.message, retry=True, after=error.after, early=isinstance(error, Premature))
    return Failed(error.code, error.message, retry=False, field=error.field)


@dataclass(frozen=True)
class Exchange:
    """One call as it went over the wire, with secrets hidden; shown to the person who mends a failure."""

    operation: str
    url: str
    request: str
    status: int | None  # None: no answer
    response: str
    milliseconds: int


@dataclass
class Trace:
    """The last exchanges of one document or one run, newest last, their credentials covered."""

    keep: int = 6
    exchanges: list[Exchange] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> None:
        url, request, response = (covered(text) for text in (exchange.url, exchange.request, exchange.response))
        self.exchanges.append(replace(exchange, url=url, request=request, response=response))
        del self.exchanges[: -self.keep]

    @property
    def last(self) -> Exchange | None:
        return self.exchanges[-1] if self.exchanges else None

"""What the pages of this room share: their collection, and words for states, causes and calls."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from core.sync.model import ErpConnection
from core.sync.outgoing import TITLES
from core.sync.reading import Standing
from core.sync.registry import connectors
from core.web import Pages
from core.web import gettext as _
from core.web.i18n import ngettext

pages = Pages("sync", prefix="/connections")
State = tuple[str, str]
LONGEST_PAYLOAD = 8000  # characters of one side of a call
LINE = 88  # characters
CODED = re.compile(r"([a-z_]+(?:\.[a-z_]+)+): (.+)", re.DOTALL)

DOCUMENT_STATES: Mapping[str, State] = {
    "new": ("Waiting", ""),
    "sending": ("Being sent", "acc"),
    "unknown": ("Being looked up", "warn"),
    "done": ("Done", "ok"),
    "failed": ("Failed", "bad"),
    "held": ("Held", "warn"),
    "superseded": ("Replaced", ""),
}
RUN_STATES: Mapping[str, State] = {
    "running": ("Running", "acc"),
    "done": ("Done", "ok"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Cancelled", ""),
}
INTENTS = {"change": "changed", "cancel": "cancelled"}
DIFFERENCES = {
    "partner": "Customer",
    "currency": "Currency",
    "lines": "Number of lines",
    "total": "Total",
    "material": "Material",
    "unit": "Unit",
    "quantity": "Quantity",
    "amount": "Amount",
    "price": "Price",
}
DIFFERENCE = re.compile(rf"^(?:(\d+) )?({'|'.join(DIFFERENCES)}): ")
STEPS = {
    "connector": "Connector works",
    "address": "Address is allowed",
    "dns": "Name is found",
    "tcp": "Server is reached",
    "tls": "Certificate is valid",
    "answer": "Server answers",
    "service": "Service is there",
    "login": "Sign-in works",
    "organisation": "Organisation is there",
    "read": "First record is read",
}

DRAINING = (
    "Documents that are queued now still go out, each as always; runs under way come to their end.",
    "Nothing new is begun: no stream is fetched, and what is confirmed or replayed from now on waits here in its order.",
    "Once nothing is left the connection stands still, and the other system may be taken down. It goes on when it is resumed.",
)
"""What draining means, in the sentences one reads before it is done."""


def connection_state(row: Standing) -> State:
    """How a connection is, in one or two words."""
    if row.state == "paused" and row.left is not None:
        return (_("Draining, %(n)s left", n=row.left), "acc") if row.left else (_("Drained"), "ok")
    if row.state == "paused":
        return _("Paused"), "warn"
    if row.state == "stopped":
        return _("Stopped"), "bad"
    if row.is_open:
        return _("Not reachable"), "warn"
    if row.stuck:
        return _("%(n)s failed", n=row.stuck), "bad"
    return (_("Working"), "ok") if row.last_ok_at else (_("Not used yet"), "")


def time_left(seconds: int) -> str:
    """A rough time: one that changes with every look is believed by nobody."""
    if seconds < 60:
        return _("less than a minute left")
    minutes = -(-seconds // 60)
    if minutes < 120:
        return ngettext("about %(n)s minute left", "about %(n)s minutes left", minutes)
    return _("about %(n)s hours left", n=round(minutes / 60))


def system(key: str) -> str:
    """The title of a connector, or its key when it is not installed."""
    return _(connectors()[key].title) if key in connectors() else key


def cause_title(code: str) -> str:
    """A cause in words; one nobody has words for is shown as the other system's refusal."""
    said = _(f"cause.{code}")
    return _("The other system refused") if said == f"cause.{code}" else said


def remedy(code: str) -> str:
    """What to do about a cause; empty when nobody has written it down."""
    said = _(f"remedy.{code}")
    return "" if said == f"remedy.{code}" else said


def told(said: str) -> str:
    """What a check or a stop said, its code in words where somebody has written them down."""
    code, rest = coded(said)
    return cause_title(code) + _(": ") + rest if code else said


def coded(said: str) -> tuple[str, str]:
    """The code that stands before what was said, and the rest; no code when there are no words for it."""
    found = CODED.fullmatch(said)
    if found is None or _(f"cause.{found[1]}") == f"cause.{found[1]}":
        return "", said
    return found[1], found[2]


def step_rows(checked: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """The steps of a check as (what was looked at, done or bad, what was seen)."""
    return tuple(
        (_(STEPS.get(each["name"], each["name"])), "done" if each["ok"] else "bad", told(str(each["said"])))
        for each in checked.get("steps", ())
    )


def without(checked: Mapping[str, Any]) -> set[str]:
    """The streams and kinds of documents that by the last check cannot flow."""
    return {key for step in checked.get("steps", ()) for key in step.get("without", ())}


def setting_up(connection: ErpConnection) -> bool:
    """Whether a connection has not been switched on yet: it is paused, and nothing ever went over it."""
    return connection.state == "paused" and connection.last_ok_at is None and connection.draining_since is None


def said_of(code: str, text: str) -> str:
    """What the other system said; of a difference the names of what differs are in the reader's words."""
    if code != "sync.differs":
        return text
    return "; ".join(DIFFERENCE.sub(_named, part, count=1) for part in text.split("; "))


def _named(found: re.Match[str]) -> str:
    line, name = found.groups()
    word = _(DIFFERENCES[name])
    return (_("line %(n)s, %(what)s", n=line, what=word) if line else word) + _(": ")


def wire_text(exchange: Mapping[str, Any]) -> str:
    """One call as text: address and body, then status and answer."""
    status = exchange["status"] if exchange["status"] is not None else _("no answer")
    head = f"POST {exchange['url']}\n{_pretty(exchange['request'])}"
    return f"{head}\n\n{status} · {exchange['milliseconds']} ms\n{_pretty(exchange['response'])}"


def _pretty(text: str) -> str:
    with suppress(ValueError):  # not JSON: shown as it came
        text = _lines(json.loads(text, parse_float=Decimal))
    return text if len(text) <= LONGEST_PAYLOAD else text[:LONGEST_PAYLOAD] + " …"


def _lines(value: Any, depth: int = 0) -> str:
    """JSON that a person reads: what fits on a line stays on one, the rest is opened up."""
    if not isinstance(value, dict | list):
        return f"{value}" if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    named = value.items() if isinstance(value, dict) else ((None, each) for each in value)
    parts = [
        (f"{json.dumps(key)}: " if key is not None else "") + _lines(each, depth + 1) for key, each in named
    ]
    left, right = "{}" if isinstance(value, dict) else "[]"
    flat = left + ", ".join(parts) + right
    is_row = isinstance(value, list) and not any(isinstance(each, dict | list) for each in value)
    if is_row or (len(flat) + 2 * depth <= LINE and "\n" not in flat):
        return flat
    gap = "\n" + "  " * (depth + 1)
    return left + gap + f",{gap}".join(parts) + "\n" + "  " * depth + right


def what_of(kind: str, intent: str) -> str:
    """A document by its kind, and what becomes of it: `Sales order`, `Sales order · changed`."""
    title = _(TITLES.get(kind, kind))
    return f"{title} · {_(INTENTS[intent])}" if intent in INTENTS else title

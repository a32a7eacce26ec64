"""What the pages of this room share: their collection, and words for states, causes and calls."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from core.sync.reading import Standing
from core.sync.registry import connectors
from core.web import Pages
from core.web import gettext as _

pages = Pages("sync", prefix="/connections")
State = tuple[str, str]
LONGEST_PAYLOAD = 8000  # characters of one side of a call
LINE = 88  # characters

DOCUMENT_STATES: Mapping[str, State] = {
    "new": ("Waiting", ""),
    "sending": ("Being sent", "acc"),
    "unknown": ("Being looked up", "warn"),
    "done": ("Done", "ok"),
    "failed": ("Failed", "bad"),
    "held": ("Held", "warn"),
    "superseded": ("Replaced", ""),
}
INTENTS = {"create": "Sales order", "change": "Change of an order", "cancel": "Cancellation"}
RUN_STATES: Mapping[str, State] = {
    "running": ("Running", "acc"),
    "done": ("Done", "ok"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Cancelled", ""),
}
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
    "service": "Data centre is there",
    "login": "Sign-in works",
    "organisation": "Organisation is there",
    "read": "First record is read",
}


def connection_state(row: Standing) -> State:
    """How a connection is, in one or two words."""
    if row.state == "paused":
        return _("Paused"), "warn"
    if row.state == "stopped":
        return _("Stopped"), "bad"
    if row.is_open:
        return _("Not reachable"), "warn"
    if row.stuck:
        return _("%(n)s failed", n=row.stuck), "bad"
    return (_("Working"), "ok") if row.last_ok_at else (_("Not used yet"), "")


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

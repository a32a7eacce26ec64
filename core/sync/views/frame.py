"""What the pages of this room share: their collection, and words for states, causes and calls."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from core.kernel import read_json
from core.sync.model import ErpConnection
from core.sync.outgoing import TITLES
from core.sync.reading import Standing
from core.sync.registry import connectors
from core.sync.views.saying import in_words
from core.web import Pages
from core.web import gettext as _
from core.web.i18n import ngettext

pages = Pages("sync", prefix="/connections")
State = tuple[str, str]
LONGEST_PAYLOAD = 8000  # characters of one side of a call
DEEPEST = 40  # levels that are indented
LINE = 88  # characters
CODED = re.compile(r"([a-z_]+(?:\.[a-z_]+)+): (.+)", re.DOTALL)
METHOD = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE|HEAD|MERGE)\b")
BETWEEN = re.compile(r"(?<=>)\s*(?=<)")
OPENING = re.compile(r"<[A-Za-z_]")
SHUT = re.compile(r"(\w+)( \([^)]*\))?: (.+)", re.DOTALL)  # a stream or kind of document, its name there, why it cannot flow

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
    "wsdl": "Service description is readable",
    "functions": "Functions are there",
    "parameters": "Parameters fit",
    "partners": "Partners and ports are given",
    "find": "Documents can be looked for",
    "folders": "Folders are there",
    "write": "A file can be written",
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
    if setting_up(row):
        return _("Being set up"), "acc"
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


def every(minutes: int) -> str:
    """How often, in the largest unit that is whole."""
    if minutes % 1440 == 0:
        return _("every day") if minutes == 1440 else _("every %(n)s days", n=minutes // 1440)
    if minutes % 60 == 0:
        return _("every hour") if minutes == 60 else _("every %(n)s hours", n=minutes // 60)
    return _("every %(n)s minutes", n=minutes)


def system(key: str) -> str:
    """The title of a connector, or its key when it is not installed."""
    return _(connectors()[key].title) if key in connectors() else key


def about(connection: ErpConnection) -> str:
    """What stands below the name of a connection: which system, as which organisation, where."""
    number = _("organisation %(number)s", number=connection.organisation) if connection.organisation else ""
    return " · ".join(filter(None, (system(connection.connector), number, connection.base_url)))


def stream_titles(key: str) -> dict[str, str]:
    """The streams of a connector in its own order, by their titles; none when it is not installed."""
    return {each.key: _(each.title) for each in connectors()[key].streams} if key in connectors() else {}


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
    return cause_title(code) + _(": ") + in_words(rest) if code else in_words(said)


def coded(said: str) -> tuple[str, str]:
    """The code that stands before what was said, and the rest; no code when there are no words for it."""
    found = CODED.fullmatch(said)
    if found is None or _(f"cause.{found[1]}") == f"cause.{found[1]}":
        return "", said
    return found[1], found[2]


def step_rows(connection: ErpConnection) -> tuple[tuple[str, str, str], ...]:
    """The steps of the last check as (what was looked at, done or bad, what was seen)."""
    titles = {kind: _(title) for kind, title in TITLES.items()} | stream_titles(connection.connector)
    return tuple(
        (
            _(STEPS.get(each["name"], each["name"])),
            "done" if each["ok"] else "bad",
            "; ".join(_shut(part, titles) for part in told(str(each["said"])).split("; ")),
        )
        for each in (connection.checked or {}).get("steps", ())
    )


def _shut(part: str, titles: Mapping[str, str]) -> str:
    """`receipts (STK_InStock): no right` by the title of the stream; anything else as it is."""
    found = SHUT.fullmatch(part)
    if found is None or found[1] not in titles:
        return part
    return titles[found[1]] + (found[2] or "") + _(": ") + told(found[3])


def without(checked: Mapping[str, Any]) -> set[str]:
    """The streams and kinds of documents that by the last check cannot flow."""
    return {key for step in checked.get("steps", ()) for key in step.get("without", ())}


def setting_up(connection: ErpConnection | Standing) -> bool:
    """Whether a connection has not been switched on yet: it is paused, and nothing ever went over it."""
    return connection.state == "paused" and connection.last_ok_at is None and connection.draining_since is None


def said_of(code: str, text: str) -> str:
    """What the other system said; of a difference the names of what differs are in the reader's words."""
    if code != "sync.differs":
        said = in_words(text)
        return "" if said in cause_title(code) else said
    return "; ".join(DIFFERENCE.sub(_named, part, count=1) for part in text.split("; "))


def _named(found: re.Match[str]) -> str:
    line, name = found.groups()
    word = _(DIFFERENCES[name])
    return (_("line %(n)s, %(what)s", n=line, what=word) if line else word) + _(": ")


def wire_text(exchange: Mapping[str, Any]) -> str:
    """One call as text: method, address and body, then status and answer."""
    status = exchange["status"] if exchange["status"] is not None else _("no answer")
    head = "\n".join(filter(None, _asked(exchange["url"], exchange["request"])))
    return f"{head}\n\n{status} · {exchange['milliseconds']} ms\n{pretty(exchange['response'])}"


def _asked(url: str, request: str) -> tuple[str, str]:
    """The first line of a call, and its body. A connector writes the method before either; one that does not only posts."""
    if METHOD.match(url) or not url.startswith("http"):
        return url, pretty(request)
    if found := METHOD.match(request):
        return f"{found[0]} {url}", pretty(request[found.end() :].strip())
    return f"POST {url}", pretty(request)


def pretty(text: str) -> str:
    """A payload as a person reads it: JSON and XML opened up, no longer than a page bears."""
    if text.lstrip().startswith("<"):
        text = _tags(text)
    with suppress(ValueError, RecursionError):  # not JSON, or a nest nobody opens: shown as it came
        text = _lines(read_json(text))
    return text if len(text) <= LONGEST_PAYLOAD else text[:LONGEST_PAYLOAD] + " …"


def _tags(text: str) -> str:
    """XML with each element on a line of its own, as deep as it lies; also one that was cut off, so it is not parsed."""
    depth, told = 0, []
    for part in BETWEEN.split(text.strip()):
        closing, opening = part.startswith("</"), len(OPENING.findall(part)) - part.count("</") - part.count("/>")
        depth = max(0, depth - closing)
        told.append("  " * min(depth, DEEPEST) + part)
        depth = max(0, depth + opening + closing)
    return "\n".join(told)


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

"""Values that have no counterpart: seen in records left out and documents refused, listed once each, fixed by paste.

A connector says of a missing counterpart `<connector>.unit_missing` or the like; which value it was stands in the
document or record itself, found by what the connector said of it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import distinct_on

from core.kernel import Context
from core.sync import service as connections
from core.sync.mapping import history
from core.sync.mapping.document import Document
from core.sync.mapping.history import Version
from core.sync.mapping.service import save_mapping
from core.sync.model import SyncDocument, SyncIssue, SyncRun, SyncStream

MOST_ISSUES, MOST_DOCUMENTS, MOST_VALUES = 2000, 1000, 500
CAUSE = re.compile(
    r"\.(?P<what>unit|currency|tax|customer|partner|product|material)_(?:missing|unknown|ambiguous)$"
)
TABLES = {
    "unit": "units",
    "currency": "currencies",
    "tax": "taxes",
    "customer": "partners",
    "supplier": "suppliers",
    "partner": "partners",
    "product": "materials",
    "material": "materials",
}
VALUE_MISSING = "mapping.value_missing"


@dataclass
class Value:
    """One value without a counterpart: `ours` on the way out, `theirs` on the way in; the other side is for a person."""

    table: str
    ours: str
    theirs: str
    name: str  # what people call it, such as the buyer's name
    count: int = 0
    causes: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)


def unmapped(ctx: Context, connection_id: UUID) -> list[Value]:
    """Every value no table maps, the most frequent first. What a table maps by now is gone, even if it still waits."""
    ctx.require("connection.view")
    connections.find_connection(ctx, connection_id)
    document = history.latest(ctx, connection_id).document
    found: dict[tuple[str, str, str], Value] = {}
    for row in _documents(ctx, connection_id):
        for table, ours, name in _missing_out(row):
            value = found.setdefault((table, ours, ""), Value(table, ours, "", name))
            value.count += 1
            value.causes.add(row.cause or "")
    for issue in _issues(ctx, connection_id):
        if (told := _missing_in(issue)) is None:
            continue
        table, theirs = told
        value = found.setdefault((table, "", theirs), Value(table, "", theirs, ""))
        value.count += 1
        if issue.stream:
            value.streams.add(issue.stream)
    rest = [each for each in found.values() if not _is_mapped(each, document)]
    return sorted(rest, key=lambda each: (-each.count, each.table, each.ours, each.theirs))[:MOST_VALUES]


def fix(
    ctx: Context,
    connection_id: UUID,
    pasted: Mapping[str, Mapping[str, str]],
    base_version: int,
    *,
    again: bool = True,
) -> tuple[Version, int]:
    """Add rows to tables, and with `again` take up what waited for them; answers the version and how many documents.

    Streams that left records out for such a value are read from their beginning at their next run.
    """
    ctx.require("connection.edit")
    waiting = unmapped(ctx, connection_id)
    document = history.latest(ctx, connection_id).document
    tables = {name: dict(rows) for name, rows in document["tables"].items()}
    for name, rows in pasted.items():
        if rows:
            tables[name] = {**tables.get(name, {}), **rows}
    version = save_mapping(ctx, connection_id, {**document, "tables": tables}, base_version)
    healed = [each for each in waiting if _is_mapped(each, version.document)]
    _read_again(ctx, connection_id, {stream for each in healed for stream in each.streams})
    count = 0
    if again and ctx.allows("connection.replay"):
        for cause in sorted({cause for each in healed for cause in each.causes}):
            count += connections.replay(ctx, connection_id, cause=cause)
    return version, count


def _read_again(ctx: Context, connection_id: UUID, streams: set[str]) -> None:
    """A record that was left out comes again only when it changes there, unless the stream begins anew.

    A run under way is taken from its worker: it would end with a place behind what is to be read again.
    """
    if streams:
        ctx.session.execute(
            update(SyncStream)
            .where(
                SyncStream.tenant_id == ctx.tenant_id,
                SyncStream.connection_id == connection_id,
                SyncStream.key.in_(streams),
            )
            .values(cursor=None, position=None, attempt=SyncStream.attempt + 1, lease_until=None)
        )


def _is_mapped(value: Value, document: Document) -> bool:
    table = document["tables"].get(value.table, {})
    return value.ours in table if value.ours else value.theirs in table.values()


def _documents(ctx: Context, connection_id: UUID) -> Iterable[Any]:
    wanted = (
        SyncDocument.body,
        SyncDocument.partner,
        SyncDocument.currency,
        SyncDocument.cause,
        SyncDocument.cause_text,
    )
    return ctx.session.execute(
        select(*wanted)
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == connection_id,
            SyncDocument.state.in_(("failed", "held")),
            SyncDocument.cause.is_not(None),
        )
        .order_by(SyncDocument.id.desc())
        .limit(MOST_DOCUMENTS)
    ).all()


def _missing_out(row: Any) -> list[tuple[str, str, str]]:
    """(table, our value, its name) of what a refused document lacks."""
    body, said = row.body, row.cause_text
    if row.cause == VALUE_MISSING:
        table, _, ours = said.partition(": ")
        return [(table, ours, "")] if ours else []
    told = CAUSE.search(row.cause or "")
    if told is None:
        return []
    what = told["what"]
    table = TABLES[what]
    if table in ("partners", "suppliers"):
        return [(table, str(body.get("partner_code") or row.partner), row.partner)]
    if what == "currency":
        return [(table, str(body.get("currency", row.currency)), "")]
    if what == "tax":
        return [(table, rate, "") for rate in _of_lines(body, "vat_rate", said)]
    if what == "unit":
        return [(table, unit, "") for unit in _of_lines(body, "unit", said)]
    names = {str(line["material"]): str(line["name"]) for line in body.get("lines", ())}
    return [(table, code, names[code]) for code in _of_lines(body, "material", said)]


def _of_lines(body: Mapping[str, Any], name: str, said: str) -> list[str]:
    """The values of the lines that the refusal names, as whole words; all of them when it names none."""
    values = list(dict.fromkeys(str(line.get(name, "")) for line in body.get("lines", ())))
    return [each for each in values if _names(said, each)] or [each for each in values if each]


def _names(said: str, value: str) -> bool:
    """Whether a sentence names a value as a word of its own."""
    at = said.find(value) if value else -1
    while at >= 0:
        before, behind = said[at - 1 : at], said[at + len(value) : at + len(value) + 1]
        if not (before.isalnum() or before in ("_", ".", "-")) and not (
            behind.isalnum() or behind in ("_", "-")
        ):
            return True
        at = said.find(value, at + 1)
    return False


def _issues(ctx: Context, connection_id: UUID) -> Iterable[Any]:
    """Each record that was left out, as it was last, with its stream; one that was pushed to us belongs to none."""
    return ctx.session.execute(
        select(SyncIssue.code, SyncIssue.said, SyncIssue.record, SyncRun.stream)
        .ext(distinct_on(SyncIssue.code, SyncIssue.external_id))
        .outerjoin(SyncRun, SyncRun.id == SyncIssue.run_id)
        .where(
            SyncIssue.tenant_id == ctx.tenant_id,
            SyncIssue.connection_id == connection_id,
            SyncIssue.code.op("~")(r"_(missing|unknown|ambiguous)$"),
        )
        .order_by(SyncIssue.code, SyncIssue.external_id, SyncIssue.id.desc())
        .limit(MOST_ISSUES)
    ).all()


def _missing_in(issue: Any) -> tuple[str, str] | None:
    """(table, their value) of what a left-out record lacks: the longest value of the record that the reason names."""
    if issue.code == VALUE_MISSING:
        table, _, theirs = issue.said.partition(": ")
        return (table, theirs) if theirs else None
    told = CAUSE.search(issue.code)
    if told is None or TABLES[told["what"]] in ("partners", "suppliers"):
        return None  # partners are known by their code or bound one by one
    named = [value for value in issue.record.values() if value and _names(issue.said, str(value))]
    return (TABLES[told["what"]], str(max(named, key=len))) if named else None

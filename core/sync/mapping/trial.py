"""Trying a mapping out: on one record or order, and on the next documents; nothing is written there or here.

The other system is asked through the same guarded session as always, and only for what it holds: a link of a trial
refuses to write before its first byte would leave.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import defer

from core.kernel import Context, NotFound
from core.sync import service as connections
from core.sync.contract import Bill, Link
from core.sync.documents import from_json
from core.sync.mapping import history
from core.sync.mapping.applied import Applied, overlay, ready, record
from core.sync.mapping.document import checked
from core.sync.mapping.plain import leaves
from core.sync.mapping.service import Change, connector_of
from core.sync.model import ErpConnection, SyncDocument, SyncStream
from core.sync.outbound import OutboundRule, session
from core.sync.outcome import MISTAKES, FixSettings, SkipRecord, SyncError
from core.sync.refs import lookup_of
from core.sync.secrets import access_of
from core.sync.transport import way_of

ROWS = 5
MOST_DOCUMENTS = 50
SECONDS = 20.0  # a trial takes no longer, whatever the other system does
WAITING = ("new", "sending", "unknown", "failed", "held")


@dataclass(frozen=True)
class Sent:
    """One document as it would be sent. `against` says what `changes` compare it with: the last sent message, or no rules."""

    document_id: UUID
    reference: str
    body: Mapping[str, Any]
    changes: tuple[Change, ...]
    against: str  # sent, rules
    code: str = ""  # why it cannot be sent
    said: str = ""
    field: str = ""


@dataclass(frozen=True)
class Stored:
    """One record as it would be stored, and what the rules change of it."""

    external_id: str
    row: Mapping[str, Any]
    item: Mapping[str, Any]
    changes: tuple[Change, ...]
    code: str = ""
    said: str = ""
    field: str = ""


class Asked(FixSettings):
    """The trial itself could not be made: the other system did not answer as it should."""


def preview_out(
    ctx: Context, connection_id: UUID, document_id: UUID, rules: Sequence[OutboundRule], document: Any = None
) -> Sent:
    """What would be sent for one document, with what the rules change. `document` is a mapping not saved yet."""
    connection, applied = _chosen(ctx, connection_id, document)
    row = ctx.session.scalar(_documents(ctx, connection_id).where(SyncDocument.id == document_id))
    if row is None:
        raise NotFound("connection.no_document")
    with _link(connection, applied, rules) as link:
        return _sent(ctx, connection, applied, link, row, to_last=False)


def dry_run(
    ctx: Context, connection_id: UUID, count: int, rules: Sequence[OutboundRule], document: Any = None
) -> list[Sent]:
    """What would be sent for the next documents, against what was sent for them last; those done last fill up the count.

    Ends early when the other system is slow; then fewer come back.
    """
    connection, applied = _chosen(ctx, connection_id, document)
    first = case((SyncDocument.state.in_(WAITING), 0), else_=1)
    rows = ctx.session.scalars(
        _documents(ctx, connection_id)
        .order_by(first, case((first == 0, SyncDocument.not_before)), SyncDocument.id.desc())
        .limit(max(1, min(count, MOST_DOCUMENTS)))
    ).all()
    until, found = time.monotonic() + SECONDS, []
    with _link(connection, applied, rules) as link:
        for row in rows:
            if time.monotonic() > until:
                break
            found.append(_sent(ctx, connection, applied, link, row, to_last=True))
    return found


def preview_in(
    ctx: Context, connection_id: UUID, stream: str, rules: Sequence[OutboundRule], document: Any = None
) -> list[Stored]:
    """What would be stored for the newest records of a stream, read now. Raises Asked when they cannot be read."""
    connection, applied = _chosen(ctx, connection_id, document)
    cursor = ctx.session.scalar(
        select(SyncStream.cursor).where(
            SyncStream.tenant_id == ctx.tenant_id,
            SyncStream.connection_id == connection_id,
            SyncStream.key == stream,
        )
    )
    with _link(connection, applied, rules) as link:
        try:
            source = link.stream(stream)
        except KeyError:
            raise NotFound("connection.no_stream", stream=stream) from None
        try:
            rows: list[Mapping[str, Any]] = []
            for start in dict.fromkeys((cursor, None)):  # nothing new since the last run: any record will do
                page = next(iter(source.pull(start, None)), None)
                rows = list(page.rows[-ROWS:]) if page else []
                if rows:
                    break
            return [_stored(source, row, applied) for row in rows]
        except SyncError as error:
            raise Asked(error.code, error.message) from error
        except MISTAKES as error:
            raise Asked("sync.connector_error", f"{type(error).__name__}: {error}") from error


def samples(ctx: Context, connection_id: UUID, limit: int = 20) -> list[SyncDocument]:
    """Documents to try a mapping on, newest first."""
    ctx.require("connection.view")
    return list(
        ctx.session.scalars(_documents(ctx, connection_id).order_by(SyncDocument.id.desc()).limit(limit))
    )


def _chosen(ctx: Context, connection_id: UUID, document: Any) -> tuple[ErpConnection, Applied]:
    """The connection, and the mapping to try: a document not saved yet, else the one in force."""
    ctx.require("connection.edit")
    connection = connections.find_connection(ctx, connection_id)
    if document is None:
        document = history.latest(ctx, connection_id).document
    return connection, ready(checked(document, connector_of(connection)))


def _documents(ctx: Context, connection_id: UUID) -> Any:
    """Documents without the calls that were kept with them, which are long."""
    return (
        select(SyncDocument)
        .options(defer(SyncDocument.exchanges))
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == connection_id,
            SyncDocument.intent != "cancel",
        )
    )


@contextmanager
def _link(connection: ErpConnection, applied: Applied, rules: Sequence[OutboundRule]) -> Iterator[Link]:
    """A link that reads and never writes."""
    access = replace(access_of(connection), tables=applied.tables)
    way = way_of(connection)
    with session(rules, tls=way.tls, pace=way.pace, longest=SECONDS / 2) as http:
        try:
            link = connector_of(connection).open(access, http)
        except SyncError as error:
            raise Asked(error.code, error.message) from error
        except MISTAKES as error:
            raise Asked("outbound.unusable", f"{type(error).__name__}: {error}") from error
        link.trace, link.before_write = (lambda _: None), _never
        try:
            yield link
        finally:
            link.close()


def _never() -> None:
    raise Asked("mapping.trial", "a trial writes nothing")


def _sent(
    ctx: Context, connection: ErpConnection, applied: Applied, link: Link, row: SyncDocument, *, to_last: bool
) -> Sent:
    document = from_json(row.body)
    plain: Bill | None = None
    try:
        plain = link.filing(row.kind).bill(
            document, applied.lookup(lookup_of(ctx, connection.id, document), document)
        )
        bill = overlay(plain, document, applied)
    except SyncError as error:
        body = dict(plain.body) if plain else {}
        return Sent(row.id, row.reference, body, (), "rules", error.code, error.message, error.field)
    except MISTAKES as error:
        return Sent(
            row.id, row.reference, {}, (), "rules", "sync.connector_error", f"{type(error).__name__}: {error}"
        )
    last = _last_sent(ctx, row, bill.body) if to_last else None
    changes = _between(last if last is not None else plain.body, bill.body)
    return Sent(row.id, row.reference, bill.body, changes, "sent" if last is not None else "rules")


def _between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    old, new = leaves(before), leaves(after)
    paths = [*new, *(path for path in old if path not in new)]
    return tuple(
        Change(path, old.get(path, ""), new.get(path, ""))
        for path in paths
        if old.get(path, "") != new.get(path, "")
    )


def _last_sent(ctx: Context, row: SyncDocument, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The message last sent for the same order, found in the calls that were kept; None where none can be read."""
    kept = ctx.session.scalars(
        select(SyncDocument.exchanges)
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == row.connection_id,
            SyncDocument.object_id == row.object_id,
            SyncDocument.version <= row.version,
        )
        .order_by(SyncDocument.version.desc(), SyncDocument.id.desc())
        .limit(3)
    )
    for exchanges in kept:
        for exchange in reversed(exchanges):
            if (found := _message(exchange.get("request", ""), body)) is not None:
                return found
    return None


def _message(text: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The part of a request that has the shape of a message: most of its names. JSON within JSON is looked into."""
    best: tuple[int, Mapping[str, Any] | None] = (max(2, (len(body) * 2 + 2) // 3) - 1, None)
    waiting: list[tuple[Any, int]] = [(text, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > 6:
            continue
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            try:
                waiting.append((json.loads(value), depth + 1))
            except (ValueError, RecursionError):
                continue
        elif isinstance(value, dict):
            shared = len(body.keys() & value.keys())
            best = max(best, (shared, value), key=lambda pair: pair[0])
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value[:50]]
    return best[1]


def _stored(source: Any, row: Mapping[str, Any], applied: Applied) -> Stored:
    try:
        plain = source.to_core(row)
    except SkipRecord as reason:
        return Stored(reason.field, row, {}, (), reason.code, reason.message, reason.field)
    try:
        item = record(row, plain, applied)
    except SkipRecord as reason:
        return Stored(plain.external_id, row, asdict(plain), (), reason.code, reason.message, reason.field)
    return Stored(plain.external_id, row, asdict(item), _between(asdict(plain), asdict(item)))

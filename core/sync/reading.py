"""What pages and the API show of connections: states, failures by cause, runs, raw exchanges."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from core.kernel import Context, NotFound
from core.sync.model import ErpConnection, ExternalRef, SyncDocument, SyncIssue, SyncRun, SyncStream

DAY = timedelta(hours=24)
STUCK = ("failed", "held")
MOST_CAUSES = 30  # groups of failures at once; when they are mended the next ones come
FAILURE = (
    "id", "reference", "order_id", "kind", "partner", "total", "currency", "state", "intent", "tries", "changed_at",
)  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """One connection in a list: how it is and what waits."""

    id: UUID
    connector: str
    name: str
    base_url: str
    organisation: str
    state: str
    state_reason: str
    is_open: bool  # the circuit breaker keeps it quiet for now
    draining_since: datetime | None
    left: int | None  # documents and runs a drain has yet to finish; None when there is no drain
    waiting: int
    stuck: int
    out_today: int
    in_today: int
    last_ok_at: datetime | None
    documents: list[str]  # the kinds that go out
    streams: list[str]  # those on a schedule


@dataclass(frozen=True)
class Failure:
    """One document that needs a person."""

    id: UUID
    reference: str
    order_id: UUID | None
    kind: str
    partner: str
    total: Decimal
    currency: str
    state: str
    intent: str
    tries: int
    at: datetime


@dataclass(frozen=True)
class Cause:
    """Failures with one cause: what to mend once for all of them. `newest` is the first of `documents`, with its calls."""

    code: str
    said: str
    field: str
    count: int
    first_at: datetime
    last_at: datetime
    documents: tuple[Failure, ...]
    newest: SyncDocument


@dataclass(frozen=True)
class Progress:
    """How far a run has come; `percent` and `seconds_left` are None where the other system does not say how many rows come."""

    percent: int | None  # of the rows it will read; never 100 before it is done
    per_second: float | None  # rows; None before one can tell
    seconds_left: int | None


@dataclass(frozen=True)
class RemoteDocument:
    """Where a document of ours stands in another system."""

    id: UUID
    connection_id: UUID
    connection: str
    kind: str
    intent: str
    state: str
    reference: str
    number: str
    cause: str
    at: datetime


_LEFT = """
    CASE WHEN c.state = 'paused' AND c.draining_since IS NOT NULL THEN
      (SELECT count(*) FROM ts.sync_document q WHERE q.tenant_id = c.tenant_id AND q.connection_id = c.id
         AND q.state IN ('new', 'sending', 'unknown') AND q.not_before < '9000-01-01 00:00+00')
      + (SELECT count(*) FROM ts.sync_stream f WHERE f.tenant_id = c.tenant_id AND f.connection_id = c.id
           AND f.key <> 'check' AND f.lease_until > ts.clock())
    END"""

_STANDINGS = text(f"""
    SELECT c.id, c.connector, c.name, c.base_url, c.organisation, c.state, c.state_reason,
           c.state = 'active' AND coalesce(c.open_until > ts.clock(), false) AS is_open,
           c.draining_since, {_LEFT} AS "left",
           w.waiting, s.stuck, t.out_today, coalesce(r.in_today, 0) AS in_today, c.last_ok_at, c.documents,
           ARRAY(SELECT i.key FROM ts.sync_stream i WHERE i.tenant_id = c.tenant_id AND i.connection_id = c.id
                 AND i.enabled AND i.key <> 'check') AS streams
    FROM ts.erp_connection c
    CROSS JOIN (SELECT ts.clock() - interval '24 hours' AS day OFFSET 0) now
    CROSS JOIN LATERAL (SELECT count(*) AS waiting FROM ts.sync_document d WHERE d.tenant_id = c.tenant_id
                        AND d.connection_id = c.id AND d.state IN ('new', 'sending', 'unknown')) w
    CROSS JOIN LATERAL (SELECT count(*) AS stuck FROM ts.sync_document d WHERE d.tenant_id = c.tenant_id
                        AND d.connection_id = c.id AND d.state IN ('failed', 'held')) s
    CROSS JOIN LATERAL (SELECT count(*) AS out_today FROM ts.sync_document d WHERE d.tenant_id = c.tenant_id
                        AND d.connection_id = c.id AND d.state = 'done' AND d.changed_at > now.day) t
    CROSS JOIN LATERAL (SELECT sum(stored) AS in_today FROM ts.sync_run q WHERE q.tenant_id = c.tenant_id
                        AND q.connection_id = c.id AND q.started_at > now.day) r
    WHERE c.tenant_id = ts.tenant() ORDER BY c.name
""")


def standings(ctx: Context) -> list[Standing]:
    """Every connection of the enterprise. One statement."""
    ctx.require("connection.view")
    return [
        Standing(**{**row, "in_today": int(row["in_today"])})
        for row in ctx.session.execute(_STANDINGS).mappings()
    ]


def left_to_finish(ctx: Context, connection_id: UUID) -> int | None:
    """Documents and runs that a drain has yet to finish; 0: it stands still. None when there is no drain."""
    ctx.require("connection.view")
    asked = text(f"SELECT {_LEFT} FROM ts.erp_connection c WHERE c.tenant_id = ts.tenant() AND c.id = :id")
    found: int | None = ctx.session.scalar(asked, {"id": connection_id})
    return found


def causes(ctx: Context, connection_id: UUID, shown: int = 50, most: int = MOST_CAUSES) -> list[Cause]:
    """Failed and held documents grouped by cause, the largest groups first; at most `shown` documents each. Two statements."""
    ctx.require("connection.view")
    one = SyncDocument
    stuck = (
        select(*(getattr(one, name) for name in FAILURE), one.cause_text, one.cause_field, one.created_at)
        .add_columns(func.coalesce(one.cause, "").label("cause"))
        .where(one.tenant_id == ctx.tenant_id, one.connection_id == connection_id, one.state.in_(STUCK))
        .cte("stuck")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    same = (stuck.c.cause, stuck.c.cause_text)
    size, first, last = func.count(), func.min(stuck.c.created_at), func.max(stuck.c.changed_at)
    largest = (
        select(*same, size.label("size"), first.label("first_at"), last.label("last_at"))
        .group_by(*same)
        .order_by(size.desc(), *same)
        .limit(most)
        .subquery()
    )
    place = func.row_number().over(partition_by=same, order_by=(stuck.c.changed_at.desc(), stuck.c.id.desc()))
    ranked = (
        select(stuck, largest.c.size, largest.c.first_at, largest.c.last_at, place.label("place"))
        .join(largest, (largest.c.cause == stuck.c.cause) & (largest.c.cause_text == stuck.c.cause_text))
        .subquery()
    )
    wanted = select(ranked).where(ranked.c.place <= shown)
    rows = ctx.session.execute(wanted.order_by(ranked.c.size.desc(), ranked.c.cause, ranked.c.cause_text, ranked.c.place))
    groups: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        groups.setdefault((row.cause, row.cause_text), []).append(row)
    newest = _documents(ctx, [members[0].id for members in groups.values()])
    return [
        Cause(
            code=code,
            said=said,
            field=members[0].cause_field,
            count=members[0].size,
            first_at=members[0].first_at,
            last_at=members[0].last_at,
            documents=tuple(_failure(member) for member in members),
            newest=newest[members[0].id],
        )
        for (code, said), members in groups.items()
    ]


def _failure(row: Any) -> Failure:
    told = {name: getattr(row, name) for name in FAILURE if name != "changed_at"}
    return Failure(**told, at=row.changed_at)


def _documents(ctx: Context, ids: list[UUID]) -> dict[UUID, SyncDocument]:
    rows = ctx.session.scalars(
        select(SyncDocument).where(SyncDocument.tenant_id == ctx.tenant_id, SyncDocument.id.in_(ids))
    )
    return {row.id: row for row in rows}


def document(ctx: Context, document_id: UUID) -> SyncDocument:
    """One document with its last exchanges."""
    ctx.require("connection.view")
    found = ctx.session.scalar(
        select(SyncDocument).where(SyncDocument.tenant_id == ctx.tenant_id, SyncDocument.id == document_id)
    )
    if found is None:
        raise NotFound("connection.no_document")
    return found


def documents(
    ctx: Context, connection_id: UUID, state: str | None = None, before: UUID | None = None, limit: int = 50
) -> list[SyncDocument]:
    """Documents of a connection, newest first, one more than `limit` when there are more."""
    ctx.require("connection.view")
    wanted = select(SyncDocument).where(
        SyncDocument.tenant_id == ctx.tenant_id, SyncDocument.connection_id == connection_id
    )
    if state:
        wanted = wanted.where(SyncDocument.state == state)
    if before:
        wanted = wanted.where(SyncDocument.id < before)
    return list(ctx.session.scalars(wanted.order_by(SyncDocument.id.desc()).limit(limit + 1)))


def runs(ctx: Context, connection_id: UUID, limit: int = 20) -> list[SyncRun]:
    """Runs of the streams of a connection, newest first."""
    ctx.require("connection.view")
    wanted = select(SyncRun).where(SyncRun.tenant_id == ctx.tenant_id, SyncRun.connection_id == connection_id)
    return list(ctx.session.scalars(wanted.order_by(SyncRun.started_at.desc()).limit(limit)))


def run(ctx: Context, run_id: UUID) -> SyncRun:
    """One run of a stream."""
    ctx.require("connection.view")
    found = ctx.session.scalar(select(SyncRun).where(SyncRun.tenant_id == ctx.tenant_id, SyncRun.id == run_id))
    if found is None:
        raise NotFound("connection.no_run")
    return found


def told_before(ctx: Context, run: SyncRun) -> UUID | None:
    """The newest earlier run of the same stream that told of records left out: what is told once is not told by every run."""
    ctx.require("connection.view")
    wanted = (
        select(SyncIssue.run_id)
        .join(SyncRun, SyncRun.id == SyncIssue.run_id)
        .where(SyncRun.tenant_id == ctx.tenant_id, SyncRun.connection_id == run.connection_id)
        .where(SyncRun.stream == run.stream, SyncRun.started_at < run.started_at)
    )
    found: UUID | None = ctx.session.scalar(wanted.order_by(SyncIssue.id.desc()).limit(1))
    return found


def progress(run: SyncRun, now: datetime) -> Progress:
    """How far a run has come and how fast. A total that was passed already was wrong, and nothing is told from it."""
    seconds = ((run.ended_at or now) - run.started_at).total_seconds()
    rate = run.read / seconds if seconds >= 1 and run.read else None
    if run.state != "running" or not run.total or run.read > run.total:
        return Progress(None, rate, None)
    left = int((run.total - run.read) / rate) if rate else None
    return Progress(min(99, run.read * 100 // run.total), rate, left)


def streams(ctx: Context, connection_id: UUID) -> list[SyncStream]:
    ctx.require("connection.view")
    wanted = select(SyncStream).where(
        SyncStream.tenant_id == ctx.tenant_id, SyncStream.connection_id == connection_id
    )
    return list(ctx.session.scalars(wanted.order_by(SyncStream.key)))


def issues(
    ctx: Context, connection_id: UUID, run_id: UUID | None = None, limit: int = 100
) -> list[SyncIssue]:
    """Records that were left out, newest first."""
    ctx.require("connection.view")
    wanted = select(SyncIssue).where(
        SyncIssue.tenant_id == ctx.tenant_id, SyncIssue.connection_id == connection_id
    )
    if run_id:
        wanted = wanted.where(SyncIssue.run_id == run_id)
    return list(ctx.session.scalars(wanted.order_by(SyncIssue.id.desc()).limit(limit)))


def refs(ctx: Context, connection_id: UUID, kind: str) -> list[ExternalRef]:
    ctx.require("connection.view")
    wanted = select(ExternalRef).where(
        ExternalRef.tenant_id == ctx.tenant_id,
        ExternalRef.connection_id == connection_id,
        ExternalRef.kind == kind,
    )
    return list(ctx.session.scalars(wanted.order_by(ExternalRef.external_number).limit(500)))


def remote_documents(ctx: Context, order_id: UUID) -> tuple[RemoteDocument, ...]:
    """Where an order, its goods and its money stand in the systems of ctx's enterprise, newest first. One statement."""
    one = SyncDocument
    told = (one.id, one.connection_id, one.kind, one.intent, one.state, one.reference, one.changed_at)
    rows = ctx.session.execute(
        select(*told, one.remote_number, one.cause, ErpConnection.name.label("connection"))
        .join(ErpConnection, ErpConnection.id == one.connection_id)
        .where(one.tenant_id == ctx.tenant_id, one.order_id == order_id)
        .order_by(one.id.desc())
    )
    return tuple(
        RemoteDocument(
            row.id,
            row.connection_id,
            row.connection,
            row.kind,
            row.intent,
            row.state,
            row.reference,
            row.remote_number or "",
            row.cause or "",
            row.changed_at,
        )
        for row in rows
    )

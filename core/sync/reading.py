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
    """Failures with one cause: what to mend once for all of them."""

    code: str
    said: str
    field: str
    count: int
    first_at: datetime
    last_at: datetime
    documents: tuple[Failure, ...]


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
           coalesce(d.waiting, 0) AS waiting, coalesce(d.stuck, 0) AS stuck, coalesce(d.out_today, 0) AS out_today,
           coalesce(r.in_today, 0) AS in_today, c.last_ok_at
    FROM ts.erp_connection c
    LEFT JOIN (SELECT connection_id, count(*) FILTER (WHERE state IN ('new', 'sending', 'unknown')) AS waiting,
                      count(*) FILTER (WHERE state IN ('failed', 'held')) AS stuck,
                      count(*) FILTER (WHERE state = 'done' AND changed_at > ts.clock() - interval '24 hours') AS out_today
               FROM ts.sync_document WHERE tenant_id = ts.tenant() GROUP BY connection_id) d ON d.connection_id = c.id
    LEFT JOIN (SELECT connection_id, sum(stored) AS in_today FROM ts.sync_run
               WHERE tenant_id = ts.tenant() AND started_at > ts.clock() - interval '24 hours'
               GROUP BY connection_id) r ON r.connection_id = c.id
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


def causes(ctx: Context, connection_id: UUID, shown: int = 50) -> list[Cause]:
    """Failed and held documents grouped by cause, the largest group first; at most `shown` documents each."""
    ctx.require("connection.view")
    same = (SyncDocument.cause, SyncDocument.cause_text)
    place = func.row_number().over(partition_by=same, order_by=SyncDocument.changed_at.desc())
    ranked = (
        select(
            SyncDocument.id,
            place.label("place"),
            func.count().over(partition_by=same).label("size"),
            func.min(SyncDocument.created_at).over(partition_by=same).label("first_at"),
            func.max(SyncDocument.changed_at).over(partition_by=same).label("last_at"),
        )
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == connection_id,
            SyncDocument.state.in_(STUCK),
        )
        .subquery()
    )
    rows = ctx.session.execute(
        select(SyncDocument, ranked.c.size, ranked.c.first_at, ranked.c.last_at)
        .join(ranked, ranked.c.id == SyncDocument.id)
        .where(ranked.c.place <= shown)
        .order_by(
            ranked.c.size.desc(), SyncDocument.cause, SyncDocument.cause_text, SyncDocument.changed_at.desc()
        )
    ).all()
    groups: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        groups.setdefault((row.SyncDocument.cause or "", row.SyncDocument.cause_text), []).append(row)
    return [
        Cause(
            code=code,
            said=said,
            field=members[0].SyncDocument.cause_field,
            count=members[0].size,
            first_at=members[0].first_at,
            last_at=members[0].last_at,
            documents=tuple(_failure(member.SyncDocument) for member in members),
        )
        for (code, said), members in groups.items()
    ]


def _failure(row: SyncDocument) -> Failure:
    return Failure(
        row.id,
        row.reference,
        row.order_id,
        row.kind,
        row.partner,
        row.total,
        row.currency,
        row.state,
        row.intent,
        row.tries,
        row.changed_at,
    )


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
    rows = ctx.session.execute(
        select(SyncDocument, ErpConnection.name)
        .join(ErpConnection, ErpConnection.id == SyncDocument.connection_id)
        .where(SyncDocument.tenant_id == ctx.tenant_id, SyncDocument.order_id == order_id)
        .order_by(SyncDocument.id.desc())
    ).all()
    return tuple(
        RemoteDocument(
            row.SyncDocument.id,
            row.SyncDocument.connection_id,
            row.name,
            row.SyncDocument.kind,
            row.SyncDocument.intent,
            row.SyncDocument.state,
            row.SyncDocument.reference,
            row.SyncDocument.remote_number or "",
            row.SyncDocument.cause or "",
            row.SyncDocument.changed_at,
        )
        for row in rows
    )

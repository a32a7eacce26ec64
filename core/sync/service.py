"""Connections as people handle them: set up, change, pause, resume, check, replay."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, update

from core import identity
from core.kernel import Conflict, Context, Invalid, NotFound
from core.sync import secrets
from core.sync.contract import Connector
from core.sync.documents import settle_of
from core.sync.model import FLYING, PARKED, WAITING, ErpConnection, SyncDocument, SyncRun, SyncStream
from core.sync.outgoing import PARTNER, SUPPLIER
from core.sync.refs import remember
from core.sync.told import NewConnection, addresses, checked, host_keys, kinds_of, usual

CHECK = "check"


def connect(ctx: Context, connector: Connector, given: NewConnection) -> ErpConnection:
    """Set up a connection. Its documents flow at once; its streams wait until they are switched on."""
    ctx.require("connection.edit")
    settings, hidden = secrets.split(connector, given.values)
    checked(ctx, connector, given, settings, hidden)
    connection = ErpConnection(
        tenant_id=ctx.tenant_id,
        connector=connector.key,
        name=given.name,
        base_url=given.base_url,
        organisation=given.organisation,
        settings=settings,
        secrets=secrets.sealed(hidden),
        documents=kinds_of(connector, given, usual(connector)),
        created_at=ctx.now,
    )
    ctx.session.add(connection)
    ctx.session.flush()
    rhythms = [(CHECK, 0), *((each.key, int(each.every.total_seconds() // 60)) for each in connector.streams)]
    for key, minutes in rhythms:
        ctx.session.add(
            SyncStream(
                tenant_id=ctx.tenant_id,
                connection_id=connection.id,
                key=key,
                enabled=key == CHECK,
                every_minutes=minutes,
                next_at=ctx.now if key == CHECK else None,
            )
        )
    ctx.record("connection.connect", connection, connector=connector.key, base_url=given.base_url)
    return connection


def change_connection(
    ctx: Context, connector: Connector, connection_id: UUID, version: int, given: NewConnection
) -> ErpConnection:
    """Change a connection and check it again. Conflict when somebody changed it since `version`.

    Another address, another host key, or a secret that is not blank needs a fresh second factor. Another organisation has to
    wait for what is under way: in the new one nobody would find what arrived in the old one, and it would be sent again.
    """
    ctx.require("connection.edit")
    connection = lock_connection(ctx, connection_id)
    if connection.version != version:
        raise Conflict("connection.changed", current=connection.version)
    if given.organisation != connection.organisation and (flying := _flying(ctx, connection_id)):
        raise Conflict("connection.under_way", count=flying)
    settings, hidden = secrets.split(connector, given.values)
    told = sorted(hidden)
    moved = addresses(given.base_url, settings) != addresses(connection.base_url, connection.settings)
    if told or moved or host_keys(settings) != host_keys(connection.settings):
        identity.require_fresh_second_factor(ctx)
    if not moved:  # else they would leave for a new address
        hidden = {**secrets.access_of(connection).secrets, **hidden}
    checked(ctx, connector, given, settings, hidden, connection_id)
    if given.base_url != connection.base_url or given.organisation != connection.organisation:
        _begin_anew(ctx, connection_id)
    before = {"base_url": connection.base_url, "organisation": connection.organisation}
    connection.name, connection.base_url = given.name, given.base_url
    connection.organisation, connection.settings = given.organisation, settings
    connection.secrets = secrets.sealed(hidden)
    connection.documents = kinds_of(connector, given, connection.documents)
    connection.version += 1
    want(ctx, connection_id, CHECK)
    ctx.record("connection.change", connection, before=before, secrets=told)
    return connection


def _begin_anew(ctx: Context, connection_id: UUID) -> None:
    """How far the streams came says nothing about another system; a run under way ends at its next page."""
    ctx.session.execute(
        update(SyncStream)
        .where(SyncStream.tenant_id == ctx.tenant_id, SyncStream.connection_id == connection_id, SyncStream.key != CHECK)
        .values(cursor=None, position=None, attempt=SyncStream.attempt + 1, lease_until=None)
    )


def pause(ctx: Context, connection_id: UUID, reason: str = "") -> ErpConnection:
    """Send and fetch nothing until it is resumed; documents wait in their order. It also ends a drain at once."""
    ctx.require("connection.edit")
    connection = lock_connection(ctx, connection_id)
    if connection.state != "active" and connection.draining_since is None:
        raise Conflict("connection.not_active", state=connection.state)
    connection.state, connection.state_reason = "paused", _plain(reason, "reason")[:500]
    connection.draining_since = None
    ctx.record("connection.pause", connection, reason=reason)
    return connection


def drain(ctx: Context, connection_id: UUID, reason: str = "") -> ErpConnection:
    """Finish what is under way and what is queued, begin nothing new, then stand still until it is resumed.

    The connection is paused for all but the documents that are queued now: they still go out, each as always. No stream
    starts; a run under way comes to its end. What arises or is replayed meanwhile waits (the trigger `sync_park`; it takes the
    row that is locked here, so nothing slips between). `reading.left_to_finish` says how much is left.
    """
    ctx.require("connection.edit")
    connection = lock_connection(ctx, connection_id)
    if connection.state != "active":
        raise Conflict("connection.not_active", state=connection.state)
    connection.state, connection.state_reason = "paused", _plain(reason, "reason")[:500]
    connection.draining_since = ctx.now
    ctx.record("connection.drain", connection, reason=reason)
    return connection


def resume(ctx: Context, connection_id: UUID) -> ErpConnection:
    """Go on; the circuit breaker starts closed, and what a drain kept waiting is due."""
    ctx.require("connection.edit")
    connection = lock_connection(ctx, connection_id)
    if connection.state == "active":
        raise Conflict("connection.is_active")
    connection.state, connection.state_reason, connection.draining_since = "active", "", None
    connection.failures, connection.refusals, connection.open_until = 0, 0, None
    ctx.session.execute(
        update(SyncDocument)
        .where(
            SyncDocument.tenant_id == ctx.tenant_id,
            SyncDocument.connection_id == connection_id,
            SyncDocument.state.in_(WAITING),
            SyncDocument.not_before >= PARKED,
        )
        .values(not_before=ctx.now)
    )
    ctx.record("connection.resume", connection)
    return connection


def check_connection(ctx: Context, connection_id: UUID) -> None:
    """Ask for a check: the worker does it within seconds and leaves its steps in `checked`."""
    ctx.require("connection.edit")
    connection = lock_connection(ctx, connection_id)
    want(ctx, connection_id, CHECK)
    ctx.record("connection.check", connection)


def sync_now(ctx: Context, connection_id: UUID, stream: str) -> None:
    """Ask for one run of a stream, also when it is not switched on for a schedule."""
    ctx.require("connection.replay")
    connection = find_connection(ctx, connection_id)
    if connection.state != "active":
        raise Conflict("connection.not_active", state=connection.state)
    want(ctx, connection_id, stream)
    ctx.record("connection.sync", connection, stream=stream)


def schedule(ctx: Context, connection_id: UUID, stream: str, every_minutes: int | None) -> None:
    """Fetch a stream every so many minutes (5 to 10080); None switches the schedule off."""
    ctx.require("connection.edit")
    if every_minutes is not None and not 5 <= every_minutes <= 10080:
        raise Invalid.one("every_minutes", "connection.minutes", least=5, most=10080)
    row = _stream(ctx, connection_id, stream)
    if row.key == CHECK:
        raise NotFound("connection.no_stream", stream=stream)
    row.enabled = every_minutes is not None
    row.every_minutes = every_minutes or row.every_minutes
    row.next_at = ctx.now if row.enabled else None
    ctx.record("connection.schedule", f"erp_connection:{connection_id}", stream=stream, minutes=every_minutes)


def cancel_run(ctx: Context, run_id: UUID) -> None:
    """Stop a running stream after its current page; what is stored stays, the next run goes on from there."""
    ctx.require("connection.replay")
    run = ctx.session.scalar(
        select(SyncRun).where(SyncRun.tenant_id == ctx.tenant_id, SyncRun.id == run_id).with_for_update()
    )
    if run is None:
        raise NotFound("connection.no_run")
    if run.state != "running":
        raise Conflict("connection.run_over", state=run.state)
    run.state, run.ended_at = "cancelled", ctx.now
    ctx.record("connection.cancel_run", run)


def replay(
    ctx: Context, connection_id: UUID, ids: Sequence[UUID] | None = None, cause: str | None = None
) -> int:
    """Take failed and held documents up again, all, by id or by cause; answers how many.

    Nothing is sent blindly: each is looked up by its reference first and sent only if it is not there. What was held a moment
    ago, perhaps for an unclear answer, settles before.
    """
    ctx.require("connection.replay")
    connection = find_connection(ctx, connection_id)
    settled = SyncDocument.changed_at + settle_of(connection.connector, connection.settle_seconds)
    due = case((SyncDocument.state == "held", func.greatest(ctx.now, settled)), else_=ctx.now)
    chosen = [
        SyncDocument.tenant_id == ctx.tenant_id,
        SyncDocument.connection_id == connection_id,
        SyncDocument.state.in_(("failed", "held")),
    ]
    if ids is not None:
        chosen.append(SyncDocument.id.in_(ids))
    if cause is not None:
        chosen.append(SyncDocument.cause == cause)
    taken = ctx.session.scalars(
        update(SyncDocument)
        .where(*chosen)
        .values(state="new", tries=0, not_before=due, lease_until=None, changed_at=ctx.now)
        .returning(SyncDocument.id)
    ).all()
    ctx.record("connection.replay", f"erp_connection:{connection_id}", documents=list(taken), cause=cause)
    return len(taken)


def dismiss(ctx: Context, document_id: UUID, reason: str) -> SyncDocument:
    """A person settles a failed or held document outside: it is not sent any more, and says why."""
    ctx.require("connection.replay")
    if not reason.strip():
        raise Invalid.one("reason", "connection.reason_missing")
    document = ctx.session.scalar(
        select(SyncDocument)
        .where(SyncDocument.tenant_id == ctx.tenant_id, SyncDocument.id == document_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if document is None:
        raise NotFound("connection.no_document")
    if document.state not in ("failed", "held"):
        raise Conflict("connection.document_moves", state=document.state)
    document.state, document.changed_at = "superseded", ctx.now
    document.cause_text = _plain(reason, "reason")[:2000]
    ctx.record("sync.dismiss", document, reason=reason, reference=document.reference)
    return document


def bind(ctx: Context, connection_id: UUID, kind: str, local_id: UUID, number: str) -> None:
    """Say which object there stands for ours.

    `kind` is partner (a customer for a buyer), supplier (for a seller) or product (a material).
    """
    ctx.require("connection.edit")
    find_connection(ctx, connection_id)
    if kind not in (PARTNER, SUPPLIER, "product"):
        raise Invalid.one("kind", "connection.kind_unknown", kind=kind)
    if not number.strip():
        raise Invalid.one("number", "field.required")
    number = _plain(number, "number")[:100]
    if not remember(ctx, connection_id, kind, local_id, number, number):
        raise Conflict("connection.ref_taken", kind=kind, number=number)
    about = f"erp_connection:{connection_id}"
    ctx.record("connection.bind", about, kind=kind, local=str(local_id), number=number)


def find_connection(ctx: Context, connection_id: UUID) -> ErpConnection:
    found = ctx.session.scalar(_one(ctx, connection_id))
    if found is None:
        raise NotFound("connection.not_found")
    return found


def lock_connection(ctx: Context, connection_id: UUID) -> ErpConnection:
    locking = _one(ctx, connection_id).with_for_update().execution_options(populate_existing=True)
    found = ctx.session.scalar(locking)
    if found is None:
        raise NotFound("connection.not_found")
    return found


def _one(ctx: Context, connection_id: UUID) -> Any:
    return select(ErpConnection).where(ErpConnection.tenant_id == ctx.tenant_id, ErpConnection.id == connection_id)


def _flying(ctx: Context, connection_id: UUID) -> int:
    """How many documents are being sent, or may have arrived without our knowing."""
    mine = (SyncDocument.tenant_id == ctx.tenant_id, SyncDocument.connection_id == connection_id)
    return ctx.session.scalar(select(func.count()).where(*mine, SyncDocument.state.in_(FLYING))) or 0


def _stream(ctx: Context, connection_id: UUID, key: str) -> SyncStream:
    mine = (SyncStream.tenant_id == ctx.tenant_id, SyncStream.connection_id == connection_id, SyncStream.key == key)
    locking = select(SyncStream).where(*mine).with_for_update().execution_options(populate_existing=True)
    row = ctx.session.scalar(locking)
    if row is None:
        raise NotFound("connection.no_stream", stream=key)
    return row


def want(ctx: Context, connection_id: UUID, key: str) -> None:
    """The worker runs a stream, or the check, as soon as it can."""
    row = _stream(ctx, connection_id, key)
    row.next_at, row.wanted_by, row.failures = ctx.now, ctx.actor.name, 0


def _plain(text: str, path: str) -> str:
    """A line somebody typed, without what no database takes."""
    if "\x00" in text:
        raise Invalid.one(path, "text.nul")
    return text.strip()

"""Connections as people handle them: set up, change, pause, resume, check, replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select, update

from core import identity
from core.kernel import Conflict, Context, FieldError, Invalid, NotFound
from core.sync import secrets
from core.sync.contract import Connector
from core.sync.model import PARKED, WAITING, ErpConnection, SyncDocument, SyncRun, SyncStream
from core.sync.outgoing import PARTNER, SALES_ORDER, SUPPLIER
from core.sync.refs import remember

CHECK = "check"
LONGEST = {"name": 80, "base_url": 300, "organisation": 40}
MAX_SETTING, MAX_FILE = 4_000, 1_000_000  # characters


@dataclass(frozen=True)
class NewConnection:
    """What a person tells about a connection. A blank secret keeps the one that is there.

    `documents` are the kinds that go out through it; None keeps those that do, at first the connector's usual one.
    """

    name: str
    base_url: str
    organisation: str
    values: Mapping[str, str]
    documents: Sequence[str] | None = None


def connect(ctx: Context, connector: Connector, given: NewConnection) -> ErpConnection:
    """Set up a connection. Its documents flow at once; its streams wait until they are switched on."""
    ctx.require("connection.edit")
    settings, hidden = secrets.split(connector, given.values)
    _check(ctx, connector, given, settings, hidden)
    connection = ErpConnection(
        tenant_id=ctx.tenant_id,
        connector=connector.key,
        name=given.name,
        base_url=given.base_url,
        organisation=given.organisation,
        settings=settings,
        secrets=secrets.sealed(hidden),
        documents=_documents(connector, given, usual(connector)),
        created_at=ctx.now,
    )
    ctx.session.add(connection)
    ctx.session.flush()
    for key, minutes in [
        (CHECK, 0),
        *((s.key, int(s.every.total_seconds() // 60)) for s in connector.streams),
    ]:
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

    Another address, or a secret that is not blank, needs a fresh second factor.
    """
    ctx.require("connection.edit")
    connection = lock_connection(ctx, connection_id)
    if connection.version != version:
        raise Conflict("connection.changed", current=connection.version)
    settings, hidden = secrets.split(connector, given.values)
    told = sorted(hidden)
    moved = _addresses(given.base_url, settings) != _addresses(connection.base_url, connection.settings)
    if told or moved:
        identity.require_fresh_second_factor(ctx)
    if not moved:  # else they would leave for a new address
        hidden = {**secrets.access_of(connection).secrets, **hidden}
    _check(ctx, connector, given, settings, hidden, connection_id)
    before = {"base_url": connection.base_url, "organisation": connection.organisation}
    connection.name, connection.base_url = given.name, given.base_url
    connection.organisation, connection.settings = given.organisation, settings
    connection.secrets = secrets.sealed(hidden)
    connection.documents = _documents(connector, given, connection.documents)
    connection.version += 1
    want(ctx, connection_id, CHECK)
    ctx.record("connection.change", connection, before=before, secrets=told)
    return connection


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

    Nothing is sent blindly: each is looked up by its reference first and sent only if it is not there.
    """
    ctx.require("connection.replay")
    find_connection(ctx, connection_id)
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
        .values(state="new", tries=0, not_before=ctx.now, lease_until=None, changed_at=ctx.now)
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
    return select(ErpConnection).where(
        ErpConnection.tenant_id == ctx.tenant_id, ErpConnection.id == connection_id
    )


def _stream(ctx: Context, connection_id: UUID, key: str) -> SyncStream:
    row = ctx.session.scalar(
        select(SyncStream)
        .where(
            SyncStream.tenant_id == ctx.tenant_id,
            SyncStream.connection_id == connection_id,
            SyncStream.key == key,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("connection.no_stream", stream=key)
    return row


def want(ctx: Context, connection_id: UUID, key: str) -> None:
    """The worker runs a stream, or the check, as soon as it can."""
    row = _stream(ctx, connection_id, key)
    row.next_at, row.wanted_by, row.failures = ctx.now, ctx.actor.name, 0


def _check(
    ctx: Context,
    connector: Connector,
    given: NewConnection,
    settings: Mapping[str, str],
    hidden: Mapping[str, str],
    connection_id: UUID | None = None,
) -> None:
    wrong: list[FieldError] = []
    for name, most in LONGEST.items():
        value = str(getattr(given, name))
        if len(value) > most or not value.isprintable():
            wrong.append(FieldError(name, "connection.text", {"most": most}))
    if not _is_address(given.base_url):
        wrong.append(FieldError("base_url", "connection.url", {}))
    if not given.name.strip():
        wrong.append(FieldError("name", "field.required", {}))
    for setting in connector.settings:
        value = hidden.get(setting.key) or settings.get(setting.key, "")
        if setting.required and not value:
            wrong.append(FieldError(setting.key, "field.required", {}))
        elif len(value) > (most := MAX_FILE if setting.kind == "file" else MAX_SETTING) or not _shows(value):
            wrong.append(FieldError(setting.key, "connection.text", {"most": most}))
        elif value and setting.choices and value not in dict(setting.choices):
            wrong.append(FieldError(setting.key, "connection.choice", {"value": value}))
        elif value and setting.kind == "number" and not value.isdecimal():
            wrong.append(FieldError(setting.key, "connection.number", {}))
    for kind in given.documents or ():
        if kind not in connector.documents:
            wrong.append(FieldError("documents", "connection.document_unknown", {"kind": kind[:40]}))
    same = select(func.count()).where(
        ErpConnection.tenant_id == ctx.tenant_id,
        ErpConnection.name == given.name,
        ErpConnection.id != (connection_id or ctx.tenant_id),
    )
    if ctx.session.scalar(same):
        wrong.append(FieldError("name", "connection.name_taken", {}))
    if wrong:
        raise Invalid(wrong)


def usual(connector: Connector) -> list[str]:
    """What goes out where nobody chose: sales orders, or the first kind of a connector that takes none."""
    return [SALES_ORDER] if SALES_ORDER in connector.documents else list(connector.documents[:1])


def _documents(connector: Connector, given: NewConnection, kept: Sequence[str]) -> list[str]:
    asked = kept if given.documents is None else given.documents
    return [kind for kind in connector.documents if kind in asked]


def _addresses(base_url: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Every place a connection may carry its secrets to: its address, and those among its settings (where tokens are made)."""
    places = {key: value for key, value in settings.items() if "://" in value[:20] and "\n" not in value}
    return {"": base_url, **places}


def _is_address(text: str) -> bool:
    """An http or https address with a host and nothing that could carry secrets or surprises."""
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return False
    return usable and not (url.username or url.password or url.query or url.fragment)


def _shows(value: str) -> bool:
    """Whether a text has nothing in it that nobody could see; lines and tabs are seen."""
    return value.translate({9: None, 10: None, 13: None}).isprintable()


def _plain(text: str, path: str) -> str:
    """A line somebody typed, without what no database takes."""
    if "\x00" in text:
        raise Invalid.one(path, "text.nul")
    return text.strip()

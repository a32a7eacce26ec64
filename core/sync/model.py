"""Connections, the documents that go out through them, the streams that come in, and what went wrong.

A document row is a wish: "let the other system hold this version of that object". It is never sent twice
blindly; `attempt` is the fencing token of whoever holds it now.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Amount, Append, Encrypted, Model, TenantOwned, uuid_pk

ZERO = text("0")
NOW = text("clock_timestamp()")

UNFINISHED = ("new", "sending", "unknown", "failed", "held")
FLYING = ("sending", "unknown")
WAITING = ("new", *FLYING)
PARKED = datetime(9000, 1, 1, tzinfo=UTC)  # when a document is due that waits behind a drain (trigger `sync_park`)


class ErpConnection(TenantOwned, Model):
    """One system of one enterprise. `open_until` is the circuit breaker; `checked` holds the steps of the last check."""

    __tablename__ = "erp_connection"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "name"),
        Index("ix_erp_connection_push_hash", "push_hash", postgresql_where=text("push_hash IS NOT NULL")),
        CheckConstraint("state IN ('active', 'paused', 'stopped')", name="state"),
        CheckConstraint("at_once > 0 AND per_minute > 0", name="caps"),
        CheckConstraint("settle_seconds BETWEEN 1 AND 86400", name="settle"),
    )

    id: Mapped[uuid_pk]
    connector: Mapped[str]
    name: Mapped[str]
    base_url: Mapped[str]
    organisation: Mapped[str] = mapped_column(server_default="")
    settings: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    secrets: Mapped[str] = mapped_column(Encrypted("erp_connection.secrets"))
    state: Mapped[str] = mapped_column(server_default="active")
    state_reason: Mapped[str] = mapped_column(server_default="")
    draining_since: Mapped[datetime | None]  # paused, but what was queued by then still goes out
    version: Mapped[int] = mapped_column(server_default=text("1"))
    failures: Mapped[int] = mapped_column(server_default=ZERO)
    refusals: Mapped[int] = mapped_column(server_default=ZERO)  # of the settings, in a row
    open_until: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(server_default="")
    checked: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    documents: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{sales_order}'")
    )  # kinds that go out here
    settle_seconds: Mapped[int | None]  # before a look after "unknown"; NULL: as its connector says
    at_once: Mapped[int | None]  # documents under way at a time; NULL: the platform's number
    per_minute: Mapped[int | None]  # calls; NULL: no limit
    ca_pem: Mapped[str] = mapped_column(server_default="")
    pinned_sha256: Mapped[str] = mapped_column(server_default="")
    client_cert_pem: Mapped[str] = mapped_column(server_default="")
    client_key: Mapped[str | None] = mapped_column(Encrypted("erp_connection.client_key"))
    push_hash: Mapped[bytes | None]  # of the token in the address under which the other system may call us
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)

    @property
    def settle(self) -> timedelta | None:
        return timedelta(seconds=self.settle_seconds) if self.settle_seconds else None


class ExternalRef(TenantOwned, Model):
    """One object of ours and its counterpart there, each at most once per kind."""

    __tablename__ = "external_ref"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "kind", "local_id"),
        UniqueConstraint("tenant_id", "connection_id", "kind", "external_id"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    kind: Mapped[str]  # partner, supplier, product, delivery, invoice, and the kinds of documents that go out
    local_id: Mapped[UUID]
    external_id: Mapped[str]
    external_number: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = mapped_column(server_default=NOW)


class SyncDocument(TenantOwned, Model):
    """One version of one object on its way out. `reference` is what the other system files it under."""

    __tablename__ = "sync_document"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "kind", "idem_key"),
        Index(
            "ix_sync_document_due",
            "connection_id",
            "not_before",
            "id",
            postgresql_where=text("state IN ('new', 'sending', 'unknown')"),
        ),
        Index(
            "ix_sync_document_flying",
            "connection_id",
            "lease_until",
            postgresql_where=text("state IN ('sending', 'unknown') AND lease_until IS NOT NULL"),
        ),
        Index("ix_sync_document_object", "object_id", "version"),
        Index("ix_sync_document_order", "tenant_id", "order_id"),
        Index("ix_sync_document_day", "tenant_id", "connection_id", "kind", "dated_on"),
        Index("ix_sync_document_reference", "tenant_id", "connection_id", "reference"),
        Index("ix_sync_document_connection_state", "tenant_id", "connection_id", "state", "id"),
        Index(
            "ix_sync_document_done",
            "tenant_id",
            "connection_id",
            "changed_at",
            postgresql_where=text("state = 'done'"),
        ),
        CheckConstraint(
            "state IN ('new', 'sending', 'unknown', 'done', 'failed', 'held', 'superseded')", name="state"
        ),
        CheckConstraint("intent IN ('create', 'change', 'cancel')", name="intent"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    kind: Mapped[str]
    object_id: Mapped[UUID]
    order_id: Mapped[UUID | None]  # the order it belongs to
    intent: Mapped[str]
    version: Mapped[int]
    idem_key: Mapped[str]
    reference: Mapped[str]
    partner: Mapped[str] = mapped_column(server_default="")
    total: Mapped[Decimal] = mapped_column(Amount())
    currency: Mapped[str] = mapped_column(server_default="CNY")
    dated_on: Mapped[date] = mapped_column(server_default=text("CURRENT_DATE"))  # the day the document itself carries
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(server_default="new")
    attempt: Mapped[int] = mapped_column(server_default=ZERO)
    tries: Mapped[int] = mapped_column(server_default=ZERO)
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime] = mapped_column(server_default=NOW)
    remote_id: Mapped[str | None]
    remote_number: Mapped[str | None]
    cause: Mapped[str | None]
    cause_field: Mapped[str] = mapped_column(server_default="")
    cause_text: Mapped[str] = mapped_column(server_default="")
    exchanges: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    trace_id: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    changed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SyncStream(TenantOwned, Model):
    """One stream of one connection: how far it has come, when it is due, who pulls it now."""

    __tablename__ = "sync_stream"
    __table_args__ = (
        UniqueConstraint("tenant_id", "connection_id", "key"),
        Index("ix_sync_stream_due", "next_at", postgresql_where=text("enabled OR wanted_by <> ''")),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    key: Mapped[str]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    every_minutes: Mapped[int] = mapped_column(server_default=text("60"))
    next_at: Mapped[datetime | None]
    wanted_by: Mapped[str] = mapped_column(server_default="")
    cursor: Mapped[str | None]
    position: Mapped[str | None]
    run_id: Mapped[UUID | None]
    attempt: Mapped[int] = mapped_column(server_default=ZERO)
    lease_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=ZERO)


class SyncRun(TenantOwned, Model):
    """One pull of one stream, from its first page to its last; a stopped one is gone on with."""

    __tablename__ = "sync_run"
    __table_args__ = (
        Index("ix_sync_run_connection_new", "tenant_id", "connection_id", text("started_at DESC")),
        CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')", name="state"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    stream: Mapped[str]
    trigger: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="running")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    total: Mapped[int | None]  # rows this run will have, where the other system says so
    read: Mapped[int] = mapped_column(server_default=ZERO)
    stored: Mapped[int] = mapped_column(server_default=ZERO)
    skipped: Mapped[int] = mapped_column(server_default=ZERO)
    said: Mapped[str] = mapped_column(server_default="")


class SyncIssue(Append, TenantOwned, Model):
    """One record of a run or of a push that was left out, with its reason and the record itself."""

    __tablename__ = "sync_issue"
    __table_args__ = (
        Index("ix_sync_issue_run", "tenant_id", "run_id", "id"),
        Index("ix_sync_issue_new", "tenant_id", "connection_id", "id"),
        Index("ix_sync_issue_push", "tenant_id", "push_id"),
        Index("ix_sync_issue_same", "tenant_id", "connection_id", "code", "external_id"),
        CheckConstraint("(run_id IS NULL) <> (push_id IS NULL)", name="source"),
    )

    id: Mapped[uuid_pk]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("ts.erp_connection.id"))
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("ts.sync_run.id"))
    push_id: Mapped[UUID | None] = mapped_column(ForeignKey("ts.sync_push.id"))
    external_id: Mapped[str]
    code: Mapped[str]
    said: Mapped[str]
    record: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(server_default=NOW)

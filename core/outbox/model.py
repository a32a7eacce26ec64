"""Rows that outlive the request: events waiting for their handlers, and the answers of idempotent commands."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Model, TenantOwned, uuid_pk


class OutboxEvent(TenantOwned, Model):
    """An event and how far its delivery got. `other_id` is the counterparty that hears it too; `subject` keeps order.

    `state` is new, waiting (only plugins that are stopped or absent have not heard it yet: `waits_for`), done or dead.
    """

    __tablename__ = "outbox_event"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        Index("ix_outbox_event_due", "not_before", "id", postgresql_where=text("state = 'new'")),
        Index("ix_outbox_event_waiting", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_outbox_event_tenant_subject", "tenant_id", "subject"),
    )

    id: Mapped[uuid_pk]
    other_id: Mapped[UUID | None]
    name: Mapped[str]
    event_version: Mapped[int] = mapped_column(server_default=text("1"))
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime]
    trace_id: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="new")
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    not_before: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    waits_for: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # names of plugins


class Delivery(Append, TenantOwned, Model):
    """One handler has done its work for one event: the row that makes at-least-once delivery effective once."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("tenant_id", "event_id", "handler"),)

    id: Mapped[uuid_pk]
    event_id: Mapped[UUID]
    handler: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class StoredAnswer(TenantOwned, Model):
    """The answer of a command under its idempotency key, written in the command's own transaction."""

    __tablename__ = "stored_answer"
    __table_args__ = (UniqueConstraint("tenant_id", "actor", "route", "key"),)

    id: Mapped[uuid_pk]
    actor: Mapped[str]
    route: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    body: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))

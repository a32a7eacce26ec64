"""A piece of long work and why parts of it were refused."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Model, TenantOwned, uuid_pk

STATES = ("queued", "running", "done", "failed", "cancelled")
OVER = frozenset({"done", "failed", "cancelled"})


class WorkRun(TenantOwned, Model):
    """One piece of long work: what was asked, how far it got, how it ended.

    `given` and `mark` belong to its kind: what it was asked with, and where the next batch begins. `done` counts the
    parts gone through, `refused` those of them that did not land; `total` is None while nobody knows. `may` are the
    permissions its asker held: nothing more is allowed to the work. `claim` numbers the takers: only the last may write.
    """

    __tablename__ = "work_run"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
        CheckConstraint("(ended_at IS NOT NULL) = (state IN ('done', 'failed', 'cancelled'))", name="ended"),
        CheckConstraint("done >= 0 AND refused BETWEEN 0 AND done AND done <= total", name="progress"),
        Index("ix_work_run_due", "turned_at", "id", postgresql_where=text("state IN ('queued', 'running')")),
        Index("ix_work_run_recent", "tenant_id", "kind", "id"),
    )

    id: Mapped[uuid_pk]
    kind: Mapped[str]
    title: Mapped[str]
    given: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    mark: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    state: Mapped[str] = mapped_column(server_default="queued")
    total: Mapped[int | None]
    done: Mapped[int] = mapped_column(server_default=text("0"))
    refused: Mapped[int] = mapped_column(server_default=text("0"))
    reason: Mapped[str | None]
    reason_values: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    person_id: Mapped[UUID | None]
    may: Mapped[list[str]] = mapped_column(JSONB, default=list)
    asked_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    stop_asked_at: Mapped[datetime | None]
    turned_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    lease_until: Mapped[datetime | None]
    claim: Mapped[int] = mapped_column(server_default=text("0"))
    tries: Mapped[int] = mapped_column(server_default=text("0"))


class WorkReason(Append, TenantOwned, Model):
    """Why one part did not land. `place` is where its reader finds it: a row of a file, counted as spreadsheets do."""

    __tablename__ = "work_reason"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "run_id"], ["ts.work_run.tenant_id", "ts.work_run.id"]),
        Index("ix_work_reason_run", "tenant_id", "run_id", "place", "id"),
    )

    id: Mapped[uuid_pk]
    run_id: Mapped[UUID]
    place: Mapped[int]
    field: Mapped[str]
    code: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    text: Mapped[str]

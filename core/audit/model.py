"""The audit trail: plain rows written just before the commit, chained a moment later by one sealer.

Chaining inside the business transaction would make every change of a tenant wait for the one before it; so rows
arrive unsealed, and the sealer links those older than every open transaction. What is not sealed yet is young, and
`verify` says how young.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Model, TenantOwned


class AuditEntry(Append, TenantOwned, Model):
    """Who did what to which object, with the names and ids that matter; never a secret, never a personal value."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_tenant_object", "tenant_id", "object_kind", "object_id"),
        Index("ix_audit_entry_unsealed", "id", postgresql_where=text("seq IS NULL")),
        Index("uq_audit_entry_tenant_seq", "tenant_id", "seq", unique=True, postgresql_where=text("seq IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    txid: Mapped[int] = mapped_column(BigInteger, server_default=text("pg_current_xact_id()::text::bigint"))
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    object_version: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    trace_id: Mapped[str]
    remote: Mapped[str]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    prev: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)

"""The versions of a mapping: the newest, any one, all of them, and the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.kernel import Context, NotFound
from core.sync.mapping.document import EMPTY, Document, packed, unpacked
from core.sync.mapping.model import SyncMapping

MOST = 200
"""So many versions are listed; older ones stay in the database."""


@dataclass(frozen=True)
class Version:
    """One version. Number 0 is before the first: nothing is mapped."""

    no: int
    document: Document
    author: str
    note: str
    at: datetime | None


BEFORE = Version(0, EMPTY, "", "", None)


def latest(ctx: Context, connection_id: UUID) -> Version:
    found = versions(ctx, connection_id, 1)
    return found[0] if found else BEFORE


def versions(ctx: Context, connection_id: UUID, limit: int = MOST) -> Sequence[Version]:
    """The newest first."""
    rows = ctx.session.scalars(_of(ctx, connection_id).order_by(SyncMapping.no.desc()).limit(limit))
    return [_version(row) for row in rows]


def version(ctx: Context, connection_id: UUID, no: int) -> Version:
    """One of them; NotFound when there is none with this number."""
    if no == 0:
        return BEFORE
    row = ctx.session.scalar(_of(ctx, connection_id).where(SyncMapping.no == no)) if 0 < no < 2**31 else None
    if row is None:
        raise NotFound("mapping.no_version", no=no)
    return _version(row)


def append(ctx: Context, connection_id: UUID, no: int, document: Document, note: str) -> Version:
    """Write the next version down. Whoever calls this holds the connection and has checked the document."""
    row = SyncMapping(
        tenant_id=ctx.tenant_id,
        connection_id=connection_id,
        no=no,
        document=packed(document),
        author=ctx.actor.name,
        note=note,
        at=ctx.now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    return _version(row)


def _of(ctx: Context, connection_id: UUID) -> Any:
    return select(SyncMapping).where(
        SyncMapping.tenant_id == ctx.tenant_id, SyncMapping.connection_id == connection_id
    )


def _version(row: SyncMapping) -> Version:
    return Version(row.no, unpacked(row.document), row.author, row.note, row.at)

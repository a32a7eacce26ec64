"""Write to the trail and read it back. Rows are buffered in the session and inserted just before the commit."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, inspect, select

from core.audit.model import AuditEntry
from core.kernel import Context

_INSERT = insert(AuditEntry.__table__)


def record(ctx: Context, action: str, obj: Any, detail: dict[str, Any]) -> None:
    """Buffer one entry. `obj` is a mapped row (its table, id and version are taken) or text `kind:id`."""
    kind, ident, version = _name(obj)
    buffer = ctx.session.info.setdefault("audit", [])
    buffer.append(
        {
            "tenant_id": ctx.tenant_id,
            "at": ctx.now,
            "actor_kind": ctx.actor.kind,
            "actor_id": ctx.actor.id,
            "actor_name": ctx.actor.name,
            "action": action,
            "object_kind": kind,
            "object_id": ident,
            "object_version": version,
            "detail": {name: _plain(value) for name, value in detail.items()},
            "trace_id": ctx.trace_id,
            "remote": ctx.remote,
        }
    )


def write(ctx: Context) -> None:
    """Insert what was recorded: one statement per tenant that took part (both sides of a crossing have a trail)."""
    buffer = ctx.session.info.pop("audit", [])
    home = ctx.tenant_id
    for tenant in dict.fromkeys(row["tenant_id"] for row in buffer):
        rows = [row for row in buffer if row["tenant_id"] == tenant]
        if tenant != home:
            ctx.ports.set_tenant(ctx.session, tenant)
        ctx.session.execute(_INSERT, rows)
        if tenant != home:
            ctx.ports.set_tenant(ctx.session, home)


def trail(ctx: Context, kind: str, ident: UUID, limit: int = 100) -> list[AuditEntry]:
    """Entries of this tenant about one object, newest first."""
    found = ctx.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.tenant_id == ctx.tenant_id, AuditEntry.object_kind == kind, AuditEntry.object_id == str(ident))
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return list(found)


def _name(obj: Any) -> tuple[str, str, int | None]:
    if isinstance(obj, str):
        kind, _, ident = obj.partition(":")
        return kind, ident, None
    return inspect(type(obj)).local_table.name, str(obj.id), getattr(obj, "version", None)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)

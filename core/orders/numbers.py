"""Human numbers such as SO-2026-000123: taken in blocks by a short transaction of their own, so nobody waits for a number."""

import threading
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db.session import SET_TENANT
from core.kernel import Context, uuid7

BLOCK = 20
_lock = threading.Lock()
_blocks: dict[tuple[int, UUID, str, int], list[int]] = {}

_TAKE = text(
    "INSERT INTO ts.number_series AS s (id, tenant_id, kind, year, next) VALUES (:id, :tenant, :kind, :year, 1 + :block)"
    " ON CONFLICT (tenant_id, kind, year) DO UPDATE SET next = s.next + :block RETURNING s.next - :block"
)


def number(ctx: Context, kind: str) -> str:
    """The next number of ctx's tenant: unique for ever, gaps allowed (a restart drops the rest of a block)."""
    bind = ctx.session.get_bind()
    year = ctx.now.year
    key = (id(bind), ctx.tenant_id, kind, year)
    with _lock:
        block = _blocks.get(key)
        if not block:
            block = _blocks[key] = _take(bind, ctx.tenant_id, kind, year)
        return f"{kind}-{year}-{block.pop(0):06d}"


def _take(bind: object, tenant_id: UUID, kind: str, year: int) -> list[int]:
    with Session(bind) as session:  # type: ignore[arg-type]
        session.connection().exec_driver_sql(SET_TENANT, (str(tenant_id),))
        first = session.execute(
            _TAKE, {"id": uuid7(), "tenant": tenant_id, "kind": kind, "year": year, "block": BLOCK}
        ).scalar_one()
        session.commit()
    return list(range(first, first + BLOCK))

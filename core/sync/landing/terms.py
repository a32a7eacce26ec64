"""Keep what the other system calls its units and partners, a page at once."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from core.kernel import Context, uuid7
from core.sync.incoming import PartnerIn, UnitIn

_KEEP = text("""
    INSERT INTO ts.sync_term AS t (id, tenant_id, connection_id, kind, external_id, number, name, code, active, at)
    SELECT w.id, ts.tenant(), :connection, :kind, w.external_id, w.number, w.name, w.code, w.active, :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:externals AS text[]), CAST(:numbers AS text[]), CAST(:names AS text[]),
                CAST(:codes AS text[]), CAST(:actives AS boolean[]))
         AS w(id, external_id, number, name, code, active)
    ON CONFLICT (tenant_id, connection_id, kind, external_id) DO UPDATE
    SET number = excluded.number, name = excluded.name, code = excluded.code, active = excluded.active, at = excluded.at
    WHERE (t.number, t.name, t.code, t.active)
          IS DISTINCT FROM (excluded.number, excluded.name, excluded.code, excluded.active)
""")


def keep(ctx: Context, connection_id: UUID, kind: str, items: Sequence[UnitIn | PartnerIn]) -> None:
    """Note them under their external ids; of a repeated one the last counts. One statement."""
    newest = [item for _, item in sorted({item.external_id: item for item in items}.items())]
    values = {
        "connection": connection_id,
        "kind": kind,
        "now": ctx.now,
        "ids": [uuid7() for _ in newest],
        "externals": [item.external_id for item in newest],
        "numbers": [item.number for item in newest],
        "names": [item.name for item in newest],
        "codes": [item.code if isinstance(item, PartnerIn) else "" for item in newest],
        "actives": [item.active if isinstance(item, PartnerIn) else True for item in newest],
    }
    ctx.session.execute(_KEEP, values)

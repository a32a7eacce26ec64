"""Keep what the other system calls its units and partners, a page at once."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import insert

from core.kernel import Context, uuid7
from core.sync.incoming import PartnerIn, UnitIn
from core.sync.landing.model import SyncTerm

CHUNK = 1000  # rows of one statement


def keep(ctx: Context, connection_id: UUID, kind: str, items: Sequence[UnitIn | PartnerIn]) -> None:
    """Note them under their external ids; of a repeated one the last counts."""
    newest = sorted({item.external_id: item for item in items}.items())
    for at in range(0, len(newest), CHUNK):
        _keep(ctx, connection_id, kind, newest[at : at + CHUNK])


def _keep(
    ctx: Context, connection_id: UUID, kind: str, items: Sequence[tuple[str, UnitIn | PartnerIn]]
) -> None:
    rows = [
        {
            "id": uuid7(),
            "tenant_id": ctx.tenant_id,
            "connection_id": connection_id,
            "kind": kind,
            "external_id": external_id,
            "number": item.number,
            "name": item.name,
            "code": item.code if isinstance(item, PartnerIn) else "",
            "active": item.active if isinstance(item, PartnerIn) else True,
            "at": ctx.now,
        }
        for external_id, item in items
    ]
    adding = insert(SyncTerm).values(rows)
    told = {name: adding.excluded[name] for name in ("number", "name", "code", "active", "at")}
    changed = or_(
        *(
            getattr(SyncTerm, name).is_distinct_from(told[name])
            for name in ("number", "name", "code", "active")
        )
    )
    same = ["tenant_id", "connection_id", "kind", "external_id"]
    ctx.session.execute(adding.on_conflict_do_update(index_elements=same, set_=told, where=changed))

"""Records that could not land, noted with their reason: by the run that read them or the push that brought them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select, tuple_

from core.kernel import Context, uuid7
from core.sync.landing import Left
from core.sync.model import SyncIssue

ONCE = frozenset(
    {
        "sync.partner_unknown",
        "sync.partner_twice",
        "sync.stock_differs",
        "sync.move_differs",
        "sync.delivery_differs",
        "sync.invoice_differs",
        "sync.payment_differs",
    }
)
"""What comes back with every run until somebody mends it: said again only when it says something else."""


def note(
    ctx: Context,
    connection_id: UUID,
    left: Sequence[Left],
    *,
    run_id: UUID | None = None,
    push_id: UUID | None = None,
) -> int:
    """Write the issues of one page or one push; answers how many were new."""
    known = _known(ctx, connection_id, [each for each in left if each.code in ONCE])
    fresh = [each for each in left if _key(each) not in known]
    rows = [
        {
            "id": uuid7(),
            "tenant_id": ctx.tenant_id,
            "connection_id": connection_id,
            "run_id": run_id,
            "push_id": push_id,
            "external_id": one.external_id,
            "code": one.code,
            "said": one.said[:500].replace("\x00", ""),
            "record": {key: None if value is None else str(value) for key, value in one.record.items()},
            "at": ctx.now,
        }
        for one in fresh
    ]
    if rows:
        ctx.session.execute(insert(SyncIssue), rows)
    return len(rows)


def _known(ctx: Context, connection_id: UUID, repeated: Sequence[Left]) -> set[tuple[str, str, str]]:
    if not repeated:
        return set()
    found = ctx.session.execute(
        select(SyncIssue.code, SyncIssue.external_id, SyncIssue.said).where(
            SyncIssue.tenant_id == ctx.tenant_id,
            SyncIssue.connection_id == connection_id,
            tuple_(SyncIssue.code, SyncIssue.external_id).in_(
                [(each.code, each.external_id) for each in repeated]
            ),
        )
    )
    return {(code, external_id, said) for code, external_id, said in found}


def _key(one: Left) -> tuple[str, str, str]:
    return one.code, one.external_id, one.said[:500].replace("\x00", "")

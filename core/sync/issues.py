"""Records that could not land, noted with their reason: by the run that read them or the push that brought them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, or_, select, tuple_

from core.kernel import Context, uuid7
from core.sync.landing import Left
from core.sync.model import SyncIssue
from core.sync.plainly import plain

ONCE = (
    "sync.partner_unknown",
    "sync.partner_twice",
    "sync.stock_differs",
    "sync.move_differs",
    "sync.delivery_differs",
    "sync.receipt_differs",
    "sync.invoice_differs",
    "sync.payment_differs",
)
"""What every call may bring back until somebody mends it. Of runs that holds for all that is left out."""

CHUNK = 1000  # issues of one statement
LONGEST_ID, LONGEST = 200, 500  # characters of an id there and of a reason
Key = tuple[str, str, str]


def note(
    ctx: Context,
    connection_id: UUID,
    left: Sequence[Left],
    *,
    run_id: UUID | None = None,
    push_id: UUID | None = None,
) -> int:
    """Write the issues of one page or one push; answers how many were new.

    A record left out for the same reason as before is said once, so that what is read every quarter of an hour fills no
    table. A call shows what it left out, also when another call did before.
    """
    known = _known(ctx, connection_id, left, push_id)
    rows = []
    for one in left:
        key = _key(one)
        code, external_id, said = key
        if key in known:
            continue
        if external_id:  # without an id nobody can tell whether it is the same record
            known.add(key)
        rows.append(
            {
                "id": uuid7(),
                "tenant_id": ctx.tenant_id,
                "connection_id": connection_id,
                "run_id": run_id,
                "push_id": push_id,
                "external_id": external_id,
                "code": code,
                "said": said,
                "record": {
                    plain(name): None if value is None else plain(str(value))
                    for name, value in one.record.items()
                },
                "at": ctx.now,
            }
        )
    if rows:
        ctx.session.execute(insert(SyncIssue), rows)
    return len(rows)


def _known(ctx: Context, connection_id: UUID, left: Sequence[Left], push_id: UUID | None) -> set[Key]:
    asked = sorted({key for one in left if (key := _key(one))[1]})
    columns = (SyncIssue.code, SyncIssue.external_id, SyncIssue.said)
    found: set[Key] = set()
    for at in range(0, len(asked), CHUNK):
        wanted = select(*columns).where(
            SyncIssue.tenant_id == ctx.tenant_id,
            SyncIssue.connection_id == connection_id,
            tuple_(*columns).in_(asked[at : at + CHUNK]),
        )
        if push_id is not None:
            wanted = wanted.where(or_(SyncIssue.push_id == push_id, SyncIssue.code.in_(ONCE)))
        found |= {(code, external_id, said) for code, external_id, said in ctx.session.execute(wanted)}
    return found


def _key(one: Left) -> Key:
    return one.code, plain(one.external_id)[:LONGEST_ID], plain(one.said)[:LONGEST]

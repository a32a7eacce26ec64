"""Moves of stock there: kept as evidence beside the stock that differs, never applied."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.kernel import Context, uuid7
from core.sync.contract import Record
from core.sync.incoming import StockMoveIn
from core.sync.landing.counts import recognised
from core.sync.landing.frame import Left
from core.sync.landing.model import SyncMove

LONGEST = 100  # characters of a reason and of a document's number
CHUNK = 1000  # rows of one statement

Rows = Sequence[tuple[Record, StockMoveIn]]


def land(ctx: Context, connection_id: UUID, rows: Rows) -> list[Left]:
    """Keep each move once. One told again with another quantity, product or warehouse is listed, and the first one stays."""
    kept, left = recognised(ctx, rows)
    moves: dict[str, tuple[Record, dict[str, object]]] = {}
    for record, item, product in kept:
        if not item.quantity:
            continue  # nothing moved: there is nothing to keep
        value = {
            "id": uuid7(),
            "tenant_id": ctx.tenant_id,
            "connection_id": connection_id,
            "external_id": _text(item.external_id),
            "product_id": product.id,
            "quantity": item.quantity,
            "day": item.day,
            "at": ctx.now,
            "warehouse": _text(item.warehouse),
            "reason": _text(item.reason)[:LONGEST],
            "reference": _text(item.reference)[:LONGEST],
        }
        first = moves.setdefault(str(value["external_id"]), (record, value))[1]
        if _facts(first) != _facts(value):
            left.append(_differs(record, first, value))
    fresh = 0
    told = [moves[id] for id in sorted(moves)]
    for at in range(0, len(told), CHUNK):
        added, others = _add(ctx, connection_id, told[at : at + CHUNK])
        fresh += added
        left += others
    if fresh:
        ctx.record("sync.moves", f"erp_connection:{connection_id}", moves=fresh)
    return left


def _text(told: str) -> str:
    return told.replace("\x00", "")  # no column takes it


def _add(
    ctx: Context, connection_id: UUID, told: Sequence[tuple[Record, dict[str, object]]]
) -> tuple[int, list[Left]]:
    """How many were new, and those that say something else than what is kept under their name."""
    same = ["tenant_id", "connection_id", "external_id"]
    adding = insert(SyncMove).values([value for _, value in told])
    adding = adding.on_conflict_do_nothing(index_elements=same)
    new = set(ctx.session.scalars(adding.returning(SyncMove.external_id)))
    others = {
        str(value["external_id"]): (record, value)
        for record, value in told
        if value["external_id"] not in new
    }
    known = ctx.session.scalars(
        select(SyncMove).where(
            SyncMove.tenant_id == ctx.tenant_id,
            SyncMove.connection_id == connection_id,
            SyncMove.external_id.in_(list(others)),
        )
    )
    left = []
    for row in known if others else ():
        record, value = others[row.external_id]
        first = {name: getattr(row, name) for name in ("external_id", *FACTS)}
        if _facts(first) != _facts(value):
            left.append(_differs(record, first, value))
    return len(new), left


FACTS = ("product_id", "warehouse", "quantity")


def _facts(value: dict[str, object]) -> tuple[object, ...]:
    return tuple(value[name] for name in FACTS)


def _differs(record: Record, first: dict[str, object], value: dict[str, object]) -> Left:
    said = f"{first['warehouse']}: {first['quantity']} / {value['warehouse']}: {value['quantity']}"
    return Left(record, str(value["external_id"]), "sync.move_differs", said)

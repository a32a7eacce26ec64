"""What differs in stock and why, for the page and the API."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text

from core.catalog import Product
from core.kernel import Context
from core.sync.landing.model import SyncMove

MOST = 200  # differences that are shown
MOVES = 20  # of each difference


@dataclass(frozen=True)
class Move:
    """One move there; `quantity` in the base unit of the product, above zero when goods came."""

    id: UUID
    product_id: UUID
    code: str
    warehouse: str
    unit: str
    quantity: Decimal
    reason: str
    reference: str
    day: date
    at: datetime


@dataclass(frozen=True)
class Difference:
    """One product in one warehouse where their last figure is not ours.

    `since` is when both sides were one for the last time, else (`agreed` is None then) when they first told a figure. `moved`
    and `corrected` are sums since then. `difference` is theirs less ours, `unexplained` what neither sum accounts for.
    """

    product_id: UUID
    code: str
    name: str
    warehouse: str
    unit: str
    ours: Decimal
    theirs: Decimal
    told_at: datetime
    agreed: Decimal | None
    since: datetime
    moved: Decimal
    corrected: Decimal
    moves: tuple[Move, ...] = ()

    @property
    def difference(self) -> Decimal:
        return self.theirs - self.ours

    @property
    def unexplained(self) -> Decimal:
        return self.difference - (self.moved - self.corrected)


_DIFFERENCES = text("""
    WITH figure AS (
      SELECT f.product_id, f.warehouse, f.quantity AS theirs, f.told_at, f.agreed,
             coalesce(f.agreed_at, f.first_at) AS since, w.id AS warehouse_id, coalesce(l.on_hand, 0) AS ours
      FROM ts.sync_figure f
      LEFT JOIN ts.warehouse w ON w.tenant_id = f.tenant_id AND w.code = f.warehouse
      LEFT JOIN ts.stock_level l ON l.tenant_id = f.tenant_id AND l.product_id = f.product_id AND l.warehouse_id = w.id
      WHERE f.tenant_id = ts.tenant() AND f.connection_id = :connection AND f.quantity <> coalesce(l.on_hand, 0)
    )
    SELECT f.product_id, p.code, p.name_zh AS name, f.warehouse, p.base_uom AS unit, f.ours, f.theirs, f.told_at,
           f.agreed, f.since,
           (SELECT coalesce(sum(m.quantity), 0) FROM ts.sync_move m
            WHERE m.tenant_id = ts.tenant() AND m.connection_id = :connection AND m.product_id = f.product_id
              AND m.warehouse = f.warehouse AND m.at > f.since) AS moved,
           (SELECT coalesce(sum(o.qty), 0) FROM ts.stock_move o
            WHERE o.tenant_id = ts.tenant() AND o.product_id = f.product_id AND o.warehouse_id = f.warehouse_id
              AND o.kind IN ('adjustment', 'count') AND o.at > f.since) AS corrected
    FROM figure f JOIN ts.product p ON p.tenant_id = ts.tenant() AND p.id = f.product_id
    ORDER BY p.code, f.warehouse LIMIT :most
""")

_EVIDENCE = text("""
    SELECT m.id, d.no FROM unnest(CAST(:products AS uuid[]), CAST(:places AS text[]), CAST(:since AS timestamptz[]))
      WITH ORDINALITY AS d(product, warehouse, since, no)
    CROSS JOIN LATERAL (
      SELECT m.id FROM ts.sync_move m
      WHERE m.tenant_id = ts.tenant() AND m.connection_id = :connection AND m.product_id = d.product
        AND m.warehouse = d.warehouse AND m.at > d.since ORDER BY m.at DESC, m.id DESC LIMIT :most) m
""")


def differences(ctx: Context, connection_id: UUID) -> list[Difference]:
    """Where stock differs now, by product; each with its newest moves there. At most `MOST`."""
    ctx.require("stock.view")
    asked = {"connection": connection_id, "most": MOST}
    rows = [dict(row) for row in ctx.session.execute(_DIFFERENCES, asked).mappings()]
    evidence = ctx.session.execute(
        _EVIDENCE,
        {
            "connection": connection_id,
            "products": [row["product_id"] for row in rows],
            "places": [row["warehouse"] for row in rows],
            "since": [row["since"] for row in rows],
            "most": MOVES,
        },
    ).all()
    told = {move.id: move for move in _moves(ctx, SyncMove.id.in_([row.id for row in evidence]))}
    found: dict[int, list[Move]] = {}
    for id, no in evidence:
        found.setdefault(no, []).append(told[id])
    return [Difference(**row, moves=tuple(found.get(no, ()))) for no, row in enumerate(rows, 1)]


def moves(ctx: Context, connection_id: UUID, before: UUID | None = None, limit: int = 50) -> list[Move]:
    """Moves there, newest first, one more than `limit` when there are more."""
    ctx.require("stock.view")
    wanted = [SyncMove.connection_id == connection_id]
    if before is not None:
        wanted.append(SyncMove.id < before)
    return _moves(ctx, *wanted, limit=limit + 1)


def _moves(ctx: Context, *wanted: object, limit: int = MOST * MOVES) -> list[Move]:
    rows = ctx.session.execute(
        select(SyncMove, Product.code, Product.base_uom)
        .join(Product, (Product.tenant_id == SyncMove.tenant_id) & (Product.id == SyncMove.product_id))
        .where(SyncMove.tenant_id == ctx.tenant_id, *wanted)  # type: ignore[arg-type]
        .order_by(SyncMove.id.desc())
        .limit(limit)
    )
    return [
        Move(
            row.id,
            row.product_id,
            code,
            row.warehouse,
            unit,
            row.quantity,
            row.reason,
            row.reference,
            row.day,
            row.at,
        )
        for row, code, unit in rows
    ]

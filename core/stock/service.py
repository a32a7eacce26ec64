"""The verbs of stock: reserve, harden, release, ship; receive, adjust, count; see what is there.

Every verb works under the seller's tenant and handles all its lines in one statement (see ddl.sql), so two
orders never read the same stock and both take it. The four verbs of an order ask for no permission of their
own: the act of the order that calls them already has, often by a buyer.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from core.catalog import Product
from core.hooks import LotFacts
from core.kernel import Conflict, Context, FieldError, Invalid, NotFound
from core.stock.events import StockAdjusted, StockReceived
from core.stock.model import Lot, StockMove, Warehouse

_RESERVE = text("SELECT * FROM ts.reserve(:order, CAST(:lines AS jsonb), :until)")
_HARDEN = text("SELECT * FROM ts.harden(:order)")
_RELEASE = text("SELECT ts.release(:order, CAST(:line AS uuid))")
_SHIP = text("SELECT * FROM ts.ship(:order, CAST(:lines AS jsonb), :by)")
_MOVE = text("SELECT * FROM ts.move_stock(CAST(:rows AS jsonb), :kind, :reason, :by)")
_AVAILABLE = text("""
    SELECT l.product_id, sum(l.on_hand) AS on_hand, sum(l.hard) AS hard,
           sum(l.soft) - coalesce((SELECT sum(r.qty) FROM ts.reservation r
             WHERE r.tenant_id = ts.tenant() AND r.product_id = l.product_id AND r.closed_at IS NULL
               AND r.kind = 'soft' AND r.until <= ts.clock()), 0) AS soft
    FROM ts.stock_level l WHERE l.tenant_id = ts.tenant() AND l.product_id = ANY(CAST(:skus AS uuid[]))
    GROUP BY l.product_id
""")


@dataclass(frozen=True)
class Need:
    """What an order line wants: `qty` base units of a product, of a given heat number where one was
    agreed.
    """

    line_id: UUID
    sku_id: UUID
    qty: Decimal
    heat_no: str = ""


class Pick(LotFacts):
    """Goods taken from a lot for an order line, in base units; plugins are shown them as they are."""


@dataclass(frozen=True)
class Stock:
    """What there is of a product over all warehouses, in base units. Expired soft reservations no longer
    count.
    """

    sku_id: UUID
    on_hand: Decimal = Decimal(0)
    hard: Decimal = Decimal(0)
    soft: Decimal = Decimal(0)

    @property
    def free(self) -> Decimal:
        return self.on_hand - self.hard - self.soft


@dataclass(frozen=True)
class Incoming:
    """Goods that come in, or a figure to correct: `qty` base units of a product in a warehouse.

    `lot_no` None means: no lot named. A correction downwards then takes from any lot, first to expire first.
    """

    sku_id: UUID
    warehouse_id: UUID
    qty: Decimal
    lot_no: str | None = None
    heat_no: str = ""
    expires_on: date | None = None


@dataclass(frozen=True)
class Unmoved:
    """A correction that was not made, because it would take goods that are promised; `free` could be
    taken.
    """

    sku_id: UUID
    warehouse_id: UUID
    change: Decimal
    free: Decimal


Line = Need | tuple[UUID, UUID, Decimal]
"""A Need, or (line_id, sku_id, base_qty)."""


def reserve_soft(ctx: Context, order_id: UUID, wanted: Iterable[Line], until: datetime) -> None:
    """Hold goods for all lines until a time, or refuse and hold nothing: Conflict `stock.short`. One
    statement.
    """
    _reserve(ctx, order_id, wanted, until)


def reserve_hard(ctx: Context, order_id: UUID, wanted: Iterable[Line]) -> None:
    """Hold goods for all lines without end, or refuse and hold nothing. One statement."""
    _reserve(ctx, order_id, wanted, None)


def harden(ctx: Context, order_id: UUID) -> None:
    """Make what an order holds binding; what has expired is taken again or Conflict `stock.short`. One
    statement.
    """
    _refuse_short(ctx, ctx.session.execute(_HARDEN, {"order": order_id}).all())


def release(ctx: Context, order_id: UUID, line_id: UUID | None = None) -> int:
    """Give back what an order, or one of its lines, still holds; answers how many reservations. One
    statement.
    """
    return ctx.session.scalar(_RELEASE, {"order": order_id, "line": line_id})


def ship_lines(ctx: Context, order_id: UUID, lines: Iterable[Line]) -> list[Pick]:
    """Take goods out of stock for lines of an order, out of their reservations first, and say from which
    lots.

    Conflict `stock.short` when there is not enough that is not promised to others. One statement.
    """
    rows = ctx.session.execute(
        _SHIP, {"order": order_id, "lines": _payload(lines), "by": ctx.actor.name}
    ).all()
    for row in rows:
        if row.short:
            raise _short(ctx, row.product_id, None, row.qty, row.heat_no, row.line_id)
    return [
        Pick(row.line_id, row.product_id, row.warehouse_id, row.lot_id, row.lot_no, row.heat_no, row.qty)
        for row in rows
    ]


def ship(
    ctx: Context, order_id: UUID, line_id: UUID, sku_id: UUID, base_qty: Decimal, heat_no: str = ""
) -> list[Pick]:
    """`ship_lines` for one line. Ship several lines together with `ship_lines`, which locks them in order."""
    return ship_lines(ctx, order_id, [Need(line_id, sku_id, base_qty, heat_no)])


def available(ctx: Context, sku_ids: Iterable[UUID]) -> dict[UUID, Stock]:
    """What there is of each product, zero where nothing ever came. One statement."""
    skus = list(sku_ids)
    found = {
        row.product_id: Stock(row.product_id, row.on_hand, row.hard, row.soft)
        for row in ctx.session.execute(_AVAILABLE, {"skus": skus})
    }
    return {sku: found.get(sku) or Stock(sku) for sku in skus}


def on_offer(ctx: Context, sku_ids: Iterable[UUID]) -> dict[UUID, Decimal]:
    """How much of listed products is free, whoever sells them, for buyers; others are left out. One statement."""
    found = ctx.session.execute(
        text("SELECT * FROM ts.on_offer(CAST(:skus AS uuid[]))"), {"skus": list(sku_ids)}
    )
    return {row.sku_id: row.free for row in found}


def receive_stock(ctx: Context, rows: Sequence[Incoming], kind: str = "receipt", reason: str = "") -> None:
    """Bring goods in. `kind` is receipt or return. One statement for all rows, then one event per row."""
    ctx.require("stock.adjust")
    if any(row.qty <= 0 for row in rows):
        raise Invalid.one("quantity", "decimal.must_be_positive")
    _known_or_refused(ctx, rows)
    _move(ctx, rows, kind, reason)
    ctx.record("stock.receive", f"enterprise:{ctx.tenant_id}", rows=len(rows))
    if len(rows) <= 50:
        for row in rows:
            ctx.publish(StockReceived(ctx.tenant_id, row.sku_id, row.warehouse_id, row.qty))


def adjust(ctx: Context, row: Incoming, reason: str) -> None:
    """Correct a figure up or down by `row.qty`, with a reason. Conflict when promised goods would be
    taken.
    """
    ctx.require("stock.adjust")
    wrong = []
    if row.qty == 0:
        wrong.append(FieldError("quantity", "stock.no_change", {}))
    if not reason.strip():
        wrong.append(FieldError("reason", "field.required", {}))
    if wrong:
        raise Invalid(wrong)
    _known_or_refused(ctx, [row])
    for unmoved in _move(ctx, [row], "adjustment", reason):
        raise Conflict("stock.promised", wanted=-unmoved.change, free=unmoved.free)
    ctx.record(
        "stock.adjust",
        f"product:{row.sku_id}",
        qty=str(row.qty),
        reason=reason,
        warehouse=str(row.warehouse_id),
    )
    ctx.publish(StockAdjusted(ctx.tenant_id, row.sku_id, row.warehouse_id, row.qty, reason))


def set_counted(ctx: Context, rows: Sequence[Incoming], reason: str) -> list[Unmoved]:
    """Set what lies in warehouses to what was counted, or to what an ERP says; many rows, one statement.

    A figure below what is promised is not set and comes back, for a person to look at.
    """
    ctx.require("stock.adjust")
    if any(row.qty < 0 for row in rows):
        raise Invalid.one("quantity", "decimal.too_small")
    _known_or_refused(ctx, rows)
    unmoved = _move(ctx, rows, "count", reason)
    ctx.record(
        "stock.count", f"enterprise:{ctx.tenant_id}", rows=len(rows), refused=len(unmoved), reason=reason
    )
    return unmoved


def add_warehouse(ctx: Context, code: str, name: str, address: str = "", rank: int = 100) -> Warehouse:
    """Set up a warehouse; its code is unique in the enterprise."""
    ctx.require("warehouse.edit")
    taken = select(Warehouse.id).where(Warehouse.tenant_id == ctx.tenant_id, Warehouse.code == code)
    if ctx.session.scalar(taken) is not None:
        raise Conflict("warehouse.code_taken", field="code", warehouse=code)
    warehouse = Warehouse(tenant_id=ctx.tenant_id, code=code, name=name, address=address, rank=rank)
    ctx.session.add(warehouse)
    ctx.session.flush()
    ctx.record("warehouse.add", warehouse, code=code)
    return warehouse


def warehouses(ctx: Context) -> list[Warehouse]:
    wanted = select(Warehouse).where(Warehouse.tenant_id == ctx.tenant_id)
    return list(ctx.session.scalars(wanted.order_by(Warehouse.rank, Warehouse.code)))


def lots(ctx: Context, sku_id: UUID) -> list[Lot]:
    """Lots of a product that still hold goods, first to expire first."""
    ctx.require("stock.view")
    wanted = select(Lot).where(Lot.tenant_id == ctx.tenant_id, Lot.product_id == sku_id, Lot.on_hand > 0)
    return list(ctx.session.scalars(wanted.order_by(Lot.expires_on.nulls_last(), Lot.received_at, Lot.id)))


def moves(ctx: Context, sku_id: UUID, limit: int = 50) -> list[StockMove]:
    """What came and went of a product, newest first."""
    ctx.require("stock.view")
    wanted = select(StockMove).where(StockMove.tenant_id == ctx.tenant_id, StockMove.product_id == sku_id)
    return list(ctx.session.scalars(wanted.order_by(StockMove.id.desc()).limit(limit)))


def expire_soft(session: Any, most: int = 500) -> int:
    """The worker's duty: give back what soft reservations of any tenant held past their time. Answers how
    many.
    """
    return session.scalar(text("SELECT ts.expire_soft(:most)"), {"most": most})


def _reserve(ctx: Context, order_id: UUID, wanted: Iterable[Line], until: datetime | None) -> None:
    rows = ctx.session.execute(_RESERVE, {"order": order_id, "lines": _payload(wanted), "until": until}).all()
    _refuse_short(ctx, rows)


def _refuse_short(ctx: Context, rows: Sequence[Any]) -> None:
    for row in rows:
        raise _short(ctx, row.product_id, row.wanted, row.free, row.heat_no, row.line_id)


def _short(
    ctx: Context, sku_id: UUID, wanted: Decimal | None, free: Decimal, heat_no: str, line_id: UUID
) -> Conflict:
    """The refusal, with the product's code and, for a named heat, the heats that could stand in."""
    code = ctx.session.scalar(
        select(Product.code).where(Product.tenant_id == ctx.tenant_id, Product.id == sku_id)
    )
    values: dict[str, Any] = {
        "sku": code or str(sku_id),
        "sku_id": str(sku_id),
        "line_id": str(line_id),
        "wanted": wanted if wanted is not None else Decimal(0),
        "available": max(free, Decimal(0)),
    }
    if not heat_no:
        return Conflict("stock.short", **values)
    others = (
        select(Lot.heat_no)
        .where(
            Lot.tenant_id == ctx.tenant_id,
            Lot.product_id == sku_id,
            Lot.on_hand > Lot.held,
            Lot.heat_no != "",
        )
        .where(Lot.heat_no != heat_no)
        .distinct()
        .order_by(Lot.heat_no)
        .limit(10)
    )
    return Conflict(
        "stock.heat_short", heat_no=heat_no, others=", ".join(ctx.session.scalars(others)) or "—", **values
    )


def _payload(lines: Iterable[Line]) -> str:
    needs = [each if isinstance(each, Need) else Need(*each) for each in lines]
    if any(need.qty <= 0 for need in needs):
        raise Invalid.one("quantity", "decimal.must_be_positive")
    return json.dumps(
        [{"line": str(n.line_id), "sku": str(n.sku_id), "qty": str(n.qty), "heat": n.heat_no} for n in needs]
    )


def _move(ctx: Context, rows: Sequence[Incoming], kind: str, reason: str) -> list[Unmoved]:
    payload = [
        {
            "sku": str(row.sku_id),
            "warehouse": str(row.warehouse_id),
            "lot": row.lot_no,
            "heat": row.heat_no,
            "expires": row.expires_on.isoformat() if row.expires_on else None,
            "qty": str(row.qty),
        }
        for row in rows
    ]
    given = {"rows": json.dumps(payload), "kind": kind, "reason": reason.strip(), "by": ctx.actor.name}
    found = ctx.session.execute(_MOVE, given).all()
    return [Unmoved(row.product_id, row.warehouse_id, row.change, row.free) for row in found]


def _known_or_refused(ctx: Context, rows: Sequence[Incoming]) -> None:
    """Foreign and missing products and warehouses are refused alike, before the database's keys would."""
    for kind, model, ids in (
        ("product", Product, {row.sku_id for row in rows}),
        ("warehouse", Warehouse, {row.warehouse_id for row in rows}),
    ):
        known = set(
            ctx.session.scalars(select(model.id).where(model.tenant_id == ctx.tenant_id, model.id.in_(ids)))
        )
        if known != ids:
            raise NotFound(f"{kind}.not_found")

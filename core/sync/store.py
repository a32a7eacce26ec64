"""Rows that came in, written through the verbs of the rooms that own them; never past them.

Which side owns which field is in `authority`; where both say different things about one fact, the row is listed.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from core.kernel import Context
from core.sync.contract import Record
from core.sync.incoming import (
    DeliveryIn,
    Incoming,
    InvoiceIn,
    PartnerIn,
    PaymentIn,
    PriceIn,
    ProductIn,
    ReceiptIn,
    StockIn,
    StockMoveIn,
    UnitIn,
)
from core.sync.landing import (
    Good,
    Left,
    counts,
    deliveries,
    invoices,
    moves,
    partners,
    payments,
    prices,
    products,
    receipts,
    units,
)
from core.sync.landing.frame import by_halves

CHUNK = 1000  # rows of one statement: a page may have any number, a statement 65535 values

Kind = TypeVar("Kind", bound=Incoming)


def store(
    ctx: Context, connection_id: UUID, rows: Good, *, stock_counts: bool = True
) -> tuple[int, list[Left]]:
    """Store one page; answers how many rows landed and which did not.

    What others refer to comes first: units and partners, products, then stock and prices, then documents in the order of
    a trade. Without `stock_counts` no stock is written: differences are listed. Moves of stock are kept as evidence only.
    """
    left: list[Left] = []
    if found := _of(UnitIn, rows):
        left += _together(ctx, found, lambda some: units.land(ctx, connection_id, some))
    if bound := _of(PartnerIn, rows):
        left += _together(ctx, bound, lambda some: partners.land(ctx, connection_id, some))
    if goods := _of(ProductIn, rows):
        left += _together(ctx, goods, lambda some: products.land(ctx, connection_id, some))
    if stock := _of(StockIn, rows):
        left += _together(
            ctx,
            stock,
            lambda some: counts.land(ctx, some) if stock_counts else counts.compare(ctx, connection_id, some),
        )
    if moved := _of(StockMoveIn, rows):
        left += _together(ctx, moved, lambda some: moves.land(ctx, connection_id, some))
    if priced := _of(PriceIn, rows):
        left += _together(ctx, priced, lambda some: prices.land(ctx, connection_id, some))
    if shipped := _of(DeliveryIn, rows):
        left += deliveries.land(ctx, connection_id, shipped)
    if received := _of(ReceiptIn, rows):
        left += receipts.land(ctx, connection_id, received)
    if billed := _of(InvoiceIn, rows):
        left += invoices.land(ctx, connection_id, billed)
    if paid := _of(PaymentIn, rows):
        left += payments.land(ctx, connection_id, paid)
    return len(rows) - len(left), left


def _together(
    ctx: Context,
    rows: Sequence[tuple[Record, Kind]],
    land: Callable[[Sequence[tuple[Record, Kind]]], list[Left]],
) -> list[Left]:
    """Rows of one kind in a few statements for each thousand, and no row undone by another one."""
    left: list[Left] = []
    for at in range(0, len(rows), CHUNK):
        left += by_halves(ctx, rows[at : at + CHUNK], land, lambda row: (row[0], row[1].external_id))
    return left


def _of(kind: type[Kind], rows: Good) -> Sequence[tuple[Record, Kind]]:
    return [(record, item) for record, item in rows if isinstance(item, kind)]


__all__ = ["Good", "Left", "store"]

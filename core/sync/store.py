"""Rows that came in, written through the verbs of the rooms that own them; never past them.

Which side owns which field is in `authority`; where both say different things about one fact, the row is listed.
"""

from collections.abc import Sequence
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
        left += units.land(ctx, connection_id, found)
    if bound := _of(PartnerIn, rows):
        left += partners.land(ctx, connection_id, bound)
    if goods := _of(ProductIn, rows):
        left += products.land(ctx, connection_id, goods)
    if stock := _of(StockIn, rows):
        left += counts.land(ctx, stock) if stock_counts else counts.compare(ctx, connection_id, stock)
    if moved := _of(StockMoveIn, rows):
        left += moves.land(ctx, connection_id, moved)
    if priced := _of(PriceIn, rows):
        left += prices.land(ctx, connection_id, priced)
    if shipped := _of(DeliveryIn, rows):
        left += deliveries.land(ctx, connection_id, shipped)
    if received := _of(ReceiptIn, rows):
        left += receipts.land(ctx, connection_id, received)
    if billed := _of(InvoiceIn, rows):
        left += invoices.land(ctx, connection_id, billed)
    if paid := _of(PaymentIn, rows):
        left += payments.land(ctx, connection_id, paid)
    return len(rows) - len(left), left


def _of(kind: type[Kind], rows: Good) -> Sequence[tuple[Record, Kind]]:
    return [(record, item) for record, item in rows if isinstance(item, kind)]


__all__ = ["Good", "Left", "store"]

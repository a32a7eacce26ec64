"""What happened to the goods. Both parties hear of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from core.kernel import Event


@dataclass(frozen=True)
class GoodsMoved(Event):
    """`line_ids` are order lines, `quantities` in their units, index by index."""

    order_id: UUID
    buyer_id: UUID
    seller_id: UUID
    order_number: str | None
    document_id: UUID
    document_number: str
    line_ids: tuple[UUID, ...]
    quantities: tuple[Decimal, ...]
    at: datetime


class GoodsShipped(GoodsMoved):
    """The seller sent goods; the document is the shipment."""


class GoodsReceived(GoodsMoved):
    """The buyer counted a shipment in; the document is the receipt."""


class ReceiptReversed(GoodsMoved):
    """A count was taken back because it was wrong; the document is the receipt."""


class GoodsTakenBack(GoodsMoved):
    """The seller took rejected goods back; the document is the receipt that rejected them."""


@dataclass(frozen=True)
class LineShortClosed(Event):
    """The open rest of a line was given up."""

    order_id: UUID
    buyer_id: UUID
    seller_id: UUID
    order_number: str | None
    line_id: UUID
    quantity: Decimal
    reason: str
    at: datetime

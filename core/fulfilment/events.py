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


class GoodsShipped(GoodsMoved): ...


class GoodsReceived(GoodsMoved): ...


class ReceiptReversed(GoodsMoved): ...


class GoodsTakenBack(GoodsMoved): ...


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

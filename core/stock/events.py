"""What happened to stock outside of orders."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from core.kernel import Event


@dataclass(frozen=True)
class StockReceived(Event):
    """Goods came in."""

    seller_id: UUID
    sku_id: UUID
    warehouse_id: UUID
    qty: Decimal


@dataclass(frozen=True)
class StockAdjusted(Event):
    """Somebody corrected a figure, with a reason."""

    seller_id: UUID
    sku_id: UUID
    warehouse_id: UUID
    qty: Decimal
    reason: str

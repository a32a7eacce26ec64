"""What happened to an order, in the past tense. Plugins and connectors of both parties hear of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from core.kernel import Event


@dataclass(frozen=True)
class OrderChanged(Event):
    """What every order event says. `total` includes VAT; `order_version` is the order's version after the step."""

    order_id: UUID
    buyer_id: UUID
    seller_id: UUID
    number: str | None
    mode: str
    order_version: int
    total: Decimal
    currency: str
    at: datetime
    submitted_at: datetime | None = None
    reason: str | None = None

    @property
    def shared(self) -> bool:
        """An order has its number from the moment it is with the seller; before that it is its buyer's own affair."""
        return self.number is not None


class OrderDrafted(OrderChanged): ...


class OrderApprovalRequested(OrderChanged): ...


class OrderSentBack(OrderChanged): ...


class OrderSubmitted(OrderChanged): ...


class OrderCountered(OrderChanged): ...


class OrderConfirmed(OrderChanged): ...


class OrderRejected(OrderChanged): ...


class OrderExpired(OrderChanged): ...


class OrderCancelled(OrderChanged): ...


class OrderStarted(OrderChanged): ...


class OrderDelivered(OrderChanged): ...


class OrderReopened(OrderChanged): ...


class OrderAccepted(OrderChanged): ...


class OrderCompleted(OrderChanged): ...


class OrderTerminated(OrderChanged): ...


class OrderClosed(OrderChanged): ...


class OrderAmended(OrderChanged): ...


@dataclass(frozen=True)
class OrderMessageWritten(Event):
    """Somebody of `side` said something about an order; `both` says whether the counterparty may read it."""

    order_id: UUID
    buyer_id: UUID
    seller_id: UUID
    number: str | None
    message_id: UUID
    side: str
    author: str
    text: str
    both: bool
    at: datetime

    @property
    def shared(self) -> bool:
        """A note of one side is not for the other's ears."""
        return self.both

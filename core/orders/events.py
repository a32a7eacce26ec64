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


class OrderDrafted(OrderChanged):
    """A buyer wrote an order down and has not sent it; its own side alone hears it."""


class OrderApprovalRequested(OrderChanged):
    """An order above the buyer's own limit waits for a colleague's approval."""


class OrderSentBack(OrderChanged):
    """The colleague did not approve; the order is a draft again."""


class OrderSubmitted(OrderChanged):
    """The order is with the seller, numbered and priced, its stock held softly; again after a counter-offer of the buyer."""


class OrderCountered(OrderChanged):
    """The seller proposed other terms and waits for the buyer's word."""


class OrderConfirmed(OrderChanged):
    """The order binds both sides, by the seller's confirmation or the buyer's yes to a counter-offer."""


class OrderRejected(OrderChanged):
    """The seller said no."""


class OrderExpired(OrderChanged):
    """Nobody answered in time; the stock held for it is free again."""


class OrderCancelled(OrderChanged):
    """The order was called off before it started; `reason` says why."""


class OrderStarted(OrderChanged):
    """Every condition of the stage start is met: the seller may ship."""


class OrderDelivered(OrderChanged):
    """All that was ordered is shipped and counted in, or given up."""


class OrderReopened(OrderChanged):
    """One step back: goods are missing again after the delivery, or money after the completion."""


class OrderAccepted(OrderChanged):
    """The buyer accepted what came, by hand or because the time for objections passed."""


class OrderCompleted(OrderChanged):
    """Accepted, billed and paid in full."""


class OrderTerminated(OrderChanged):
    """A running order ended early by agreement; what was delivered stays to be paid."""


class OrderClosed(OrderChanged):
    """The time for claims after completion has passed; nothing changes any more."""


class OrderAmended(OrderChanged):
    """Both sides agreed to other quantities, prices or dates; `order_version` is the new version."""


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

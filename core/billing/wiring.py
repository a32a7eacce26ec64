"""What billing lends to the rooms below: how settlements are posted, and which receipts must stand."""

from core import fulfilment, orders
from core.billing.matching import check_reversal
from core.billing.settlement import post_settlement


def wire() -> None:
    """Called once at start-up."""
    orders.register_settlement_poster(post_settlement)
    fulfilment.register_reversal_check(check_reversal)

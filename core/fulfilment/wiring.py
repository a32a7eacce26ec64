"""What fulfilment lends to the orders room: how silence accepts goods."""

from core import orders
from core.fulfilment.receiving import accept_waiting


def wire() -> None:
    """Called once at start-up."""
    orders.register_accepter(accept_waiting)

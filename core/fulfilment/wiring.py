"""What fulfilment lends to the orders room: how silence accepts goods, and its part of the page."""

from core import orders
from core.fulfilment.panel import section
from core.fulfilment.receiving import accept_waiting
from core.fulfilment.todos import waiting
from core.orders import panels
from core.workbench import register_todos


def wire() -> None:
    """Called once at start-up."""
    orders.register_accepter(accept_waiting)
    panels.register_section(section)
    register_todos(waiting)

"""What billing lends to the rooms below: how settlements are posted, which receipts must stand, what to show."""

from core import fulfilment, orders
from core.billing.matching import check_reversal
from core.billing.panel import section
from core.billing.settlement import post_settlement
from core.billing.todos import figures, waiting
from core.orders import panels
from core.workbench import register_figures, register_todos


def wire() -> None:
    """Called once at start-up."""
    orders.register_settlement_poster(post_settlement)
    fulfilment.register_reversal_check(check_reversal)
    panels.register_section(section)
    register_todos(waiting)
    register_figures(figures)

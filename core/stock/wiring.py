"""What this room lends to the rooms below it."""

from core.catalog import availability
from core.stock.service import on_offer


def wire() -> None:
    """Called once when the platform is put together."""
    availability.lend(on_offer)

"""What the parts of a look are called, and a look in one line of words."""

from collections.abc import Iterator

from core.orders.saved import Look
from core.orders.saved.look import USUAL
from core.orders.views.frame import state_of
from core.web import gettext as _
from core.web.i18n import lazy

ROADS = (
    "submitted",
    "countered",
    "pending_approval",
    "confirmed",
    "in_progress",
    "delivered",
    "accepted",
    "completed",
    "draft",
)
"""States to filter by, the living ones; the ends are found by search and in the full list."""
COLUMN_TITLES = {
    "partner": lazy("Partner"),
    "po": lazy("Own number"),
    "delivery": lazy("Delivery date"),
    "mode": lazy("Mode of trade"),
    "total": lazy("Amount, VAT included"),
    "invoiced": lazy("Invoiced"),
    "paid": lazy("Paid"),
    "state": lazy("Status"),
}
SORT_TITLES = {
    "-placed": lazy("Newest first"),
    "placed": lazy("Oldest first"),
    "delivery": lazy("Delivery date, earliest first"),
    "-delivery": lazy("Delivery date, latest first"),
    "-total": lazy("Amount, largest first"),
    "total": lazy("Amount, smallest first"),
}
SIDE_TITLES = {"buyer": lazy("Purchases"), "seller": lazy("Sales")}


def in_words(look: Look) -> str:
    """Purchases · Confirmed · “rebar” · Amount, largest first · columns: Partner, Status."""
    return " · ".join(_words(look))


def _words(look: Look) -> Iterator[str]:
    yield str(SIDE_TITLES[look.side]) if look.side in SIDE_TITLES else _("Purchases and sales")
    if look.waiting:
        yield _("To answer")
    if look.open:
        yield _("Under way")
    if look.state:
        yield state_of(look.state)[0]
    if look.q:
        yield f"“{look.q}”"
    yield str(SORT_TITLES[look.sort or "-placed"])
    if look.columns != USUAL:
        yield _("Columns: %(names)s", names=_(", ").join(str(COLUMN_TITLES[each]) for each in look.columns))

"""Orders on pages: the list, one order with everything one may do to it, and each act as a form."""

from core.orders.views import acting, detail, listing, saving, talking
from core.orders.views.frame import pages
from core.orders.views.hits import hits
from core.web import NavEntry
from core.web.i18n import lazy

SUBJECTS = {"order:panel": detail.subject}
SEARCHES = [hits]
NAV = [
    NavEntry(
        key="orders",
        endpoint="orders.index",
        icon="order",
        title=lazy("Orders"),
        group="trade",
        permission="order.view",
        order=30,
        letter="o",
        bottom=True,
    )
]

__all__ = ["NAV", "SEARCHES", "SUBJECTS", "acting", "detail", "listing", "pages", "saving", "talking"]

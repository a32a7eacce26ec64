"""The pages of connections: how each is, what failed and why, its settings, its calls."""

from core.sync.drill import views as drills
from core.sync.inbox import views as calls
from core.sync.mapping import views as mapping
from core.sync.reconciling import views as reconciling
from core.sync.stocktaking import views as stocktaking
from core.sync.views import acting, detail, listing, runs, settings, setup, transport
from core.sync.views.frame import pages
from core.web import NavEntry
from core.web.i18n import lazy

NAV = [
    NavEntry(
        key="connections",
        endpoint="sync.connections",
        icon="plug",
        title=lazy("Connections"),
        group="system",
        permission="connection.view",
        order=60,
        letter="k",
    )
]

__all__ = [
    "NAV",
    "acting",
    "calls",
    "detail",
    "drills",
    "listing",
    "mapping",
    "pages",
    "reconciling",
    "runs",
    "settings",
    "setup",
    "stocktaking",
    "transport",
]

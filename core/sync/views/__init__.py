"""The pages of connections: how each is, what failed and why, its settings, its calls."""

from core.sync.drill import views as drills
from core.sync.views import acting, detail, listing, settings, setup
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

__all__ = ["NAV", "acting", "detail", "drills", "listing", "pages", "settings", "setup"]

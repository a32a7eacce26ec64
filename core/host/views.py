"""Where the platform finds the pages of plugins and their entry in the menu."""

from core.host.pages import pages
from core.web import NavEntry
from core.web.i18n import lazy

__all__ = ["NAV", "pages"]
NAV = [
    NavEntry(
        "plugins",
        "plugins.index",
        "plug",
        lazy("Plugins"),
        group="system",
        permission="plugin.view",
        order=80,
        letter="x",
    )
]

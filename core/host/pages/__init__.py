"""The pages of plugins; one module for each thing people come for."""

from core.host.pages import (
    change,
    detail,
    health,
    planning,
    settings,
    settings_versions,
    store,
    switching,
    trust,
    trust_offers,
    upload,
    versions,
)
from core.host.pages.frame import pages

__all__ = [
    "change",
    "detail",
    "health",
    "pages",
    "planning",
    "settings",
    "settings_versions",
    "store",
    "switching",
    "trust",
    "trust_offers",
    "upload",
    "versions",
]

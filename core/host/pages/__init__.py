"""The pages of plugins; one module for each thing people come for."""

from core.host.pages import (
    change,
    detail,
    health,
    own,
    planning,
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
    "own",
    "pages",
    "planning",
    "store",
    "switching",
    "trust",
    "trust_offers",
    "upload",
    "versions",
]

"""The pages of the catalogue: buyers search it, sellers keep it, files fill it."""

from core.catalog.views import buying, files, selling, writing
from core.catalog.views.frame import pages
from core.web import NavEntry
from core.web.i18n import lazy

NAV = [
    NavEntry(
        key="catalogue",
        endpoint="catalog.search",
        icon="search",
        title=lazy("Catalogue"),
        group="trade",
        permission="catalogue.view",
        order=10,
        letter="c",
        bottom=True,
    ),
    NavEntry(
        key="products",
        endpoint="catalog.products",
        icon="box",
        title=lazy("Products"),
        group="trade",
        permission="product.view",
        order=40,
        letter="p",
    ),
]

__all__ = ["NAV", "buying", "files", "pages", "selling", "writing"]

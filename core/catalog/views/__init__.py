"""The pages of the catalogue: buyers search it, sellers keep it, files fill it."""

from core.catalog.views import buying, files, pricelists, selling, shelves, winning, writing
from core.catalog.views.frame import pages
from core.catalog.views.hits import hits
from core.web import NavEntry
from core.web.i18n import lazy

SEARCHES = [hits]
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
    NavEntry(
        key="categories",
        endpoint="catalog.categories",
        icon="cols",
        title=lazy("Categories"),
        group="trade",
        permission="category.edit",
        order=41,
    ),
    NavEntry(
        key="price_lists",
        endpoint="catalog.price_lists",
        icon="coin",
        title=lazy("Price lists"),
        group="trade",
        permission="product.view",
        order=42,
    ),
]

__all__ = ["NAV", "SEARCHES", "buying", "files", "pages", "pricelists", "selling", "shelves", "winning", "writing"]

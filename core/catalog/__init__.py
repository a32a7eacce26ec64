"""Goods and their prices: what a seller has on offer, how buyers find it, and what it costs them.

Below the orders room and above tenancy. Prices are asked with `quote_lines` (a whole order in one statement)
and explained component by component.
"""

from core.catalog.agreed import Agreed, agreed_lines, own_goods
from core.catalog.availability import availability
from core.catalog.duties import turn_price_lists
from core.catalog.events import ListingsWithdrawn, PricesSet, ProductsImported, ProductsListed
from core.catalog.finding import (
    Found,
    ListingRow,
    OwnSearch,
    Search,
    find_listings,
    find_products,
    listing_row,
)
from core.catalog.imports import (
    Imported,
    cancel_import,
    export_products,
    find_import,
    import_products,
    import_reasons,
    recent_imports,
    start_import,
)
from core.catalog.model import Category, ImportRun, Listing, PriceList, PriceRow, Product, UomConversion
from core.catalog.pricing import (
    Component,
    PricedLine,
    SkuFacts,
    Tier,
    Wanted,
    own_prices,
    price_tiers,
    quote_lines,
    shown_components,
    units_of,
)
from core.catalog.rows import AttributeRule, Conversion, ProductRow, Shelf, shelves
from core.catalog.service import (
    Landed,
    RowIssue,
    add_category,
    add_product,
    edit_product,
    find_product,
    publish_products,
    upsert_products,
    withdraw_products,
)
from core.catalog.tariff import (
    NewPrice,
    open_price_list,
    price_lists,
    public_list,
    set_first_prices,
    set_prices,
)
from core.catalog.tax import TAX_CLASSES, Amounts, exclusive_price, line_amounts, total, vat, vat_rate
from core.catalog.units import UNITS, fixed_factors

__all__ = [
    "TAX_CLASSES",
    "UNITS",
    "Agreed",
    "Amounts",
    "AttributeRule",
    "Category",
    "Component",
    "Conversion",
    "Found",
    "Goods",
    "ImportRun",
    "Imported",
    "Landed",
    "Listing",
    "ListingRow",
    "ListingsWithdrawn",
    "NewPrice",
    "OwnSearch",
    "PriceList",
    "PriceRow",
    "PricedLine",
    "PricesSet",
    "Product",
    "ProductRow",
    "ProductsImported",
    "ProductsListed",
    "RowIssue",
    "Search",
    "Shelf",
    "SkuFacts",
    "Tier",
    "UomConversion",
    "Wanted",
    "add_category",
    "add_product",
    "agreed_lines",
    "availability",
    "cancel_import",
    "edit_product",
    "exclusive_price",
    "export_products",
    "find_import",
    "find_listings",
    "find_product",
    "find_products",
    "fixed_factors",
    "import_products",
    "import_reasons",
    "line_amounts",
    "listing_row",
    "open_price_list",
    "own_goods",
    "own_prices",
    "price_lists",
    "price_tiers",
    "public_list",
    "publish_products",
    "quote_lines",
    "recent_imports",
    "set_first_prices",
    "set_prices",
    "shelves",
    "shown_components",
    "start_import",
    "total",
    "turn_price_lists",
    "units_of",
    "upsert_products",
    "vat",
    "vat_rate",
    "withdraw_products",
]

"""The catalogue over JSON: search and prices for buyers, products, categories, prices and files for sellers."""

from core.catalog.api import files, goods, prices, shelves
from core.catalog.api.frame import api

__all__ = ["api", "files", "goods", "prices", "shelves"]

"""Saved views: how somebody wants to see the list of orders, kept under a name of their own."""

from core.orders.saved.look import Look
from core.orders.saved.model import SavedView
from core.orders.saved.service import change_view, drop_view, keep_view, rename_view, set_default, views_of

__all__ = [
    "Look",
    "SavedView",
    "change_view",
    "drop_view",
    "keep_view",
    "rename_view",
    "set_default",
    "views_of",
]

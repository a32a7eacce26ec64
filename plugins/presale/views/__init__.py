"""The pages of presales, for both sides."""

from plugins.presale.views import indices, offers, reservations
from plugins.presale.views.frame import PRESALES, pages

__all__ = ["PRESALES", "indices", "offers", "pages", "reservations"]

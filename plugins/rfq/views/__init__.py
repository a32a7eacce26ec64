"""The pages: a buyer's requests and their comparison, a seller's invitations and quotes."""

from plugins.rfq.views import asking, comparing, selling, showing
from plugins.rfq.views.frame import MENU, pages

__all__ = ["MENU", "asking", "comparing", "pages", "selling", "showing"]

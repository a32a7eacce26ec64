"""What the pages of this room share: their collection."""

from core.web import Pages

pages = Pages("plugins", prefix="/plugins")

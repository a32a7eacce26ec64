"""The pages of plugins; one module for each thing people come for."""

from core.host.pages import own
from core.host.pages.frame import pages

__all__ = ["own", "pages"]

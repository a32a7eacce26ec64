"""Offers the catalogue's long work to whoever does it."""

from core import work
from core.catalog.imports import IMPORT
from core.catalog.reindexing import REINDEX


def wire() -> None:
    work.offer(IMPORT)
    work.offer(REINDEX)

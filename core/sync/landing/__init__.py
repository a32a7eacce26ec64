"""What flowed in, landed through the verbs of the rooms that own it: one file for each kind of record."""

from core.sync.landing.frame import Good, Left
from core.sync.landing.model import SyncTerm
from core.sync.landing.needs import grants_of

__all__ = ["Good", "Left", "SyncTerm", "grants_of"]

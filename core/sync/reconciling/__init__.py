"""Reconciliation: a day's documents of ours beside what the other system holds, and what differs with a suggested act."""

from core.sync.reconciling.model import SyncDifference, SyncTally
from core.sync.reconciling.service import act_on, differences_of, find_tally, tallies, tally_day
from core.sync.reconciling.working import Reconciler

__all__ = [
    "Reconciler",
    "SyncDifference",
    "SyncTally",
    "act_on",
    "differences_of",
    "find_tally",
    "tallies",
    "tally_day",
]

"""Long work: what takes longer than a request may. A row with progress that page, API and terminal show, that can be
stopped, that survives the death of its worker, and that ends in a result one can open.

A room describes a `Kind`, offers it once, and starts runs of it; the worker does them batch by batch.
"""

from core.work.kinds import Batch, Kind, Step, Why, offer
from core.work.model import OVER, STATES, WorkReason, WorkRun
from core.work.progress import Progress, progress
from core.work.service import cancel, cells, find_run, reasons, recent_runs, start
from core.work.working import work, work_off

__all__ = [
    "OVER",
    "STATES",
    "Batch",
    "Kind",
    "Progress",
    "Step",
    "Why",
    "WorkReason",
    "WorkRun",
    "cancel",
    "cells",
    "find_run",
    "offer",
    "progress",
    "reasons",
    "recent_runs",
    "start",
    "work",
    "work_off",
]

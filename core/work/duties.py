"""What the worker does here: one turn of the run that waited longest."""

from typing import Any

from core.work.working import work


def long_work(installation: Any) -> int:
    """Batches done; several workers take several runs side by side."""
    return work(installation.unit)


long_work.every = 0.5  # type: ignore[attr-defined]
DUTIES = [long_work]

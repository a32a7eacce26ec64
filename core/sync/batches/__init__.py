"""New documents that travel together: claimed beside one another, sent in one call, and each written down by itself."""

from core.sync.batches.working import work_together

__all__ = ["work_together"]

"""Settings gunicorn reads from Python: its master ends with `serve`, and its workers do not sweep what never goes away."""

import gc
from typing import Any

from core.cli.leash import hold


def when_ready(server: Any) -> None:
    """Called by gunicorn once, in its master."""
    hold()


def post_worker_init(worker: Any) -> None:
    """Called by gunicorn in each worker, when the application is loaded.

    What was loaded stays for good, so the collector need not look at it again; and one answer makes more objects than
    the 700 after which it would look by default.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 50)

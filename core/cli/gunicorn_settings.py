"""Settings gunicorn reads from Python: its master ends with `serve`; its workers report, and leave without cutting anyone.

A worker that is to be replaced first closes every connection after its answer, for as long as gunicorn keeps one open,
and only then ends; gunicorn's master begins another. So no client meets a connection that was just cut.
"""

import gc
import threading
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
    _report(worker)


def _report(worker: Any) -> None:
    from core.app import Installation, end_in_order
    from core.host.pulse import SETTLE

    house: Installation = worker.wsgi.extensions["ts.house"]

    def leave() -> None:
        worker.max_keepalived = 0  # gunicorn drops a `Connection` header of ours and writes `close` by itself now
        settling = threading.Timer(SETTLE, end_in_order)
        settling.daemon = True
        settling.start()

    house.begin_pulse("web", leave)

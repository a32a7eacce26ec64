"""Settings gunicorn reads from Python: its master ends with `serve`, also when that one is killed; its workers report.

A worker that is to be replaced first closes every connection after its answer, for as long as gunicorn keeps one open,
and only then ends; gunicorn's master begins another. So no client meets a connection that was just cut.
"""

import threading
from typing import Any

from core.cli.leash import hold


def when_ready(server: Any) -> None:
    """Called by gunicorn once, in its master."""
    hold()


def post_worker_init(worker: Any) -> None:
    """Called by gunicorn in each worker when the application stands."""
    from core.app import Installation, end_in_order
    from core.host.pulse import SETTLE

    house: Installation = worker.wsgi.extensions["ts.house"]

    def leave() -> None:
        worker.max_keepalived = 0  # gunicorn drops a `Connection` header of ours and writes `close` by itself now
        settling = threading.Timer(SETTLE, end_in_order)
        settling.daemon = True
        settling.start()

    house.begin_pulse("web", leave)

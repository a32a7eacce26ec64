"""Two workers of this process push what waits. What goes wrong in one of them is raised at once, not after the last wait."""

import faulthandler
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from core.sync import Pusher

PATIENCE = 900.0  # seconds


def drain(house: Any, *, workers: int = 2, at_once: int = 4) -> None:
    """Until nothing waits. Raises what a worker died of; TimeoutError, having printed what every thread was doing."""
    over = threading.Event()

    def work() -> None:
        pusher = Pusher(house.engine(at_once=at_once), threads=4)
        while not over.is_set():
            if not pusher.turn():
                over.wait(0.05)

    with ThreadPoolExecutor(workers) as pool:
        running: list[Future[None]] = [pool.submit(work) for _ in range(workers)]
        until = time.monotonic() + PATIENCE
        try:
            while left := house.waiting():
                if time.monotonic() > until:
                    faulthandler.dump_traceback(all_threads=True)
                    raise TimeoutError(f"{left} still wait")
                hurry(house)
                for dead in wait(running, 0.25, FIRST_EXCEPTION).done:
                    dead.result()
        finally:
            over.set()


def hurry(house: Any, rest: timedelta = timedelta()) -> None:
    """Let what waits for its time be due, unless it changed within `rest`; and close every open circuit.

    Only such rows are written: each version of a row is one more for every later claim to pass.
    """
    house.sql(
        "UPDATE ts.sync_document SET not_before = clock_timestamp() WHERE state IN ('new', 'unknown')"
        " AND lease_until IS NULL AND not_before > clock_timestamp()"
        f" AND changed_at <= clock_timestamp() - interval '{rest.total_seconds()} s'"
    )
    house.sql("UPDATE ts.erp_connection SET open_until = NULL WHERE open_until IS NOT NULL")

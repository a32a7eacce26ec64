"""gunicorn's thread worker, whose threads stay a moment with the connection they just answered.

By itself it hands every kept connection back to its main thread, which waits for the next request and hands it to a
thread again: three switches and two system calls more than one answer of ours takes to make. A client that asks the next
thing at once (an ERP, a page with its parts) is now heard by the thread that is already there, unless others wait for it.
"""

import select
import time
from collections import deque
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

MOMENT = 5  # milliseconds; a thread that waits costs nothing, and a request in the queue ends the staying
STEP, MOST = 0.0002, 0.002  # seconds a worker lets its siblings go first: for each connection it holds, and at most


class StayingWorker(ThreadWorker):
    """Answers as `ThreadWorker` does; only how a thread spends the moment after an answer differs."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.coming: deque[Any] = deque()

    def accept(self, listener: Any) -> None:
        """Take a new connection, unless a sibling that holds fewer is quicker: kept ones would else pile up in one process."""
        if self.nr_conns:
            time.sleep(min(self.nr_conns * STEP, MOST))
        super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        self.coming.append(conn)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Answer what is asked on a connection, then what is asked right after. True: the connection is to be kept."""
        self.coming.popleft()  # not always this one's entry: only their number matters
        while (kept := super().handle(conn)) is True and self.alive and not self.coming:
            if not conn.parser.unreader.buf.getvalue() and not _asks_more(conn.sock):
                break
        return kept


def _asks_more(sock: Any) -> bool:
    """Whether the next request, or the end of the connection, is there within the moment."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(MOMENT))

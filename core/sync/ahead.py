"""The next page is fetched while this one is stored: the other system and our database work side by side.

At most one page waits and one is being fetched, so memory does not grow with the stream. Positions belong to pages, so a stop
loses what was fetched ahead and nothing that was stored.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.sync.contract import Page

DONE = object()


@contextmanager
def ahead(pages: Iterator[Page]) -> Iterator[Iterator[Page]]:
    """Inside, the pages of a stream, in their order, fetched by a thread of their own. What fetching raises comes out of it."""
    ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(maxsize=1)
    over = threading.Event()

    def hand_on(page: Any, fault: BaseException | None) -> bool:
        while not over.is_set():
            try:
                ready.put((page, fault), timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def fetch() -> None:
        try:
            for page in pages:
                if not hand_on(page, None):
                    return
        except BaseException as fault:
            hand_on(None, fault)
            return
        hand_on(DONE, None)

    def taken() -> Iterator[Page]:
        while True:
            page, fault = ready.get()
            if fault is not None:
                raise fault
            if page is DONE:
                return
            yield page

    thread = threading.Thread(target=fetch, name="sync ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        over.set()
        thread.join()  # its call ends by the limits of the outbound guard; the session is closed behind it

"""A child process ends with the one that started it, also when that one is killed.

The parent keeps the writing end of the child's standard input open and writes nothing; the child reads. When
the parent is gone, however it went, the read ends, and the child asks itself to terminate.
"""

import os
import signal
import threading

VARIABLE = "TS_LEASH"


def hold() -> None:
    """Watch the parent, if it holds us on a leash."""
    if os.environ.get(VARIABLE) == "stdin":
        threading.Thread(target=_wait, name="leash", daemon=True).start()


def _wait() -> None:
    while os.read(0, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)

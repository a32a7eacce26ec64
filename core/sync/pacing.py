"""So many calls a minute to one system: who comes too early waits a little, or is told that nothing was sent."""

import threading
import time
from collections.abc import Callable
from uuid import UUID

BURST = 6  # parts of a minute whose calls may go at once
LEAST = 10  # calls that may always go at once, when it was quiet: a document needs several in a row
LONGEST = 15.0  # seconds a call waits for its turn


class Pace:
    """A bucket of calls that fills by itself; all threads of this process draw from one for each connection."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute, self._clock = per_minute, clock
        self._size = max(float(LEAST), per_minute / BURST)
        self._left, self._at = self._size, clock()
        self._lock = threading.Lock()

    def turn(self) -> float | None:
        """Seconds until this call may go; None when that is too long, and then it does not count."""
        each = 60.0 / self.per_minute
        with self._lock:
            now = self._clock()
            self._left = min(self._size, self._left + (now - self._at) / each)
            self._at = now
            wait = max(0.0, (1.0 - self._left) * each)
            if wait > LONGEST:
                return None
            self._left -= 1.0
            return wait


_paces: dict[UUID, Pace] = {}
_lock = threading.Lock()


def pace_of(connection_id: UUID, per_minute: int) -> Pace:
    """The bucket of a connection in this process; a new one when its rate was changed."""
    with _lock:
        found = _paces.get(connection_id)
        if found is None or found.per_minute != per_minute:
            found = _paces[connection_id] = Pace(per_minute)
        return found

"""How often each plugin was called, how often it failed and how long it took: counted in memory, minute by minute.

A round of calls costs one lock, each call a few additions. Whoever reports takes the counts away and gives them back when
it could not.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

PLACES = 17  # below 1 ms, below 2 ms, below 4 ms ... and everything from 32 seconds on
KEPT = 5_000  # plugin, hook and minute; where nobody reports (a command in the terminal) the counts end there

Key = tuple[str, str, int]  # plugin, hook, minutes since 1970


@dataclass(slots=True)
class Counts:
    """What happened in one minute. `slower` counts calls by power of two of a millisecond."""

    calls: int = 0
    errors: int = 0
    micros: int = 0
    slower: list[int] = field(default_factory=lambda: [0] * PLACES)

    def add(self, other: "Counts") -> None:
        self.calls += other.calls
        self.errors += other.errors
        self.micros += other.micros
        self.slower = [mine + theirs for mine, theirs in zip(self.slower, other.slower, strict=True)]


class Meter:
    """The counts of this process."""

    def __init__(self) -> None:
        self._counts: dict[Key, Counts] = {}
        self._busy: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, plugin: str, hook: str, seconds: float, failed: bool) -> None:
        """One call is over."""
        self.note_all(hook, [(plugin, seconds, failed)])

    def note_all(self, hook: str, spent: Sequence[tuple[str, float, bool]]) -> None:
        """A round of calls of one hook is over: plugin, seconds, whether it failed."""
        now = int(time.time()) // 60
        with self._lock:
            known, busy = self._counts, self._busy
            for plugin, seconds, failed in spent:
                micros = int(seconds * 1_000_000)
                counts = known.get((plugin, hook, now))
                if counts is None:
                    if len(known) >= KEPT:
                        return
                    counts = known[(plugin, hook, now)] = Counts()
                counts.calls += 1
                counts.errors += failed
                counts.micros += micros
                counts.slower[min((micros // 1000).bit_length(), PLACES - 1) if micros > 999 else 0] += 1
                busy[plugin] = busy.get(plugin, 0) + micros

    def take(self) -> dict[Key, Counts]:
        """Everything counted since the last time, to be reported."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken

    def give_back(self, taken: dict[Key, Counts]) -> None:
        """It could not be reported: count it together with what came since."""
        with self._lock:
            for key, counts in taken.items():
                if key in self._counts:
                    self._counts[key].add(counts)
                elif len(self._counts) < KEPT:
                    self._counts[key] = counts

    def busy(self) -> dict[str, int]:
        """Microseconds by plugin since this was last asked: who was at work while memory grew."""
        with self._lock:
            busy, self._busy = self._busy, {}
        return busy


def minute(key: Key) -> datetime:
    """When the minute of a key began."""
    return datetime.fromtimestamp(key[2] * 60, UTC)

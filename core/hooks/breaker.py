"""When a plugin is passed over: after five faults in five minutes, or at once when one held a thread or a transaction."""

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

FAULTS, WINDOW, COOL_DOWN = 5, 300.0, 60.0


@dataclass
class Breaker:
    """Faults of one plugin, newest last; open while five of them lie inside the window."""

    faults: deque[float] = field(default_factory=lambda: deque(maxlen=FAULTS))
    last: str = ""
    tripped: float | None = None

    def fault(self, why: str) -> None:
        self.faults.append(time.monotonic())
        self.last = why

    def trip(self, why: str) -> None:
        """A call past its time holds a connection and a lock, a lost transaction somebody's work: one is enough."""
        self.fault(why)
        self.tripped = self.faults[-1]

    @property
    def open(self) -> bool:
        if not self.faults:
            return False
        now = time.monotonic()
        if self.tripped is not None and now - self.tripped < COOL_DOWN:
            return True
        recent = len(self.faults) == FAULTS and now - self.faults[0] < WINDOW
        return recent and now - self.faults[-1] < COOL_DOWN


@dataclass(frozen=True)
class Fault:
    """Something a plugin did wrong. `opened`: with this one its breaker opened."""

    plugin: str
    hook: str
    kind: str  # error, late, transaction, memory
    reason: str
    tenant_id: UUID | None
    at: datetime
    opened: bool

"""How the memory of this process grows, and which plugins were at work while it did.

Nobody can tell whose object a byte is. But growth comes in moments, and who was called in them is known: each look hands
the bytes that came since the last one to the plugins that worked meanwhile, by the time they took.
"""

import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 1024 * 1024
ROOM = 64 * MEGABYTE  # a process may always grow by this much: a limit below its start would replace it for ever
NOISE = MEGABYTE  # growth between two looks that says nothing


@dataclass(frozen=True)
class Suspect:
    """A plugin that was at work while memory grew: by how much, and which of its calls were under way at the end."""

    plugin: str
    bytes: int
    under_way: tuple[str, ...]


@dataclass
class Growth:
    """The memory of one process from look to look. `limit` in bytes; 0 means none."""

    limit: int
    before: int = 0
    _grown: dict[str, float] = field(default_factory=dict)

    def look(self, now: int, busy: Mapping[str, int], under_way: Mapping[str, int]) -> bool:
        """Take note of the bytes resident now. True when they are past the limit.

        `busy` are microseconds by plugin of calls that ended since the last look, `under_way` those of calls that go on.
        """
        if not self.before:
            self.limit = max(self.limit, now + ROOM) if self.limit else 0
        came = now - self.before if self.before else 0
        self.before = now
        worked = {name: busy.get(name, 0) + under_way.get(name, 0) for name in {*busy, *under_way}}
        if came > NOISE and (total := sum(worked.values())):
            for name, micros in worked.items():
                self._grown[name] = self._grown.get(name, 0.0) + came * micros / total
        return bool(self.limit) and now > self.limit

    def suspects(self, calls: Mapping[str, tuple[str, ...]], most: int = 3) -> list[Suspect]:
        """The plugins memory grew under, the worst first, then those that are only called right now.

        `calls` are the calls under way by plugin.
        """
        found = [Suspect(name, int(grown), calls.get(name, ())) for name, grown in self._grown.items() if grown > NOISE]
        found += [Suspect(name, 0, calls[name]) for name in calls if name not in {each.plugin for each in found}]
        return sorted(found, key=lambda each: (-each.bytes, not each.under_way, each.plugin))[:most]


def resident() -> int:
    """Memory of this process in bytes: what lies in RAM now, or where the system does not tell, the most that ever did."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()

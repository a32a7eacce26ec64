"""Trouble for connections that leave files: at a folder or a server of files, on our side of it, done on purpose.

A link that leaves files has an attribute `around`; while it is set, every act at its place goes through it as
`around(name, act, part)`: `name` is list, read, write, exists, move or make, `act` does it, `part` does half of it where half
can be done. What breaks below the link is raised as the system would (`OSError`), so the link sorts it as on a bad day. A link
calls `before_write` twice for a file: before it writes the file aside, and before it lets the file go by a move.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

from core.sync.drill.trouble import Killed, Trouble

PLACES: dict[str, str] = {
    "none": "Nothing goes wrong",
    "place_refused": "The place of the files cannot be reached",
    "place_full": "The file cannot be written",
    "place_half": "Half the file is written, then the line breaks",
    "place_written": "The file is written, then the line breaks",
    "place_cut_before": "The line breaks before the file is let go",
    "place_cut_after": "The line breaks after the file was let go",
    "place_silent_before": "No answer to letting the file go, and it did not happen",
    "place_silent_after": "No answer to letting the file go, although it happened",
    "place_half_answer": "Only half of an answer can be read",
    "place_killed_before": "Our worker dies before it lets the file go",
    "place_killed_after": "Our worker dies after it let the file go",
    "place_blind": "Our worker dies after it let the file go, and then no folder can be listed",
}

Act = Callable[[], Any]
Part = Callable[[], Any] | None


class PlaceTrouble(Trouble):
    """One kind of trouble for one file. `hit` says whether it fell."""

    def __init__(self, kind: str, seconds: float) -> None:
        super().__init__(kind, seconds)
        self.blind = False

    def about_to_write(self) -> None:
        if not self.hit:
            self.writes += 1

    def around(self, name: str, act: Act, part: Part = None) -> Any:
        """Do an act, or not, and leave of it what the trouble leaves."""
        self.calls += 1
        if self.blind and name == "list":
            self.blind = False
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        writes, meant, how = ACTS[self.kind]
        if self.hit or self.writes < writes or (meant and name != meant):
            return act()
        return how(self, act, part)


def _fallen(trouble: PlaceTrouble) -> None:
    trouble.hit = True


def _refused(trouble: PlaceTrouble, _act: Act, _part: Part) -> Any:
    _fallen(trouble)
    raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def _full(trouble: PlaceTrouble, _act: Act, _part: Part) -> Any:
    _fallen(trouble)
    raise OSError(errno.ENOSPC, "No space left on device")


def _half(trouble: PlaceTrouble, _act: Act, part: Part) -> Any:
    _fallen(trouble)
    if part is not None:
        part()
    raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def _cut_before(trouble: PlaceTrouble, _act: Act, _part: Part) -> Any:
    _fallen(trouble)
    raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def _cut_after(trouble: PlaceTrouble, act: Act, _part: Part) -> Any:
    act()
    _fallen(trouble)
    raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def _silent_before(trouble: PlaceTrouble, _act: Act, _part: Part) -> Any:
    _fallen(trouble)
    time.sleep(trouble.seconds)
    raise TimeoutError(errno.ETIMEDOUT, "Timed out")


def _silent_after(trouble: PlaceTrouble, act: Act, _part: Part) -> Any:
    act()
    _fallen(trouble)
    time.sleep(trouble.seconds)
    raise TimeoutError(errno.ETIMEDOUT, "Timed out")


def _half_answer(trouble: PlaceTrouble, act: Act, _part: Part) -> Any:
    found = act()  # raises while there is no answer yet
    _fallen(trouble)
    return found[: len(found) // 2]


def _killed_before(trouble: PlaceTrouble, _act: Act, _part: Part) -> Any:
    _fallen(trouble)
    raise Killed


def _killed_after(trouble: PlaceTrouble, act: Act, _part: Part) -> Any:
    act()
    _fallen(trouble)
    raise Killed


def _blind(trouble: PlaceTrouble, act: Act, part: Part) -> Any:
    trouble.blind = True
    return _killed_after(trouble, act, part)


ACTS: dict[str, tuple[int, str, Callable[[PlaceTrouble, Act, Part], Any]]] = {
    "place_refused": (1, "", _refused),
    "place_full": (1, "write", _full),
    "place_half": (1, "write", _half),
    "place_written": (1, "write", _cut_after),
    "place_cut_before": (2, "move", _cut_before),
    "place_cut_after": (2, "move", _cut_after),
    "place_silent_before": (2, "move", _silent_before),
    "place_silent_after": (2, "move", _silent_after),
    "place_half_answer": (2, "read", _half_answer),
    "place_killed_before": (2, "move", _killed_before),
    "place_killed_after": (2, "move", _killed_after),
    "place_blind": (2, "move", _blind),
}
"""Each kind with the `before_write` from which it lies in wait, the act it falls on (empty: any), and what it does."""

"""How far a run that pages by id may say it has come.

Such a run sees each row once. What changes behind it, after its page was read, only the next run can bring, and a run may last
for hours or rest for a night. So the cursor never rises above the ceiling: the newest change there was when the run began,
read right behind its first page. That page, and what is stamped before it can be seen, is what the overlap is for. The
ceiling travels in the position, for the worker that goes on after a stop.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise


def newest_text(stamps: Iterable[str]) -> str | None:
    """The last of these stamps, of a form that sorts by time; empty ones are none."""
    return max(filter(None, stamps), default=None)


class Course:
    """One run: behind which key it goes on, and the cursor it may leave.

    A run begun without a position ends with the newest of the stamps it was told by `begin` or `see`. One that goes on at
    a position keeps the ceiling found there; a position without one leaves the cursor where the run began.
    """

    def __init__(
        self,
        cursor: str | None,
        position: str | None,
        newest: Callable[[Iterable[str]], str | None] = newest_text,
    ) -> None:
        self.last, self.ceiling = _read(position)
        self.begins = not position
        self._from, self._newest = cursor, newest
        self._started = datetime.now(UTC) if self.begins else None
        self._rising, self._highest = self.begins, list[str]()

    @property
    def cursor(self) -> str | None:
        """Where the next run may begin: never before this one did."""
        return self._newest([self._from or "", self.ceiling or ""])

    def begin(self, stamps: Iterable[str]) -> None:
        """The stamps of the first page, and the newest one there where more pages follow."""
        self.ceiling = self._newest([self.ceiling or "", *stamps])

    def see(self, stamps: Sequence[str]) -> None:
        """The stamps of any page, of a system that cannot be asked for its newest change.

        Those of the first page count; of a later one those that are moments from before the run began, and marks that are no
        moments while they only rise, for then the pages go by the mark itself. A moment without an offset is read as one of
        Greenwich: east of it such a run leaves some hours to be read again, and loses nothing.
        """
        told = [stamp for stamp in stamps if stamp]
        self._rising = self._rising and all(
            self._newest(two) == two[1] for two in pairwise([*self._highest, *told])
        )
        self._highest = told[-1:] or self._highest
        self.begin(stamp for stamp in told if self.begins or self._counts(stamp))

    def position(self, last: str) -> str:
        """Where to go on behind the page that ends with `last`; from here on the run has begun."""
        self.last, self.begins = last, False
        return json.dumps([last, self.ceiling], ensure_ascii=False) if self.ceiling else last

    def _counts(self, stamp: str) -> bool:
        try:
            moment = None if stamp.isdecimal() else datetime.fromisoformat(stamp)
        except ValueError:
            moment = None
        if moment is None or self._started is None:
            return self._rising
        return moment.replace(tzinfo=moment.tzinfo or UTC) <= self._started


def _read(position: str | None) -> tuple[str, str | None]:
    """Key and ceiling of a position; one that was left before there were ceilings is the key alone."""
    try:
        told = json.loads(position or "")
    except ValueError:
        told = None
    match told:
        case [str(last), str(ceiling)]:
            return last, ceiling
    return position or "", None

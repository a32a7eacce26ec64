"""A place where somebody stands between us and every act: the fault drill, which lets some of them go wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from connectors.generic.files.place import LARGEST, Entry, Place

Around = Callable[[str, Callable[[], Any], Callable[[], Any] | None], Any]
"""`around(name, act, part)` does an act of that name, or half of it where `part` does half, and answers what came of it."""


class Watched(Place):
    """The same place; what is raised around an act is sorted as if the place itself had raised it."""

    def __init__(self, place: Place, around: Around) -> None:
        self.place, self.around, self.shown = place, around, place.shown

    def list(self, folder: str) -> list[Entry]:
        found: list[Entry] = self._act("list", folder, lambda: self.place.list(folder))
        return found

    def read(self, folder: str, name: str, most: int = LARGEST) -> bytes:
        return bytes(self._act("read", name, lambda: self.place.read(folder, name, most)))

    def write(self, folder: str, name: str, data: bytes) -> None:
        def half() -> None:
            self.place.write(folder, name, data[: len(data) // 2])

        self._act("write", name, lambda: self.place.write(folder, name, data), half)

    def exists(self, folder: str, name: str) -> bool:
        return bool(self._act("exists", name, lambda: self.place.exists(folder, name)))

    def move(self, folder: str, name: str, to: str, new: str) -> None:
        self._act("move", name, lambda: self.place.move(folder, name, to, new))

    def make(self, folder: str) -> None:
        self._act("make", folder, lambda: self.place.make(folder))

    def remedies(self, what: str) -> AbstractContextManager[None]:
        return self.place.remedies(what)

    def close(self) -> None:
        self.place.close()

    def _act(
        self, name: str, what: str, act: Callable[[], Any], part: Callable[[], Any] | None = None
    ) -> Any:
        with self.place.remedies(what):
            return self.around(name, act, part)

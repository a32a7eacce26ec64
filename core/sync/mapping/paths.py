"""Where in a message a rule writes: `FNote`, `FCustId.FNumber`, `FSaleOrderEntry[].F_TS_CHANNEL`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(r"([^\s.\[\]]{1,80})(\[\])?")
LONGEST = 200
DEEPEST = 8


class NoPlace(ValueError):
    """The message has no such place; says why."""


@dataclass(frozen=True)
class Step:
    """One name on the way; `each` goes into every entry of the list it names."""

    name: str
    each: bool


def parsed(text: str) -> tuple[Step, ...] | None:
    """The steps of a path, None when it is none. It ends at a name, not at a list."""
    parts = [_STEP.fullmatch(part) for part in text.split(".")]
    if not text.isprintable() or len(text) > LONGEST or len(parts) > DEEPEST or not all(parts):
        return None
    steps = tuple(Step(part[1], part[2] is not None) for part in parts if part)
    return None if steps[-1].each else steps


@dataclass(frozen=True)
class Spot:
    """One place in a message. `line` counts the entries of the first list on the way, None in the head."""

    holder: dict[str, Any]
    name: str
    line: int | None
    path: str

    @property
    def value(self) -> Any:
        return self.holder.get(self.name)

    def put(self, value: Any) -> None:
        """Write here. A new name stands before the lists, as a head does: some systems read a message in its order."""
        if isinstance(self.holder.get(self.name), dict | list):
            raise NoPlace(f"{self.path} has parts of its own, one of them must be named")
        lists = [name for name, inner in self.holder.items() if isinstance(inner, list)]
        if self.name in self.holder or not lists:
            self.holder[self.name] = value
            return
        behind = list(self.holder)[list(self.holder).index(lists[0]) :]
        kept = {name: self.holder.pop(name) for name in behind}
        self.holder[self.name] = value
        self.holder.update(kept)


def spots(body: dict[str, Any], steps: tuple[Step, ...]) -> Iterator[Spot]:
    """Every place a path leads to. Parts of the head that are missing are made when something is put there."""
    return _spots(body, steps, None, "")


def _spots(holder: Any, steps: tuple[Step, ...], line: int | None, path: str) -> Iterator[Spot]:
    step, rest = steps[0], steps[1:]
    here = f"{path}.{step.name}" if path else step.name
    if not isinstance(holder, dict):
        raise NoPlace(f"{path} is a value and has no {step.name}")
    if not rest:
        yield Spot(holder, step.name, line, here)
    elif step.each:
        entries = holder.get(step.name)
        if isinstance(entries, dict) and isinstance(entries.get("results"), list):
            entries = entries["results"]  # OData V2 wraps a list so
        if not isinstance(entries, list):
            raise NoPlace(f"{here} is no list of this message")
        for no, entry in enumerate(entries):
            yield from _spots(entry, rest, no if line is None else line, f"{here}[{no}]")
    elif step.name in holder:
        yield from _spots(holder[step.name], rest, line, here)
    else:
        yield from _made(holder, step.name, rest, line, here)


def _made(holder: dict[str, Any], name: str, rest: tuple[Step, ...], line: int | None, path: str) -> Iterator[Spot]:
    fresh: dict[str, Any] = {}
    for spot in _spots(fresh, rest, line, path):
        yield _Fresh(spot.holder, spot.name, line, spot.path, lambda: Spot(holder, name, line, path).put(fresh))


@dataclass(frozen=True)
class _Fresh(Spot):
    """A place in a part that does not exist yet; the part is hung in with its first value."""

    hang: Callable[[], None]

    def put(self, value: Any) -> None:
        Spot.put(self, value)
        self.hang()

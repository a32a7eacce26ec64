"""Trouble on demand: which call is hit, how, and how often."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COMMON = {
    "refuse": "no connection is accepted for `seconds`",
    "drop_before": "the connection is closed, nothing was done",
    "drop_after": "the call is done, the connection is closed without an answer",
    "timeout_before": "nothing is done, the answer never comes within `seconds`",
    "timeout_after": "the call is done, the answer never comes within `seconds`",
    "status_500_after": "the call is done, the answer is a 502 page",
    "html_200": "the call is done (unless `commit` is false), the answer is a login page with 200",
    "bad_charset": "the call is done, the answer is GB18030 although it says UTF-8",
    "cut_body": "the call is done, the answer breaks off in the middle",
    "slow": "the call is done and answered after `seconds`",
}
"""What can go wrong with any server; a simulator adds modes of its own."""

SAME = {"service": "operation", "form": "kind"}  # words of some systems for what faults match on


@dataclass
class Fault:
    """One kind of trouble; empty match fields match every call."""

    mode: str
    operation: str = ""
    kind: str = ""
    number: str = ""
    times: int | None = None  # None: for ever
    probability: float = 1.0
    seconds: float = 1.0
    commit: bool = True
    hits: int = 0

    @classmethod
    def parse(cls, raw: Mapping[str, Any], modes: Mapping[str, str] = COMMON) -> Fault:
        """From `{"match": {...} or "Save", "mode": ..., "times": n}` or `probability`; raises ValueError."""
        mode = str(raw.get("mode", ""))
        if mode not in modes:
            raise ValueError(f"unknown mode {mode!r}; known: {', '.join(modes)}")
        given = raw.get("match") or {}
        given = {"operation": given} if isinstance(given, str) else dict(given)
        match = {SAME.get(name, name): str(value) for name, value in given.items()}
        unknown = set(match) - {"operation", "kind", "number"}
        if unknown:
            raise ValueError(f"unknown match: {', '.join(sorted(unknown))}; known: operation, kind, number")
        times = raw.get("times")
        fault = cls(
            mode=mode,
            times=None if times is None else int(times),
            probability=float(raw.get("probability", 1.0)),
            seconds=float(raw.get("seconds", 1.0)),
            commit=bool(raw.get("commit", True)),
            operation=match.get("operation", ""),
            kind=match.get("kind", ""),
            number=match.get("number", ""),
        )
        if not 0 <= fault.probability <= 1 or not 0 <= fault.seconds <= 3600:
            raise ValueError("probability is from 0 to 1, seconds from 0 to 3600")
        return fault

    def matches(self, operation: str, kind: str, number: str) -> bool:
        pairs = ((self.operation, operation), (self.kind, kind), (self.number, number))
        return (self.times is None or self.hits < self.times) and all(
            not wanted or wanted.lower() == given.lower() for wanted, given in pairs
        )

    def as_json(self) -> dict[str, Any]:
        match = {"operation": self.operation, "kind": self.kind, "number": self.number}
        return {
            "mode": self.mode,
            "match": {name: value for name, value in match.items() if value},
            "hits": self.hits,
            "times": self.times,
            "probability": str(self.probability),
            "seconds": str(self.seconds),
            "commit": self.commit,
        }


class Faults:
    """The trouble in force, drawn from one seeded source so that a run can be repeated."""

    def __init__(self, seed: int = 1, modes: Mapping[str, str] = COMMON) -> None:
        self.modes = modes
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def seed(self, seed: int) -> None:
        with self._lock:
            self._dice.seed(seed)

    def set(self, raw: Sequence[Mapping[str, Any]]) -> None:
        """These faults instead of those in force. Raises ValueError; then nothing has changed."""
        faults = [Fault.parse(one, self.modes) for one in raw]
        with self._lock:
            self._faults = faults

    def add(self, raw: Mapping[str, Any]) -> None:
        """One fault more, behind those in force. Raises ValueError."""
        fault = Fault.parse(raw, self.modes)
        with self._lock:
            self._faults.append(fault)

    def pick(self, operation: str, kind: str = "", number: str = "") -> Fault | None:
        """The first fault that matches and whose dice fall; it counts as used."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(operation, kind, number) and self._dice.random() < fault.probability:
                    fault.hits += 1
                    return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults]

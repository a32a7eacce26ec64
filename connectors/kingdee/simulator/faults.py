"""Trouble on demand: which call is hit, how, and how often."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODES = {
    "refuse": "no connection is accepted for `seconds`",
    "drop_before": "the connection is closed, nothing was done",
    "drop_after": "the call is done, the connection is closed without an answer",
    "timeout_before": "nothing is done, the answer never comes within `seconds`",
    "timeout_after": "the call is done, the answer never comes within `seconds`",
    "status_500_after": "the call is done, the answer is a 502 page",
    "html_200": "the call is done (unless `commit` is false), the answer is a login page with 200",
    "bad_charset": "the call is done, the answer is GB18030 although it says UTF-8",
    "cut_body": "the call is done, the answer breaks off in the middle",
    "session_lost": "every session is forgotten, the call is not done",
    "lock_conflict": "another user holds the document (MsgCode 13)",
    "call_limit": "too many calls (MsgCode 14)",
    "slow": "the call is done and answered after `seconds`",
}


@dataclass
class Fault:
    """One kind of trouble; empty match fields match every call."""

    mode: str
    service: str = ""
    form: str = ""
    number: str = ""
    times: int | None = None
    probability: float = 1.0
    seconds: float = 1.0
    commit: bool = True
    hits: int = 0

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Fault:
        """From `{"match": {...} or "Save", "mode": ..., "times": n}` or `probability`; raises ValueError."""
        mode = str(raw.get("mode", ""))
        if mode not in MODES:
            raise ValueError(f"unknown mode {mode!r}; known: {', '.join(MODES)}")
        match = raw.get("match") or {}
        match = {"service": match} if isinstance(match, str) else dict(match)
        unknown = set(match) - {"service", "form", "number"}
        if unknown:
            raise ValueError(f"unknown match: {', '.join(sorted(unknown))}")
        times = raw.get("times")
        return cls(
            mode=mode,
            times=None if times is None else int(times),
            probability=float(raw.get("probability", 1.0)),
            seconds=float(raw.get("seconds", 1.0)),
            commit=bool(raw.get("commit", True)),
            service=str(match.get("service", "")),
            form=str(match.get("form", "")),
            number=str(match.get("number", "")),
        )

    def matches(self, service: str, form: str, number: str) -> bool:
        pairs = ((self.service, service), (self.form, form), (self.number, number))
        return (self.times is None or self.hits < self.times) and all(
            not wanted or wanted.lower() == given.lower() for wanted, given in pairs
        )

    def as_json(self) -> dict[str, Any]:
        match = {"service": self.service, "form": self.form, "number": self.number}
        shown = {"mode": self.mode, "match": {k: v for k, v in match.items() if v}, "hits": self.hits}
        return shown | {
            "times": self.times,
            "probability": str(self.probability),
            "seconds": str(self.seconds),
        }


class Faults:
    """The trouble in force, drawn from one seeded source so that a run can be repeated."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def seed(self, seed: int) -> None:
        with self._lock:
            self._dice.seed(seed)

    def set(self, raw: list[Mapping[str, Any]]) -> None:
        faults = [Fault.parse(one) for one in raw]
        with self._lock:
            self._faults = faults

    def pick(self, service: str, form: str, number: str) -> Fault | None:
        """The first fault that matches and whose dice fall; it counts as used."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(service, form, number) and self._dice.random() < fault.probability:
                    fault.hits += 1
                    return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults]

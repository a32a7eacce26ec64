"""The kill drill: orders go out through worker processes that are killed while the system there misbehaves.

What must hold at the end, for every protocol: one sound document there for each order that is called done, nothing there
twice, nothing there that nobody ordered, and every other order held with its cause. `TS_SEED` rolls other dice.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sync.draining import hurry
from tests.sync.pushing import SETTLE
from tests.trust.serving import Job, kill, started
from tongshang.simulate import Practice

SHORT, LONG = (40, 3), (1_000, 20)  # orders, kills
WORKERS = 2
TROUBLED = 0.2  # share of the calls that something happens to
DELAY = 0.5  # seconds of those faults that take time
LAG = 0.4  # seconds a new document is not found for; shorter than the settle time, as the contract has it


@dataclass(frozen=True)
class Filed:
    """A document there: its id, and whether it is as it should be when all is done."""

    id: str
    sound: bool


@dataclass(frozen=True)
class Ground:
    """One protocol: the module of its connector, its practice server, a seller wired to it, and what is there in the end."""

    module: str
    practice: Callable[[], Practice]
    house: Callable[[Any, Any, Any], Any]
    filed: Callable[[Any], Mapping[str, Sequence[Filed]]]  # of the house: what is there, by our reference
    unique: Callable[
        [Any, bool], None
    ]  # set on the practice server: is a second one with our reference refused?
    modes: tuple[str, ...]
    once: tuple[str, ...] = ()  # modes nobody can survive where references may repeat


@dataclass
class Tally:
    """What became of the orders."""

    orders: int
    kills: int = 0
    flying: int = 0  # documents under way at the moments of killing, in all workers
    seconds: float = 0.0
    done: int = 0
    held: Counter[str] = field(default_factory=Counter)  # by cause
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # neither there nor held with a cause
    unsound: list[str] = field(default_factory=list)  # called done, and not as it should be
    strays: list[str] = field(default_factory=list)  # there, and nobody ordered it

    def __str__(self) -> str:
        told = vars(self) | {"held": dict(self.held)}
        return ", ".join(f"{name} {value}" for name, value in told.items())

    @property
    def whole(self) -> bool:
        return not (self.twice or self.lost or self.unsound or self.strays)


class Pushing(Job):
    """One of the processes that push."""

    def __init__(self, url: str, rule: str, module: str, log: Path) -> None:
        self.command = [sys.executable, "-m", "tests.sync.pushing", url, rule, module]
        self.environ, self.log = {}, log
        self.process, self.since = started(self.command, self.environ, log), time.monotonic()

    def revive(self) -> None:
        if self.process.poll() is not None:
            super().revive()
            self.since = time.monotonic()


class Drill:
    """One run over one ground, in a database of its own."""

    def __init__(self, ground: Ground, house: Any, practice: Practice, url: str, logs: Path) -> None:
        self.ground, self.house, self.practice, self.url, self.logs = ground, house, practice, url, logs

    def run(self, orders: int, kills: int, *, unique: bool) -> Tally:
        """Push `orders` through workers of which one is killed from time to time, spread over the whole run."""
        seed = int(os.environ.get("TS_SEED", "7"))
        tally, dice = Tally(orders), random.Random(seed)
        self.ground.unique(self.practice, unique)
        self.practice.faults.seed(seed)
        self.practice.faults.set(self._trouble(unique))
        for number in range(orders):
            self.house.order(f"SO-{number:05}", quantity=str(number % 900 + 1))
        # One is killed whenever so many are through.
        marks = sorted(dice.sample(range(orders // 20, orders * 9 // 10), kills))
        rule = f"127.0.0.1:{self.practice.port}"
        began, patience = time.monotonic(), 300.0 + orders
        jobs = [self._job(rule, number) for number in range(WORKERS)]
        try:
            while left := self.house.waiting():
                assert time.monotonic() - began < patience, (left, self._said())
                if tally.kills < kills and orders - left >= marks[tally.kills]:
                    time.sleep(dice.uniform(0.0, 0.3))  # anywhere in a document's calls
                    tally.flying += self._flying()
                    tally.kills += kill(min(jobs, key=lambda job: job.since).process.pid)
                for job in jobs:
                    job.revive()
                self._hurry()
                time.sleep(0.2)
        finally:
            for job in jobs:
                job.end()
        tally.seconds = round(time.monotonic() - began, 1)
        self._judge(tally)
        return tally

    def _job(self, rule: str, number: int) -> Pushing:
        return Pushing(self.url, rule, self.ground.module, self.logs / f"worker{number}.log")

    def _trouble(self, unique: bool) -> list[dict[str, Any]]:
        modes = [mode for mode in self.ground.modes if unique or mode not in self.ground.once]
        share = TROUBLED / len(modes)
        seconds = dict.fromkeys(modes, DELAY) | {"look_up_lag": LAG}
        return [{"mode": mode, "probability": share, "seconds": seconds[mode]} for mode in modes]

    def _hurry(self) -> None:
        """Cut waits short that are made for busy servers, never those made for a document to settle."""
        hurry(self.house, 2 * SETTLE)
        ((state, reason),) = self.house.sql("SELECT state, state_reason FROM ts.erp_connection")
        assert state == "active", reason

    def _flying(self) -> int:
        asked = "SELECT count(*) FROM ts.sync_document WHERE lease_until > clock_timestamp()"
        return int(self.house.sql(asked)[0][0])

    def _said(self) -> str:
        return "\n".join(log.read_text()[-1500:] for log in sorted(self.logs.glob("worker*.log")))

    def _judge(self, tally: Tally) -> None:
        there = self.ground.filed(self.house)
        tally.twice = [reference for reference, found in there.items() if len(found) > 1]
        rows = self.house.sql("SELECT reference, state, cause, cause_text, remote_id FROM ts.sync_document")
        ordered = {f"SO-{number:05}" for number in range(tally.orders)}
        tally.strays = sorted(set(there) - ordered)
        tally.lost = sorted(ordered - {reference for reference, *_ in rows})
        for reference, state, cause, said, remote_id in rows:
            found = there.get(reference, ())
            if state == "held" and cause and said:
                tally.held[cause] += 1
            elif state != "done" or not found:
                tally.lost.append(reference)
            elif [one.id for one in found if one.sound] != [remote_id]:
                tally.unsound.append(reference)
            else:
                tally.done += 1

"""What the worker does for connections: push documents, pull streams. Several connections run side by side."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any

from core.sync.drill.duty import Driller
from core.sync.engine import Engine
from core.sync.inbox import land_waiting
from core.sync.operator import rules_of
from core.sync.outbound import OutboundRule
from core.sync.reconciling import Reconciler
from core.sync.registry import connectors
from core.sync.streams import Puller

THREADS = 8  # a dead system holds two of them at most, so four must be silent at once before another one waits


class Pusher:
    """An engine with a few threads. A slow connection keeps its own documents waiting, nobody else's."""

    def __init__(self, engine: Engine, threads: int = THREADS) -> None:
        self.engine = engine
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sync")
        self._busy: set[Future[list[str]]] = set()

    def turn(self) -> int:
        """Claim as much as there are free threads; answers how many documents are under way."""
        self._reap(0.0)
        free = self.threads - len(self._busy)
        if free:
            for task in self.engine.claim(free):
                self._busy.add(self._pool.submit(self.engine.run_together, task))
        under_way = len(self._busy)
        if under_way:
            self._reap(0.2)
        return under_way

    def _reap(self, seconds: float) -> None:
        done, self._busy = wait(self._busy, seconds, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()


def push(installation: Any) -> int:
    """Documents out."""
    return _pusher(installation).turn()


def pull(installation: Any) -> int:
    """Streams in and checks, one after the other."""
    puller = _puller(installation)
    claimed = puller.claim()
    if claimed is None:
        return 0
    puller.run(claimed)
    return 1


def drill(installation: Any) -> int:
    """One case of one fault drill."""
    return _driller(installation).turn()


def land(installation: Any) -> int:
    """Calls that waited for their connection to go on."""
    return land_waiting(installation.unit, connectors())


def reconcile(installation: Any) -> int:
    """One day counted on both sides; yesterday by itself, other days when somebody asks."""
    reconciler = _reconciler(installation)
    day = reconciler.claim()
    if day is None:
        return 0
    reconciler.run(day)
    return 1


def plan_days(installation: Any) -> int:
    """Yesterday is asked for once it is over."""
    return _reconciler(installation).plan()


push.every = 0.3  # type: ignore[attr-defined]
pull.every = 1.0  # type: ignore[attr-defined]
drill.every = 1.0  # type: ignore[attr-defined]
land.every = 2.0  # type: ignore[attr-defined]
reconcile.every = 2.0  # type: ignore[attr-defined]
plan_days.every = 600.0  # type: ignore[attr-defined]
DUTIES = [push, pull, drill, land, reconcile, plan_days]


@cache
def _pusher(installation: Any) -> Pusher:
    return Pusher(Engine(installation.unit, connectors(), _rules(installation)))


@cache
def _puller(installation: Any) -> Puller:
    return Puller(installation.unit, connectors(), _rules(installation))


@cache
def _driller(installation: Any) -> Driller:
    return Driller(installation.unit, connectors(), _rules(installation), installation.config.master_key)


@cache
def _reconciler(installation: Any) -> Reconciler:
    return Reconciler(installation.unit, connectors(), _rules(installation))


def _rules(installation: Any) -> Callable[[], Sequence[OutboundRule]]:
    return lambda: rules_of(installation.config.data)

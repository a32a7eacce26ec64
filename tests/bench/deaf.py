"""What a dead ERP costs the web: the same requests while a worker pushes into it and while that worker has nothing to do.

One dead system accepts every call and never answers, the other refuses to be called. Two sellers are wired to both, each
with a backlog; the requests are those of their buyers. Pushing into one of them and resting go by turns, and at the start
of each turn the breakers are closed and everything is due, so that every turn meets the worst of it.
"""

import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg

from core.app import Installation
from core.config import Config
from core.db import Database
from core.sync import NewConnection, connect, connectors
from core.sync.documents import to_json
from core.sync.outgoing import LineOut, OrderOut
from tests.bench import backlog, ours
from tests.bench.wire import Wire
from tests.bench.world import Buyer, Seller, World

BACKLOG = 1_000  # documents of each connection
SELLERS = 2
TURNS = 9
WARM = 0.5  # seconds the worker has to come to its new mood before anybody looks at a clock
BAR = 1.1
CONNECTOR = {"way": "signed"} | dict.fromkeys(
    ("acct_id", "username", "app_id", "app_secret", "saler"), "bench"
)
REST = "UPDATE ts.erp_connection SET state = 'paused'"
PUSH = "UPDATE ts.erp_connection SET state = 'active', failures = 0, open_until = NULL WHERE base_url LIKE %s"
DUE = "UPDATE ts.sync_document SET not_before = clock_timestamp() WHERE lease_until IS NULL AND not_before > clock_timestamp()"


class Silent:
    """A system that takes every call and says nothing, until all who wait are hung up on."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._held: list[socket.socket] = []
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> "Silent":
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        while self._held:
            self._held.pop().close()

    def _take(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                self._held.append(self._server.accept()[0])


@contextmanager
def refusing() -> Iterator[int]:
    """The port of a system that is switched off; held, so that nobody else comes to live there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def working(environ: dict[str, str], ports: list[int]) -> Iterator[None]:
    """The worker as it runs, in a process of its own, with the operator's leave to call those ports."""
    rules = " ".join(f"127.0.0.1/32:{port}" for port in ports)
    worker = subprocess.Popen(
        [sys.executable, "-P", "-m", "core.cli", "work", "--held", "--silent"],
        cwd=ours.ROOT,
        env={**os.environ, **environ, "TS_OUTBOUND": rules},
        stderr=subprocess.DEVNULL,  # it says once for every call that nobody answered
    )
    try:
        yield
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended with {worker.returncode} while it was measured")
    finally:
        worker.kill()  # waiting for calls that nobody answers would take half a minute
        worker.wait(15)


@dataclass(frozen=True)
class Ground:
    """Where the turns are taken: the web server's port, the owner's connection, and who asks for what."""

    port: int
    owner: psycopg.Connection[Any]
    silent: Silent
    pairs: list[tuple[Buyer, Seller]]
    seconds: float

    def rest(self) -> None:
        """The worker has nothing to push any more, and no call under way."""
        self.owner.execute(REST)
        self.silent.hang_up()
        time.sleep(WARM)

    def push(self, dead: int) -> None:
        """The worker pushes into the system at this port."""
        self.owner.execute(DUE)
        self.owner.execute(PUSH, (f"%:{dead}/%",))
        time.sleep(WARM)

    def attempts(self) -> int:
        row = self.owner.execute("SELECT sum(attempt) FROM ts.sync_document").fetchone()
        assert row is not None
        return int(row[0])

    def asked(self) -> dict[str, list[float]]:
        """Milliseconds of each answer: one client for each pair places an order and lists orders in turn."""
        times: dict[str, list[float]] = {"place": [], "list": []}

        def client(index: int) -> None:
            buyer, seller = self.pairs[index]
            pick = random.Random(index)
            with Wire(self.port) as wire:
                until = time.monotonic() + self.seconds
                while time.monotonic() < until:
                    began = time.monotonic()
                    placed = ours.place(wire, buyer, seller, pick)
                    between = time.monotonic()
                    shown = ours.listed(wire, buyer)
                    ended = time.monotonic()
                    if (placed.status, shown.status) != (201, 200):
                        raise RuntimeError(f"answers {placed.status} and {shown.status}")
                    times["place"].append((between - began) * 1000)
                    times["list"].append((ended - between) * 1000)

        with ThreadPoolExecutor(len(self.pairs)) as pool:
            list(pool.map(client, range(len(self.pairs))))
        return times


def measure(config: Config, environ: dict[str, str], world: World, seconds: float) -> dict[str, Any]:
    """p95 of placing and of listing orders with a pushing worker over that with a resting one, for each way to be dead."""
    sellers = world.sellers[:SELLERS]
    with ExitStack() as stack:
        silent = stack.enter_context(Silent())
        ports = [silent.port, stack.enter_context(refusing())]
        owner = stack.enter_context(psycopg.connect(backlog.dsn(config, "migrate"), autocommit=True))
        owner.execute("SET ROLE ts_owner")
        _wired(config, owner, sellers, ports)
        owner.execute(REST)
        port = stack.enter_context(ours.served(config, environ))
        stack.enter_context(working(environ, ports))
        pairs = list(zip(world.buyers[:SELLERS], sellers, strict=True))
        ground = Ground(port, owner, silent, pairs, seconds / 4)
        facts: dict[str, Any] = {}
        for name, dead in zip(("silent", "refusing"), ports, strict=True):
            facts |= {f"{name}_erp_{what}": fact for what, fact in _by_turns(ground, dead).items()}
    return facts


def _wired(config: Config, owner: psycopg.Connection[Any], sellers: list[Seller], ports: list[int]) -> None:
    """Each seller is wired to each dead system and has a backlog for it."""
    house = Installation(config, Database(config.url("app"), pool_size=2))
    queue = backlog.Queue(owner, [seller.id for seller in sellers], to_json(_order()))
    try:
        for seller in sellers:
            for port in ports:
                given = NewConnection(f"ERP {port}", f"http://127.0.0.1:{port}/k3cloud/", "100", CONNECTOR)
                with house.unit.system(seller.id, "bench") as ctx:
                    made = connect(ctx, connectors()["kingdee"], given).id
                queue.documents((made, seller.id), BACKLOG)
    finally:
        house.database.dispose()


def _by_turns(ground: Ground, dead: int) -> dict[str, dict[str, Any]]:
    resting: list[dict[str, list[float]]] = []
    pushing: list[dict[str, list[float]]] = []
    pushed = 0
    for turn in range(TURNS + 1):
        for on in (True, False) if turn % 2 else (False, True):
            before = ground.attempts()
            if on:
                ground.push(dead)
            else:
                ground.rest()
            asked = ground.asked()
            pushed += (ground.attempts() - before) * on
            if turn:  # the first round warms up
                (pushing if on else resting).append(asked)
    ground.rest()
    if not pushed:
        raise RuntimeError("the worker pushed nothing, so nothing was measured")
    return {what: _told(what, resting, pushing, pushed) for what in ("place", "list")}


def _told(
    what: str, resting: list[dict[str, list[float]]], pushing: list[dict[str, list[float]]], pushed: int
) -> dict[str, Any]:
    """The medians of the p95 of all turns, as the other measurements have it, and the ratios of turns side by side."""
    off, on = ([backlog.p95(turn[what]) for turn in turns] for turns in (resting, pushing))
    ratios = sorted(round(busy / idle, 3) for busy, idle in zip(on, off, strict=True))
    return {
        "resting_p95_ms": round(statistics.median(off), 2),
        "pushing_p95_ms": round(statistics.median(on), 2),
        "ratio": round(statistics.median(on) / statistics.median(off), 3),
        "bar": BAR,
        "turns": [ratios[0], statistics.median(ratios), ratios[-1]],
        "answers": sum(len(turn[what]) for turn in resting + pushing),
        "pushed": pushed,
    }


def _order() -> OrderOut:
    """A confirmed order as it is queued."""
    line = LineOut(
        10, uuid4(), "BRG-6204", "深沟球轴承 6204", "pcs", Decimal(120), Decimal("0.13"), Decimal(4380)
    )
    return OrderOut(
        object_id=uuid4(),
        reference="SO-1",
        version=1,
        partner_id=uuid4(),
        partner_name="锡安达机电",
        partner_code="91350100M000100Y43",
        buyer_po="",
        currency="CNY",
        total=Decimal(4380),
        ordered_on=date(2026, 11, 23),
        delivery_on=None,
        ship_to="",
        note="",
        lines=(line,),
    )

"""Kill -9 at random, again and again, under load: nothing that was acknowledged is lost, nothing is done twice.

Victims: a web process, the worker, one backend of the database, the whole database. The server is our own embedded one
with fsync on. `TS_KILLS=100` kills that often; the default is small enough for every full run.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from core import verify
from core.app import Installation
from core.config import Config
from core.db import Database
from core.db.embedded import EmbeddedPostgres
from core.migrate import upgrade
from tests.app.house import Cast, Seeding
from tests.app.installation import write_keys
from tests.trust.clients import Client, Said
from tests.trust.serving import Job, Web, kill

KILLS = int(os.environ.get("TS_KILLS", "20"))
CALLERS = 4
PAUSE = (0.4, 2.0)  # seconds between two kills
HANGS_UP = 0.15  # how often a caller goes away before the answer, and asks again
PATIENCE = 60.0  # seconds a caller goes on asking with the same key

pytestmark = pytest.mark.slow


@dataclass
class Installed:
    """A whole installation of its own, with people and goods in it."""

    config: Config
    postgres: EmbeddedPostgres
    cast: Cast
    environ: dict[str, str]

    def rows(self, query: str) -> list[Any]:
        """Ask as the owner; waits while the database is coming back."""
        engine = create_engine(self.config.url("migrate"), poolclass=NullPool)
        until = time.monotonic() + 30
        try:
            while True:
                try:
                    with engine.connect() as connection:
                        connection.execute(text("SET ROLE ts_owner"))
                        found = list(connection.execute(text(query)))
                        connection.commit()
                        return found
                except DBAPIError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.1)
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def installed(keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    data = tmp_path_factory.mktemp("kill") / "data"
    write_keys(data)
    binaries = os.environ.get("TS_TEST_BINARIES")
    postgres = EmbeddedPostgres(data, fsync=True, binaries=Path(binaries) if binaries else None)
    postgres.start()
    try:
        postgres.provision()
        environ = {"TS_DATA": str(data), "DATABASE_URL": ""}
        config = Config.load(data, environ)
        upgrade(config.url("migrate"))
        house = Installation(config, Database(config.url("app"), pool_size=2))
        try:
            cast = Seeding(house).run()
        finally:
            house.database.dispose()
        yield Installed(config, postgres, cast, environ)
    finally:
        postgres.destroy()


@dataclass
class Done:
    """What one caller was told: every promise it may hold us to."""

    placed: dict[str, str] = field(default_factory=dict)  # the buyer's own number -> our order
    confirmed: set[str] = field(default_factory=set)
    shipped: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    repeated: int = 0


class Caller:
    """Places an order, has it confirmed and shipped, and starts again. Asks with the same key until there is an answer."""

    def __init__(self, number: int, installed: Installed, port: int) -> None:
        self.number, self.installed = number, installed
        self.buyer = Client(port, installed.cast.keys["hengke"], timeout=10, keep=False)
        self.seller = Client(port, installed.cast.keys["lianhang"], timeout=10, keep=False)
        self.done = Done()
        self.pick = random.Random(number)

    def run(self, stop: threading.Event) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            self.trade(f"KILL-{self.number}-{count}")
        self.buyer.close()
        self.seller.close()

    def trade(self, mark: str) -> None:
        skus = self.pick.sample(self.installed.cast.skus["lianhang"][:5], 2)
        lines = [{"sku_id": str(sku), "quantity": "1"} for sku in skus]
        wish = {"seller_id": str(self.installed.cast.ids["lianhang"]), "mode": "spot", "buyer_po": mark, "lines": lines}
        placed = self.insist(self.buyer, "/api/v1/orders", wish, f"place-{mark}")
        if placed is None:
            return
        order = placed.body["id"]
        self.done.placed[mark] = order
        if self.insist(self.seller, f"/api/v1/orders/{order}/confirm", {}, f"confirm-{mark}") is None:
            return
        self.done.confirmed.add(order)
        goods = {"lines": [{"line_id": placed.body["lines"][0]["id"], "quantity": "1"}]}
        if self.insist(self.seller, f"/api/v1/orders/{order}/shipments", goods, f"ship-{mark}") is not None:
            self.done.shipped.add(order)

    def insist(self, client: Client, path: str, body: dict[str, Any], key: str) -> Said | None:
        """Ask until the answer is a definite one, always with the same key; None when it is a refusal."""
        until = time.monotonic() + PATIENCE
        if self.pick.random() < HANGS_UP:
            client.leave("POST", path, body, key)
        while time.monotonic() < until:
            said = client.ask("POST", path, body, key)
            self.done.answers[said.status] += 1
            if 200 <= said.status < 300:
                self.done.repeated += said.replayed
                return said
            if said.status not in (0, 503):  # nothing came, or nothing was changed; anything else is an answer
                self.done.wrong.append(f"{path} with key {key}: {said.status} {said.body}")
                return None
            time.sleep(0.1)
        self.done.wrong.append(f"{path} with key {key}: no answer for {PATIENCE:.0f} s")
        return None


class Killer:
    """Kills one of the four kinds of victims at a time, at random moments."""

    def __init__(self, installed: Installed, web: Web, job: Job) -> None:
        self.installed, self.web, self.job = installed, web, job
        self.pick = random.Random(int(os.environ.get("TS_KILL_SEED", "1")))
        self.killed: Counter[str] = Counter()
        self.victims: dict[str, Callable[[], bool]] = {
            "web": self._web,
            "worker": self._worker,
            "backend": self._backend,
            "database": self._database,
        }

    def run(self, times: int) -> None:
        while self.killed.total() < times:
            time.sleep(self.pick.uniform(*PAUSE))
            self.job.revive()
            name = self.pick.choice(list(self.victims))
            if self.victims[name]():
                self.killed[name] += 1

    def _web(self) -> bool:
        workers = self.web.workers()
        return bool(workers) and kill(self.pick.choice(workers))

    def _worker(self) -> bool:
        return self.job.process.poll() is None and kill(self.job.process.pid)

    def _backend(self) -> bool:
        ours = "SELECT pid FROM pg_stat_activity WHERE usename IN ('ts_app', 'ts_worker')"
        engine = create_engine(self.installed.config.url("admin"), poolclass=NullPool)
        try:
            with engine.connect() as connection:
                pids = list(connection.execute(text(ours)).scalars())
        except DBAPIError:
            return False  # it is down from the last time
        finally:
            engine.dispose()
        return bool(pids) and kill(self.pick.choice(pids))

    def _database(self) -> bool:
        self.installed.postgres.kill()
        return True


def test_nothing_acknowledged_is_lost_when_anything_is_killed(installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
    web = Web(installed.config, installed.environ, threads=4, log=installed.config.data / "web.log")
    job = Job(installed.config.data, installed.environ, log=installed.config.data / "work.log")
    stop = threading.Event()
    try:
        web.wait()
        callers = [Caller(number, installed, web.port) for number in range(CALLERS)]
        threads = [threading.Thread(target=caller.run, args=(stop,)) for caller in callers]
        for thread in threads:
            thread.start()
        killer = Killer(installed, web, job)
        began = time.monotonic()
        try:
            killer.run(KILLS)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        took = time.monotonic() - began
        web.wait()
        job.revive()
        _wait_for_the_outbox(installed)
    finally:
        job.end()
        web.end()

    done = [caller.done for caller in callers]
    answers = sum((each.answers for each in done), Counter[int]())
    with capsys.disabled():
        print(
            f"\n{dict(killer.killed)} killed in {took:.0f} s; {sum(len(each.placed) for each in done)} orders acknowledged, "
            f"{sum(len(each.shipped) for each in done)} shipped, {sum(each.repeated for each in done)} answers replayed, "
            f"answers {dict(sorted(answers.items()))}"
        )
    _nothing_is_lost_or_doubled(installed, done)


def _nothing_is_lost_or_doubled(installed: Installed, done: list[Done]) -> None:
    wrong = [line for each in done for line in each.wrong]
    assert not wrong, "\n".join(wrong[:10])
    stored: dict[str, list[tuple[str, str]]] = {}
    for mark, ident, state in installed.rows(
        "SELECT buyer_po, id::text, state FROM ts.trade_order WHERE starts_with(buyer_po, 'KILL-')"
    ):
        stored.setdefault(mark, []).append((ident, state))
    placed = {mark: order for each in done for mark, order in each.placed.items()}
    assert placed
    assert {mark: [order for order, _ in orders] for mark, orders in stored.items()} == {
        mark: [order] for mark, order in placed.items()
    }
    state_of = {order: state for orders in stored.values() for order, state in orders}
    assert all(state_of[order] == "in_progress" for each in done for order in each.confirmed)
    shipments = Counter(
        str(row[0])
        for row in installed.rows(
            "SELECT s.order_id FROM ts.shipment_line s JOIN ts.trade_order o ON o.id = s.order_id"
            " WHERE starts_with(o.buyer_po, 'KILL-')"
        )
    )
    assert shipments == Counter({order: 1 for each in done for order in each.shipped})
    assert verify.run(installed.config) == []


def _wait_for_the_outbox(installed: Installed) -> None:
    """The worker that came back last delivers what is waiting; a lease of a killed one must run out first."""
    waiting = "SELECT count(*) FROM ts.outbox_event WHERE state NOT IN ('done', 'dead')"
    if KILLS < 50:  # a long run waits for the leases as everybody must, a short one ends them
        ended = "UPDATE ts.outbox_event SET not_before = now() WHERE state = 'new' RETURNING 1"
        installed.rows(f"WITH ended AS ({ended}) TABLE ended")
    until = time.monotonic() + 90
    while installed.rows(waiting)[0][0]:
        assert time.monotonic() < until, "events are still waiting"
        time.sleep(0.3)

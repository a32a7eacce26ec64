"""Workers are killed in the middle of their calls while the ERP misbehaves: one order stays one document, and none is lost.

`TS_ORDERS` and `TS_KILLS` make it longer; the long run has 1,000 orders and 20 kills.
"""

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.sync.test_drill import MODES
from tests.trust.serving import Job, kill, started

PATIENCE = 600.0  # seconds


class Pushing(Job):
    """One of the processes that push."""

    def __init__(self, url: str, rule: str, log: Path) -> None:
        self.command = [sys.executable, "-m", "tests.sync.pushing", url, rule]
        self.environ, self.log = {}, log
        self.process = started(self.command, self.environ, log)


def run(house, server: Server, name: str, data: Path, orders: int, kills: int, share: float) -> None:
    """Push `orders` through workers of their own processes, one of which is killed from time to time."""
    each = share / (len(MODES) + 1)
    trouble = [{"mode": mode, "probability": each, "seconds": 0.5} for mode in (*MODES, "session_lost")]
    house.kingdee.faults.set(trouble)
    for number in range(orders):
        house.order(f"SO-{number:05}", quantity=str(number % 900 + 1))
    pick, killed = random.Random(7), 0
    rule, url = f"127.0.0.1:{house.kingdee.port}", server.url_for("ts_worker", name)
    jobs = [Pushing(url, rule, data / f"worker{number}.log") for number in range(2)]
    try:
        until, next_kill = time.monotonic() + PATIENCE, time.monotonic() + 3.0
        while house.waiting():
            assert time.monotonic() < until, (data / "worker0.log").read_text()[-3000:]
            if killed < kills and time.monotonic() > next_kill:
                killed += kill(pick.choice(jobs).process.pid)
                next_kill = time.monotonic() + pick.uniform(0.5, 2.5)
            for job in jobs:
                job.revive()
            house.sql("UPDATE ts.erp_connection SET open_until = NULL")
            time.sleep(0.2)
    finally:
        for job in jobs:
            job.end()
    assert killed == kills
    told = Counter(house.sql("SELECT state FROM ts.sync_document"))
    bills = house.bills()
    assert all(len(found) == 1 for found in bills.values())
    assert set(bills) <= {f"SO-{number:05}" for number in range(orders)}
    for reference, state, cause in house.sql("SELECT reference, state, cause FROM ts.sync_document"):
        assert (state == "done" and reference in bills) or (state == "held" and cause), (reference, state, told)


@pytest.mark.slow
def test_one_order_stays_one_document_while_workers_are_killed(house, server, fresh_db, tmp_path):
    orders, kills = int(os.environ.get("TS_ORDERS", "60")), int(os.environ.get("TS_KILLS", "4"))
    run(house, server, fresh_db.name, tmp_path, orders, kills, share=0.3)


@pytest.mark.long
@pytest.mark.slow
def test_a_thousand_orders_and_twenty_kills(house, server, fresh_db, tmp_path):
    run(house, server, fresh_db.name, tmp_path, 1_000, 20, share=0.3)

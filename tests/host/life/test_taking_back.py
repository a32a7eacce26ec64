"""The end of a change: every process takes it over, or says that it cannot, and then the change is undone by itself."""

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from tests.host.life.conftest import Ground
from tests.host.life.wheels import table

pytestmark = pytest.mark.slow
SUM = "SELECT md5(string_agg(n::text, ',' ORDER BY n::text)) FROM plugin_{0}.note n"
BEAT = "SELECT ts.plugin_pulse(CAST(:process AS jsonb), '[]', '[]')"


@contextmanager
def process(ground: Ground, ident: str, broken: Callable[[], dict[str, str]], epoch: Callable[[], int]) -> Iterator[None]:
    """A process that reports what it runs, as the heartbeat of a real one does."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(0.1):
            said = {
                "id": ident, "kind": "web", "epoch": epoch(), "loaded": {}, "broken": broken(), "memory": 1,
                "started_at": "2026-01-01T00:00:00Z",
            }  # fmt: skip
            with ground.unit.database.engine.begin() as connection:
                connection.execute(text(BEAT), {"process": json.dumps(said)})

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        with ground.owner.begin() as connection:
            connection.execute(text("DELETE FROM ts.plugin_process"))


def now(ground: Ground) -> int:
    return int(ground.scalar("SELECT ts.plugin_epoch_now()"))


def test_a_version_that_does_not_start_in_a_process_goes_back_to_the_one_before(ground: Ground) -> None:
    first = table("frail")
    assert ground.put("frail", steps=[first]).state == "done"
    ground.write("lianhang", "frail", "one", "two")
    rows, epoch = ground.scalar(SUM.format("frail")), now(ground)

    def broken() -> dict[str, str]:
        return {"frail": "no licence on this machine"} if ground.plugin("frail")["version"] == "1.1" else {}

    with process(ground, "elsewhere:7:1", broken, lambda: now(ground)):
        outcome = ground.put("frail", "1.1", "upgrade", steps=[first, table("frail", "more")])

    assert (outcome.state, outcome.code) == ("rolled_back", "plugin.did_not_start"), outcome
    assert outcome.values == {"plugin": "frail", "reason": "no licence on this machine"}
    assert ground.plugin("frail")["version"] == "1.0"
    assert ground.scalar(SUM.format("frail")) == rows
    assert now(ground) == epoch + 2  # once forth and once back, so that every process hears of both
    change = ground.rows("SELECT state, steps FROM ts.plugin_change WHERE plugin = 'frail' ORDER BY asked_at DESC LIMIT 1")[0]
    assert change.state == "rolled_back"
    assert {"step": "take_over", "state": "refused"}.items() <= next(s for s in change.steps if s["step"] == "take_over").items()


def test_a_new_plugin_that_does_not_start_leaves_nothing(ground: Ground) -> None:
    def broken() -> dict[str, str]:
        return {"stillborn": "no licence"} if ground.plugin("stillborn") else {}

    with process(ground, "elsewhere:8:1", broken, lambda: now(ground)):
        outcome = ground.put("stillborn")

    assert (outcome.state, outcome.code) == ("rolled_back", "plugin.did_not_start"), outcome
    assert ground.plugin("stillborn") is None
    assert ground.scalar("SELECT to_regnamespace('plugin_stillborn')") is None
    assert ground.scalar("SELECT count(*) FROM auth.permission WHERE starts_with(code, 'stillborn.')") == 0


def test_nobody_waits_for_a_process_that_has_ended(ground: Ground) -> None:
    """Its last word is a moment old and tells of the set before."""
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    old = now(ground)
    with process(ground, f"{platform.node()}:{ended.pid}:1", dict, lambda: old):
        began = time.monotonic()
        assert ground.put("quick", steps=[]).state == "done"
        seconds = _waited(ground, "quick")
    assert seconds < 3, f"{seconds:.1f} s; {time.monotonic() - began:.1f} s in all"


def test_a_living_process_is_waited_for(ground: Ground) -> None:
    until, old = time.monotonic() + 600, now(ground)
    late: list[float] = []

    def epoch() -> int:
        if now(ground) > old and not late:
            late.append(time.monotonic() + 2)
        return now(ground) if late and time.monotonic() > late[0] else old

    with process(ground, f"{platform.node()}:{os.getppid()}:1", dict, epoch):
        assert ground.put("patient", steps=[]).state == "done"
    assert time.monotonic() > late[0] and time.monotonic() < until
    assert _waited(ground, "patient") >= 1


def _waited(ground: Ground, name: str) -> float:
    """Whole seconds from the commit to the end of the change."""
    return float(
        ground.scalar(
            "SELECT extract(epoch FROM c.ended_at - p.changed_at) FROM ts.plugin_change c JOIN ts.plugin p ON p.name = c.plugin"
            " WHERE c.plugin = :name ORDER BY c.asked_at DESC LIMIT 1",
            name=name,
        )
    )

"""A hook past its time (V-P4): its statement is cancelled, its thread is stopped where it can be, and the breaker opens."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from core.hooks import Broken, PluginFailed, dispatch, hookimpl, watchdog
from core.hooks.watchdog import Overdue, Watchdog
from core.kernel import Context

Plugged = Callable[..., Context]


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "SECONDS", {"decide": 0.2, "decorate": 0.2})
    monkeypatch.setattr(watchdog, "TICK", 0.02)
    monkeypatch.setattr(watchdog, "GRACE", 0.05)
    monkeypatch.setattr(watchdog, "STUCK", 0.3)


class Slow:
    def __init__(self, act: Callable[[Context], Any]) -> None:
        self.act = act

    @hookimpl
    def check_transition(self, ctx: Context) -> Any:
        return self.act(ctx)

    @hookimpl
    def fill_slot(self, ctx: Context) -> Any:
        return self.act(ctx)


def decide(ctx: Context) -> PluginFailed:
    with pytest.raises(PluginFailed) as refused:
        ctx.ports.dispatch.decide("check_transition", ctx, order=None, transition=None)
    return refused.value


def sleeps_in_the_database(ctx: Context) -> None:
    ctx.session.execute(text("SELECT pg_sleep(4)"))


def spins(ctx: Context) -> None:
    end = time.monotonic() + 4
    while time.monotonic() < end:
        try:
            time.sleep(0.01)
        except Exception:  # a plugin that swallows everything is stopped all the same
            continue


def works(ctx: Context) -> bool:
    return ctx.session.scalar(text("SELECT current_user || ts.tenant()::text")) == f"ts_app{ctx.tenant_id}"


@pytest.mark.parametrize("slow", [sleeps_in_the_database, spins])
def test_a_slow_hook_is_cut_off_and_refuses_by_name(plugged: Plugged, slow: Callable[[Context], None]) -> None:
    ctx = plugged(slow=Slow(slow))
    began = time.monotonic()
    refused = decide(ctx)
    assert time.monotonic() - began < 2
    assert refused.values["plugin"] == "slow"
    assert "longer than 0.2 s" in refused.values["reason"]
    assert works(ctx)


def test_a_hook_that_comes_back_late_by_itself_has_failed_too(plugged: Plugged) -> None:
    ctx = plugged(slow=Slow(lambda ctx: time.sleep(0.23)))
    assert "longer than" in decide(ctx).values["reason"]
    assert works(ctx)


def test_one_overdue_call_opens_the_breaker(plugged: Plugged) -> None:
    ctx = plugged(slow=Slow(spins))
    decide(ctx)
    began = time.monotonic()
    assert decide(ctx).code == "plugin.out_of_order"
    found = list(ctx.ports.dispatch.decorate("fill_slot", ctx, slot="order:panel", subject=None))
    assert isinstance(found[0][1], Broken)
    assert time.monotonic() - began < 0.1


def test_nothing_of_the_watchdog_is_left_behind_in_the_thread(plugged: Plugged) -> None:
    for _ in range(5):
        ctx = plugged(slow=Slow(spins))
        decide(ctx)
    time.sleep(0.2)
    assert sum(range(100_000)) > 0
    assert works(ctx)


def test_two_stuck_threads_ask_once_to_replace_the_process() -> None:
    asked: list[str] = []
    dog = Watchdog(lambda: asked.append("replace"))
    free = threading.Event()

    def lost() -> None:
        key, call = dog.begin("lost.check_transition", 0.05, None)
        with suppress(Overdue):
            free.wait(3)  # waits in C, where no exception reaches it
        dog.end(key, call)

    threads = [threading.Thread(target=lost) for _ in range(2)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 2
    while not asked and time.monotonic() < until:
        time.sleep(0.02)
    assert dog.stuck == 2
    assert asked == ["replace"]
    free.set()
    for thread in threads:
        thread.join(3)


def test_watching_a_call_costs_no_thread_of_its_own() -> None:
    dog = Watchdog()
    before = threading.active_count()
    for _ in range(2000):
        key, call = dog.begin("quick", 2.0, None)
        assert not dog.end(key, call)
    assert threading.active_count() <= before + 1


def test_a_call_that_does_not_come_back_is_told_of_at_once(plugged: Plugged) -> None:
    told = threading.Event()
    faults: list[Any] = []

    def hear(fault: Any) -> None:
        faults.append(fault)
        told.set()

    ctx = plugged(slow=Slow(lambda ctx: time.sleep(0.9)))  # in C, where nothing can be raised
    ctx.ports.dispatch.heard = hear
    caller = threading.Thread(target=decide, args=(ctx,))
    caller.start()
    assert told.wait(0.6) and caller.is_alive()
    assert ctx.ports.dispatch.closed("slow") == "check_transition takes longer than it may"
    caller.join(3)
    assert [(each.kind, each.opened) for each in faults] == [("late", True)]  # and not once more when it is back


def test_calls_under_way_are_known_with_their_age() -> None:
    dog = Watchdog()
    key, call = dog.begin("grows.event:OrderSubmitted", float("inf"), None)
    [(name, age)] = dog.under_way()
    assert name == "grows.event:OrderSubmitted" and 0 <= age < 1
    dog.end(key, call)
    assert dog.under_way() == []


def test_a_sleeper_whom_nothing_reaches_lets_go_of_its_locks(
    plugged: Plugged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "CUT", 0.1)
    ctx = plugged(slow=Slow(lambda ctx: time.sleep(1.2)))
    ctx.session.execute(text("SELECT pg_advisory_xact_lock(4711)"))
    caller = threading.Thread(target=decide, args=(ctx,))
    caller.start()
    with ctx.session.get_bind().connect() as other:  # type: ignore[union-attr]
        began = time.monotonic()
        other.execute(text("SELECT pg_advisory_xact_lock(4711)"))
        assert time.monotonic() - began < 0.9 and caller.is_alive()
    caller.join(3)
    assert not caller.is_alive()
    ctx.session.rollback()
    assert works(ctx)

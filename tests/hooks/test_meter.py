"""Calls of plugins are counted minute by minute, for next to nothing, and nothing is lost when a report fails."""

import time
from collections.abc import Callable

import pytest

from core.hooks import PluginFailed, hookimpl
from core.hooks.meter import KEPT, Meter
from core.kernel import Context, Refused

Plugged = Callable[..., Context]


class Does:
    def __init__(self, fault: BaseException | None = None) -> None:
        self.fault = fault

    @hookimpl
    def check_transition(self) -> None:
        if self.fault:
            raise self.fault


def test_calls_errors_and_time_are_counted_by_plugin_and_hook(plugged: Plugged) -> None:
    asked = {"good"}
    ctx = plugged(lambda tenant: asked, good=Does(), strict=Does(Refused("strict.no")), bad=Does(ValueError()))
    for name in ("good", "strict", "bad"):
        asked = {name}
        for _ in range(3):
            try:
                ctx.ports.dispatch.decide("check_transition", ctx, order=None, transition=None)
            except (PluginFailed, Refused):
                continue
    found = {plugin: (hook, each.calls, each.errors) for (plugin, hook, _), each in ctx.ports.dispatch.meter.take().items()}
    assert found == {  # a refusal is an answer, no error
        "good": ("check_transition", 3, 0),
        "strict": ("check_transition", 3, 0),
        "bad": ("check_transition", 3, 3),
    }
    assert ctx.ports.dispatch.meter.take() == {}


@pytest.mark.parametrize(
    ("seconds", "place"), [(0.0, 0), (0.0009, 0), (0.001, 1), (0.0039, 2), (0.5, 9), (31.0, 15), (3600.0, 16)]
)
def test_calls_fall_into_places_by_power_of_two_of_a_millisecond(seconds: float, place: int) -> None:
    meter = Meter()
    meter.note("slow", "hook", seconds, False)
    [counts] = meter.take().values()
    assert [at for at, number in enumerate(counts.slower) if number] == [place]


def test_what_could_not_be_reported_is_reported_with_the_next() -> None:
    meter = Meter()
    meter.note("a", "hook", 0.01, True)
    taken = meter.take()
    meter.note("a", "hook", 0.01, False)
    meter.give_back(taken)
    [counts] = meter.take().values()
    assert (counts.calls, counts.errors, counts.micros, sum(counts.slower)) == (2, 1, 20_000, 2)


def test_where_nobody_reports_the_counts_have_an_end() -> None:
    meter = Meter()
    for number in range(KEPT + 5):
        meter.note("a", f"hook{number}", 0.0, False)
    assert len(meter.take()) == KEPT


def test_counting_costs_next_to_nothing() -> None:
    meter = Meter()
    began = time.perf_counter()
    for _ in range(10_000):
        meter.note("a", "hook", 0.001, False)
    assert (time.perf_counter() - began) / 10_000 < 20e-6  # seconds; it is about one microsecond

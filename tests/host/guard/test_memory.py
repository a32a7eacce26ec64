"""Memory that grows is laid at the door of whoever worked while it did."""

from core.host.guard.memory import MEGABYTE, ROOM, Growth, resident

START = 200 * MEGABYTE


def test_growth_falls_to_those_who_worked_meanwhile() -> None:
    growth = Growth(400 * MEGABYTE)
    assert not growth.look(START, {"early": 9}, {})  # what was there before says nothing
    assert not growth.look(START + 90 * MEGABYTE, {"busy": 20, "little": 10}, {})
    assert growth.look(410 * MEGABYTE, {}, {"busy": 1_000_000})
    busy, little, other = growth.suspects({"busy": ("event:OrderSubmitted",), "other": ("search",)})
    assert (busy.plugin, busy.bytes // MEGABYTE, busy.under_way) == ("busy", 180, ("event:OrderSubmitted",))
    assert (little.plugin, little.bytes // MEGABYTE, little.under_way) == ("little", 30, ())
    assert (other.plugin, other.bytes) == ("other", 0)


def test_a_limit_below_the_start_leaves_room_so_that_nothing_is_replaced_for_ever() -> None:
    growth = Growth(10 * MEGABYTE)
    assert not growth.look(START, {}, {})
    assert not growth.look(START + ROOM, {}, {})
    assert growth.look(START + ROOM + 1, {}, {})


def test_no_limit_is_none() -> None:
    growth = Growth(0)
    growth.look(START, {}, {})
    assert not growth.look(START * 100, {}, {})


def test_this_process_knows_its_size() -> None:
    before = resident()
    ballast = b"x" * (50 * MEGABYTE)
    assert resident() - before > 40 * MEGABYTE
    del ballast
